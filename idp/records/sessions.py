"""The sessions, durable: found by the hash of their cookie, changed without losing a change made at the same time.

Promises: an ended or expired session is absent, whatever happens to a cache. Must not know: cookies.
"""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import ColumnElement, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.records.grants import end_grants_of
from idp.records.outbox import Letter, post
from idp.records.tables import last_choice, session
from idp.sessions import Session
from idp.store import Clock

ATTEMPTS = 50
"""How often a change is tried anew when another request changed the session in between."""

Letters = Callable[[Session], Sequence[Letter]]
"""What is to be told of the end of a session."""


class SessionRecords:
    """The sessions of all browsers."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, new: Session) -> None:
        """Keep a new session."""
        columns = ("sid", "cookie_hash", "person_id", "browser_id", "version", "expires_at")
        row = {name: getattr(new, name) for name in columns} | {"body": msgspec.json.encode(new)}
        with self._engine.begin() as connection:
            connection.execute(insert(session).values(**row))

    def by_cookie(self, cookie_hash: str) -> Session | None:
        """The live session of a cookie."""
        return self._one(session.c.cookie_hash == cookie_hash)

    def by_browser(self, browser_id: str) -> Session | None:
        """The live session that was made in a browser."""
        return self._one(session.c.browser_id == browser_id)

    def by_sid(self, sid: str) -> Session | None:
        """The live session of a sid."""
        return self._one(session.c.sid == sid)

    def change(self, sid: str, change: Callable[[Session], Session]) -> Session | None:
        """Apply a change to the session as it stands now; None if it has ended meanwhile."""
        for _ in range(ATTEMPTS):
            current = self.by_sid(sid)
            if current is None:
                return None
            changed = change(current)
            if changed is current or self._replace(current, changed):
                return changed
        return None

    def end(self, sid: str, letters: Letters = lambda _: ()) -> Session | None:
        """End the session with what it gave, and post what is to be told of it, all in one transaction.

        What was asked to outlive it (`offline_access`) stays. Answers the session as it was at its end; None, and tells
        nobody, if it had ended before.
        """
        for _ in range(ATTEMPTS):
            current = self.by_sid(sid)
            if current is None or self._end(current, letters(current)):
                return current
        return None

    def last_choice(self, person_id: str, client_id: str) -> str:
        """The value of the identity that this person chose last for this client; empty if never."""
        mine = (last_choice.c.person_id == person_id, last_choice.c.client_id == client_id)
        with self._engine.connect() as connection:
            return connection.scalar(select(last_choice.c.identity).where(*mine)) or ""

    def keep_choice(self, person_id: str, client_id: str, *, identity: str) -> None:
        """Remember the choice beyond the session."""
        mine = {"person_id": person_id, "client_id": client_id}
        change = update(last_choice).filter_by(**mine).values(identity=identity)
        with self._engine.begin() as connection:
            if connection.execute(change).rowcount:
                return
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(last_choice).values(**mine, identity=identity))
        except IntegrityError:  # the other click of a double click came first
            with self._engine.begin() as connection:
                connection.execute(change)

    def _one(self, condition: ColumnElement[bool]) -> Session | None:
        live = (session.c.ended_at.is_(None), session.c.expires_at > int(self._clock()))
        with self._engine.connect() as connection:
            row = connection.execute(select(session.c.body).where(condition, *live)).first()
        return msgspec.json.decode(row.body, type=Session) if row else None

    def _end(self, current: Session, letters: Sequence[Letter]) -> bool:
        # An application that was visited a moment ago has to be told too: the version says that there is none.
        now, same = int(self._clock()), same_version(current)
        with self._engine.begin() as connection:
            if connection.execute(update(session).where(*same).values(ended_at=now)).rowcount == 0:
                return False
            end_grants_of(connection, current.sid, now=now)
            post(connection, letters, now=now)
        return True

    def _replace(self, current: Session, changed: Session) -> bool:
        new = msgspec.structs.replace(changed, version=current.version + 1)
        values = {"version": new.version, "cookie_hash": new.cookie_hash, "body": msgspec.json.encode(new)}
        with self._engine.begin() as connection:
            return connection.execute(update(session).where(*same_version(current)).values(**values)).rowcount == 1


def same_version(current: Session) -> tuple[ColumnElement[bool], ...]:
    """That the session is live, and nobody changed it since it was read."""
    return (session.c.sid == current.sid, session.c.version == current.version, session.c.ended_at.is_(None))
