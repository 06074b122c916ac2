"""Packed columns of the log for studies, and the tasks that changed since they were packed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the tables, empty: readers fill them."""
    op.create_table(
        "parcels",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("first_task", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("counts", sa.LargeBinary),
        sa.Column("rows", sa.LargeBinary),
    )
    op.create_table(
        "touched_tasks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("touched_tasks_of_a_project", "touched_tasks", ["project_ref", "task_id"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("touched_tasks")
    op.drop_table("parcels")
