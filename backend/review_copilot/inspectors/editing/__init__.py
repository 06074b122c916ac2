"""Traces of editing, looked for on request: a guideline with a criterion that names `seam` or `copied_patch`."""

from review_copilot.inspectors.editing.inspect import BUDGET_S, MEASURES, look_for_editing

__all__ = ["BUDGET_S", "MEASURES", "look_for_editing"]
