"""Which projects an earlier release drafted by its settings, so that they get a setup of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the table, and note each project that has roll-outs and no setup."""
    op.create_table(
        "projects_without_setup",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    )
    op.execute(
        "INSERT INTO projects_without_setup (project_ref) SELECT DISTINCT project_ref FROM rollouts "
        "WHERE project_ref NOT IN (SELECT project_ref FROM setups)"
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("projects_without_setup")
