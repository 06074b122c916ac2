"""Write the log from webhook bodies, where there is no token to read Label Studio with. Knows ports only.

What is written is marked unconfirmed. A body says nothing of the other annotations on its task, so nothing is deleted
but what a deletion names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from review_copilot.compare import compare
from review_copilot.domain.review import ProjectKey, TaskKey
from review_copilot.errors import CopilotError
from review_copilot.flows.sweep import SweepReport
from review_copilot.ports import BodyReader, Store, WebhookContent, WebhookNotice

AT_ONCE = 20
"""Events in memory at a time: a bulk action's body may have 20 MB."""

NO_TASK = 0
"""Stands for the task of an annotation that only its deletion was heard of."""


def log_bodies(store: Store, *, reader: BodyReader, go_on: Callable[[], bool] = lambda: True) -> SweepReport:
    """Compare what the waiting events hold, in the order in which they came, until none is left.

    Events are done only after all of them are in the log, so that some that are cut off are taken up again, which
    changes nothing. An event that cannot be read is said and let go of: it will never be better.

    Args:
        store: The log, and the inbox.
        reader: Reads the events' bodies.
        go_on: Asked after each `AT_ONCE` events; the others stay for the next time when it says no.

    Raises:
        StoreError: The log cannot be written now; the events stay.
    """
    report = SweepReport()
    while notices := store.waiting(limit=AT_ONCE):
        heard: list[tuple[WebhookNotice, WebhookContent]] = []
        for wake in notices:
            try:
                heard.append((wake, reader.read(wake)))
            except CopilotError as error:
                report.problems += (f"An event is let go of: {error}",)
        report += _log(heard, store=store)
        store.done([wake.id for wake in notices])
        if not go_on():
            break
    return report


def _log(heard: Sequence[tuple[WebhookNotice, WebhookContent]], *, store: Store) -> SweepReport:
    """All annotations in one transaction, then what is gone: in whatever order they were heard of, gone is gone."""
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
    """The projects that deleted tasks may be of: the one named, else all of that Label Studio, where ids are unique."""
    if told.project is not None or not told.gone_tasks:
        return [told.project] if told.project else []
    return [project for project in store.projects() if project.instance == wake.instance]
