"""Tickets in the database, one table for all kinds, on SQLite and on PostgreSQL.

Promises the contract of `idp.store`, also between processes: each verb is one statement, committed by itself;
only a failed `take` asks a second one, for the reason. A tombstone is the record's own row, which ends later.
Must not know: any kind of ticket.
"""

from collections.abc import Callable
from math import ceil
from threading import Lock
from typing import Generic, TypeVar

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Engine,
    Executable,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from idm.prepared import Prepared
from idp.store import TOMBSTONE_SECONDS, Absent, AlreadyTaken, Clock, Ticket

T = TypeVar("T", bound=Ticket)

PURGE_SECONDS = 60
PURGE_LIMIT = 1000
"""Ended rows removed by one statement: a bounded pause for the caller who happens to do it."""

metadata = MetaData()

ticket = Table(
    "ticket",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("grant_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("ends_at", BigInteger, nullable=False, index=True),
)
"""`state` is present, taken or discarded; `ends_at` the end of the record, or of its tombstone."""

VALUES = ("state", "grant_id", "body", "ends_at")
PRESENT, TAKEN, DISCARDED = "present", "taken", "discarded"
INSERTS: dict[str, Callable[[Table], postgresql.Insert | sqlite.Insert]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}
ONE: ColumnElement[int] = literal_column("1")

is_named = (ticket.c.kind == bindparam("_kind")) & (ticket.c.id == bindparam("_id"))
is_live = ticket.c.ends_at > bindparam("_now")
is_present = is_named & is_live & (ticket.c.state == PRESENT)

GET = select(ticket.c.body).where(is_present)
REASON = select(ticket.c.state, ticket.c.grant_id).where(is_named & is_live)
REPLACE = update(ticket).where(is_present).returning(ONE)
BURY = update(ticket).where(is_present).values(ends_at=bindparam("_until"))
TAKE = BURY.values(state=TAKEN).returning(ticket.c.body)
DISCARD = BURY.values(state=DISCARDED, body=b"")


def add_statement(dialect: str) -> Executable:
    """Insert, also over a row that has ended; it returns a row only if the record was kept."""
    insert = INSERTS[dialect](ticket)
    columns = {column.name: insert.excluded[column.name] for column in ticket.c}
    return insert.on_conflict_do_update(
        index_elements=[ticket.c.kind, ticket.c.id], set_=columns, where=ticket.c.ends_at <= bindparam("_now")
    ).returning(ONE)


def purge_statement() -> Executable:
    """Delete a bounded number of ended rows; rows that another process is purging are passed over."""
    has_ended = ticket.c.ends_at <= bindparam("_now")
    name = tuple_(ticket.c.kind, ticket.c.id)
    batch = select(ticket.c.kind, ticket.c.id).where(has_ended).limit(PURGE_LIMIT)
    return delete(ticket).where(name.in_(batch.with_for_update(skip_locked=True)) & has_ended)


class Desk:
    """Runs the statements, each in a transaction of its own, and now and then removes what has ended."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._purge_at = 0.0
        self.add = Prepared(engine, add_statement(engine.dialect.name), columns=("kind", "id", *VALUES))
        self.get, self.replace = Prepared(engine, GET), Prepared(engine, REPLACE, columns=VALUES)
        self.take, self.discard = Prepared(engine, TAKE), Prepared(engine, DISCARD)
        self.reason = Prepared(engine, REASON)
        self._purge = Prepared(engine, purge_statement())

    def now(self) -> int:
        """The whole second: `ends_at` is whole too, so that comparing with it is exact and uses the index."""
        return int(self._clock())

    def until(self) -> int:
        """The end of a tombstone that is made now."""
        return ceil(self._clock()) + TOMBSTONE_SECONDS

    def purge_now_and_then(self) -> None:
        """Remove ended rows, at most once a minute; while there is more than one batch of them, at every call."""
        with self._lock:
            now = self._clock()
            if abs(now - self._purge_at) < PURGE_SECONDS:
                return
            self._purge_at = now
        if self._purge.run({"_now": int(now)}) == PURGE_LIMIT:
            self._purge_at = 0.0


class SqlRepository(Generic[T]):
    """The tickets of one kind in the table."""

    def __init__(self, desk: Desk, kind: type[T]) -> None:
        self._desk = desk
        self._kind = kind.__name__
        self._decoder = msgspec.json.Decoder(kind)

    def add(self, record: T) -> bool:
        """Keep a new record. False, and nothing changes, if its id is present or was taken."""
        self._desk.purge_now_and_then()
        name = {"kind": self._kind, "id": _written(record.id)}
        values = {**name, "_now": self._desk.now(), **_columns(record)}
        return self._desk.add.first(values) is not None

    def get(self, id: str) -> T | None:
        """The record; None if it is absent, taken, discarded or expired."""
        row = self._desk.get.first(self._named(id))
        return self._decoder.decode(row.body) if row else None

    def replace(self, record: T) -> bool:
        """Keep this record in place of the present one of its id. False if there is none."""
        return self._desk.replace.first(self._named(record.id) | _columns(record)) is not None

    def take(self, id: str) -> T:
        """The record, for one caller only. Raises Absent or AlreadyTaken."""
        row = self._desk.take.first(self._named(id) | {"_until": self._desk.until()})
        if row:
            return self._decoder.decode(row.body)
        reason = self._desk.reason.first(self._named(id))
        if reason and reason.state == TAKEN:
            raise AlreadyTaken(reason.grant_id)
        raise Absent

    def discard(self, id: str) -> None:
        """Forget the record, if it is there; a tombstone stays. Never fails."""
        self._desk.discard.run(self._named(id) | {"_until": self._desk.until()})

    def _named(self, id: str) -> dict[str, object]:
        return {"_kind": self._kind, "_id": _written(id), "_now": self._desk.now()}


class SqlStore:
    """A Store (`idp.store`) in the database whose tables are made from `metadata`."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._desk = Desk(engine, clock)

    def repository(self, kind: type[T]) -> SqlRepository[T]:
        """The repository of one kind of ticket; the kind's class name is its namespace."""
        return SqlRepository(self._desk, kind)


def _written(id: str) -> str:
    # An id may come from an address: PostgreSQL keeps no NUL, and UTF-8 no half of a surrogate pair.
    return id.encode("unicode_escape").decode("ascii")


def _columns(record: Ticket) -> dict[str, object]:
    body = msgspec.json.encode(record)
    return {"state": PRESENT, "grant_id": record.grant_id, "body": body, "ends_at": record.expires_at}
