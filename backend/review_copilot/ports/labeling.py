"""A Label Studio project as flows need it, and the content of its webhooks. Knows no implementation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from review_copilot.domain.override import SubmittedAnnotation
from review_copilot.domain.review import ProjectKey, Review, ReviewTask, TaskKey


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """A prediction in Label Studio."""

    id: int
    task_id: int
    model_version: str
    region_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task with its current annotations, as a sweep reads it.

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
    """One Label Studio project with its guideline."""

    @property
    def key(self) -> ProjectKey:
        """Which project."""
        ...

    def tasks(self, *, only: Sequence[int] | None = None) -> Iterator[ReviewTask]:
        """All tasks of the project by ascending id, or only the given ones; read page by page.

        Raises:
            LabelStudioError: The project cannot be read, or no field of its tasks contains an image.
        """
        ...

    def count_tasks(self) -> int:
        """Number of tasks in the project."""
        ...

    def push(self, reviews: Sequence[Review]) -> int:
        """Store reviews as predictions under their roll-out; returns the number that Label Studio reports as created.

        Raises:
            LabelStudioError: Label Studio rejected the import.
        """
        ...

    def predictions(self, *, rollout: str, task_ids: Sequence[int] | None = None) -> Iterator[StoredPrediction]:
        """Label Studio's predictions under a roll-out, by ascending task id; of all tasks if None."""
        ...

    def versions(self) -> Mapping[str, int]:
        """Number of stored predictions by version, of all models."""
        ...

    def copy_predictions(self, source: str, *, to: str, task_ids: Sequence[int]) -> int:
        """Store a version's predictions of these tasks again under another label; returns the number created.

        The copies are the same in everything else, also in their region ids. A task with several predictions gets a
        copy of the newest.
        """
        ...

    def delete_version(self, rollout: str) -> int:
        """Delete all predictions of a version; returns how many there were.

        Raises:
            LabelStudioError: It is pinned, so that reviewers would see no drafts.
        """
        ...

    def delete_predictions(self, prediction_ids: Iterable[int]) -> int:
        """Delete predictions by id; returns the number deleted."""
        ...

    def pinned(self) -> str:
        """The project's `model_version`; empty if none is pinned."""
        ...

    def pin(self, rollout: str) -> None:
        """Pin the roll-out, so that the label stream shows its predictions."""
        ...

    def now(self) -> datetime | None:
        """Label Studio's time, to the second; None if it does not report it."""
        ...

    def latest_change(self) -> datetime | None:
        """The time of the latest change to any task, by Label Studio's clock; None without tasks."""
        ...

    def changed(self, *, since: datetime | None, after: int = 0) -> Iterator[TaskState]:
        """Tasks changed after `since`, by ascending id, with all their annotations; page by page.

        Args:
            since: None for all tasks that have annotations.
            after: Only tasks with a higher id.
        """
        ...

    def states(self, task_ids: Sequence[int]) -> Iterator[TaskState]:
        """The given tasks with all their annotations, without deleted tasks."""
        ...

    def origins(self, prediction_ids: Iterable[int]) -> Iterator[PredictionOrigin]:
        """Predictions by id, whoever made them; deleted ones are left out."""
        ...

    def task_ids(self) -> frozenset[int]:
        """Ids of all existing tasks."""
        ...

    def created(self, *, since: datetime) -> frozenset[int]:
        """Ids of the tasks that were created after a time, by Label Studio's clock."""
        ...

    def annotated(self) -> frozenset[int]:
        """Ids of the tasks that currently have an annotation or a skip: those that `changed` returns for all time."""
        ...

    def begun(self, task_ids: Sequence[int]) -> frozenset[int]:
        """The subset of the tasks that a reviewer has started: with an annotation, a skip, or an unfinished draft."""
        ...


class WorkspaceOpener(Protocol):
    """Opens projects of the configured Label Studio."""

    def open(self, project_id: int) -> Workspace:
        """Open a project with its guideline.

        Raises:
            LabelStudioError: It cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class WebhookNotice:
    """One event in the inbox: tasks of a project that changed.

    Attributes:
        id: Inbox id; 0 before it is stored.
        instance: Name of the Label Studio.
        project_id: The project; 0 if the event names none.
        task_ids: The tasks; empty means the whole project.
        action: Label Studio's name of the event.
        body: The event's body, stored only if there is no token to read tasks with; empty otherwise.
    """

    id: int
    instance: str
    project_id: int
    task_ids: tuple[int, ...]
    action: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class WebhookContent:
    """The content of an event's body, for backends without a token.

    Attributes:
        project: The project; None if the body names none, for example when all tasks of a project are deleted.
        annotations: Annotations that were created or changed.
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
    """Reads the bodies of events in the inbox."""

    def read(self, wake: WebhookNotice) -> WebhookContent:
        """The content of the event's body.

        Raises:
            CopilotError: The body cannot be read, now or later.
        """
        ...
