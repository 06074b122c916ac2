"""Model replies and spending, shared by several backends."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "replies",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("kept_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "purses",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("committed_usd", sa.Double, nullable=False),
        sa.Column("spent_usd", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("purses")
    op.drop_table("replies")
