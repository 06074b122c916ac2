"""Stand-ins for inspector, images and project. Each keeps the promises of its Protocol in `ports`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count

import numpy as np

from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.measure import Measure
from review_copilot.domain.override import SubmittedAnnotation
from review_copilot.domain.review import ProjectKey, Review, ReviewTask, TaskKey
from review_copilot.domain.suggestion import Brief, Finding, Inspection, Usage
from review_copilot.errors import ImageUnreadable, LabelStudioError
from review_copilot.ports import PredictionOrigin, StoredPrediction, TaskState


@dataclass
class FakeInspector:
    """Finds the same in every image, and remembers what it was shown."""

    findings: tuple[Finding, ...] = ()
    name: str = "fake"
    version: str = "1"
    seen: list[str] = field(default_factory=list)
    usage: Usage | None = None

    def catalogue(self) -> tuple[Measure, ...]:
        return ()

    def inspect(self, brief: Brief) -> Inspection:
        self.seen.append(brief.image.source)
        examined = frozenset(criterion.id for criterion in brief.guideline.criteria)
        return Inspection(findings=self.findings, usage=self.usage, examined=examined)


@dataclass
class FakeImages:
    """Grey images of a fixed size; what `broken` names cannot be read."""

    broken: frozenset[str] = frozenset()
    width_px: int = 200
    height_px: int = 100

    def load(self, reference: str, *, task_id: int | None = None) -> ReviewImage:
        if reference in self.broken:
            raise ImageUnreadable(f"{reference} is no image.", hint="Upload it again.")

        def decode(max_side: int | None) -> Pixels:
            return np.full((self.height_px, self.width_px, 3), 128, np.uint8)

        return ReviewImage(
            source=reference,
            data=reference.encode(),
            sha256=hashlib.sha256(reference.encode()).hexdigest(),
            format="PNG",
            width_px=self.width_px,
            height_px=self.height_px,
            decode=decode,
        )


@dataclass
class FakeWorkspace:
    """A project in memory, with the habits of the real one: nothing is de-duplicated, and imports may lose rows.

    Attributes:
        lose: Task ids whose next prediction is silently not stored.
        double: Task ids whose next prediction is stored twice.
        others: Predictions by id that the project holds beside those that were pushed.
        unreadable: Task ids that Label Studio fails on.
        born: Task id to the time when it was created; the others are older than everything.
    """

    key: ProjectKey
    images: dict[int, str]
    annotations: dict[int, list[SubmittedAnnotation]] = field(default_factory=dict)
    stored: dict[int, StoredPrediction] = field(default_factory=dict)
    lose: set[int] = field(default_factory=set)
    double: set[int] = field(default_factory=set)
    touched: dict[int, datetime] = field(default_factory=dict)
    born: dict[int, datetime] = field(default_factory=dict)
    version: str = ""
    unreadable: set[int] = field(default_factory=set)
    others: dict[int, PredictionOrigin] = field(default_factory=dict)
    in_hand: set[int] = field(default_factory=set)
    pushes: list[int] = field(default_factory=list)
    clock: datetime | None = None
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def tasks(self, *, only: Sequence[int] | None = None) -> Iterator[ReviewTask]:
        for task_id, image in sorted(self.images.items()):
            if only is None or task_id in only:
                yield ReviewTask(key=TaskKey(self.key, task_id), image=image)

    def count_tasks(self) -> int:
        return len(self.images)

    def push(self, reviews: Sequence[Review]) -> int:
        self.pushes.append(len(reviews))
        created = 0
        for review in reviews:
            task_id = review.key.task_id
            copies = 0 if task_id in self.lose else 2 if task_id in self.double else 1
            self.lose.discard(task_id)
            self.double.discard(task_id)
            for _ in range(copies):
                number = next(self.numbers)
                ids = tuple(s.id for s in review.suggestions)
                self.stored[number] = StoredPrediction(number, task_id, review.provenance.rollout, ids)
                created += 1
        return created

    def predictions(self, *, rollout: str, task_ids: Sequence[int] | None = None) -> Iterator[StoredPrediction]:
        for p in sorted(self.stored.values(), key=lambda p: (p.task_id, p.id)):
            if p.model_version == rollout and (task_ids is None or p.task_id in task_ids):
                yield p

    def versions(self) -> Mapping[str, int]:
        return Counter(p.model_version for p in self.stored.values())

    def copy_predictions(self, source: str, *, to: str, task_ids: Sequence[int]) -> int:
        newest = {p.task_id: p for p in self.predictions(rollout=source, task_ids=task_ids)}
        for prediction in newest.values():
            number = next(self.numbers)
            self.stored[number] = replace(prediction, id=number, model_version=to)
        return len(newest)

    def delete_version(self, rollout: str) -> int:
        if rollout == self.version:
            raise LabelStudioError(f"{rollout} is pinned.")
        return self.delete_predictions([p.id for p in self.predictions(rollout=rollout)])

    def delete_predictions(self, prediction_ids: Iterable[int]) -> int:
        return sum(self.stored.pop(number, None) is not None for number in prediction_ids)

    def pinned(self) -> str:
        return self.version

    def pin(self, rollout: str) -> None:
        if rollout not in self.versions():
            raise LabelStudioError(f"No prediction is stored under {rollout}.")
        self.version = rollout

    def now(self) -> datetime | None:
        return self.clock

    def latest_change(self) -> datetime | None:
        return max(self.touched.values(), default=None)

    def changed(self, *, since: datetime | None, after: int = 0) -> Iterator[TaskState]:
        for task_id, at in sorted(self.touched.items()):
            fits = bool(self.annotations.get(task_id)) if since is None else at > since
            if task_id in self.images and task_id > after and fits:
                yield self._state(task_id)

    def states(self, task_ids: Sequence[int]) -> Iterator[TaskState]:
        for task_id in task_ids:
            if task_id in self.images:
                yield self._state(task_id)

    def origins(self, prediction_ids: Iterable[int]) -> Iterator[PredictionOrigin]:
        for number in prediction_ids:
            if number in self.others:
                yield self.others[number]
            elif number in self.stored:
                yield PredictionOrigin(self.stored[number])

    def task_ids(self) -> frozenset[int]:
        return frozenset(self.images)

    def created(self, *, since: datetime) -> frozenset[int]:
        return frozenset(task_id for task_id, at in self.born.items() if at > since and task_id in self.images)

    def annotated(self) -> frozenset[int]:
        return frozenset(task_id for task_id in self.images if self.annotations.get(task_id))

    def begun(self, task_ids: Sequence[int]) -> frozenset[int]:
        return frozenset(task_ids) & (self.in_hand | self.annotations.keys())

    def _state(self, task_id: int) -> TaskState:
        if task_id in self.unreadable:
            return TaskState(TaskKey(self.key, task_id), None, (), (f"Task {task_id} fails.",), unreadable=True)
        at = self.touched.get(task_id, datetime(2026, 11, 1, tzinfo=UTC))
        return TaskState(TaskKey(self.key, task_id), at, tuple(self.annotations.get(task_id, ())))
