"""Consents: what is allowed and taken back at the same moment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Engine

from idp.records import tables
from idp.records.consents import Consent, ConsentRecords


@dataclass
class Interrupted:
    """A clock that lets something happen the next time that it is asked."""

    interruptions: list[Callable[[], None]] = field(default_factory=list)

    def __call__(self) -> float:
        if self.interruptions:
            self.interruptions.pop()()
        return 0.0


def allowed(scope: str) -> Consent:
    return Consent(person_id="dirk", client_id="rp", scopes=frozenset({scope}))


def scopes(records: ConsentRecords) -> frozenset[str]:
    """What is allowed now."""
    found = records.get("dirk", "rp")
    return found.scopes if found else frozenset()


def test_what_is_taken_back_while_more_is_allowed_does_not_come_back(engine: Engine) -> None:
    tables.metadata.create_all(engine)
    clock = Interrupted()
    records = ConsentRecords(engine, clock)
    records.allow(allowed("profile"))
    clock.interruptions.append(lambda: records.withdraw("dirk", "rp"))
    records.allow(allowed("email"))
    assert scopes(records) == {"email"}


def test_of_two_clicks_at_once_neither_undoes_the_other(engine: Engine) -> None:
    tables.metadata.create_all(engine)
    clock = Interrupted()
    records = ConsentRecords(engine, clock)
    for before, during in (("openid", "profile"), ("email", "phone")):
        clock.interruptions.append(partial(records.allow, allowed(during)))
        records.allow(allowed(before))
    assert scopes(records) == {"openid", "profile", "email", "phone"}
