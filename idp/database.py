"""The one database of the house: how an engine is opened on SQLite or PostgreSQL.

Promises: every connection has the same settings, made for many readers and short writes; a fault never tells the
values of a statement to the log. Must not know: any table.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url


def open_database(url: str) -> Engine:
    """An engine for `sqlite:///…` or `postgresql+psycopg://…`; the folder of an SQLite file is made if need be."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(
            url, hide_parameters=True, pool_size=8, max_overflow=8, pool_pre_ping=False, pool_recycle=1800
        )
    file = make_url(url).database
    if file and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 10, "check_same_thread": False})
    event.listen(engine, "connect", set_up_sqlite)
    return engine


def set_up_sqlite(connection: Any, _record: object) -> None:
    """Readers beside a writer (WAL), foreign keys, and a commit that survives a crash of the process."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
