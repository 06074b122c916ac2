"""Hashes of a task's image, to find duplicates. Knows no pixels and no file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """Stored hashes of a task's image.

    Attributes:
        task_id: The task in the project.
        sha256: Hash of the file, in hex.
        fingerprint: Perceptual hash, 16 hex digits; nearly identical images differ in a few bits. Empty if the image
            shows too little.
    """

    task_id: int
    sha256: str
    fingerprint: str = ""
