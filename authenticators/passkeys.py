"""The durable room of passkeys: several a person, each with its name, its public key and how often it was used.

Promises: a credential belongs to one person for good; what tells whose it is, and its name, is sealed together with its
place; a use is counted by one statement, so that of two devices with the same key one is seen. The last key of the
kinds that must stay is never removed, also by two who remove at once. Must not know: how a signature is checked, idm.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from authenticators.credentials import PURPOSE, Sealer, credential, metadata
from idm.prepared import Prepared
from idp.store import Clock

owner = sa.Table(
    "passkey_owner",
    metadata,
    sa.Column("person_key", sa.String(64), primary_key=True),
    sa.Column("user_handle", sa.LargeBinary, nullable=False),
    sa.Column("person", sa.LargeBinary, nullable=False),
)

passkey = sa.Table(
    "passkey",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("person_key", sa.String(64), nullable=False, index=True),
    sa.Column("credential_id", sa.LargeBinary, nullable=False),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("name", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("transports", sa.String(100), nullable=False),
    sa.Column("aaguid", sa.String(36), nullable=False),
    sa.Column("is_backup_eligible", sa.Boolean, nullable=False),
    sa.Column("is_backed_up", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("last_used_at", sa.BigInteger),
)

FIRST = sa.select(passkey.c.id).where(passkey.c.person_key == sa.bindparam("_person")).limit(1)

MOST_PASSKEYS = 20
USER_HANDLE_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class NewPasskey:
    """What a registration proved (WebAuthn §7.1)."""

    credential_id: bytes
    public_key: bytes
    name: str
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str
    is_backup_eligible: bool
    is_backed_up: bool


@dataclass(frozen=True, kw_only=True)
class Passkey(NewPasskey):
    """One that is kept; `id` is the hash of its credential id, which may be long."""

    id: str
    created_at: int
    last_used_at: int | None


@dataclass(frozen=True)
class Owner:
    """Whose passkeys they are: the national number, and the random handle that authenticators keep instead of it."""

    national_number: str
    user_handle: bytes


class Passkeys:
    """The passkeys of everybody."""

    def __init__(self, engine: sa.Engine, sealer: Sealer, *, clock: Clock) -> None:
        self._engine = engine
        self._first = Prepared(engine, FIRST)
        self._sealer = sealer
        self._clock = clock

    def user_handle(self, national_number: str) -> bytes:
        """The handle of this person, made at first need; the same for all that ask at once."""
        person_key = self._person_key(national_number)
        sealed = self._seal(f"owner:{person_key}", national_number.encode())
        made = {"person_key": person_key, "user_handle": token_bytes(USER_HANDLE_BYTES), "person": sealed}
        found = self._owner_row(person_key)
        if found is None:
            self._insert(owner, made)
            found = self._owner_row(person_key)
        return bytes(found.user_handle)

    def add(self, national_number: str, new: NewPasskey) -> str:
        """Keep a passkey; its id, or empty if anybody has its credential already, or there are too many."""
        id, person_key = id_of(new.credential_id), self._person_key(national_number)
        if len(self.of_person(national_number)) >= MOST_PASSKEYS:
            return ""
        row = {
            "id": id,
            "person_key": person_key,
            "credential_id": new.credential_id,
            "public_key": self._seal(f"{person_key}:{id}", new.public_key),
            "name": self._seal(f"{person_key}:{id}:name", new.name.encode()),
            "sign_count": new.sign_count,
            "transports": ",".join(new.transports),
            "aaguid": new.aaguid,
            "is_backup_eligible": new.is_backup_eligible,
            "is_backed_up": new.is_backed_up,
            "created_at": int(self._clock()),
        }
        return id if self._insert(passkey, row) else ""

    def find(self, credential_id: bytes) -> tuple[Passkey, Owner] | None:
        """The passkey of this credential and whose it is; None if nobody's, or if it was moved."""
        asked = sa.select(passkey, owner.c.user_handle, owner.c.person)
        asked = asked.join(owner, owner.c.person_key == passkey.c.person_key)
        with self._engine.connect() as connection:
            row = connection.execute(asked.where(passkey.c.id == id_of(credential_id))).first()
        number = self._open(f"owner:{row.person_key}", row.person).decode() if row else ""
        if row is None or not number or self._person_key(number) != row.person_key:
            return None
        read = self._read(row)
        return (read, Owner(number, bytes(row.user_handle))) if read.public_key else None

    def of_person(self, national_number: str) -> tuple[Passkey, ...]:
        """The passkeys of this person, the oldest first."""
        mine = passkey.c.person_key == self._person_key(national_number)
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(passkey).where(mine).order_by(passkey.c.created_at, passkey.c.id))
            return tuple(self._read(row) for row in rows)

    def has_any(self, national_number: str) -> bool:
        """Whether this person has a passkey."""
        return self._first.first({"_person": self._person_key(national_number)}) is not None

    def use(self, id: str, *, sign_count: int, is_backed_up: bool) -> bool:
        """Note a use; False if the counter did not grow (WebAuthn §6.1.1), or the passkey is gone."""
        # An authenticator without a counter always says 0; one that ever counted may not fall back to it.
        grows = passkey.c.sign_count < sign_count if sign_count else passkey.c.sign_count == 0
        values = {"sign_count": sign_count, "is_backed_up": is_backed_up, "last_used_at": int(self._clock())}
        return self._change(sa.update(passkey).where(passkey.c.id == id, grows).values(**values))

    def rename(self, national_number: str, id: str, *, name: str) -> bool:
        """Give a passkey of this person another name; False if they have none of this id."""
        person_key = self._person_key(national_number)
        mine = sa.and_(passkey.c.id == id, passkey.c.person_key == person_key)
        sealed = self._seal(f"{person_key}:{id}:name", name.encode())
        return self._change(sa.update(passkey).where(mine).values(name=sealed))

    def remove(self, national_number: str, id: str, *, others: Iterable[str]) -> bool:
        """Remove a passkey of this person; False if not theirs, or if no other key of the kinds `others` is left."""
        person_key, kinds = self._person_key(national_number), tuple(others)
        mine = sa.and_(passkey.c.id == id, passkey.c.person_key == person_key)
        stays = sa.or_(has_credential(person_key, kinds), has_passkey(person_key, kinds, but=id))
        return self._remove(person_key, sa.delete(passkey).where(mine, stays))

    def remove_credential(self, national_number: str, kind: str, *, others: Iterable[str]) -> bool:
        """The same for a key that a person has one of."""
        person_key, kinds = self._person_key(national_number), tuple(others)
        mine = sa.and_(credential.c.person_key == person_key, credential.c.kind == kind)
        remaining = tuple(other for other in kinds if other != kind)
        stays = sa.or_(has_credential(person_key, remaining), has_passkey(person_key, kinds))
        return self._remove(person_key, sa.delete(credential).where(mine, stays))

    def _remove(self, person_key: str, statement: sa.Delete) -> bool:
        # Two at once must not each count on the key that the other removes. One statement at a time is the rule of
        # SQLite anyway; PostgreSQL needs the lock. Of two removals at once one is a passkey's: then the owner is there.
        lock = sa.select(owner.c.person_key).where(owner.c.person_key == person_key).with_for_update()
        with self._engine.begin() as connection:
            connection.execute(lock)
            return connection.execute(statement).rowcount > 0

    def _owner_row(self, person_key: str) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(sa.select(owner).where(owner.c.person_key == person_key)).first()

    def _insert(self, table: sa.Table, row: Mapping[str, object]) -> bool:
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(table).values(**row))
        except IntegrityError:
            return False
        return True

    def _change(self, statement: sa.Update) -> bool:
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount > 0

    def _read(self, row: Any) -> Passkey:
        place = f"{row.person_key}:{row.id}"
        return Passkey(
            id=row.id,
            credential_id=bytes(row.credential_id),
            public_key=self._open(place, row.public_key),
            name=self._open(f"{place}:name", row.name).decode(),
            sign_count=row.sign_count,
            transports=tuple(name for name in row.transports.split(",") if name),
            aaguid=row.aaguid,
            is_backup_eligible=row.is_backup_eligible,
            is_backed_up=row.is_backed_up,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
        )

    def _person_key(self, national_number: str) -> str:
        return self._sealer.keyed_hash(national_number, purpose=PURPOSE)

    # Sealed with its place: who can write to the table, but has no master key, cannot give one's passkey to another.
    def _seal(self, place: str, value: bytes) -> bytes:
        return self._sealer.seal(place.encode() + b"|" + value, purpose="passkey")

    def _open(self, place: str, sealed: bytes) -> bytes:
        found, _, value = self._sealer.open(bytes(sealed), purpose="passkey").partition(b"|")
        return value if found == place.encode() else b""


def id_of(credential_id: bytes) -> str:
    """The id under which a credential is kept."""
    return sha256(credential_id).hexdigest()


def has_credential(person_key: str, kinds: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """Whether a person has a key of one of these kinds that one has one of."""
    # Named otherwise than the table that is deleted from: else it would be taken for the row in hand.
    other = credential.alias("other_credential")
    found = sa.select(other.c.kind).where(other.c.person_key == person_key, other.c.kind.in_(kinds))
    return found.exists()


def has_passkey(person_key: str, kinds: tuple[str, ...], *, but: str = "") -> sa.ColumnElement[bool]:
    """Whether a person has a passkey other than this one, where passkeys are of these kinds at all."""
    other = passkey.alias("other_passkey")
    found = sa.select(other.c.id).where(other.c.person_key == person_key, other.c.id != but)
    return found.exists() if "passkey" in kinds else sa.false()
