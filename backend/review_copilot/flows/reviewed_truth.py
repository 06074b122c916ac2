"""Read what reviewers submitted as the truth of an evaluation. Reads from Label Studio and writes nothing to it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from review_copilot.domain.review import Exposure, ProjectKey, ReviewTask
from review_copilot.evaluation.truth import Truth, TruthRegion
from review_copilot.flows.submissions import Submission, submissions
from review_copilot.ports import Store, Workspace

_UNSEEN = frozenset({Exposure.WITHHELD.value, Exposure.FAILED.value, Exposure.NOT_READY.value})
"""What reviewers saw who saw no draft, as in the study."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class ReviewedImages:
    """The reviewed tasks of a project.

    Attributes:
        truths: By ascending task id.
        left_out: Reason to number of annotations or regions that were left out.
    """

    truths: tuple[Truth, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)


def reviewed_images(
    store: Store,
    *,
    project: ProjectKey,
    workspace: Workspace | None,
    since: datetime | None = None,
) -> ReviewedImages:
    """The reviewed tasks of a project, with what was submitted last for each.

    Left out and counted: skipped tasks, earlier annotations of a task, annotations with a region whose place cannot be
    read, regions without a criterion, and tasks whose image is unknown or that Label Studio no longer has.

    Args:
        store: The log.
        project: Which project.
        workspace: Names image, reference image, and prompt of each task; None to use the image of the stored draft.
        since: Only annotations logged at that time or later.
    """
    found = ReviewedImages()
    chosen = _newest(store, project=project, since=since, left_out=found.left_out)
    tasks = _tasks(workspace, sorted(chosen)) if workspace is not None else {}
    truths = []
    for task_id, submission in sorted(chosen.items()):
        task = tasks.get(task_id) if workspace is not None else _task_of(submission)
        if task is None or not task.image:
            gone = "Label Studio does not have the task any more" if workspace is not None else "the image is unknown"
            found.left_out[gone] += 1
            continue
        truths.append(_truth(submission, task, found.left_out))
    found.truths = tuple(truths)
    return found


def sample(truths: Sequence[Truth], limit: int | None) -> tuple[Truth, ...]:
    """At most so many of the images, chosen at random and always the same; a larger limit adds images."""
    if limit is None or limit >= len(truths):
        return tuple(truths)
    chosen = sorted(truths, key=lambda truth: hashlib.sha256(truth.name.encode()).digest())[:limit]
    return tuple(sorted(chosen, key=lambda truth: truth.task.key.task_id))


def _newest(
    store: Store, *, project: ProjectKey, since: datetime | None, left_out: Counter[str]
) -> dict[int, Submission]:
    chosen: dict[int, Submission] = {}
    for submission in submissions(store, project=project, since=since):
        annotation = submission.comparison.annotation
        if annotation.skipped:
            left_out["the task was skipped"] += 1
            continue
        if annotation.unplaced:
            left_out["the place of a region cannot be read"] += 1
            continue
        other = chosen.get(annotation.key.task_id)
        if other is not None:
            left_out["the task has a later annotation"] += 1
        if other is None or _changed(submission) >= _changed(other):
            chosen[annotation.key.task_id] = submission
    return chosen


def _changed(submission: Submission) -> datetime:
    return submission.comparison.annotation.updated_at or _LONG_AGO


def _tasks(workspace: Workspace, task_ids: Sequence[int]) -> dict[int, ReviewTask]:
    return {task.key.task_id: task for task in workspace.tasks(only=task_ids)} if task_ids else {}


def _task_of(submission: Submission) -> ReviewTask | None:
    """The task as far as the stored draft names it: its image alone."""
    review = submission.review
    return ReviewTask(key=review.key, image=review.image) if review is not None and review.image else None


def _truth(submission: Submission, task: ReviewTask, left_out: Counter[str]) -> Truth:
    comparison = submission.comparison
    regions = []
    for region in submission.regions:
        box = region.box.clipped()
        if region.criterion_id is None:
            left_out["the region has no criterion"] += 1
        elif box is None:
            left_out["the region is outside the image"] += 1
        else:
            regions.append(TruthRegion(region.criterion_id, box, region.severity, region.rationale, region.page))
    return Truth(
        task=replace(task, key=comparison.annotation.key),
        name=f"task {task.key.task_id}",
        regions=tuple(regions),
        verdict=comparison.annotation.verdict,
        blind=comparison.exposure in _UNSEEN,
    )
