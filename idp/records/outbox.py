"""The outbox: what others are to be told, written in the transaction that makes it true, delivered afterwards.

Promises: a letter is posted with its cause or not at all; it is claimed by one worker at a time, and comes back by
itself if that worker dies; those for clients that registered themselves come after the others. Must not know: what a
letter says, how it is sent, or when to stop trying.
"""

from collections.abc import Sequence
from secrets import token_urlsafe

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, delete, exists, insert, select, update

from idp.records.tables import client, outbox
from idp.store import Clock

LEASE_SECONDS = 60
"""How long a worker has for a letter that it claimed; longer than any sending takes."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell one client: its kind, what the kind needs, and how often it was tried so far."""

    kind: str
    client_id: str
    body: dict[str, str]
    attempts: int = 0
    id: str = msgspec.field(default_factory=lambda: token_urlsafe(16))


class OutboxRecords:
    """All letters that wait."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def put(self, letters: Sequence[Letter]) -> None:
        """Put letters into the outbox whose cause is no record."""
        if letters:
            with self._engine.begin() as connection:
                post(connection, letters, now=int(self._clock()))

    def has_due(self) -> bool:
        """Whether a letter is due: a read, so that an idle worker never asks for the right to write."""
        with self._engine.connect() as connection:
            return connection.scalar(select(outbox.c.id).where(self._is_due()).limit(1)) is not None

    def claim(self, *, limit: int) -> list[Letter]:
        """Letters that are due, ours alone until the lease ends; each counts as one attempt more."""
        now = int(self._clock())
        # Strangers' hosts can be slow on purpose, and many: the letters of others do not wait behind theirs.
        strangers = (client.c.client_id == outbox.c.client_id, client.c.is_self_registered)
        turn = (exists().where(*strangers), outbox.c.due_at)
        # PostgreSQL: workers pass over each other's rows. SQLite knows no row locks, and runs the statement alone.
        due = select(outbox.c.id).where(self._is_due()).order_by(*turn).limit(limit)
        ours = outbox.c.id.in_(due.with_for_update(skip_locked=True).scalar_subquery())
        claimed = update(outbox).where(ours).values(due_at=now + LEASE_SECONDS, attempts=outbox.c.attempts + 1)
        columns = (outbox.c.id, outbox.c.kind, outbox.c.client_id, outbox.c.body, outbox.c.attempts)
        with self._engine.begin() as connection:
            rows = connection.execute(claimed.returning(*columns)).all()
        return [Letter(**{**row._mapping, "body": msgspec.json.decode(row.body)}) for row in rows]

    def remove(self, letter: Letter) -> None:
        """The letter has arrived, or was given up."""
        with self._engine.begin() as connection:
            connection.execute(delete(outbox).where(outbox.c.id == letter.id))

    def postpone(self, letter: Letter, *, seconds: int) -> None:
        """Try again later; nothing if another worker has claimed the letter meanwhile."""
        still_ours = (outbox.c.id == letter.id, outbox.c.attempts == letter.attempts)
        with self._engine.begin() as connection:
            connection.execute(update(outbox).where(*still_ours).values(due_at=int(self._clock()) + seconds))

    def _is_due(self) -> ColumnElement[bool]:
        return outbox.c.due_at <= int(self._clock())


def post(connection: Connection, letters: Sequence[Letter], *, now: int) -> None:
    """Put letters into the outbox, due at once, inside the transaction of their cause."""
    rows = [
        {
            "id": letter.id,
            "kind": letter.kind,
            "client_id": letter.client_id,
            "body": msgspec.json.encode(letter.body),
            "attempts": 0,
            "due_at": now,
        }
        for letter in letters
    ]
    if rows:
        connection.execute(insert(outbox), rows)
