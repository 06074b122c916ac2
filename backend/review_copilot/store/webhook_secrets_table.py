"""Store the hashes of projects' webhook secrets. Knows no secret."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import sqlalchemy as sa

from review_copilot.ports import Clock
from review_copilot.store import schema
from review_copilot.store.database import Database
from review_copilot.store.row_keys import insert_new

_SECRET = schema.webhook_secrets.c


class SqlWebhookSecrets:
    """Implements `ports.WebhookSecretStore`. Safe to use from several threads and processes."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add_webhook_secret(self, instance: str, project_id: int, secret_hash: str) -> None:
        """See `ports.WebhookSecretStore`."""
        with self._database.writing() as connection:
            row = self._row(instance, project_id, secret_hash)
            insert_new(connection, schema.webhook_secrets, [{**row, "in_use": False}])

    def keep_webhook_secrets(self, instance: str, project_id: int, hashes: AbstractSet[str]) -> None:
        """See `ports.WebhookSecretStore`."""
        ours = sa.and_(_SECRET.instance == instance, _SECRET.project_id == project_id)
        with self._database.reading() as connection:
            query = sa.select(_SECRET.secret_hash, _SECRET.in_use).where(ours)
            if {row.secret_hash: row.in_use for row in connection.execute(query)} == dict.fromkeys(hashes, True):
                return
        with self._database.writing() as connection:
            connection.execute(sa.delete(schema.webhook_secrets).where(ours))
            rows = [{**self._row(instance, project_id, kept), "in_use": True} for kept in sorted(hashes)]
            insert_new(connection, schema.webhook_secrets, rows)

    def webhook_secret_projects(self, instance: str, secret_hash: str) -> frozenset[int]:
        """See `ports.WebhookSecretStore`."""
        query = sa.select(_SECRET.project_id).where(_SECRET.secret_hash == secret_hash, _SECRET.instance == instance)
        with self._database.reading() as connection:
            return frozenset(connection.scalars(query))

    def has_webhook_secret(self, instance: str, project_id: int) -> bool:
        """See `ports.WebhookSecretStore`."""
        ours = (_SECRET.instance == instance, _SECRET.project_id == project_id, _SECRET.in_use)
        with self._database.reading() as connection:
            return connection.scalar(sa.select(_SECRET.project_id).where(*ours).limit(1)) is not None

    def _row(self, instance: str, project_id: int, secret_hash: str) -> dict[str, object]:
        return {
            "instance": instance,
            "project_id": project_id,
            "secret_hash": secret_hash,
            "stored_at": self._clock.now(),
        }
