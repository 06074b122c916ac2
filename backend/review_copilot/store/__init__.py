"""The database: SQLAlchemy Core on SQLite or PostgreSQL. The only place that knows SQL."""

from review_copilot.store.backup import backup, restore
from review_copilot.store.engine import shown
from review_copilot.store.people import names_of
from review_copilot.store.sql import SqlStore, open_store

__all__ = ["SqlStore", "backup", "names_of", "open_store", "restore", "shown"]
