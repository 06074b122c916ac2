"""A project of Label Studio as the flows need it, and what its webhooks tell. Knows no one who fulfils it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from review_copilot.domain.override import SubmittedAnnotation
from review_copilot.domain.review import ProjectKey, Review, ReviewTask, TaskKey


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """A prediction as Label Studio keeps it."""

    id: int
    task_id: int
    model_version: str
    region_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task as the sweep finds it: which annotations it has now.

    Attributes:
        key: Which task.
        updated_at: When it was touched last; None where it cannot be read.
        annotations: All of them.
        problems: Sentences about what could not be read.
        unreadable: Whether Label Studio itself cannot read the task: nothing is known of its annotations.
    """

    key: TaskKey
    updated_at: datetime | None
    annotations: tuple[SubmittedAnnotation, ...]
    problems: tuple[str, ...] = ()
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class PredictionOrigin:
    """A prediction that an annotation began from, read from Label Studio.

    Attributes:
        stored: How annotations refer to it.
        review: What it shows, if one of our roll-outs made it; None for other models.
    """

    stored: StoredPrediction
    review: Review | None = None


class Workspace(Protocol):
    """One Label Studio project, seen through one guideline."""

    @property
    def key(self) -> ProjectKey:
        """Which project."""
        ...

    def tasks(self, *, only: Sequence[int] | None = None) -> Iterator[ReviewTask]:
        """All tasks of the project by rising id, or just those named; read page by page.

        Raises:
            LabelStudioError: The project cannot be read, or no field of its tasks holds an image.
        """
        ...

    def count_tasks(self) -> int:
        """How many tasks the project has."""
        ...

    def push(self, reviews: Sequence[Review]) -> int:
        """Store the reviews as predictions under their roll-out; returns how many Label Studio says it created.

        Raises:
            LabelStudioError: The import was refused.
        """
        ...

    def predictions(self, *, rollout: str, task_ids: Sequence[int] | None = None) -> Iterator[StoredPrediction]:
        """The predictions that Label Studio holds under a roll-out, by rising task id; of all tasks when None."""
        ...

    def delete_predictions(self, prediction_ids: Iterable[int]) -> int:
        """Delete predictions by id; returns how many."""
        ...

    def pinned(self) -> str:
        """The project's `model_version`; empty when none is pinned."""
        ...

    def pin(self, rollout: str) -> None:
        """Make the label stream show the predictions of that roll-out."""
        ...

    def now(self) -> datetime | None:
        """What Label Studio's own clock says, to the second; None when it does not tell."""
        ...

    def latest_change(self) -> datetime | None:
        """When the task that was touched last was touched, by Label Studio's own clock; None without tasks."""
        ...

    def changed(self, *, since: datetime | None, after: int = 0) -> Iterator[TaskState]:
        """Tasks touched after `since`, by rising id, each with all its annotations; page by page.

        Args:
            since: None for all tasks that have annotations.
            after: Only tasks with a greater id.
        """
        ...

    def states(self, task_ids: Sequence[int]) -> Iterator[TaskState]:
        """The named tasks with all their annotations; tasks that are gone are left out."""
        ...

    def origins(self, prediction_ids: Iterable[int]) -> Iterator[PredictionOrigin]:
        """Predictions by id, whoever made them; deleted ones are left out."""
        ...

    def task_ids(self) -> frozenset[int]:
        """Ids of all tasks that exist now."""
        ...

    def annotated(self) -> frozenset[int]:
        """Ids of the tasks that have an annotation or a skip now: those that `changed` gives for all time."""
        ...

    def begun(self, task_ids: Sequence[int]) -> frozenset[int]:
        """Those of the tasks that a reviewer has begun: with an annotation, a skip or an unfinished draft."""
        ...


class WorkspaceOpener(Protocol):
    """Opens projects of the configured Label Studio."""

    def open(self, project_id: int) -> Workspace:
        """The project, seen through its guideline.

        Raises:
            LabelStudioError: It cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class WebhookNotice:
    """One event in the inbox: a task of a project that something happened to.

    Attributes:
        id: Inbox id; 0 before it is stored.
        instance: Which Label Studio.
        project_id: Which project; 0 when the event names none.
        task_ids: Which tasks; empty means the whole project.
        action: What Label Studio called it.
        body: The event's body, kept only where there is no token to read with; empty otherwise.
    """

    id: int
    instance: str
    project_id: int
    task_ids: tuple[int, ...]
    action: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class WebhookContent:
    """What an event's own body says, where there is no token to read with.

    Attributes:
        project: Which project; None when the body names none, as when all tasks of a project are deleted.
        annotations: Annotations that were made or changed.
        gone_annotations: Ids of annotations that were deleted.
        gone_tasks: Ids of tasks that were deleted.
        problems: Sentences about what could not be read.
    """

    project: ProjectKey | None
    annotations: tuple[SubmittedAnnotation, ...] = ()
    gone_annotations: tuple[int, ...] = ()
    gone_tasks: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()


class BodyReader(Protocol):
    """Reads what the inbox kept of events."""

    def read(self, wake: WebhookNotice) -> WebhookContent:
        """What the event's body says.

        Raises:
            CopilotError: It cannot be read, and never will be.
        """
        ...
