"""Consents: what each person has allowed each application to be told, until they take it back.

Promises: allowing more keeps what was allowed before, of what was not taken back; taking it back ends what the
application holds in the same transaction. Must not know: when a consent is asked, or what a claim is.
"""

import msgspec
from sqlalchemy import Engine, bindparam, delete, func, select, update

from idm.prepared import Prepared
from idp.records.grants import Grant
from idp.records.tables import consent, grant, insert_new
from idp.store import Clock


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """The scopes and claims that a person allows a client, and when they last said so.

    `face` is what the person was shown of a client that registered itself: to another face nobody has said yes.
    """

    person_id: str
    client_id: str
    scopes: frozenset[str] = frozenset()
    claims: frozenset[str] = frozenset()
    given_at: int = 0
    face: str = ""

    def covers(self, scopes: frozenset[str], claims: frozenset[str], *, face: str) -> bool:
        """Whether no more is asked than was allowed, by the client that was shown."""
        return scopes <= self.scopes and claims <= self.claims and face == self.face


MINE = (consent.c.person_id == bindparam("_person")) & (consent.c.client_id == bindparam("_client"))
GET = select(consent.c.body).where(MINE)
CHANGE = update(consent).where(MINE & (consent.c.body == bindparam("_before"))).values(body=bindparam("_body"))


class ConsentRecords:
    """All consents."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._get = Prepared(engine, GET)
        self._add = Prepared(engine, insert_new(engine, consent), columns=("person_id", "client_id", "body"))
        self._change = Prepared(engine, CHANGE)

    def get(self, person_id: str, client_id: str) -> Consent | None:
        """What the person allows the client; None if nothing."""
        row = self._get.first({"_person": person_id, "_client": client_id})
        return msgspec.json.decode(row.body, type=Consent) if row else None

    def of_person(self, person_id: str) -> tuple[Consent, ...]:
        """Everything that the person allows, by client."""
        theirs = select(consent.c.body).where(consent.c.person_id == person_id).order_by(consent.c.client_id)
        with self._engine.connect() as connection:
            return tuple(msgspec.json.decode(body, type=Consent) for body in connection.scalars(theirs))

    def grants_of(self, person_id: str) -> tuple[Grant, ...]:
        """Every live Grant of the person: what applications hold, whether they had to ask or not."""
        live = (grant.c.person_id == person_id, grant.c.ended_at.is_(None), grant.c.expires_at > int(self._clock()))
        with self._engine.connect() as connection:
            bodies = connection.scalars(select(grant.c.body).where(*live).order_by(grant.c.client_id))
            return tuple(msgspec.json.decode(body, type=Grant) for body in bodies)

    def last_uses(self, person_id: str) -> dict[str, int]:
        """When each client last used up a refresh token of the person; one that keeps its token is not known to."""
        theirs = (grant.c.person_id == person_id, grant.c.refreshed_at.is_not(None))
        used = select(grant.c.client_id, func.max(grant.c.refreshed_at)).where(*theirs).group_by(grant.c.client_id)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(used)}

    def allow(self, new: Consent) -> None:
        """Keep a consent, together with what was allowed before; what is taken back meanwhile stays so."""
        while not self._has_allowed(new):
            pass  # another click came in between: what it left is what was allowed before

    def withdraw(self, person_id: str, client_id: str) -> None:
        """Take a consent back, and end every Grant that the client holds of this person."""
        mine = {"person_id": person_id, "client_id": client_id}
        held = update(grant).filter_by(**mine).where(grant.c.ended_at.is_(None)).values(ended_at=int(self._clock()))
        with self._engine.begin() as connection:
            connection.execute(delete(consent).filter_by(**mine))
            connection.execute(held)
        # Again, now that everybody sees the end: PostgreSQL did not show us a Grant that was added meanwhile, by one
        # who still saw the consent.
        with self._engine.begin() as connection:
            connection.execute(held)

    def _has_allowed(self, new: Consent) -> bool:
        row = self._get.first({"_person": new.person_id, "_client": new.client_id})
        found = msgspec.json.decode(row.body, type=Consent) if row else None
        before = found if found and found.face == new.face else new
        kept = msgspec.structs.replace(
            new, scopes=new.scopes | before.scopes, claims=new.claims | before.claims, given_at=int(self._clock())
        )
        body = msgspec.json.encode(kept)
        if row is None:
            return self._add.run({"person_id": new.person_id, "client_id": new.client_id, "body": body}) == 1
        same = {"_person": new.person_id, "_client": new.client_id, "_before": row.body}
        return self._change.run(same | {"_body": body}) == 1
