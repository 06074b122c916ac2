"""Read and write one Label Studio project: tasks, predictions, submissions. Knows no inspector and no log."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from heapq import merge
from itertools import chain, islice
from typing import Any, TypeVar

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import Exposure, ProjectKey, Review, ReviewTask, TaskKey
from review_copilot.errors import LabelConfigError, LabelStudioError, LabelStudioNotFound
from review_copilot.labelstudio.annotations import raw_annotations, read_annotation
from review_copilot.labelstudio.api_records import Project
from review_copilot.labelstudio.client import IDS_PER_PAGE, Filter, LabelStudioClient, RawTask
from review_copilot.labelstudio.config_plan import no_label
from review_copilot.labelstudio.mapping import LabelMap, read_label_config
from review_copilot.labelstudio.read_predictions import LONG_AGO, read_prediction, region_ids
from review_copilot.labelstudio.regions import to_prediction
from review_copilot.labelstudio.tasks import read_task
from review_copilot.labelstudio.wire_values import whole_number
from review_copilot.ports import PredictionOrigin, StoredPrediction, TaskState

PUSH_AT_ONCE = 1000
"""Each import recounts the whole project, so a thousand predictions cost little more than one."""

NAMED_AT_ONCE = 200
"""Task ids in one URL; proxies limit URLs to 8 KiB."""

LOOKED_AT_FOR_AN_IMAGE = 100
"""If none of this many tasks names an image, the label config does not match the tasks."""

STATE_FIELDS = (
    "id", "updated_at", "annotations",
    "created_at", "completed_by", "updated_by", "lead_time", "was_cancelled", "parent_prediction", "parent_annotation",
    "result",
)  # fmt: skip
"""Fields that a sweep reads. Label Studio applies the list to the task and to its annotations; without it, every
response would include every prediction of every task."""

OUR_ROLLOUT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39} r\d{1,9} [0-9a-f]{6}")
"""How a roll-out of ours is named: guideline, number, and the first digits of its content's hash."""

ANNOTATED = (
    (Filter("total_annotations", "greater", "Number", 0),),
    (Filter("total_annotations", "equal", "Number", 0), Filter("cancelled_annotations", "greater", "Number", 0)),
)
"""Finds tasks with annotations. `total_annotations` would not count skipped ones."""

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


