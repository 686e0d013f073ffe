"""Grants: what a person let a client have, and the refresh tokens that hang on it.

Promises: a token whose Grant has ended is no token; a Grant that was ended before it was written can never be written
(so a second use of a code ends even what its first use is still getting); a refresh token is used once where it
rotates, in one statement. Must not know: clients' rules, token formats.
"""

import msgspec
from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from idm.prepared import Prepared, transaction
from idp.claims_request import NO_CLAIMS, ClaimsRequest
from idp.records.tables import grant, insert_new, refresh_token
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


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token as we keep it: the hash, its Grant, its end, and when it was used (None if never)."""

    token_hash: str
    grant_id: str
    expires_at: int
    used_at: int | None = None


COLUMNS = ("id", "client_id", "person_id", "sid", "offline", "expires_at")
"""What stands beside the body, for those who look for Grants of one kind."""

DECODER = msgspec.json.Decoder(Grant)

LIVE = select(grant.c.body).where(
    grant.c.id == bindparam("_id"), grant.c.ended_at.is_(None), grant.c.expires_at > bindparam("_now")
)
TOKEN = select(refresh_token).where(
    refresh_token.c.token_hash == bindparam("_hash"), refresh_token.c.expires_at > bindparam("_now")
)
USE = (
    update(refresh_token)
    .where(refresh_token.c.token_hash == bindparam("_hash"), refresh_token.c.used_at.is_(None))
    .values(used_at=bindparam("_now"))
)


class GrantRecords:
    """All Grants and refresh tokens."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._add = Prepared(engine, insert_new(engine, grant), columns=(*COLUMNS, "body"))
        self._live = Prepared(engine, LIVE)
        self._add_token = Prepared(engine, insert(refresh_token), columns=RefreshToken.__struct_fields__)
        self._token = Prepared(engine, TOKEN)
        self._use = Prepared(engine, USE)

    def add(self, new: Grant, refresh: RefreshToken | None = None) -> bool:
        """Keep a new Grant with its first refresh token. False if that Grant was ended before it began."""
        row = {name: getattr(new, name) for name in COLUMNS} | {"body": msgspec.json.encode(new)}
        if refresh is None:
            return self._add.run(row) == 1
        with transaction(self._engine) as cursor:
            is_new = self._add.run_on(cursor, row) == 1
            if is_new:
                self._add_token.run_on(cursor, msgspec.structs.asdict(refresh))
        return is_new

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

    def refresh_token(self, token_hash: str) -> RefreshToken | None:
        """The refresh token, used or not; None if it has expired or never was."""
        row = self._token.first({"_hash": token_hash, "_now": int(self._clock())})
        return RefreshToken(**row._asdict()) if row else None

    def rotate(self, used: RefreshToken, successor: RefreshToken) -> int:
        """Replace a refresh token by its successor. When it was used: now, or before (then nothing changes)."""
        now = int(self._clock())
        with transaction(self._engine) as cursor:
            if self._use.run_on(cursor, {"_hash": used.token_hash, "_now": now}):
                self._add_token.run_on(cursor, msgspec.structs.asdict(successor))
                return now
            before = self._token.all_on(cursor, {"_hash": used.token_hash, "_now": now})
        return next((row.used_at for row in before), 0) or 0


def end_grants_of(connection: Connection, sid: str, *, now: int) -> None:
    """End what a session gave, except what was asked to outlive it, inside the transaction that ends the session."""
    given = (grant.c.sid == sid, grant.c.offline.is_(False), grant.c.ended_at.is_(None))
    connection.execute(update(grant).where(*given).values(ended_at=now))


def end_grants_to(connection: Connection, client_id: str, *, now: int) -> None:
    """End all that a client was given, inside the transaction that removes it."""
    given = (grant.c.client_id == client_id, grant.c.ended_at.is_(None))
    connection.execute(update(grant).where(*given).values(ended_at=now))
