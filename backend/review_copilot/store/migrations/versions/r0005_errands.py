"""Pending drafts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "errands",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        sa.Column("rollout", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("project_ref", "rollout", "task_id", name="one_errand_per_draft"),
        sqlite_autoincrement=True,
    )
    op.create_index("errands_by_due_time", "errands", ["due_at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("errands")
