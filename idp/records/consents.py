"""Consents: what each person has allowed each application to be told, until they take it back.

Promises: allowing more keeps what was allowed before; taking it back ends what the application holds in the same
transaction. Must not know: when a consent is asked, or what a claim is.
"""

import msgspec
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.records.tables import consent, grant
from idp.store import Clock


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """The scopes and claims that a person allows a client, and when they last said so."""

    person_id: str
    client_id: str
    scopes: frozenset[str] = frozenset()
    claims: frozenset[str] = frozenset()
    given_at: int = 0

    def covers(self, scopes: frozenset[str], claims: frozenset[str]) -> bool:
        """Whether no more is asked than was allowed."""
        return scopes <= self.scopes and claims <= self.claims


class ConsentRecords:
    """All consents."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def get(self, person_id: str, client_id: str) -> Consent | None:
        """What the person allows the client; None if nothing."""
        mine = (consent.c.person_id == person_id, consent.c.client_id == client_id)
        with self._engine.connect() as connection:
            body = connection.scalar(select(consent.c.body).where(*mine))
        return msgspec.json.decode(body, type=Consent) if body else None

    def of_person(self, person_id: str) -> tuple[Consent, ...]:
        """Everything that the person allows, by client."""
        theirs = select(consent.c.body).where(consent.c.person_id == person_id).order_by(consent.c.client_id)
        with self._engine.connect() as connection:
            return tuple(msgspec.json.decode(body, type=Consent) for body in connection.scalars(theirs))

    def allow(self, new: Consent) -> None:
        """Keep a consent, together with what was allowed before."""
        before = self.get(new.person_id, new.client_id) or new
        kept = msgspec.structs.replace(
            new, scopes=new.scopes | before.scopes, claims=new.claims | before.claims, given_at=int(self._clock())
        )
        mine = {"person_id": new.person_id, "client_id": new.client_id}
        change = update(consent).filter_by(**mine).values(body=msgspec.json.encode(kept))
        with self._engine.begin() as connection:
            if connection.execute(change).rowcount:
                return
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(consent).values(**mine, body=msgspec.json.encode(kept)))
        except IntegrityError:  # the other click of a double click came first
            with self._engine.begin() as connection:
                connection.execute(change)

    def withdraw(self, person_id: str, client_id: str) -> None:
        """Take a consent back, and end every Grant that the client holds of this person."""
        mine = {"person_id": person_id, "client_id": client_id}
        held = update(grant).filter_by(**mine).where(grant.c.ended_at.is_(None))
        with self._engine.begin() as connection:
            connection.execute(delete(consent).filter_by(**mine))
            connection.execute(held.values(ended_at=int(self._clock())))
