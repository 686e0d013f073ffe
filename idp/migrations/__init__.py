"""The versions of the database: numbered steps in `versions`, run by `history.py`.

Promises: whether a database is at the newest step is told by one small read, without the machinery that runs steps,
so that a start costs nothing where there is nothing to do. Must not know: any model.
"""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

VERSIONS = Path(__file__).parent / "versions"


def newest() -> str:
    """The number of the newest step that this code knows."""
    return max(file.name.partition("_")[0] for file in VERSIONS.glob("[0-9]*.py"))


def is_current(engine: Engine) -> bool:
    """Whether the database is at the newest step, and at no step that this code does not know."""
    if not inspect(engine).has_table("alembic_version"):
        return False
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT version_num FROM alembic_version"))) == [newest()]
