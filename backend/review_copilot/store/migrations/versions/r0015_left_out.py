"""What the compared draft lacks: criteria that nobody examined, and what was dropped."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add both columns to the revisions; empty for those of earlier releases."""
    op.add_column("revisions", sa.Column("unexamined", sa.Text, nullable=False, server_default="[]"))
    op.add_column("revisions", sa.Column("left_out", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Remove the columns."""
    op.drop_column("revisions", "left_out")
    op.drop_column("revisions", "unexamined")
