"""Fill the log from work that was done before, or elsewhere. Knows ports only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from review_copilot.compare import compare
from review_copilot.domain.override import Comparison, SubmittedAnnotation
from review_copilot.domain.review import ProjectKey, Review, TaskKey
from review_copilot.ports import Store, StoredPrediction

AT_ONCE = 200
"""Tasks in memory and in one transaction."""

SAID_AT_MOST = 200
"""Problems that are kept word by word; the others are counted."""


@dataclass(frozen=True, slots=True)
class ExportedTask:
    """One record of an export.

    Attributes:
        key: Which task; None when the record cannot be read, `problems` then says why.
        annotations: What was submitted.
        reviews: What the predictions in the record show.
        predictions: How annotations refer to them.
        ids_only: The record names predictions by their ids alone, so that what was shown is not known from it.
        problems: Sentences about what could not be read.
    """

    key: TaskKey | None
    annotations: tuple[SubmittedAnnotation, ...] = ()
    reviews: tuple[Review, ...] = ()
    predictions: tuple[StoredPrediction, ...] = ()
    ids_only: bool = False
    problems: tuple[str, ...] = ()


@dataclass
class ImportReport:
    """What an import did, handed to `on_progress` while it runs.

    Attributes:
        tasks: Tasks that were read.
        skipped: Records that could not be read, and tasks of which nobody knows what was shown.
        ids_only: Of these, tasks that name their predictions by id alone.
        annotations: Annotations that were compared.
        predictions: Predictions that were read.
        without_review: Annotations that were compared with nothing, for their task has no prediction.
        revisions: Revisions that were new to the log.
        rows: Rows that were new to the log.
        problems: The first `SAID_AT_MOST` sentences about what could not be read.
        problems_left_out: How many more there are.
    """

    tasks: int = 0
    skipped: int = 0
    ids_only: int = 0
    annotations: int = 0
    predictions: int = 0
    without_review: int = 0
    revisions: int = 0
    rows: int = 0
    problems: list[str] = field(default_factory=list)
    problems_left_out: int = 0

    def say(self, problems: Iterable[str]) -> None:
        """Keep sentences, or count them when there are too many."""
        for problem in problems:
            if len(self.problems) < SAID_AT_MOST:
                self.problems.append(problem)
            else:
                self.problems_left_out += 1


def import_tasks(
    tasks: Iterable[ExportedTask],
    *,
    store: Store,
    on_progress: Callable[[ImportReport], None] = lambda _: None,
) -> ImportReport:
    """Log every annotation of an export, compared with what its predictions show. Doing it twice changes nothing.

    Reviews that the store holds go before predictions of the same roll-out. A task that names its predictions by id
    alone is logged only where the store holds a review of it: rows that say "added" for what may have been suggested
    would be false.

    Args:
        tasks: Records of the export; read as they are needed.
        store: The log.
        on_progress: Called after each batch.
    """
    report = ImportReport()
    known_projects = frozenset(store.projects())
    source = iter(tasks)
    while batch := list(islice(source, AT_ONCE)):
        readable = []
        for task in batch:
            report.say(task.problems)
            if task.key is None:
                report.skipped += 1
            else:
                report.tasks += 1
                readable.append(task)
        _remember(readable, store=store)
        comparisons = [
            comparison
            for task in readable
            for comparison in _compared(task, store=store, known=known_projects, report=report)
        ]
        appended = store.append_all(comparisons)
        report.annotations += len(comparisons)
        report.without_review += sum(not comparison.review_ids for comparison in comparisons)
        report.revisions += appended.revisions
        report.rows += appended.rows
        on_progress(report)
    return report


def _remember(tasks: Iterable[ExportedTask], *, store: Store) -> None:
    tasks = list(tasks)
    store.remember([review for task in tasks for review in task.reviews])
    for project in {task.key.project for task in tasks if task.key}:
        stored = [p for task in tasks if task.key and task.key.project == project for p in task.predictions]
        if stored:
            store.remember_predictions(project, stored)


def _compared(
    task: ExportedTask, *, store: Store, known: frozenset[ProjectKey], report: ImportReport
) -> Iterator[Comparison]:
    if task.key is None:
        return
    report.predictions += len(task.reviews)
    reviews: tuple[Review, ...] = task.reviews
    if task.key.project in known:
        own = {review.id for review in task.reviews}
        held = tuple(review for review in store.recall(task.key) if review.id not in own)
        rollouts = {review.provenance.rollout for review in held}
        reviews = (*held, *(review for review in task.reviews if review.provenance.rollout not in rollouts))
    if task.ids_only and not reviews:
        report.skipped += 1
        report.ids_only += 1
        return
    for annotation in task.annotations:
        yield compare(annotation, reviews, predictions=task.predictions)
