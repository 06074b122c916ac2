"""What the reviewed regions of a project look like."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the table; it fills while `serve` runs, or when a project is drafted."""
    op.create_table(
        "lookbooks",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
        sa.Column("payload", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("lookbooks")
