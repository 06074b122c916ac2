"""Circuit breakers of model endpoints, shared by several backends."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "breakers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("in_a_row", sa.Integer, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("open_until", sa.DateTime, nullable=True),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("breakers")
