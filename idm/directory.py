"""Where the facts are asked for: persons, what is known of one, administrators, organisations.

Promises: frozen values out; one statement for all that decides what a person may do in an application, whose cost does
not grow with the tables. National numbers are sealed at rest and found by a keyed hash. Decides nothing itself.
"""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import Engine, Executable, Row, exists, insert, select
from sqlalchemy.exc import IntegrityError

from idm import model, queries
from idm.facts import Administrator, Application, Facts, Organisation, Person
from idm.identifiers import IdentifierInvalid, is_test_number, national_number
from idm.prepared import Prepared
from idm.reading import administrator_of, application_of, facts_of, organisation_of

SUBJECT = re.compile("[0-9a-f]{40}")
NATIONAL_NUMBER = "national number"
"""The purpose under which numbers are sealed and hashed."""

CHIEF_LOCAL_ADMINISTRATOR = "hlb"
"""The right that makes an HLB."""

MOST_OPENED = 1000
"""So many numbers are held open in memory at most."""

_ADMINISTRATORS = queries.administrators(CHIEF_LOCAL_ADMINISTRATOR)


class Sealer(Protocol):
    """Encryption at rest, and hashes under a key."""

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        """The sealed text; only `open` under the same purpose reads it."""
        ...

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """The plain text; fails if it was sealed otherwise."""
        ...

    def keyed_hash(self, value: str, *, purpose: str) -> str:
        """64 hexadecimal digits, the same for the same value and purpose."""
        ...


class Directory:
    """The facts of IDM in one database. Holds the catalogue of each application in memory until its revision rises."""

    def __init__(self, engine: Engine, sealer: Sealer, *, test_numbers: bool) -> None:
        self._engine = engine
        self._by_id = Prepared(engine, queries.PERSON)
        self._by_number = Prepared(engine, queries.PERSON_OF_NUMBER)
        self._organisation = Prepared(engine, queries.ORGANISATION)
        self._facts = Prepared(engine, queries.FACTS)
        self._sealer = sealer
        # Whoever signs in is asked for several times in a row; what is held so is no more than what is at hand then.
        self._opened = lru_cache(MOST_OPENED)(lambda sealed: sealer.open(sealed, purpose=NATIONAL_NUMBER).decode())
        self._test_numbers = test_numbers
        self._catalogue: dict[str, tuple[int, Application]] = {}

    def find(self, national_number: str) -> Person | None:
        """The person of that number; None if it is unknown, or no number that is accepted here."""
        try:
            hashed = self._hash(self._checked(national_number))
        except IdentifierInvalid:
            return None
        return self._person_of(self._by_number.first({"_hash": hashed}))

    def person(self, person_id: str) -> Person | None:
        """The person of that id (vo_id); None if there is none."""
        return self._person_of(self._by_id.first({"_id": person_id}))

    def by_subject(self, subject: str) -> Person | None:
        """The person of that public subject; None if there is none."""
        if not SUBJECT.fullmatch(subject):
            return None
        rows = self._all(select(model.Person.__table__).where(model.Person.subject == subject))
        return self._person_of(rows[0]) if rows else None

    def register_citizen(self, national_number: str, *, given_name: str, family_name: str, locale: str) -> Person:
        """The person of that number, made known if need be, by one of many callers. Raises IdentifierInvalid."""
        number = self._checked(national_number)
        names = {"given_name": given_name, "family_name": family_name, "locale": locale}
        known = self.find(number)
        if known is not None:
            return known
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(model.Person).values(**new_person(number, self._sealer), **names))
        except IntegrityError:
            pass  # another caller was first: the hash is unique
        registered = self.find(number)
        if registered is None:
            raise LookupError("The person was not registered, and no one else did so.")
        return registered

    def facts(self, person_id: str, application_id: str) -> Facts:
        """All that decides what the person may do in the application; without one if it is unknown."""
        asked = {"person_id": person_id, "application_id": application_id}
        rows = self._facts.all(asked)
        revision = next((row.number for row in rows if row.kind == "application"), None)
        application = None if revision is None else self._application(application_id, revision)
        return facts_of(rows, application)

    def administrators(self, organisation_ids: Iterable[str], today: date) -> tuple[Administrator, ...]:
        """The chief local administrators (HLB) of these organisations today, by organisation and name."""
        ids = list(organisation_ids)
        rows = self._all(_ADMINISTRATORS, {"organisation_ids": ids, "today": today}) if ids else ()
        return tuple(administrator_of(row) for row in rows)

    def organisation(self, organisation_id: str) -> Organisation | None:
        """The organisation of that id; None if there is none."""
        row = self._organisation.first({"_id": organisation_id})
        return organisation_of(row) if row else None

    def has_real_number(self) -> bool:
        """Whether it holds any national number that is not a test number; simulators refuse to run beside those."""
        return bool(self._all(select(exists().where(model.Person.has_test_number.is_(False))))[0][0])

    def _application(self, application_id: str, revision: int) -> Application:
        held = self._catalogue.get(application_id)
        if held is not None and held[0] == revision:
            return held[1]
        asked = {"application_id": application_id}
        row = self._all(queries.APPLICATION, asked)[0]
        application = application_of(row, self._all(queries.RIGHTS, asked))
        # Kept under the revision seen before the rights were read: a change in between is read again next time.
        self._catalogue[application_id] = (revision, application)
        return application

    def _person_of(self, row: Any | None) -> Person | None:
        if row is None:
            return None
        number = self._opened(row.national_number_sealed)
        names = (row.given_name, row.family_name, row.locale, row.phone, row.email)
        return Person(row.id, row.subject, number, *names)

    def _all(self, statement: Executable, asked: Mapping[str, object] | None = None) -> Sequence[Row[Any]]:
        with self._engine.connect() as connection:
            return connection.execute(statement, asked).all()

    def _checked(self, text: str) -> str:
        number = national_number(text, test_numbers=self._test_numbers)
        if self._test_numbers and not is_test_number(number):
            raise IdentifierInvalid("Among invented people only test numbers (month + 60) are taken.")
        return number

    def _hash(self, number: str) -> str:
        return self._sealer.keyed_hash(number, purpose=NATIONAL_NUMBER)


def new_person(number: str, sealer: Sealer) -> dict[str, Any]:
    """The columns of a new person with that checked number: random id and subject, the number sealed and hashed."""
    return {
        "id": model.new_id(),
        "subject": secrets.token_hex(20),
        "national_number_hash": sealer.keyed_hash(number, purpose=NATIONAL_NUMBER),
        "national_number_sealed": sealer.seal(number.encode(), purpose=NATIONAL_NUMBER),
        "has_test_number": is_test_number(number),
    }
