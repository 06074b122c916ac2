"""Which criteria a draft did not examine, beside its other numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the column; empty for drafts of earlier releases."""
    op.add_column("draft_facts", sa.Column("unexamined", sa.Text, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("draft_facts", "unexamined")
