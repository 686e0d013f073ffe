"""The sessions, durable: found by the hash of their cookie, changed without losing a change made at the same time.

Promises: an ended or expired session is absent, whatever happens to a cache. Must not know: cookies.
"""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import ColumnElement, Engine, Select, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from idm.prepared import Prepared
from idp.records.grants import end_grants_of
from idp.records.outbox import Letter, post
from idp.records.tables import last_choice, session
from idp.sessions import Session
from idp.store import Clock

ATTEMPTS = 50
"""How often a change is tried anew when another request changed the session in between."""

Letters = Callable[[Session], Sequence[Letter]]
"""What is to be told of the end of a session."""


COLUMNS = ("sid", "cookie_hash", "person_id", "browser_id", "version", "expires_at")
"""What stands beside the body, for those who look for it."""

DECODER = msgspec.json.Decoder(Session)

CHANGE = (
    update(session)
    .where(session.c.sid == bindparam("_sid"), session.c.version == bindparam("_before"), session.c.ended_at.is_(None))
    .values(version=bindparam("_version"), cookie_hash=bindparam("_cookie"), body=bindparam("_body"))
)


def live(column: ColumnElement[str]) -> Select[bytes]:
    """The session that has not ended and whose column is `_key`."""
    is_live = (session.c.ended_at.is_(None), session.c.expires_at > bindparam("_now"))
    return select(session.c.body).where(column == bindparam("_key"), *is_live)


class SessionRecords:
    """The sessions of all browsers."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._add = Prepared(engine, insert(session), columns=(*COLUMNS, "body"))
        self._by_cookie = Prepared(engine, live(session.c.cookie_hash))
        self._by_browser = Prepared(engine, live(session.c.browser_id))
        self._by_sid = Prepared(engine, live(session.c.sid))
        self._of_person = Prepared(engine, live(session.c.person_id))
        self._change = Prepared(engine, CHANGE)

    def add(self, new: Session) -> None:
        """Keep a new session."""
        self._add.run({name: getattr(new, name) for name in COLUMNS} | {"body": msgspec.json.encode(new)})

    def by_cookie(self, cookie_hash: str) -> Session | None:
        """The live session of a cookie."""
        return self._one(self._by_cookie, cookie_hash)

    def by_browser(self, browser_id: str) -> Session | None:
        """The live session that was made in a browser."""
        return self._one(self._by_browser, browser_id)

    def by_sid(self, sid: str) -> Session | None:
        """The live session of a sid."""
        return self._one(self._by_sid, sid)

    def of_person(self, person_id: str) -> list[Session]:
        """The live sessions of a person, in whatever browser."""
        rows = self._of_person.all({"_key": person_id, "_now": int(self._clock())})
        return [DECODER.decode(row.body) for row in rows]

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

    def _one(self, asked: Prepared, key: str) -> Session | None:
        row = asked.first({"_key": key, "_now": int(self._clock())})
        return DECODER.decode(row.body) if row else None

    def _end(self, current: Session, letters: Sequence[Letter]) -> bool:
        # An application that was visited a moment ago has to be told too: the version says that there is none.
        now, same = int(self._clock()), same_version(current)
        with self._engine.begin() as connection:
            if connection.execute(update(session).where(*same).values(ended_at=now)).rowcount == 0:
                return False
            end_grants_of(connection, current.sid, now=now)
            post(connection, letters, now=now)
        # Again, now that everybody sees the end: PostgreSQL did not show us a Grant that was added meanwhile, by one
        # who still saw the session.
        with self._engine.begin() as connection:
            end_grants_of(connection, current.sid, now=now)
        return True

    def _replace(self, current: Session, changed: Session) -> bool:
        new = msgspec.structs.replace(changed, version=current.version + 1)
        values = {"_sid": current.sid, "_before": current.version, "_version": new.version}
        return self._change.run(values | {"_cookie": new.cookie_hash, "_body": msgspec.json.encode(new)}) == 1


def same_version(current: Session) -> tuple[ColumnElement[bool], ...]:
    """That the session is live, and nobody changed it since it was read."""
    return (session.c.sid == current.sid, session.c.version == current.version, session.c.ended_at.is_(None))
