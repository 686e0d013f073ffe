"""The demo world in a database, and a sealer that is quick and plain, for tests that ask IDM."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from demo.world import World, load_facts, read_world
from idm.directory import Directory
from idm.entitlements import Entitlements, Identity, authorities, entitlements
from idm.lines import lines_of
from idm.model import METADATA
from idp.migrations.history import upgrade

WORLD_FILE = Path(__file__).parents[1] / "demo" / "world.json"
TODAY = date(2026, 11, 23)
ITSME = "urn:be:vlaanderen:authmech:itsme"
SMS = "urn:be:vlaanderen:authmech:csamsms"
HIGH = frozenset({SMS, ITSME})
"""The URNs whose level a session with eID or itsme reaches."""


class PlainSealer:
    """Turns the bytes round instead of sealing them; the purpose must be the same."""

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        return purpose.encode() + b"\0" + plain[::-1]

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        name, _, turned = sealed.partition(b"\0")
        if name.decode() != purpose:
            raise ValueError("sealed for another purpose")
        return turned[::-1]

    def keyed_hash(self, value: str, *, purpose: str) -> str:
        return hashlib.sha256(f"{purpose}\0{value}".encode()).hexdigest()


class NotingCursor:
    """A cursor of the driver that writes down each statement."""

    def __init__(self, cursor: Any, statements: list[str]) -> None:
        self._cursor = cursor
        self._statements = statements

    def execute(self, statement: str, values: Any) -> None:
        self._statements.append(statement)
        self._cursor.execute(statement, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class LoadedIdm:
    """A directory that holds the demo world, asked by the names of the world."""

    def __init__(self, engine: Engine, *, today: date = TODAY) -> None:
        upgrade(engine, [METADATA])
        self.engine = engine
        self.world: World = read_world(WORLD_FILE, today=today)
        self.loaded = load_facts(self.world, engine, sealer=PlainSealer())
        self.directory = Directory(engine, PlainSealer(), test_numbers=True)

    def entitlements(self, person: str, application: str, *, on: date = TODAY) -> Entitlements:
        """What that person may do in that application on a day, in a session of a high level."""
        return self.entitlements_of(self.loaded.people[person], application, on=on)

    def entitlements_of(self, person_id: str, application: str, *, on: date = TODAY) -> Entitlements:
        """The same for a person by id, whom the world may not know."""
        return entitlements(self.directory.facts(person_id, application), on, reached=HIGH)

    @contextmanager
    def counted(self, statements: list[str]) -> Iterator[None]:
        """Write down each statement that reaches the database on the line that is idle now."""
        with lines_of(self.engine).line() as line:
            cursor = line.cursor
            line.cursor = NotingCursor(cursor, statements)
        yield
        line.cursor = cursor

    def authorities(self, person: str) -> tuple[Identity, ...]:
        """The derived authority of that person."""
        return authorities(self.directory.facts(self.loaded.people[person], ""), TODAY)
