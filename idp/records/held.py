"""What is read on every request and changes seldom: held in memory, read again when a counter says that it changed.

Promises: at most one small read a second while nothing changes; a change made through `advance` is seen by this
process at once and by every other within a second. Must not know: what it holds.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Connection, Engine, insert, select, update

from idp.records.tables import revision
from idp.store import Clock

LOOK_SECONDS = 1.0

T = TypeVar("T")


class Held(Generic[T]):
    """The newest value of `load`, for one kind of record."""

    def __init__(self, engine: Engine, kind: str, *, clock: Clock, load: Callable[[Connection], T]) -> None:
        self._engine = engine
        self._kind = kind
        self._clock = clock
        self._load = load
        self._lock = threading.Lock()
        self._held: tuple[int, T] | None = None
        self._looked_at = 0.0

    def value(self) -> T:
        """The value, no older than a second."""
        held = self._held
        if held is not None and 0 <= self._clock() - self._looked_at < LOOK_SECONDS:
            return held[1]
        with self._lock, self._engine.connect() as connection:
            return self._numbered(connection)[1]

    def numbered(self) -> tuple[int, T]:
        """The value as it stands in the database now, with the number of its last change."""
        with self._lock, self._engine.connect() as connection:
            return self._numbered(connection)

    def advance_from(self, connection: Connection, number: int) -> bool:
        """Count a change that was decided on that number; False if another came first: then it must not be made."""
        mine = (revision.c.kind == self._kind, revision.c.number == number)
        is_first = connection.execute(update(revision).where(*mine).values(number=number + 1)).rowcount == 1
        self._looked_at = 0.0
        return is_first

    def advance(self, connection: Connection) -> None:
        """Count a change, inside the transaction that makes it; this process looks again at its next question."""
        mine = revision.c.kind == self._kind
        if connection.execute(update(revision).where(mine).values(number=revision.c.number + 1)).rowcount == 0:
            connection.execute(insert(revision).values(kind=self._kind, number=1))
        self._looked_at = 0.0

    def _numbered(self, connection: Connection) -> tuple[int, T]:
        looked_at = self._clock()
        number = connection.scalar(select(revision.c.number).where(revision.c.kind == self._kind)) or 0
        if self._held is None or self._held[0] != number:
            self._held = (number, self._load(connection))
        self._looked_at = looked_at
        return self._held
