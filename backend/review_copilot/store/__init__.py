"""The database: SQLAlchemy Core on SQLite or PostgreSQL. The only place that knows SQL."""

from review_copilot.store.backup import backup, restore
from review_copilot.store.database import file_of, is_shared, shown
from review_copilot.store.pseudonyms import names_of
from review_copilot.store.sql_store import SqlStore, open_store, shared_on
from review_copilot.store.webhook_secrets_table import SqlWebhookSecrets

__all__ = [
    "SqlStore",
    "SqlWebhookSecrets",
    "backup",
    "file_of",
    "is_shared",
    "names_of",
    "open_store",
    "restore",
    "shared_on",
    "shown",
]
