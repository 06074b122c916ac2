"""Features of a project's reviewed regions."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the table; `serve` fills it, and so does drafting a project."""
    op.create_table(
        "lookbooks",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
        sa.Column("payload", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("lookbooks")
