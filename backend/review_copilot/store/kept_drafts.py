"""Keep the drafts of evaluations in a folder: one JSON Lines file per setup. Knows no evaluation."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from review_copilot.domain.review import Review
from review_copilot.errors import StoreError
from review_copilot.private_files import open_private_to_append
from review_copilot.store.codec import review_from_json, review_to_json


class FolderDrafts:
    """Drafts of one setup in one file. Implements `flows.evaluate.KeptDrafts`.

    A draft is one line. A line that an interrupted run did not finish is ignored, and its draft is made again.
    Deleting the file is safe at any time. The file contains texts of drafts, so only its owner can read it.
    """

    def __init__(self, folder: Path, version: str) -> None:
        """Read the file, if there is one.

        Args:
            folder: The folder; created with the first draft.
            version: Hash of everything that determines the drafts; the name of the file.

        Raises:
            StoreError: The file cannot be read.
        """
        self._path = folder / f"{version}.jsonl"
        self._lock = threading.Lock()
        self._drafts: dict[str, Review] = {}
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines() if self._path.exists() else []
        except OSError as error:
            raise StoreError(
                f"{self._path} cannot be read: {error.strerror}.", hint="Check its permissions."
            ) from error
        for line in lines:
            try:
                entry = json.loads(line)
                self._drafts[entry["key"]] = review_from_json(entry["review"])
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    def get(self, key: str) -> Review | None:
        """The draft under a key; None if there is none."""
        return self._drafts.get(key)

    def put(self, key: str, review: Review) -> None:
        """Keep a draft.

        Raises:
            StoreError: The file cannot be written.
        """
        line = json.dumps({"key": key, "review": review_to_json(review)}, ensure_ascii=False)
        with self._lock:
            self._drafts[key] = review
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with open_private_to_append(self._path) as file:
                    file.write(f"\n{line}\n")  # the line before may be unfinished
            except OSError as error:
                raise StoreError(
                    f"{self._path} cannot be written: {error.strerror}.", hint="Choose another folder with --drafts."
                ) from error
