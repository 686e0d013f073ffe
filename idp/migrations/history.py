"""The database's history: numbered steps from empty to now, run by one function, on SQLite and PostgreSQL alike.

Promises: a step runs once, whole or not at all, also when several processes start at the same time. Must not know: any
model; the tables that the code expects are handed in.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData

_LOCK = "SELECT pg_advisory_xact_lock(7236012)"


def upgrade(engine: Engine, metadata: Sequence[MetaData]) -> None:
    """Bring the database to the newest step; does nothing if it is there. A failed step leaves it as it was."""
    with engine.begin() as connection:
        _be_alone(connection)
        command.upgrade(_config(connection, metadata), "head")


def differences(engine: Engine, metadata: Sequence[MetaData]) -> list[Any]:
    """What the database lacks or has too much, compared with these tables; empty if they agree."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        tables: Any = list(metadata)  # Alembic takes several, though its annotation says one
        return list(compare_metadata(context, tables))


def _config(connection: Connection, metadata: Sequence[MetaData]) -> Config:
    config = Config(attributes={"connection": connection, "metadata": list(metadata)})
    config.set_main_option("path_separator", "os")
    # A percent sign in the path would be read as an interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _be_alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCK)
    elif connection.dialect.name == "sqlite":
        # The driver opens no transaction before a table is made, so that half a step could stay.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
