"""The initial access tokens, by which an operator lets applications register themselves (RFC 7591 §1.2).

Promises: kept as a hash; a counted use is one statement, so that a token for one application never serves two. Must not
know: what is registered.
"""

from sqlalchemy import ColumnElement, Connection, Engine, insert, select, update

from idp.records.tables import initial_access_token
from idp.store import Clock


class RegistrationTokens:
    """All initial access tokens."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, token_hash: str, *, uses: int, seconds: int) -> None:
        """Keep a new token, good for so many registrations and so long."""
        row = {"token_hash": token_hash, "uses_left": uses, "expires_at": int(self._clock()) + seconds}
        with self._engine.begin() as connection:
            connection.execute(insert(initial_access_token).values(**row))

    def is_good(self, token_hash: str) -> bool:
        """Whether the token has a use left."""
        with self._engine.connect() as connection:
            query = select(initial_access_token.c.uses_left).where(*good(token_hash, now=int(self._clock())))
            return connection.scalar(query) is not None


def use_up(connection: Connection, token_hash: str, *, now: int) -> bool:
    """Take one use of the token, inside the transaction that registers; False if it has none left."""
    used = update(initial_access_token).where(*good(token_hash, now=now))
    return connection.execute(used.values(uses_left=initial_access_token.c.uses_left - 1)).rowcount == 1


def good(token_hash: str, *, now: int) -> tuple[ColumnElement[bool], ...]:
    """That it is this token, with a use left, in time."""
    columns = initial_access_token.c
    return columns.token_hash == token_hash, columns.uses_left > 0, columns.expires_at > now
