"""The tables, as the newest migration leaves them. Knows no query."""

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData()


class UtcTime(TypeDecorator[datetime]):
    """An aware time, stored in UTC without a zone: SQLite has no zones, and both databases sort it in the same way."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """To the column."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """From the column."""
        return None if value is None else value.replace(tzinfo=UTC)


class Text(TypeDecorator[str]):
    """Any Python string; NUL and lone surrogates, which the databases reject, are replaced."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        """To the column."""
        return None if value is None else storable(value)


class Json(TypeDecorator[Any]):
    """JSON as text: floats are restored exactly, including infinite ones, which PostgreSQL's own types reject."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: sa.Dialect) -> str | None:
        """To the column."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, _dialect: sa.Dialect) -> Any:
        """From the column."""
        if value == "[]":  # most lists of the log are empty
            return []
        return None if value is None else json.loads(value)


def storable(text: str) -> str:
    """The text with NUL and lone surrogates replaced by U+FFFD."""
    return (
        text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True)


def _ref(table: str) -> sa.Column[int]:
    return sa.Column(f"{table[:-1]}_ref", sa.BigInteger, sa.ForeignKey(f"{table}.id"), nullable=False)


projects = sa.Table(
    "projects",
    metadata,
    _id(),
    sa.Column("instance", Text, nullable=False),
    sa.Column("project_id", sa.BigInteger, nullable=False),
    sa.Column("created", Text, nullable=False),
    sa.UniqueConstraint("instance", "project_id", "created", name="one_row_per_project"),
    sqlite_autoincrement=True,
)

reviews = sa.Table(
    "reviews",
    metadata,
    _id(),
    _ref("projects"),
    sa.Column("task_id", sa.BigInteger, nullable=False),
    sa.Column("review_id", Text, nullable=False, unique=True),
    sa.Column("rollout", Text, nullable=False),
    sa.Column("exposure", Text, nullable=False),
    sa.Column("for_box", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("payload", Json, nullable=False),
    sa.Index("reviews_of_a_task", "project_ref", "task_id"),
    sa.Index("reviews_of_a_rollout", "project_ref", "rollout", "task_id"),
    sqlite_autoincrement=True,
)

draft_facts = sa.Table(
    "draft_facts",
    metadata,
    sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
    sa.Column("task_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("review_ref", sa.BigInteger, sa.ForeignKey("reviews.id"), primary_key=True),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("why", sa.Integer, nullable=False),
    sa.Column("calls", sa.Double),
    sa.Column("tokens", sa.Double),
    sa.Column("cost_usd", sa.Double),
    sa.Column("error", Json, nullable=False),
    sa.Column("unexamined", Json, nullable=False, server_default="[]"),
    sqlite_with_rowid=False,
)
"""One row per whole-image review, written with it. `why` is 0 if it shows suggestions; `calls` and `tokens` are
NULL if no usage is known; `cost_usd` is NULL also if it is NaN."""

rollouts = sa.Table(
    "rollouts",
    metadata,
    sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("guideline_id", Text, nullable=False),
    sa.Column("model_version", Text, nullable=False),
    sa.Column("begun_at", UtcTime, nullable=False),
    sa.UniqueConstraint("project_ref", "guideline_id", "model_version", name="one_rollout_per_content"),
)

predictions = sa.Table(
    "predictions",
    metadata,
    sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
    sa.Column("prediction_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task_id", sa.BigInteger, nullable=False),
    sa.Column("model_version", Text, nullable=False),
    sa.Column("region_ids", Json, nullable=False),
    sa.Index("predictions_of_a_task", "project_ref", "task_id"),
)

pictures = sa.Table(
    "pictures",
    metadata,
    _id(),
    _ref("projects"),
    sa.Column("task_id", sa.BigInteger, nullable=False),
    sa.Column("sha256", Text, nullable=False),
    sa.Column("fingerprint", Text, nullable=False),
    sa.UniqueConstraint("project_ref", "task_id", "sha256", name="one_row_per_picture"),
    sqlite_autoincrement=True,
)

annotations = sa.Table(
    "annotations",
    metadata,
    _id(),
    _ref("projects"),
    sa.Column("task_id", sa.BigInteger, nullable=False),
    sa.Column("annotation_id", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("project_ref", "annotation_id", name="one_row_per_annotation"),
    sa.Index("annotations_of_a_task", "project_ref", "task_id"),
    sqlite_autoincrement=True,
)

revisions = sa.Table(
    "revisions",
    metadata,
    _id(),
    _ref("annotations"),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("content_hash", Text, nullable=False),
    sa.Column("rows_hash", Text, nullable=False),
    sa.Column("author", Text, nullable=False),
    sa.Column("editor", Text, nullable=False),
    sa.Column("created_at", UtcTime),
    sa.Column("updated_at", UtcTime),
    sa.Column("logged_at", UtcTime, nullable=False),
    sa.Column("lead_time_s", sa.Double),
    sa.Column("exposure", Text, nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False),
    sa.Column("review_ids", Json, nullable=False),
    sa.Column("payload", Json, nullable=False),
    sa.Column("seen_until", UtcTime),
    sa.Column("unexamined", Json, nullable=False, server_default="[]"),
    sa.Column("left_out", Text, nullable=False, server_default=""),
    sa.UniqueConstraint("annotation_ref", "number", name="revisions_are_numbered"),
    sa.Index("newest_revision", "annotation_ref", "seen_until", "id"),
    sqlite_autoincrement=True,
)

overrides = sa.Table(
    "overrides",
    metadata,
    _id(),
    _ref("revisions"),
    sa.Column("subject", Text, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("suggestion_id", Text, nullable=False),
    sa.Column("region_id", Text, nullable=False),
    sa.Column("criterion_from", Text, nullable=False),
    sa.Column("criterion_to", Text, nullable=False),
    sa.Column("severity_from", Text, nullable=False),
    sa.Column("severity_to", Text, nullable=False),
    sa.Column("text_from", Text, nullable=False),
    sa.Column("text_to", Text, nullable=False),
    sa.Column("edits", Json, nullable=False),
    sa.Column("iou", sa.Double),
    sa.Column("text_similarity", sa.Double),
    sa.Column("text_distance", sa.Integer),
    sa.Column("reasons", Json, nullable=False),
    sa.Column("note", Text, nullable=False),
    sa.Column("score", sa.Double),
    sa.Column("box_from", Json),
    sa.Column("box_to", Json),
    sa.Column("review_id", Text, nullable=False),
    sa.Column("inspector", Text),
    sa.Column("model_version", Text),
    sa.Column("rollout", Text),
    sa.Column("guideline_id", Text),
    sa.Column("guideline_revision", Text),
    sa.Column("prompt_hash", Text),
    sa.Index("overrides_of_a_revision", "revision_ref"),
    sqlite_autoincrement=True,
)

tombstones = sa.Table(
    "tombstones",
    metadata,
    _id(),
    _ref("annotations"),
    sa.Column("lifted", sa.Boolean, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Index("newest_tombstone", "annotation_ref", "id"),
    sqlite_autoincrement=True,
)
"""One row per deletion, and one (`lifted`) for each time that a deleted annotation was found to exist."""

inbox = sa.Table(
    "inbox",
    metadata,
    _id(),
    sa.Column("instance", Text, nullable=False),
    sa.Column("project_id", sa.BigInteger, nullable=False),
    sa.Column("task_ids", Json, nullable=False),
    sa.Column("action", Text, nullable=False),
    sa.Column("body", Text, nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)

pending_drafts = sa.Table(
    "errands",
    metadata,
    _id(),
    _ref("projects"),
    sa.Column("task_id", sa.BigInteger, nullable=False),
    sa.Column("rollout", Text, nullable=False),
    sa.Column("payload", Json, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", UtcTime, nullable=False),
    sa.UniqueConstraint("project_ref", "rollout", "task_id", name="one_errand_per_draft"),
    sa.Index("errands_by_due_time", "due_at"),
    sqlite_autoincrement=True,
)
"""Pending drafts. In a claimed one, `due_at` is the end of the lease."""

bookmarks = sa.Table(
    "bookmarks",
    metadata,
    sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
    sa.Column("swept_to", UtcTime, nullable=False),
)

sweep_points = sa.Table(
    "sweep_points",
    metadata,
    sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
    sa.Column("since", UtcTime),
    sa.Column("up_to", UtcTime),
    sa.Column("after", sa.BigInteger, nullable=False),
)

task_tombstones = sa.Table(
    "task_tombstones",
    metadata,
    sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
    sa.Column("task_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", UtcTime, nullable=False),
)
"""Deleted tasks: a later unconfirmed annotation of such a task is deleted at once."""

crops_table = sa.Table(
    "lookbooks",
    metadata,
    sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    sa.Column("payload", Json, nullable=False),
)
"""Features of reviewed regions. Derived from other tables, so that a lost row is created again."""

revision_states = sa.table(
    "revision_states",
    sa.column("revision_ref", sa.BigInteger),
    sa.column("newest", sa.Boolean),
    sa.column("deleted", sa.Boolean),
)
"""A view of the newest revision of each annotation, and of deleted annotations. The migrations create it."""

chunks = sa.Table(
    "parcels",
    metadata,
    sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
    sa.Column("first_task", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("form", Text, nullable=False),
    sa.Column("counts", sa.LargeBinary),
    sa.Column("rows", sa.LargeBinary),
)
"""Current rows of the log, packed by a reader. A chunk ends before the next one's first task, and the first chunk
starts before every task. `version` increases with each write; `form` is empty while nothing is packed."""

touched_tasks = sa.Table(
    "touched_tasks",
    metadata,
    _id(),
    _ref("projects"),
    sa.Column("task_id", sa.BigInteger, nullable=False),
    sa.Index("touched_tasks_of_a_project", "project_ref", "task_id"),
    sqlite_autoincrement=True,
)
"""Tasks whose current rows may have changed since their chunk was packed, written in the transaction of the change."""

setups = sa.Table(
    "setups",
    metadata,
    sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("setup", Json, nullable=False),
    sa.Column("stored_at", UtcTime, nullable=False),
)
"""Setups of projects. Append-only: the greatest number of a project is its setup."""

new_task_marks = sa.Table(
    "new_task_marks",
    metadata,
    sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    sa.Column("since", UtcTime, nullable=False),
)
"""Projects that draft new tasks by themselves: the time after which a task is new."""

projects_without_setup = sa.Table(
    "projects_without_setup",
    metadata,
    sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
)
"""Projects that an earlier release drafted by its settings and that have no setup of their own yet."""
webhook_secrets = sa.Table(
    "webhook_secrets",
    metadata,
    sa.Column("instance", Text, primary_key=True),
    sa.Column("project_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("secret_hash", Text, primary_key=True),
    sa.Column("in_use", sa.Boolean, nullable=False),
    sa.Column("stored_at", UtcTime, nullable=False),
    sa.Index("webhook_secrets_by_hash", "secret_hash"),
)
"""SHA-256 of the random secrets in projects' webhooks. `in_use` is false until Label Studio has the secret."""

MADE_AGAIN = frozenset({chunks.name, touched_tasks.name})
"""Tables with derived data only."""

replies = sa.Table(
    "replies",
    metadata,
    sa.Column("key", Text, primary_key=True),
    sa.Column("reply", Text, nullable=False),
    sa.Column("kept_at", UtcTime, nullable=False),
)

breakers = sa.Table(
    "breakers",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("in_a_row", sa.Integer, nullable=False),
    sa.Column("why", Text, nullable=False),
    sa.Column("open_until", UtcTime, nullable=True),
)
"""Circuit breakers of model endpoints. `why` is empty while calls are allowed."""

budgets = sa.Table(
    "purses",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("committed_usd", sa.Double, nullable=False),
    sa.Column("spent_usd", sa.Double, nullable=False),
)
"""Spending on model calls. `committed_usd` is what was spent and what is reserved; what a stopped process had reserved
remains, because its calls may have been charged."""
