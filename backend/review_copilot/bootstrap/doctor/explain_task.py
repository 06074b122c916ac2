"""Explain one task from its data to the regions that reviewers see: why this draft, or why none. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_copilot.bootstrap.doctor.check import Check, note, right, wrong
from review_copilot.bootstrap.process import Process
from review_copilot.domain.redaction import printable
from review_copilot.domain.review import Exposure, Review, ReviewTask, TaskKey
from review_copilot.errors import ImageError, LabelStudioNotFound
from review_copilot.labelstudio.api_records import Project
from review_copilot.labelstudio.client import Filter
from review_copilot.labelstudio.mapping import LabelMap
from review_copilot.labelstudio.read_predictions import region_ids
from review_copilot.labelstudio.regions import to_prediction
from review_copilot.labelstudio.tasks import read_task


@dataclass(frozen=True, slots=True)
class _Explained:
    """A task with everything that is known about it.

    Attributes:
        process: The parts of the command.
        project: Its project.
        labels: The label config, mapped to the guideline.
        raw: The task as Label Studio returns it, with predictions and annotations.
        task: The task as it is drafted.
    """

    process: Process
    project: Project
    labels: LabelMap
    raw: Mapping[str, Any]
    task: ReviewTask

    @property
    def draft_line(self) -> str:
        """The command that drafts the project."""
        return f"review-copilot preannotate --project {self.project.id}"


def explain(process: Process, project_id: int, *, task_id: int) -> tuple[Check, ...]:
    """Why a task has this draft, or none, step by step.

    Raises:
        LabelConfigError: The label config cannot be used; `doctor --project` says why.
        LabelStudioError: The project cannot be read, or has no such task.
    """
    access = process.required_label_studio
    workspace = access.opener.open(project_id)
    found = access.client.tasks(project_id, filters=(Filter("id", "equal", "Number", task_id),))
    raw = next(iter(found), None)
    if raw is None:
        raise LabelStudioNotFound(f"Project {project_id} has no task {task_id}.")
    task = read_task(raw, project=workspace.key, labels=workspace.labels)
    explained = _Explained(process, access.client.project(project_id), workspace.labels, raw, task)
    return tuple(_steps(explained))


def _steps(this: _Explained) -> Iterator[Check]:
    yield _data(this)
    if this.task.image:
        yield _image(this, this.task.image, name="image")
    for number, page in enumerate(this.task.pages, start=2):
        yield _image(this, page, name=f"page {number}")
    if this.task.reference:
        yield _image(this, this.task.reference, name="reference image")
    review = _newest(this)
    yield from _draft(this, review)
    if review is not None and review.exposure is Exposure.SHOWN:
        yield from _suggestions(review)
        yield from _left_out(this, review)
    yield from _stored(this, review)
    yield from _begun(this)


def _data(this: _Explained) -> Check:
    field = this.labels.image_value
    if this.task.image:
        return right("task data", f'"{field}" names {printable(this.task.image)}.')
    data = this.raw.get("data")
    fields = ", ".join(data) if isinstance(data, Mapping) else ""
    return wrong(
        "task data",
        f'The label config shows "{field}", and the task has no such image. Its fields: {fields or "none"}.',
        "Set the value of the Image tag to one of these fields.",
    )


def _image(this: _Explained, reference: str, *, name: str) -> Check:
    try:
        image = this.process.images.load(reference, task_id=this.task.key.task_id)
    except ImageError as error:
        return wrong(name, error.public, error.hint or "Replace the image.")
    return right(name, f"{image.width_px} x {image.height_px} pixels, {image.format}.")


def _newest(this: _Explained) -> Review | None:
    """The newest whole-image draft in the database, of the pinned version if there is one."""
    drafts = [review for review in this.process.store.recall(this.task.key) if review.box is None]
    pinned = [review for review in drafts if review.provenance.rollout == this.project.model_version]
    return max(pinned or drafts, key=lambda review: review.created_at, default=None)


def _draft(this: _Explained, review: Review | None) -> Iterator[Check]:
    name = "draft"
    if review is None:
        yield wrong(name, "The task was not drafted yet.", this.draft_line)
        return
    origin = review.provenance
    made = f'{review.created_at:%Y-%m-%d %H:%M} UTC by {origin.inspector} as "{origin.rollout}"'
    if review.exposure is Exposure.FAILED:
        yield wrong(name, f"Drafting failed on {made}: {review.error}", this.draft_line)
    elif review.exposure is Exposure.WITHHELD:
        yield note(name, f"Drafted on {made}, and withheld from reviewers: the task is in the blind share.")
    elif review.exposure is Exposure.NOT_READY:
        yield note(name, f"The draft of {made} was not ready in time. The backend delivers it later.")
    else:
        yield right(name, f'Drafted on {made}: verdict {review.verdict}. "{review.summary}"')
    if review.unexamined:
        guideline = this.process.setup_of(this.task.key.project).guideline
        named = ", ".join(guideline.label_of(criterion) for criterion in review.unexamined)
        yield note("not examined", f"Nothing examined {named}, so the draft cannot pass.")
    for dropped in review.dropped:
        yield note("dropped", f"{dropped.what}: {dropped.reason}")


def _suggestions(review: Review) -> Iterator[Check]:
    for suggestion in review.suggestions:
        yield right(
            "suggestion",
            f"{suggestion.label} ({suggestion.criterion_id}), {suggestion.severity}, score {suggestion.score:.2f}, "
            f"by {suggestion.source}: {suggestion.rationale}",
        )


def _left_out(this: _Explained, review: Review) -> Iterator[Check]:
    """Parts of the draft that the label config cannot hold."""
    for dropped in to_prediction(review, this.labels).dropped:
        yield wrong(
            "label config",
            f"Label Studio does not get {dropped.what}: {dropped.reason}",
            f"review-copilot connect --project {this.project.id} --replace-config",
        )


def _stored(this: _Explained, review: Review | None) -> Iterator[Check]:
    """The predictions in Label Studio, and which one reviewers see."""
    pinned, name = this.project.model_version, "predictions"
    predictions = [one for one in this.raw.get("predictions", []) if isinstance(one, Mapping)]
    others = sorted({str(one.get("model_version") or "") for one in predictions} - {pinned})
    if others:
        yield note(name, f"Predictions that the label stream does not show: {', '.join(others)}.")
    if not pinned:
        yield wrong("label stream", "No version is pinned, so reviewers see no draft.", this.draft_line)
        return
    shown = [one for one in predictions if one.get("model_version") == pinned]
    if shown:
        newest = max(shown, key=lambda one: int(one.get("id") or 0))
        regions = len(region_ids(newest.get("result")))
        yield right(
            "label stream", f'Reviewers see prediction {newest.get("id")} of "{pinned}", with {regions} regions.'
        )
    elif review is not None and review.exposure is Exposure.WITHHELD:
        yield right("label stream", "Reviewers see no draft, as the blind share requires.")
    else:
        yield wrong("label stream", f'The task has no prediction of the pinned version "{pinned}".', this.draft_line)


def _begun(this: _Explained) -> Iterator[Check]:
    key: TaskKey = this.task.key
    annotations = [one for one in this.raw.get("annotations", []) if isinstance(one, Mapping)]
    if not annotations:
        return
    logged = this.process.store.living(key)
    numbers = {int(one["id"]) for one in annotations if isinstance(one.get("id"), int)}
    missing = sorted(numbers - logged)
    if missing:
        yield wrong(
            "log",
            f"Annotation {missing[0]} is not in the log yet.",
            f"review-copilot sync --project {this.project.id}",
        )
    else:
        yield right("log", f"All {len(numbers)} annotations are in the log. Their tasks keep their drafts.")
