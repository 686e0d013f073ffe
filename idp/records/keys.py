"""The signing keys at rest: sealed under the master key, opened once and held in memory.

Promises: a private key never leaves this room unsealed but into the keyring. Must not know: when a key signs.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection, Engine, insert, select

from idp.keys.jwt import SigningKey, import_key, new_private_key
from idp.records.held import Held
from idp.records.tables import signing_key
from idp.store import Clock

PURPOSE = "signing key"

IsDue = Callable[[Sequence[SigningKey]], str]
"""Which algorithm needs a new key; empty if none does."""


class Sealer(Protocol):
    """What seals at rest."""

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        """Encrypt for one purpose."""
        ...

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """Decrypt what was sealed for that purpose."""
        ...


class KeyRecords:
    """All signing keys, of every algorithm, oldest first."""

    def __init__(self, engine: Engine, sealer: Sealer, *, clock: Clock) -> None:
        self._engine = engine
        self._sealer = sealer
        self._held = Held(engine, "signing key", clock=clock, load=self._load)

    def all(self) -> tuple[SigningKey, ...]:
        """Every key by the time it becomes (or became) active."""
        return self._held.value()

    def make(self, alg: str, *, active_at: int) -> SigningKey:
        """Make and keep a new key that signs from `active_at` on."""
        pem = new_private_key(alg)
        with self._engine.begin() as connection:
            self._held.advance(connection)
            return self._insert(connection, alg, pem=pem, active_at=active_at)

    def make_if(self, is_due: IsDue, *, active_at: int) -> SigningKey | None:
        """Make the successor of the keys of one algorithm, where there is one that is due; None if there is none.

        Several workers that see the same keys make one: whoever comes second finds that they have changed.
        """
        number, keys = self._held.numbered()
        alg = is_due(keys)
        if not alg:
            return None
        pem = new_private_key(alg)
        with self._engine.begin() as connection:
            if not self._held.advance_from(connection, number):
                return None
            return self._insert(connection, alg, pem=pem, active_at=active_at)

    def _insert(self, connection: Connection, alg: str, *, pem: bytes, active_at: int) -> SigningKey:
        key = import_key(alg, pem, active_at=active_at)
        sealed = self._sealer.seal(pem, purpose=PURPOSE)
        row = {"kid": key.kid, "alg": alg, "private_key": sealed, "active_at": active_at}
        connection.execute(insert(signing_key).values(**row))
        return key

    def _load(self, connection: Connection) -> tuple[SigningKey, ...]:
        rows = connection.execute(select(signing_key).order_by(signing_key.c.active_at, signing_key.c.kid)).all()
        return tuple(
            import_key(row.alg, self._sealer.open(row.private_key, purpose=PURPOSE), active_at=row.active_at)
            for row in rows
        )
