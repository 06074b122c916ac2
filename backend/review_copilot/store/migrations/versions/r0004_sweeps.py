"""The position of an unfinished sweep, and deleted tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "sweep_points",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("since", sa.DateTime),
        sa.Column("up_to", sa.DateTime),
        sa.Column("after", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "task_tombstones",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("task_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables: sweeps restart, and a late event can restore an annotation of a deleted task."""
    op.drop_table("task_tombstones")
    op.drop_table("sweep_points")
