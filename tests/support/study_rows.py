"""The fast road from a simulated project to rows of the override log. Knows no Label Studio."""

from __future__ import annotations

from collections.abc import Iterator

from review_copilot.domain.guideline import UNCOVERED
from review_copilot.domain.override import Aspect, LoggedOverride, Override, OverrideKind, Reason, Subject
from review_copilot.domain.review import ProjectKey, Provenance, TaskKey
from study_world import Decision, ReviewedTask, Shown, Submission, World

PROJECT = ProjectKey("simulated", 1, "0")
PROVENANCE = Provenance("simulated", "m1", "simulated r1", "photo-quality", "000000000000")


def logged_rows(world: World) -> Iterator[LoggedOverride]:
    """What comparing each submission with what was shown leaves in the log."""
    number = 0
    for task in world.tasks:
        for submission in task.submissions:
            for override in _overrides(submission):
                number += 1
                yield _logged(number, task, submission, override)


def _overrides(submission: Submission) -> Iterator[Override]:
    for decision in submission.decisions:
        yield _decided(decision)
    for region in submission.added:
        yield _added(region)


def _decided(decision: Decision) -> Override:
    shown, became = decision.shown, decision.became
    edits = _edits(shown, became) if became else ()
    kind = OverrideKind.REJECTED if became is None else OverrideKind.EDITED if edits else OverrideKind.UNTOUCHED
    return Override(
        Subject.REGION,
        kind,
        suggestion_id=shown.id,
        region_id=became.id if became else "",
        criterion_from=shown.criterion,
        criterion_to=became.criterion if became else "",
        severity_from=shown.severity,
        severity_to=became.severity if became else "",
        text_from=shown.text,
        text_to=became.text if became else "",
        edits=edits,
        iou=shown.box.iou(became.box) if became else None,
        text_similarity=float(became.text == shown.text) if became else None,
        reasons=(Reason.GUIDELINE_UNCLEAR,) if decision.unclear else (),
        score=shown.score,
        box_from=shown.box,
        box_to=became.box if became else None,
        review_id="r1",
    )


def _edits(shown: Shown, became: Shown) -> tuple[Aspect, ...]:
    changed = {
        Aspect.PLACE: shown.box != became.box,
        Aspect.CRITERION: shown.criterion != became.criterion,
        Aspect.SEVERITY: shown.severity != became.severity,
        Aspect.RATIONALE: shown.text != became.text,
    }
    return tuple(aspect for aspect, yes in changed.items() if yes)


def _added(region: Shown) -> Override:
    novel = region.criterion == UNCOVERED
    return Override(
        Subject.REGION,
        OverrideKind.ADDED,
        region_id=region.id,
        criterion_to=region.criterion,
        severity_to=region.severity,
        text_to=region.text,
        note=region.text if novel else "",
        box_to=region.box,
    )


def _logged(number: int, task: ReviewedTask, submission: Submission, override: Override) -> LoggedOverride:
    return LoggedOverride(
        id=number,
        revision=1,
        current=True,
        key=TaskKey(PROJECT, task.id),
        annotation_id=submission.id,
        override=override,
        author=submission.reviewer,
        editor=submission.reviewer,
        created_at=submission.at,
        updated_at=submission.at,
        logged_at=submission.at,
        lead_time_s=submission.lead_time_s,
        provenance=PROVENANCE,
        exposure="shown",
    )
