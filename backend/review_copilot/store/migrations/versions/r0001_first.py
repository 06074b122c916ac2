"""The first schema: reviews, predictions, the append-only log with its view, inbox, and bookmarks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_VIEW = """
CREATE VIEW revision_states AS
SELECT r.id AS revision_ref,
       r.id = (SELECT n.id FROM revisions n WHERE n.annotation_ref = r.annotation_ref
               ORDER BY n.updated_at DESC NULLS LAST, n.id DESC LIMIT 1) AS newest,
       COALESCE((SELECT NOT t.lifted FROM tombstones t WHERE t.annotation_ref = r.annotation_ref
                 ORDER BY t.id DESC LIMIT 1), FALSE) AS deleted
FROM revisions r
"""


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True)


def _ref(table: str) -> sa.Column[int]:
    return sa.Column(f"{table[:-1]}_ref", sa.BigInteger, sa.ForeignKey(f"{table}.id"), nullable=False)


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=nullable) for name in names]


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "projects",
        _id(),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("project_id", sa.BigInteger, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.UniqueConstraint("instance", "project_id", "created", name="one_row_per_project"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "reviews",
        _id(),
        _ref("projects"),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        sa.Column("review_id", sa.Text, nullable=False, unique=True),
        *_texts("rollout", "exposure"),
        sa.Column("for_box", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        *_texts("payload"),
        sqlite_autoincrement=True,
    )
    op.create_index("reviews_of_a_task", "reviews", ["project_ref", "task_id"])
    op.create_index("reviews_of_a_rollout", "reviews", ["project_ref", "rollout", "task_id"])
    op.create_table(
        "predictions",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("prediction_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        *_texts("model_version", "region_ids"),
    )
    op.create_index("predictions_of_a_task", "predictions", ["project_ref", "task_id"])
    op.create_table(
        "annotations",
        _id(),
        _ref("projects"),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        sa.Column("annotation_id", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("project_ref", "annotation_id", name="one_row_per_annotation"),
        sqlite_autoincrement=True,
    )
    op.create_index("annotations_of_a_task", "annotations", ["project_ref", "task_id"])
    op.create_table(
        "revisions",
        _id(),
        _ref("annotations"),
        sa.Column("number", sa.Integer, nullable=False),
        *_texts("content_hash", "rows_hash", "author", "editor"),
        sa.Column("created_at", sa.DateTime),
        sa.Column("updated_at", sa.DateTime),
        sa.Column("logged_at", sa.DateTime, nullable=False),
        sa.Column("lead_time_s", sa.Double),
        *_texts("exposure"),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        *_texts("review_ids", "payload"),
        sa.UniqueConstraint("annotation_ref", "number", name="revisions_are_numbered"),
        sqlite_autoincrement=True,
    )
    op.create_index("newest_revision", "revisions", ["annotation_ref", "updated_at", "id"])
    op.create_table(
        "overrides",
        _id(),
        _ref("revisions"),
        *_texts("subject", "kind", "suggestion_id", "region_id", "criterion_from", "criterion_to"),
        *_texts("severity_from", "severity_to", "text_from", "text_to", "edits"),
        sa.Column("iou", sa.Double),
        sa.Column("text_similarity", sa.Double),
        sa.Column("text_distance", sa.Integer),
        *_texts("reasons", "note"),
        sa.Column("score", sa.Double),
        *_texts("box_from", "box_to", nullable=True),
        *_texts("review_id"),
        *_texts("inspector", "model_version", "rollout", nullable=True),
        *_texts("guideline_id", "guideline_revision", "prompt_hash", nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("overrides_of_a_revision", "overrides", ["revision_ref"])
    op.create_table(
        "tombstones",
        _id(),
        _ref("annotations"),
        sa.Column("lifted", sa.Boolean, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("newest_tombstone", "tombstones", ["annotation_ref", "id"])
    op.create_table(
        "inbox",
        _id(),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("project_id", sa.BigInteger, nullable=False),
        *_texts("task_ids", "action", "body"),
        sa.Column("received_at", sa.DateTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "bookmarks",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("swept_to", sa.DateTime, nullable=False),
    )
    op.execute(_VIEW)


def downgrade() -> None:
    """Drop all tables."""
    op.execute("DROP VIEW revision_states")
    for table in ("bookmarks", "inbox", "tombstones", "overrides", "revisions", "annotations"):
        op.drop_table(table)
    for table in ("predictions", "reviews", "projects"):
        op.drop_table(table)
