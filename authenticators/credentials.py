"""The durable room of what people have enrolled: password hashes, TOTP seeds, phone numbers.

Promises: a person is found by a keyed hash and everything else is sealed, so that a stolen table tells neither who is
in it nor what they know; enrolling twice is enrolling once. Must not know: how a secret is checked, or idm.
"""

from collections.abc import Mapping
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from idm.prepared import Prepared
from idp.store import Clock

metadata = sa.MetaData()

credential = sa.Table(
    "credential",
    metadata,
    sa.Column("person_key", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=True),
    sa.Column("destination", sa.LargeBinary, nullable=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("last_used_at", sa.BigInteger, nullable=True),
)

PURPOSE = "credential"

OF_PERSON = credential.c.person_key == sa.bindparam("_person")
KINDS = sa.select(credential.c.kind).where(OF_PERSON)
ONE = sa.select(credential.c.secret, credential.c.destination).where(
    OF_PERSON, credential.c.kind == sa.bindparam("_kind")
)
MARK = (
    sa.update(credential)
    .where(OF_PERSON, credential.c.kind == sa.bindparam("_kind"))
    .values(last_used_at=sa.bindparam("_used_at"))
)


class Sealer(Protocol):
    """Encryption at rest, and the keyed hash by which a number is found without being kept."""

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        """The sealed form of these bytes."""
        ...

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """What was sealed for this purpose; fails if it was not."""
        ...

    def keyed_hash(self, value: str, *, purpose: str) -> str:
        """64 hexadecimal characters, the same for the same value and purpose."""
        ...


class Credentials:
    """What each person has enrolled, asked by national number (eleven digits)."""

    def __init__(self, engine: sa.Engine, sealer: Sealer, *, clock: Clock) -> None:
        self._engine = engine
        self._kinds = Prepared(engine, KINDS)
        self._one = Prepared(engine, ONE)
        self._mark = Prepared(engine, MARK)
        self._sealer = sealer
        self._clock = clock

    def kinds(self, national_number: str) -> frozenset[str]:
        """The names of this person's keys; empty for whom nobody enrolled."""
        return frozenset(row.kind for row in self._kinds.all({"_person": self.person_key(national_number)}))

    def password_hash(self, national_number: str) -> str | None:
        """The argon2id hash of this person's password, or None."""
        return self._read(national_number, "password", column="secret")

    def totp_secret(self, national_number: str) -> str | None:
        """The seed (base32) of this person's app, or None."""
        return self._read(national_number, "totp", column="secret")

    def phone(self, national_number: str) -> str | None:
        """The number (E.164) to which this person's codes are sent, or None."""
        return self._read(national_number, "sms", column="destination")

    def rows(self, national_number: str) -> list[tuple[str, int, int | None]]:
        """Kind, first and last use of each key of this person, the oldest first."""
        mine = credential.c.person_key == self.person_key(national_number)
        asked = sa.select(credential.c.kind, credential.c.created_at, credential.c.last_used_at).where(mine)
        with self._engine.connect() as connection:
            found = connection.execute(asked.order_by(credential.c.created_at, credential.c.kind))
            return [(row.kind, row.created_at, row.last_used_at) for row in found]

    def enrol_anew(self, national_number: str, kind: str, *, secret: str) -> None:
        """Keep this key in place of the one of its kind that was there: known from now on, and not used yet."""
        self.enrol(national_number, kind, secret=secret)
        values = {"created_at": int(self._clock()), "last_used_at": None}
        self._update(self.person_key(national_number), kind, values=values)

    def enrol(self, national_number: str, kind: str, *, secret: str = "", destination: str = "") -> None:
        """Keep this key of this person, once; what is not given stays as it was. A password comes as its hash only."""
        if kind == "password" and secret and not secret.startswith("$argon2id$"):
            raise ValueError("a password is enrolled as its argon2id hash")
        person_key = self.person_key(national_number)
        given = {"secret": secret, "destination": destination}
        values = {name: self._seal(person_key, kind, value=value) for name, value in given.items() if value}
        if not self._update(person_key, kind, values=values):
            self._insert(person_key, kind, values=values)

    def mark_used(self, national_number: str, kind: str) -> None:
        """Remember that this key has just been used; nothing happens if it is not there."""
        self._mark.run({"_person": self.person_key(national_number), "_kind": kind, "_used_at": int(self._clock())})

    def person_key(self, national_number: str) -> str:
        """The name under which this person stands in a store: tells nothing to who lacks the master key."""
        return self._sealer.keyed_hash(national_number, purpose=PURPOSE)

    def hash_code(self, value: str) -> str:
        """What may be kept of a code that was sent: worthless without the master key, though codes are few."""
        return self._sealer.keyed_hash(value, purpose="code")

    def seal_person(self, national_number: str) -> bytes:
        """The number as it may stand in a ticket between two steps."""
        return self._sealer.seal(national_number.encode(), purpose=PURPOSE)

    def open_person(self, sealed: bytes) -> str:
        """The number that `seal_person` sealed."""
        return self._sealer.open(sealed, purpose=PURPOSE).decode()

    def _read(self, national_number: str, kind: str, *, column: str) -> str | None:
        person_key = self.person_key(national_number)
        row = self._one.first({"_person": person_key, "_kind": kind})
        sealed = getattr(row, column) if row else None
        return None if sealed is None else self._open(person_key, kind, sealed=sealed)

    def _update(self, person_key: str, kind: str, *, values: Mapping[str, object]) -> bool:
        where = (credential.c.person_key == person_key, credential.c.kind == kind)
        change = sa.update(credential).where(*where).values(kind=kind, **values)
        with self._engine.begin() as connection:
            return connection.execute(change).rowcount > 0

    def _insert(self, person_key: str, kind: str, *, values: Mapping[str, object]) -> None:
        row = {"person_key": person_key, "kind": kind, "created_at": int(self._clock()), **values}
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(credential).values(**row))
        except IntegrityError:
            # Another process enrolled the same key between our update and our insert; the last word is ours.
            self._update(person_key, kind, values=values)

    # The place of a value is sealed with it: who can write to the table, but has no master key, cannot move one
    # person's secret into the row of another.
    def _seal(self, person_key: str, kind: str, *, value: str) -> bytes:
        return self._sealer.seal(f"{person_key}:{kind}:{value}".encode(), purpose=PURPOSE)

    def _open(self, person_key: str, kind: str, *, sealed: bytes) -> str | None:
        place, value = f"{person_key}:{kind}:", self._sealer.open(sealed, purpose=PURPOSE).decode()
        return value.removeprefix(place) if value.startswith(place) else None
