"""Hashes of the webhook secrets of projects."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the table. It is empty: webhooks keep their secret until `connect` or `sync` renews it."""
    op.create_table(
        "webhook_secrets",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("project_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("secret_hash", sa.Text, primary_key=True),
        sa.Column("in_use", sa.Boolean, nullable=False),
        sa.Column("stored_at", sa.DateTime, nullable=False),
    )
    op.create_index("webhook_secrets_by_hash", "webhook_secrets", ["secret_hash"])


def downgrade() -> None:
    """Drop the table. Earlier releases accept only the derived secret: run their `connect` next."""
    op.drop_table("webhook_secrets")
