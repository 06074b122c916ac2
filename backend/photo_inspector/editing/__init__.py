"""Traces of editing, looked for on request: a guideline with a criterion that names `seam` or `copied_patch`."""

from photo_inspector.editing.search_edits import BUDGET_S, MEASURES, find_edits

__all__ = ["BUDGET_S", "MEASURES", "find_edits"]
