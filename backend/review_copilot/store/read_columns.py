"""Read current rows of the log as columns, with a narrow query and without an object per row. Does not write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from review_copilot.domain.log_columns import COLUMNS, LogColumns
from review_copilot.domain.override import OverrideKind, Subject
from review_copilot.store import schema

_ANNOTATION = schema.annotations.c
_REVISION = schema.revisions.c
_OVERRIDE = schema.overrides.c
_STATE = schema.revision_states.c

_COMPUTED: dict[str, sa.ColumnElement[Any]] = {
    "task_id": _ANNOTATION.task_id,
    "annotation_id": _ANNOTATION.annotation_id,
    "reviewer": sa.func.coalesce(sa.func.nullif(_REVISION.editor, ""), _REVISION.author),
    "time_s": sa.func.coalesce(_REVISION.created_at, _REVISION.updated_at, _REVISION.logged_at),
    "lead_time_s": _REVISION.lead_time_s,
    "exposure": _REVISION.exposure,
    # Skipped tasks were once logged as rejected.
    "kind": sa.case((_OVERRIDE.subject == Subject.TASK.value, OverrideKind.SKIPPED.value), else_=_OVERRIDE.kind),
    "drawn_text": sa.case((_OVERRIDE.kind == OverrideKind.ADDED.value, _OVERRIDE.text_to), else_=""),
    "guideline_revision": sa.func.coalesce(_OVERRIDE.guideline_revision, ""),
    "model_version": sa.func.coalesce(_OVERRIDE.model_version, ""),
}
_ROWS = (
    # Without a type, values are not converted row by row; each distinct value is converted once.
    sa.select(*(sa.type_coerce(_COMPUTED.get(name, _OVERRIDE.get(name)), sa.types.NullType()) for name in COLUMNS))
    .join_from(schema.annotations, schema.revisions, _REVISION.annotation_ref == _ANNOTATION.id)
    .join(schema.revision_states, _STATE.revision_ref == _REVISION.id)
    .join(schema.overrides, _OVERRIDE.revision_ref == _REVISION.id)
    .where(_STATE.newest, sa.not_(_STATE.deleted))
    .order_by(_OVERRIDE.id)
)
_ROWS_AT_ONCE = 500
_NO_BOX = "NaN,NaN,NaN,NaN"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # as the columns hold times: in UTC, without a zone


def current_columns(connection: sa.Connection, project_ref: int, *, first_task: int, end_task: int) -> LogColumns:
    """Current rows of a project's tasks from `first_task` up to, but not including, `end_task`."""
    wanted = (_ANNOTATION.project_ref == project_ref, _ANNOTATION.task_id >= first_task, _ANNOTATION.task_id < end_task)
    found: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    # A few rows at a time: otherwise the garbage collector would repeatedly traverse all of them.
    for rows in connection.execute(_ROWS.where(*wanted)).partitions(_ROWS_AT_ONCE):
        for column, values in zip(found.values(), zip(*rows, strict=True), strict=True):
            column.extend(values)
    times = {at: _seconds(at) for at in set(found["time_s"])}
    lists = {text: tuple(json.loads(text)) for name in ("edits", "reasons") for text in set(found[name])}
    boxes = ",".join(text[1:-1] if text else _NO_BOX for text in found["box_to"])
    decoded: dict[str, Sequence[Any]] = {
        "time_s": [times[at] for at in found["time_s"]],
        "edits": [lists[text] for text in found["edits"]],
        "reasons": [lists[text] for text in found["reasons"]],
        "box_to": json.loads(f"[{boxes}]"),  # all at once, because a call costs more than a box
    }
    return LogColumns(**(found | decoded))


def _seconds(at: str | datetime) -> float:
    """Seconds since 1970 UTC; SQLite's driver returns times as text."""
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return (moment - _EPOCH) / timedelta(seconds=1)
