"""Grants: what a person let a client have, and the number of its newest refresh token.

Promises: a token whose Grant has ended is no token; a Grant that was ended before it was written can never be written
(so a second use of a code ends even what its first use is still getting); a refresh token is followed
by the next one once, in one statement. Must not know: clients' rules, token formats.
"""

import msgspec
from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from idm.prepared import Prepared
from idp.claims_request import NO_CLAIMS, ClaimsRequest
from idp.records.tables import grant, insert_new
from idp.store import Clock


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Who let whom have what, for whom (`identity`, as `EA:0999910147`), and how that person had signed in.

    `audience` are the APIs that were named (empty: none); `cnf` the key that a public client's refresh tokens hang on.
    """

    id: str
    client_id: str
    person_id: str
    sid: str
    identity: str
    scope: tuple[str, ...]
    acr: str
    level: int
    methods: tuple[str, ...]
    auth_time: int
    expires_at: int
    offline: bool = False
    audience: tuple[str, ...] = ()
    cnf: dict[str, str] = msgspec.field(default_factory=dict)
    claims: ClaimsRequest = NO_CLAIMS


class Refreshable(msgspec.Struct, frozen=True):
    """A Grant with refresh tokens: the number of the newest, and when that took the place of the one before it."""

    grant: Grant
    number: int
    refreshed_at: int


COLUMNS = ("id", "client_id", "person_id", "sid", "offline", "expires_at")
"""What stands beside the body, for those who look for Grants of one kind."""

DECODER = msgspec.json.Decoder(Grant)

LIVE = select(grant.c.body).where(
    grant.c.id == bindparam("_id"), grant.c.ended_at.is_(None), grant.c.expires_at > bindparam("_now")
)
REFRESHABLE = select(grant.c.body, grant.c.refresh_number, grant.c.refreshed_at).where(
    grant.c.id == bindparam("_id"),
    grant.c.ended_at.is_(None),
    grant.c.expires_at > bindparam("_now"),
    grant.c.refresh_number.is_not(None),
)
ROTATE = (
    update(grant)
    .where(grant.c.id == bindparam("_id"), grant.c.refresh_number == bindparam("_number"), grant.c.ended_at.is_(None))
    .values(refresh_number=bindparam("_next"), refreshed_at=bindparam("_now"))
)


class GrantRecords:
    """All Grants."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._add = Prepared(engine, insert_new(engine, grant), columns=(*COLUMNS, "body", "refresh_number"))
        self._live = Prepared(engine, LIVE)
        self._refreshable = Prepared(engine, REFRESHABLE)
        self._rotate = Prepared(engine, ROTATE)

    def add(self, new: Grant, *, has_refresh_token: bool = False) -> bool:
        """Keep a new Grant, maybe with a first refresh token (0). False if that Grant was ended before it began."""
        row = {name: getattr(new, name) for name in COLUMNS} | {"body": msgspec.json.encode(new)}
        return self._add.run(row | {"refresh_number": 0 if has_refresh_token else None}) == 1

    def get(self, id: str) -> Grant | None:
        """The Grant; None if it has ended or expired, or never was."""
        row = self._live.first({"_id": id, "_now": int(self._clock())})
        return DECODER.decode(row.body) if row else None

    def end(self, id: str) -> None:
        """End a Grant with all that hangs on it; one that is not yet written is barred from ever being written."""
        now = int(self._clock())
        barred = {"id": id, "client_id": "", "person_id": "", "sid": "", "offline": False, "body": b""}
        with self._engine.begin() as connection:
            known = update(grant).where(grant.c.id == id).values(ended_at=now)
            if connection.execute(known).rowcount:
                return
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(grant).values(**barred, expires_at=now, ended_at=now))
        except IntegrityError:  # written in between: now it can be ended
            self.end(id)

    def refreshable(self, id: str) -> Refreshable | None:
        """The live Grant with its newest refresh token; None if there is none."""
        row = self._refreshable.first({"_id": id, "_now": int(self._clock())})
        return Refreshable(DECODER.decode(row.body), row.refresh_number, row.refreshed_at or 0) if row else None

    def rotate(self, id: str, number: int) -> bool:
        """Let the newest refresh token, of this number, be followed by the next. False if it is not the newest."""
        values = {"_id": id, "_number": number, "_next": number + 1, "_now": int(self._clock())}
        return self._rotate.run(values) == 1


def end_grants_of(connection: Connection, sid: str, *, now: int) -> None:
    """End what a session gave, except what was asked to outlive it, inside the transaction that ends the session."""
    given = (grant.c.sid == sid, grant.c.offline.is_(False), grant.c.ended_at.is_(None))
    connection.execute(update(grant).where(*given).values(ended_at=now))


def end_grants_to(connection: Connection, client_id: str, *, now: int) -> None:
    """End all that a client was given, inside the transaction that removes it."""
    given = (grant.c.client_id == client_id, grant.c.ended_at.is_(None))
    connection.execute(update(grant).where(*given).values(ended_at=now))
