"""The numbers of each draft that reports sum, in a table of their own."""

import json
import math
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_BATCH_ROWS = 500
_MOST = 2**53
_WHY = {"failed": 2, "not_ready": 3, "withheld": 4}

_REVIEWS = sa.table(
    "reviews",
    sa.column("id", sa.BigInteger),
    sa.column("project_ref", sa.BigInteger),
    sa.column("task_id", sa.BigInteger),
    sa.column("exposure", sa.Text),
    sa.column("for_box", sa.Boolean),
    sa.column("created_at", sa.DateTime),
    sa.column("payload", sa.Text),
)


def upgrade() -> None:
    """Add the table and fill it from the reviews, batch by batch."""
    facts = op.create_table(
        "draft_facts",
        sa.Column("project_ref", sa.BigInteger, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("task_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("review_ref", sa.BigInteger, sa.ForeignKey("reviews.id"), primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("why", sa.Integer, nullable=False),
        sa.Column("calls", sa.Double),
        sa.Column("tokens", sa.Double),
        sa.Column("cost_usd", sa.Double),
        sa.Column("error", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    review, connection, after = _REVIEWS.c, op.get_bind(), 0
    while True:
        rows = connection.execute(
            sa.select(_REVIEWS).where(review.id > after, sa.not_(review.for_box)).order_by(review.id).limit(_BATCH_ROWS)
        ).all()
        if not rows:
            return
        connection.execute(sa.insert(facts), [_facts(row) for row in rows])
        after = rows[-1].id


def downgrade() -> None:
    """Drop the table; the reviews contain all of its data."""
    op.drop_table("draft_facts")


def _facts(row: Any) -> dict[str, object]:
    payload = json.loads(row.payload)
    usage = payload.get("usage")
    nothing = row.exposure == "shown" and not payload["suggestions"]
    facts = {
        "project_ref": row.project_ref,
        "task_id": row.task_id,
        "review_ref": row.id,
        "created_at": row.created_at,
        "why": 1 if nothing else _WHY.get(row.exposure, 0),
        "error": json.dumps(payload.get("error", "")),
        **dict.fromkeys(("calls", "tokens", "cost_usd")),
    }
    if usage is not None:
        cost = float(usage.get("cost_usd", 0.0))
        facts["calls"] = _double(usage.get("calls", 0))
        facts["tokens"] = _double(usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0))
        facts["cost_usd"] = None if math.isnan(cost) else cost
    return facts


def _double(count: int) -> float:
    return float(max(-_MOST, min(_MOST, count)))
