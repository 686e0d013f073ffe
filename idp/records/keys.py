"""The keys at rest, that sign or decrypt: sealed under the master key, opened once and held in memory.

Promises: a private key never leaves this room unsealed but into the keyring. Must not know: when a key serves.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection, Engine, Table, insert, select

from idp.keys.encryption import KEY_KINDS, EncryptionKey, import_encryption_key, new_encryption_key
from idp.keys.jwt import SigningKey, import_key, new_private_key
from idp.records.held import Held
from idp.records.tables import signing_key
from idp.store import Clock

Key = SigningKey | EncryptionKey
IsDue = Callable[[Sequence[Key]], str]
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
    """All keys of one table, of every algorithm, oldest first."""

    def __init__(self, engine: Engine, sealer: Sealer, *, clock: Clock, table: Table = signing_key) -> None:
        self._engine = engine
        self._sealer = sealer
        self._table = table
        # Sealed for the table: a key that somebody moves into another one opens no more.
        self._purpose = table.name.replace("_", " ")
        self._held = Held(engine, self._purpose, clock=clock, load=self._load)

    def all(self) -> tuple[Key, ...]:
        """Every key by the time it becomes (or became) active."""
        return self._held.value()

    def make(self, alg: str, *, active_at: int) -> Key:
        """Make and keep a new key that serves from `active_at` on."""
        pem = new_key(alg)
        with self._engine.begin() as connection:
            self._held.advance(connection)
            return self._insert(connection, alg, pem=pem, active_at=active_at)

    def make_if(self, is_due: IsDue, *, active_at: int) -> Key | None:
        """Make the successor of the keys of one algorithm, where there is one that is due; None if there is none.

        Several workers that see the same keys make one: whoever comes second finds that they have changed.
        """
        number, keys = self._held.numbered()
        alg = is_due(keys)
        if not alg:
            return None
        pem = new_key(alg)
        with self._engine.begin() as connection:
            if not self._held.advance_from(connection, number):
                return None
            return self._insert(connection, alg, pem=pem, active_at=active_at)

    def _insert(self, connection: Connection, alg: str, *, pem: bytes, active_at: int) -> Key:
        key = read_key(alg, pem, active_at=active_at)
        sealed = self._sealer.seal(pem, purpose=self._purpose)
        row = {"kid": key.kid, "alg": alg, "private_key": sealed, "active_at": active_at}
        connection.execute(insert(self._table).values(**row))
        return key

    def _load(self, connection: Connection) -> tuple[Key, ...]:
        columns = self._table.c
        rows = connection.execute(select(self._table).order_by(columns.active_at, columns.kid)).all()
        return tuple(
            read_key(row.alg, self._sealer.open(row.private_key, purpose=self._purpose), active_at=row.active_at)
            for row in rows
        )


def new_key(alg: str) -> bytes:
    """A new private key that signs or decrypts, as its algorithm says, in PEM."""
    return new_encryption_key(alg) if alg in KEY_KINDS else new_private_key(alg)


def read_key(alg: str, pem: bytes, *, active_at: int) -> Key:
    """A private key out of its PEM."""
    read = import_encryption_key if alg in KEY_KINDS else import_key
    return read(alg, pem, active_at=active_at)
