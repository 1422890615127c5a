"""Alembic's environment: the connection is handed over by `callcenter.store.migrate`."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True, version_table="schema_version")
with context.begin_transaction():
    context.run_migrations()
