"""The setup of each project, version after version."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the table. It is empty: projects go on being drafted by the settings until they get a setup of their own."""
    op.create_table(
        "setups",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("setup", sa.Text, nullable=False),
        sa.Column("stored_at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("setups")
