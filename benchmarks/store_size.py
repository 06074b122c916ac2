"""What one draft costs the database: bytes and seconds, on SQLite, with reviews of five suggestions each."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import importable  # noqa: F401  # first: the folders that the next imports need
from builders import PROJECT, a_review, a_suggestion, a_task, task_key
from fake_clock import FakeClock
from review_copilot.store import open_store

DRAFTS = 5000
ROLLOUT = "photo-quality r1 0a1b2c"


def main() -> None:
    """Write, look up and owe; print one line for each."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "log.db"
        store = open_store(f"sqlite:///{file}", clock=FakeClock())
        began = time.perf_counter()
        for number in range(1, DRAFTS + 1):
            suggestions = [a_suggestion(f"s{number}-{part}") for part in range(5)]
            store.remember([a_review(f"r{number}", *suggestions, key=task_key(number))])
        print(f"remember: {(time.perf_counter() - began) / DRAFTS * 1000:.2f} ms a draft, one transaction each")
        began = time.perf_counter()
        store.drafted(PROJECT, rollout=ROLLOUT, task_ids=range(1, 1001))
        print(f"drafted: {time.perf_counter() - began:.3f} s for a window of 1000")
        began = time.perf_counter()
        store.add_pending([a_task(number) for number in range(1, DRAFTS + 1)], rollout=ROLLOUT, due_in_s=0)
        print(f"owe: {time.perf_counter() - began:.3f} s for {DRAFTS} pending_drafts in one request")
        began, claims = time.perf_counter(), 0
        while store.claim(limit=500, lease_s=60):
            claims += 1
        print(f"claim: {(time.perf_counter() - began) / claims * 1000:.1f} ms for a block of 500")
        store.close()
        print(f"size: {file.stat().st_size / DRAFTS / 1000:.1f} kB a draft with its pending_draft")


if __name__ == "__main__":
    main()
