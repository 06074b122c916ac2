"""One row of the override log, for tests that count rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from builders import NOON, a_provenance, task_key
from review_copilot.domain.geometry import Box
from review_copilot.domain.override import LoggedOverride, Override, OverrideKind, Subject

HERE = Box(0.1, 0.1, 0.2, 0.2)


def a_row(
    kind: OverrideKind = OverrideKind.UNTOUCHED,
    *,
    task: int = 1,
    annotation: int = 1,
    reviewer: str = "ada",
    criterion: str = "PQ-01",
    exposure: str = "shown",
    days: float = 0.0,
    **changes: object,
) -> LoggedOverride:
    """One row of the log about a region that was suggested, or added where `kind` says so."""
    suggested = kind is not OverrideKind.ADDED
    override = Override(
        Subject.REGION,
        kind,
        suggestion_id=f"s{task}" if suggested else "",
        criterion_from=criterion if suggested else "",
        criterion_to="" if kind is OverrideKind.REJECTED else criterion,
        severity_from="major" if suggested else "",
        severity_to="" if kind is OverrideKind.REJECTED else "major",
        text_similarity=1.0 if suggested else None,
        score=0.8 if suggested else None,
        box_to=None if kind is OverrideKind.REJECTED else HERE,
    )
    return LoggedOverride(
        id=annotation,
        revision=1,
        current=True,
        key=task_key(task),
        annotation_id=annotation,
        override=replace(override, **changes),  # type: ignore[arg-type]  # a test names real fields
        author=reviewer,
        editor=reviewer,
        created_at=NOON + timedelta(days=days),
        updated_at=None,
        logged_at=NOON + timedelta(days=300),
        lead_time_s=20.0,
        provenance=a_provenance(),
        exposure=exposure,
    )
