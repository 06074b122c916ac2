"""The inspector that needs no model: measurements of the image, and its differences from a reference.

Knows no measurement itself.
"""

from __future__ import annotations

import hashlib

from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.inspectors.classical import ClassicalInspector
from review_copilot.inspectors.reference import compare_with_reference
from review_copilot.inspectors.sources import hash_of_sources


class BuiltinInspector:
    """Measures, and compares where the task names a reference. Safe to call from several threads."""

    name = "builtin"

    def __init__(self) -> None:
        self._measuring = ClassicalInspector()
        parts = (self._measuring.version, hash_of_sources("review_copilot.inspectors.reference"))
        self.version = hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]

    def inspect(self, brief: Brief) -> Inspection:
        """Measure the image; with a reference, box its differences too.

        Raises:
            ImageError: An image could not be decoded.
        """
        measured = self._measuring.inspect(brief)
        if brief.reference is None:
            return measured
        compared = compare_with_reference(brief)
        return Inspection(
            findings=(*measured.findings, *compared.findings),
            notes=(*measured.notes, *compared.notes),
            dropped=(*measured.dropped, *compared.dropped),
        )
