"""Alembic's entry point: runs the migrations on the connection from `store.database`. Knows no URL."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
