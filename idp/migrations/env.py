"""How Alembic runs the steps: on the connection and for the tables that the caller put into the configuration.

Promises: opens no connection and reads no setting of its own. Must not know: any model.
"""

from alembic import context

attributes = context.config.attributes

context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,
)

with context.begin_transaction():
    context.run_migrations()
