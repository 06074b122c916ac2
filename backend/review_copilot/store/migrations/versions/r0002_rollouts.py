"""Numbered roll-outs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "rollouts",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("guideline_id", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("begun_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("project_ref", "guideline_id", "model_version", name="one_rollout_per_content"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("rollouts")
