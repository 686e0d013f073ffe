"""What a process does with the database when it starts; by itself, so that a test's processes start quickly."""

from idp.database import open_database
from idp.migrations.history import upgrade


def migrate(url: str) -> None:
    """Open the database and bring it to the newest step."""
    engine = open_database(url)
    upgrade(engine, ())
    engine.dispose()
