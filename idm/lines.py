"""Bare connections to the database, kept open beside the engine's pool for what is asked on every request.

Promises: each is used by one thread at a time, with the settings that the engine gives every connection; there are as
many as threads ask at once; they end when the engine is disposed of. The way through the pool costs twice what a read
does. Must not know: any statement.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, event

Cursor = Any
"""A cursor of the driver (PEP 249)."""


class Line:
    """A connection on which each statement is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        made = engine.raw_connection()
        driver: Any = made.driver_connection
        self.driver = driver
        made.detach()  # from the pool's count: the threads that wait for the pool must not wait for us
        self._is_sqlite = engine.dialect.name == "sqlite"
        if self._is_sqlite:
            self.driver.isolation_level = None
        else:
            self.driver.autocommit = True
        self.cursor: Cursor = self.driver.cursor()

    @property
    def is_lost(self) -> bool:
        """Whether the other end is gone."""
        return not self._is_sqlite and bool(self.driver.closed)

    def close(self) -> None:
        """Hang up, whatever state it is in; what has not ended falls."""
        with suppress(Exception):
            self.driver.close()


class Lines:
    """The lines of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: deque[Line] = deque()
        event.listen(engine, "engine_disposed", lambda _: self._hang_up())

    @contextmanager
    def line(self) -> Iterator[Line]:
        """A line for one thread. One on which something failed is not used again."""
        found = self._idle_or_new()
        is_sound = False
        try:
            yield found
            is_sound = True
        finally:
            if is_sound:
                self._idle.append(found)
            else:
                self._drop(found)

    def _idle_or_new(self) -> Line:
        try:
            return self._idle.pop()
        except IndexError:
            return Line(self._engine)

    def _drop(self, line: Line) -> None:
        is_lost = line.is_lost
        line.close()
        if is_lost:  # then so are all others: the next question is asked on a new one
            self._engine.dispose()

    def _hang_up(self) -> None:
        while self._idle:
            self._idle.pop().close()


def lines_of(engine: Engine) -> Lines:
    """The lines of this engine: one set, however many statements are prepared for it."""
    known: Lines | None = engine.get_execution_options().get("lines")
    if known is None:
        known = Lines(engine)
        engine.update_execution_options(lines=known)
    return known
