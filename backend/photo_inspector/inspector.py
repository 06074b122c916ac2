"""The inspector that needs no model: measurements, differences from a reference, and on request traces of editing.

Knows no measurement itself.
"""

from __future__ import annotations

from photo_inspector.catalogue import CATALOGUE
from photo_inspector.editing import BUDGET_S, find_edits
from photo_inspector.measuring import inspect_by_measuring
from photo_inspector.reference import compare_with_reference
from review_copilot.plugin import Brief, Inspection, InspectorOptions, Measure, draft_version


class BuiltinInspector:
    """Measures an image, and compares it where the task names a reference. Safe to call from several threads."""

    name = "builtin"

    def __init__(self, *, editing_budget_s: float = BUDGET_S) -> None:
        self._editing_budget_s = editing_budget_s
        self.version = draft_version("photo_inspector")

    def catalogue(self) -> tuple[Measure, ...]:
        """The measures that guidelines can name, in a fixed order."""
        return CATALOGUE

    def inspect(self, brief: Brief) -> Inspection:
        """Measure the image; with a reference, box its differences; look for edits where the guideline asks for it.

        Raises:
            ImageError: An image could not be decoded.
        """
        parts = (
            inspect_by_measuring(brief),
            compare_with_reference(brief),
            find_edits(brief, budget_s=self._editing_budget_s),
        )
        return Inspection(
            findings=tuple(finding for part in parts for finding in part.findings),
            notes=tuple(note for part in parts for note in part.notes),
            dropped=tuple(dropped for part in parts for dropped in part.dropped),
            examined=frozenset().union(*(part.examined for part in parts)),
        )


def create_inspector(options: InspectorOptions) -> BuiltinInspector:
    """The factory behind the entry point `builtin`.

    Args:
        options: `editing_budget_s` is the time limit in seconds for the search for edits in one image.
    """
    return BuiltinInspector(editing_budget_s=options.number("editing_budget_s", BUDGET_S))
