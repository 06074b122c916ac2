"""Store the latest time at which a content was read, so that a late read of older content never becomes the newest."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_VIEW = """
CREATE VIEW revision_states AS
SELECT r.id AS revision_ref,
       r.id = (SELECT n.id FROM revisions n WHERE n.annotation_ref = r.annotation_ref
               ORDER BY n.{time} DESC NULLS LAST, n.id DESC LIMIT 1) AS newest,
       COALESCE((SELECT NOT t.lifted FROM tombstones t WHERE t.annotation_ref = r.annotation_ref
                 ORDER BY t.id DESC LIMIT 1), FALSE) AS deleted
FROM revisions r
"""


def upgrade() -> None:
    """Add the column, fill it with known times, and order the view by it."""
    op.execute("DROP VIEW revision_states")
    op.drop_index("newest_revision", "revisions")
    op.add_column("revisions", sa.Column("seen_until", sa.DateTime))
    op.execute("UPDATE revisions SET seen_until = updated_at")
    op.create_index("newest_revision", "revisions", ["annotation_ref", "seen_until", "id"])
    op.execute(_VIEW.format(time="seen_until"))


def downgrade() -> None:
    """Order the view by `updated_at` again."""
    op.execute("DROP VIEW revision_states")
    op.drop_index("newest_revision", "revisions")
    op.drop_column("revisions", "seen_until")
    op.create_index("newest_revision", "revisions", ["annotation_ref", "updated_at", "id"])
    op.execute(_VIEW.format(time="updated_at"))
