"""Which projects draft new tasks by themselves, and from which time on a task is new."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table. It is empty: no project drafts new tasks by itself before it is connected again."""
    op.create_table(
        "new_task_marks",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
        sa.Column("since", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("new_task_marks")