class LabelStudioWorkspace:
    """Implements `ports.Workspace`."""

    def __init__(
        self, client: LabelStudioClient, *, key: ProjectKey, labels: LabelMap, guideline: Guideline | None = None
    ) -> None:
        """Open a project with its label map.

        Args:
            client: The server.
            key: The project.
            labels: The project's label config, mapped to the guideline.
            guideline: Used to read stored predictions back; without it `origins` rebuilds no review.
        """
        self._guideline = guideline
        self._client = client
        self._key = key
        self._labels = labels

    @property
    def key(self) -> ProjectKey:
        """The project."""
        return self._key

    @property
    def labels(self) -> LabelMap:
        """The label config, mapped to the guideline; `problems` lists what it cannot hold."""
        return self._labels

    def tasks(self, *, only: Sequence[int] | None = None) -> Iterator[ReviewTask]:
        """All tasks by ascending id, or only the given ones, page by page.

        Raises:
            LabelConfigError: The label config has no label for any criterion, or none of the first tasks has the data
                field that it uses for the image.
            LabelStudioError: The tasks cannot be read.
        """
        if self._guideline is not None and not self._labels.holds_suggestions:
            raise LabelConfigError(
                no_label(self._labels, self._guideline),
                hint=f"Add the labels: review-copilot connect --project {self._key.project_id} --add-labels",
            )
        raw = self._raw(("id", "data"), only=only, everything=False)
        found = (read_task(task, project=self._key, labels=self._labels) for task in raw)
        if only is not None:
            yield from found
            return
        first = list(islice(found, LOOKED_AT_FOR_AN_IMAGE))
        if first and not any(task.image for task in first):
            raise LabelConfigError(
                f'No task of project {self._key.project_id} has an image in "{self._labels.image_value}".',
                hint="Set the value of the Image tag to a field of the tasks' data.",
            )
        yield from chain(first, found)

    def count_tasks(self) -> int:
        """Number of tasks in the project."""
        return self._client.count_tasks(self._key.project_id)

    def push(self, reviews: Sequence[Review]) -> int:
        """Store reviews as predictions under their roll-out; returns the number that Label Studio reports as created.

        Parts that the label config cannot hold are dropped and logged, with counts. Withheld reviews are never
        stored, whatever their source.
        """
        created = 0
        for group in _chunks([r for r in reviews if r.exposure is not Exposure.WITHHELD], PUSH_AT_ONCE):
            payloads = []
            for review in group:
                drafted = to_prediction(review, self._labels)
                payloads.append({"task": review.key.task_id, **drafted.payload})
                for dropped in drafted.dropped:
                    logger.warning("Task %d: dropped %s: %s", review.key.task_id, dropped.what, dropped.reason)
            created += self._client.import_predictions(self._key.project_id, payloads)
        return created

    def predictions(self, *, rollout: str, task_ids: Sequence[int] | None = None) -> Iterator[StoredPrediction]:
        """The predictions stored under exactly that roll-out, by ascending task id; of all tasks if None."""
        holds = Filter("predictions_model_versions", "contains", "List", [rollout])
        for task in self._raw(("id", "predictions"), only=task_ids, everything=True, filters=(holds,)):
            for prediction in task.get("predictions", []):
                if prediction.get("model_version") == rollout:
                    yield StoredPrediction(
                        id=int(prediction["id"]),
                        task_id=int(task["id"]),
                        model_version=rollout,
                        region_ids=region_ids(prediction.get("result")),
                    )

    def versions(self) -> Mapping[str, int]:
        """Number of stored predictions by version, of all models."""
        return self._client.model_versions(self._key.project_id)

    def copy_predictions(self, source: str, *, to: str, task_ids: Sequence[int]) -> int:
        """Store a version's predictions of these tasks again under another label; returns the number created."""
        holds = Filter("predictions_model_versions", "contains", "List", [source])
        created = 0
        for ids in _chunks(sorted(set(task_ids)), PUSH_AT_ONCE):
            newest: dict[int, Mapping[str, Any]] = {}
            for task in self._raw(("id", "predictions"), only=ids, everything=True, filters=(holds,)):
                same = [p for p in task.get("predictions", []) if p.get("model_version") == source]
                if same:
                    newest[int(task["id"])] = max(same, key=lambda p: int(p["id"]))
            copies: list[dict[str, object]] = [
                {"task": task_id, "result": p.get("result"), "score": p.get("score"), "model_version": to}
                for task_id, p in newest.items()
            ]
            created += self._client.import_predictions(self._key.project_id, copies) if copies else 0
        return created

    def delete_version(self, rollout: str) -> int:
        """Delete all predictions of a version; returns how many there were."""
        if rollout == self.pinned():
            raise LabelStudioError(
                f"{rollout} is pinned: without its predictions, reviewers would see no drafts.",
                hint="Pin another version first: review-copilot rollback, or preannotate.",
            )
        count = self.versions().get(rollout, 0)
        if count:
            self._client.delete_model_version(self._key.project_id, rollout)
        return count

    def delete_predictions(self, prediction_ids: Iterable[int]) -> int:
        """Delete predictions by id; returns the number that existed."""
        deleted = 0
        for prediction_id in prediction_ids:
            try:
                self._client.delete_prediction(prediction_id)
            except LabelStudioNotFound:
                continue
            deleted += 1
        return deleted

    def pinned(self) -> str:
        """The project's current `model_version`; empty if none is pinned."""
        return self._client.project(self._key.project_id).model_version

    def pin(self, rollout: str) -> None:
        """Pin the roll-out, so that the label stream shows its predictions; it must have some.

        Raises:
            LabelStudioError: No prediction is stored under it.
        """
        self._client.update_project(self._key.project_id, model_version=rollout)

    def now(self) -> datetime | None:
        """Label Studio's time, to the second; None if it does not report it."""
        return self._client.now()

    def latest_change(self) -> datetime | None:
        """The time of the latest change to any task, by Label Studio's clock; None without tasks."""
        return self._client.latest_update(self._key.project_id)

    def changed(self, *, since: datetime | None, after: int = 0) -> Iterator[TaskState]:
        """Tasks changed after `since`, by ascending id, with all their annotations; all annotated tasks if None.

        A task is changed when one of its annotations is created, changed, or deleted, or when its data changes.
        """
        windows: Iterable[Sequence[Filter]] = ANNOTATED
        if since is not None:
            windows = ((Filter("updated_at", "greater", "Datetime", _filter_time(since)),),)
        read = (self._read_states(filters, after=after) for filters in windows)
        yield from merge(*read, key=lambda state: state.key.task_id)

    def states(self, task_ids: Sequence[int]) -> Iterator[TaskState]:
        """The given tasks with all their annotations, by ascending id, without deleted tasks."""
        for ids in _chunks(sorted(set(task_ids)), NAMED_AT_ONCE):
            yield from self._read_states((Filter("id", "in_list", "Number", list(ids)),))

    def origins(self, prediction_ids: Iterable[int]) -> Iterator[PredictionOrigin]:
        """Predictions by id, whoever made them, without deleted ones; those of our roll-outs with what they show."""
        for prediction_id in sorted(prediction_ids):
            try:
                raw = self._client.prediction(prediction_id)
            except LabelStudioNotFound:
                continue
            version = str(raw.get("model_version") or "")
            key = TaskKey(self._key, whole_number(raw.get("task")))
            stored = StoredPrediction(prediction_id, key.task_id, version, region_ids(raw.get("result")))
            review = None
            if self._guideline and OUR_ROLLOUT.fullmatch(version):
                review = read_prediction(
                    raw, key=key, labels=self._labels, guideline=self._guideline, made_at=LONG_AGO
                ).review
            yield PredictionOrigin(stored, review)

    def task_ids(self) -> frozenset[int]:
        """Ids of all existing tasks."""
        return self._ids(())

    def created(self, *, since: datetime) -> frozenset[int]:
        """Ids of the tasks that were created after a time, by Label Studio's clock."""
        return self._ids((Filter("created_at", "greater", "Datetime", _filter_time(since)),))

    def annotated(self) -> frozenset[int]:
        """Ids of the tasks that currently have an annotation or a skip, without their content."""
        return frozenset().union(*(self._ids(filters) for filters in ANNOTATED))

    def begun(self, task_ids: Sequence[int]) -> frozenset[int]:
        """The subset of the tasks that have an annotation, a skip, or a reviewer's unfinished draft.

        A task that Label Studio cannot read counts as begun: nobody knows what a change would destroy.
        """
        fields = ("id", "total_annotations", "cancelled_annotations", "drafts")
        unreadable: list[int] = []
        read = self._raw(fields, only=task_ids, everything=True, unreadable=unreadable.append)
        begun = {
            int(task["id"])
            for task in read
            if task.get("total_annotations") or task.get("cancelled_annotations") or task.get("drafts")
        }
        return frozenset(begun.union(unreadable))

    def select(self, *, view: int | None = None, filters: Sequence[Filter] = ()) -> Sequence[int]:
        """Ids of the tasks that are in a Data Manager view and match all filters, ascending."""
        matching = self._ids(filters)
        if view is not None:
            matching &= set(self._client.task_ids_of_view(self._key.project_id, view=view))
        return sorted(matching)

    def _ids(self, filters: Sequence[Filter]) -> frozenset[int]:
        found = self._client.tasks(
            self._key.project_id, filters=filters, include=("id",), page_size=IDS_PER_PAGE, everything=False
        )
        return frozenset(int(task["id"]) for task in found)

    def _raw(
        self,
        fields: Sequence[str],
        *,
        only: Sequence[int] | None,
        everything: bool,
        filters: Sequence[Filter] = (),
        unreadable: Callable[[int], None] | None = None,
    ) -> Iterator[RawTask]:
        read = partial(
            self._client.tasks, self._key.project_id, include=fields, everything=everything, unreadable=unreadable
        )
        if only is None:
            yield from read(filters=filters)
            return
        for ids in _chunks(sorted(set(only)), NAMED_AT_ONCE):
            yield from read(filters=(*filters, Filter("id", "in_list", "Number", list(ids))))

    def _read_states(self, filters: Sequence[Filter], *, after: int = 0) -> Iterator[TaskState]:
        """The states of all tasks that match, by rising id, those that Label Studio cannot read among them."""
        bad: list[int] = []
        read = self._client.tasks(
            self._key.project_id, filters=filters, include=STATE_FIELDS, after=after, unreadable=bad.append
        )
        for task in read:
            yield from map(self._unreadable, bad)
            bad.clear()
            yield self._state(task)
        yield from map(self._unreadable, bad)

    def _unreadable(self, task_id: int) -> TaskState:
        said = (
            f"Label Studio fails on task {task_id} (HTTP 500), so its annotations are not logged. "
            "Delete or correct the annotation that was changed last on it."
        )
        return TaskState(TaskKey(self._key, task_id), None, (), (said,), unreadable=True)

    def _state(self, task: RawTask) -> TaskState:
        key = TaskKey(self._key, int(task["id"]))
        annotations = tuple(read_annotation(raw, key=key, labels=self._labels) for raw in raw_annotations(task))
        problems = tuple(
            f"Annotation {found.annotation_id} of task {key.task_id}: {sentence}"
            for found in annotations
            for sentence in found.dropped
        )
        return TaskState(
            key=key, updated_at=datetime.fromisoformat(task["updated_at"]), annotations=annotations, problems=problems
        )


