"""What has ended long ago: sessions, Grants, initial access tokens and removed clients are deleted.

Promises: a batch at a time, of what ended a day ago at least, so that nothing that can still be asked for is missed: a
Grant is kept until its own end, since it tells when a used refresh token comes back, which is how a theft shows.
Several workers pass over each other's rows. Must not know: when this is done.
"""

from sqlalchemy import Column, ColumnElement, Engine, Table, delete, select

from idp.records.tables import client, grant, initial_access_token, session
from idp.store import Clock

KEPT_SECONDS = 86400
BATCH = 500


class Endings:
    """Deletes what has ended."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def purge(self) -> bool:
        """Delete one batch of each kind; whether there may be more."""
        before = int(self._clock()) - KEPT_SECONDS
        tokens = initial_access_token.c
        batches = (
            self._delete(grant, grant.c.id, ended=grant.c.expires_at < before),
            self._delete(session, session.c.sid, ended=session.c.expires_at < before),
            self._delete(client, client.c.client_id, ended=client.c.removed_at < before),
            # One that has no use left says no more than one that is unknown.
            self._delete(
                initial_access_token, tokens.token_hash, ended=(tokens.expires_at < before) | (tokens.uses_left <= 0)
            ),
        )
        return any(deleted == BATCH for deleted in batches)

    def _delete(self, table: Table, key: Column[str], *, ended: ColumnElement[bool]) -> int:
        # PostgreSQL: workers pass over each other's rows. SQLite knows no row locks, and runs the statement alone.
        batch = select(key).where(ended).limit(BATCH).with_for_update(skip_locked=True)
        with self._engine.begin() as connection:
            if connection.scalar(select(key).where(ended).limit(1)) is None:
                return 0  # a read: an idle worker never asks for the right to write
            return connection.execute(delete(table).where(key.in_(batch.scalar_subquery()))).rowcount
