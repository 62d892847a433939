"""Alembic's entry: ``skileez.db.migrate`` hands it the URL and it runs the chain online."""

from alembic import context
from sqlalchemy import text

import skileez.accounts.models
import skileez.availability.models
import skileez.contracts.models
import skileez.events
import skileez.heartbeat
import skileez.notifications.models
import skileez.outbox
import skileez.sessions.absence
import skileez.sessions.models
import skileez.sessions.presence  # noqa: F401  (imported for their tables)
from skileez.db import Model, engine_for

engine = engine_for(context.config.attributes["url"])
with engine.connect() as connection:
    # Two machines that start together must not both migrate.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_lock(7305)"))
        connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Model.metadata,
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_unlock(7305)"))
        connection.commit()
engine.dispose()
