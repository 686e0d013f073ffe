"""The registered clients as a process holds them: all that an administrator made, and of the others those in use.

Promises: no database trip for a client that was asked for lately; a change by another process is seen within a second,
and costs no more than what changed; whoever asks for clients that are not there fills a place of their own. Must not
know: how clients are changed, or requests.
"""

import logging
from collections.abc import Mapping
from threading import Lock
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, Engine, case, select

from idp.clients import Client
from idp.recent import Recent
from idp.records.tables import client, client_origin, revision
from idp.store import Clock

log = logging.getLogger(__name__)

KIND = "client"
LOOK_SECONDS = 1.0
RELOAD_SECONDS = 3600
"""Who has not looked for so long reads all anew: what was removed is known to the database for a while only."""
MOST_STRANGERS = 2000
MOST_UNKNOWN = 2000
MOST_ORIGINS = 2000
LONGEST_ID = 200

V = TypeVar("V")

LIVE = client.c.removed_at.is_(None)
DECODER = msgspec.json.Decoder(Client)


class HeldClients:
    """Clients by id. One that registered itself (a stranger) is read when it is first asked for."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = Lock()
        self._number = -1
        self._looked_at = 0.0
        self._has_changed = True
        self._vouched: dict[str, Client] = {}
        self._strangers: Recent[Client] = Recent(MOST_STRANGERS)
        self._unknown: Recent[bool] = Recent(MOST_UNKNOWN)
        self._origins: Recent[bool] = Recent(MOST_ORIGINS)

    def get(self, client_id: str) -> Client | None:
        """The client; None if there is none."""
        found = self.vouched().get(client_id) or self._strangers.get(client_id)
        if found or self._unknown.get(client_id) or not is_possible(client_id):
            return found
        return self._read(client_id)

    def vouched(self) -> Mapping[str, Client]:
        """Every client that an administrator made, by its id; another object after each change."""
        if not self._has_looked():
            with self._lock:
                if not self._has_looked():
                    with self._engine.connect() as connection:
                        self._look(connection)
        return self._vouched

    def has_origin(self, origin: str) -> bool:
        """Whether scripts of this origin may call for a client that registered itself."""
        self.vouched()
        known = self._origins.get(origin)
        if known is None:
            number = self._number
            with self._engine.connect() as connection:
                found = select(client_origin.c.client_id).where(client_origin.c.origin == origin).limit(1)
                known = connection.scalar(found) is not None
            self._keep(self._origins, origin, value=known, number=number)
        return known

    def look_again(self) -> None:
        """Something was changed here: look at the next question, and not a second later."""
        self._has_changed = True

    def _has_looked(self) -> bool:
        return not self._has_changed and 0 <= self._clock() - self._looked_at < LOOK_SECONDS

    def _read(self, client_id: str) -> Client | None:
        number = self._number
        with self._engine.connect() as connection:
            body = connection.scalar(select(client.c.body).where(client.c.client_id == client_id, LIVE))
        found = read_client(client_id, body) if body else None
        if found is None:
            self._keep(self._unknown, client_id, value=True, number=number)
        else:
            self._keep(self._strangers, client_id, value=found, number=number)
        return found

    def _keep(self, among: Recent[V], name: str, *, value: V, number: int) -> None:
        with self._lock:
            # Read before a change that was seen meanwhile: it would stay, since nothing says any more that it is old.
            if number == self._number:
                among.put(name, value)

    def _look(self, connection: Connection) -> None:
        looked_at, self._has_changed = self._clock(), False
        number = connection.scalar(select(revision.c.number).where(revision.c.kind == KIND)) or 0
        is_recent = 0 <= looked_at - self._looked_at < RELOAD_SECONDS
        if number < self._number or not is_recent:
            self._reload(connection)
        elif number > self._number:
            self._read_changes(connection)
        self._number, self._looked_at = number, looked_at

    def _reload(self, connection: Connection) -> None:
        rows = connection.execute(select(client.c.client_id, client.c.body).where(LIVE, ~client.c.is_self_registered))
        self._vouched = {one.client_id: one for row in rows if (one := read_client(row.client_id, row.body))}
        for held in (self._strangers, self._unknown, self._origins):
            held.clear()

    def _read_changes(self, connection: Connection) -> None:
        body = case((LIVE & ~client.c.is_self_registered, client.c.body))
        rows = connection.execute(select(client.c.client_id, body.label("body")).where(client.c.number > self._number))
        vouched = dict(self._vouched)
        for row in rows:
            vouched.pop(row.client_id, None)
            if row.body and (one := read_client(row.client_id, row.body)):
                vouched[row.client_id] = one
            self._strangers.drop(row.client_id)
            self._unknown.drop(row.client_id)
        self._origins.clear()
        self._vouched = vouched


def read_client(client_id: str, body: bytes) -> Client | None:
    """A client as it was kept; None, and a line in the log, if it cannot be read: one must not take all with it."""
    try:
        return DECODER.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        log.error("a client cannot be read and is left out: %s", client_id)
        return None


def is_possible(client_id: str) -> bool:
    """Whether a client may have this id: what no client has needs no look."""
    return client_id.isprintable() and 0 < len(client_id) <= LONGEST_ID
