"""Loading facts that others wrote down (a demo world): each is added once, and what is there stays as it is.

Promises: all in one transaction, or nothing; loading again changes nothing, and says so. Must not know: the form of
the file that the facts come from.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Engine, select
from sqlalchemy.orm import Session

from idm import model
from idm.directory import NATIONAL_NUMBER, Sealer, new_person

Database = Engine
"""Where the facts are kept."""


class Loading:
    """One load under way; flushes each addition, so that the next may refer to it."""

    def __init__(self, session: Session, sealer: Sealer) -> None:
        self._session = session
        self._sealer = sealer
        self._added: Counter[str] = Counter()
        self._present: Counter[str] = Counter()

    def person(self, number: str, **columns: Any) -> str:
        """The id of the person of that checked number, added with these columns if unknown."""
        hashed = self._sealer.keyed_hash(number, purpose=NATIONAL_NUMBER)
        known = self._id_where(model.Person, model.Person.national_number_hash == hashed)
        return known or self._insert(model.Person(**new_person(number, self._sealer), **columns))

    def organisation(self, target_group: str, code: str, **columns: Any) -> str:
        """The id of the organisation of that code in that target group, added with these columns if unknown."""
        organisation = model.Organisation
        is_it = (organisation.target_group == target_group) & (organisation.code == code)
        known = self._id_where(organisation, is_it)
        return known or self._insert(organisation(target_group=target_group, code=code, **columns))

    def add(self, fact: model.Entity) -> None:
        """Add a fact that carries its id, unless one with that id is there."""
        if self._id_where(type(fact), type(fact).id == fact.id) is None:
            self._insert(fact)

    @property
    def added(self) -> dict[str, int]:
        """How many of each table were added, up to now."""
        return dict(self._added)

    @property
    def present(self) -> dict[str, int]:
        """How many of each table were there, up to now."""
        return dict(self._present)

    def _id_where(self, table: Any, condition: ColumnElement[bool]) -> str | None:
        id = self._session.scalar(select(table.id).where(condition))
        if id is not None:
            self._present[table.__tablename__] += 1
        return id

    def _insert(self, fact: Any) -> str:
        self._session.add(fact)
        self._session.flush()
        self._added[fact.__tablename__] += 1
        return str(fact.id)


@contextmanager
def loading(database: Database, sealer: Sealer) -> Iterator[Loading]:
    """A load whose additions are kept together at its end, or not at all if it fails."""
    with Session(database) as session, session.begin():
        yield Loading(session, sealer)
