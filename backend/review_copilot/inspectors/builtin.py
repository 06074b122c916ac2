"""The inspector that needs no model: measurements, differences from a reference, traces of editing where asked for.

Knows no measurement itself.
"""

from __future__ import annotations

import hashlib

from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.inspectors.classical import ClassicalInspector
from review_copilot.inspectors.editing import BUDGET_S, look_for_editing
from review_copilot.inspectors.reference import compare_with_reference
from review_copilot.inspectors.sources import hash_of_sources


class BuiltinInspector:
    """Measures, and compares where the task names a reference. Safe to call from several threads."""

    name = "builtin"

    def __init__(self, *, editing_budget_s: float = BUDGET_S) -> None:
        self._measuring = ClassicalInspector()
        self._editing_budget_s = editing_budget_s
        rooms = ("review_copilot.inspectors.reference", "review_copilot.inspectors.editing")
        parts = (self._measuring.version, *(hash_of_sources(room) for room in rooms))
        self.version = hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]

    def inspect(self, brief: Brief) -> Inspection:
        """Measure the image; with a reference, box its differences; look for editing where the guideline asks for it.

        Raises:
            ImageError: An image could not be decoded.
        """
        parts = (
            self._measuring.inspect(brief),
            compare_with_reference(brief),
            look_for_editing(brief, budget_s=self._editing_budget_s),
        )
        return Inspection(
            findings=tuple(finding for part in parts for finding in part.findings),
            notes=tuple(note for part in parts for note in part.notes),
            dropped=tuple(dropped for part in parts for dropped in part.dropped),
        )
