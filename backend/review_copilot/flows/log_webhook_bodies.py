"""Write the log from webhook bodies, without a token for Label Studio's API. Knows ports only.

The rows are marked as unconfirmed. A body does not contain the other annotations of its task, so annotations are
deleted only if a deletion event names them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from review_copilot.compare import compare
from review_copilot.domain.review import ProjectKey, TaskKey
from review_copilot.errors import CopilotError
from review_copilot.flows.sweep import SweepReport
from review_copilot.ports import BodyReader, Store, WebhookContent, WebhookNotice

AT_ONCE = 20
"""Events in memory at a time: the body of a bulk action can have 20 MB."""

NO_TASK = 0
"""Task id of an annotation that is known only from its deletion."""


def log_bodies(store: Store, *, reader: BodyReader, go_on: Callable[[], bool] = lambda: True) -> SweepReport:
    """Log the waiting events, in order of arrival, until none is left.

    Events are marked as done only after all of them are in the log. After an interruption, some are read again, which
    changes nothing. An event that cannot be read is reported and removed: another attempt would fail too.

    Args:
        store: The log, and the inbox.
        reader: Reads the events' bodies.
        go_on: Called after each `AT_ONCE` events; if it returns False, the other events remain for the next time.

    Raises:
        StoreError: The log cannot be written now; the events remain in the inbox.
    """
    report = SweepReport()
    while notices := store.waiting(limit=AT_ONCE):
        heard: list[tuple[WebhookNotice, WebhookContent]] = []
        for wake in notices:
            try:
                heard.append((wake, reader.read(wake)))
            except CopilotError as error:
                report.problems += (f"An event was removed: {error}",)
        report += _log(heard, store=store)
        store.done([wake.id for wake in notices])
        if not go_on():
            break
    return report


def _log(heard: Sequence[tuple[WebhookNotice, WebhookContent]], *, store: Store) -> SweepReport:
    """Log all annotations in one transaction, then the deletions: a deletion wins, whatever the order of events."""
    annotations = [annotation for _, told in heard for annotation in told.annotations]
    appended = store.append_all(
        compare(
            annotation,
            store.recall(annotation.key),
            predictions=store.predictions_of(annotation.key),
            confirmed=False,
        )
        for annotation in annotations
    )
    report = SweepReport(
        tasks=len({annotation.key for annotation in annotations}),
        annotations=len(annotations),
        revisions=appended.revisions,
        rows=appended.rows,
        problems=tuple(problem for _, told in heard for problem in told.problems),
    )
    for wake, told in heard:
        if told.project is not None and told.gone_annotations:
            report.deleted += store.record_deletion(
                TaskKey(told.project, NO_TASK), annotation_ids=told.gone_annotations
            )
        for project in _meant(told, wake=wake, store=store):
            report.deleted += sum(store.record_deletion(TaskKey(project, task_id)) for task_id in told.gone_tasks)
    return report


def _meant(told: WebhookContent, *, wake: WebhookNotice, store: Store) -> list[ProjectKey]:
    """The projects that deleted tasks can belong to: the named one, or else all of that Label Studio."""
    if told.project is not None or not told.gone_tasks:
        return [told.project] if told.project else []
    return [project for project in store.projects() if project.instance == wake.instance]
