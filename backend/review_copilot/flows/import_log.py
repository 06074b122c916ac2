"""Import earlier or external annotations into the log. Knows ports only."""

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
"""Maximum number of problems that are kept as text; the others are counted."""


@dataclass(frozen=True, slots=True)
class ExportedTask:
    """One record of an export.

    Attributes:
        key: The task; None if the record cannot be read, for the reason in `problems`.
        annotations: What was submitted.
        reviews: The predictions in the record, as reviews.
        predictions: How annotations refer to them.
        ids_only: Whether the record contains only ids of predictions, so that it does not tell what reviewers saw.
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
    """Counts of an import, passed to `on_progress` while it runs.

    Attributes:
        tasks: Tasks that were read.
        skipped: Records that could not be read, and tasks for which it is unknown what reviewers saw.
        ids_only: Those of them that contain only ids of predictions.
        annotations: Annotations that were compared.
        predictions: Predictions that were read.
        without_review: Annotations without a comparison, because their task has no prediction.
        revisions: Revisions that were new to the log.
        rows: Rows that were new to the log.
        problems: The first `SAID_AT_MOST` sentences about what could not be read.
        problems_left_out: Number of further problems.
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
        """Keep problems as text, or count them if there are too many."""
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
    """Log every annotation of an export, compared with its predictions. Repeating it changes nothing.

    Stored reviews take precedence over predictions of the same roll-out. A task that contains only ids of its
    predictions is logged only if the store has a review of it: rows that say "added" for regions that may have been
    suggested would be false.

    Args:
        tasks: Records of the export; read one by one.
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