class LabelStudioOpener:
    """Opens projects of one Label Studio; implements `ports.WorkspaceOpener`."""

    def __init__(
        self, client: LabelStudioClient, *, instance: str, guideline_of: Callable[[ProjectKey], Guideline]
    ) -> None:
        """Configure the opener; no request is sent.

        Args:
            client: The server.
            instance: Its name in the log; default: its URL.
            guideline_of: The guideline of a project.
        """
        self._client = client
        self._instance = instance or client.url
        self._guideline_of = guideline_of

    def open(self, project_id: int) -> LabelStudioWorkspace:
        """Open a project with its guideline.

        Raises:
            LabelConfigError: Its label config has no image tag or no tag that draws boxes.
            LabelStudioError: It cannot be read.
        """
        project = self._client.project(project_id)
        key = project_key(project, instance=self._instance)
        guideline = self._guideline_of(key)
        labels = read_label_config(project.label_config, guideline)
        return LabelStudioWorkspace(self._client, key=key, labels=labels, guideline=guideline)


def project_key(project: Project, *, instance: str) -> ProjectKey:
    """The key of a project in the log."""
    return ProjectKey(instance=instance, project_id=project.id, created=project.created_stamp)


def _filter_time(moment: datetime) -> str:
    """The only time format that Label Studio's filters accept: UTC with microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _chunks(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
