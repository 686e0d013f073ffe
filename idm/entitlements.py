"""Which rights a person holds, for whom, on a day, and for each thing that is missing, why: one pure decision.

Promises: an identity is given only inside the dates of everything that it rests on, and says until when; what is not
plainly allowed is refused, under a Reason. Must not know: the database, clients, claims, or what day it is.
"""

from collections.abc import Container, Iterable
from dataclasses import replace
from datetime import date

from idm.authority import Authority, authorities_of
from idm.facts import Facts
from idm.identity import RANK, Entitlements, Identity, Missing, Reason, Role
from idm.weighing import Weighing

__all__ = ["Entitlements", "Identity", "Missing", "Reason", "Role", "authorities", "citizen", "entitlements"]

LEGAL_REPRESENTATIVE = "legal representative"


def entitlements(facts: Facts, today: date, *, reached: Container[str]) -> Entitlements:
    """The identities that the person may take in the application today, and what is missing for others.

    `reached` holds the acr URNs whose level the session reaches. Never fails; an unknown application gives nothing.
    """
    if facts.application is None:
        return Entitlements()
    if facts.application.requires == LEGAL_REPRESENTATIVE:
        return _of_functions(facts, today)
    if not facts.relations:
        return Entitlements(missing=(Missing(reason=Reason.NO_WORK_RELATION),))
    weighing = Weighing(facts, facts.application, today=today, reached=reached)
    return Entitlements(_by_name(weighing.identities()), _most_helpful_first(weighing.missing()))


def authorities(facts: Facts, today: date) -> tuple[Identity, ...]:
    """The organisations for which the person is legal representative or chief access manager today, by name."""
    return _by_name(_as_identity(authority, facts, today=today) for authority in authorities_of(facts, today).values())


def citizen() -> Identity:
    """The identity of a person who acts for nobody else."""
    return Identity(target_group="BUR", code="")


def _of_functions(facts: Facts, today: date) -> Entitlements:
    legal = [a for a in authorities_of(facts, today).values() if a.functions]
    if not legal:
        return Entitlements(missing=(Missing(reason=Reason.NOT_LEGAL_REPRESENTATIVE),))
    # Only the function carries these: an appointment in the BTB that ends sooner ends nothing here.
    return Entitlements(
        _by_name(
            replace(_as_identity(a, facts, today=today), until=a.legal_until, lasts_until=a.legal_until) for a in legal
        )
    )


def _as_identity(authority: Authority, facts: Facts, *, today: date) -> Identity:
    here = (r for r in facts.relations_on(today) if r.organisation.id == authority.organisation.id)
    return replace(authority.identity(), work_email=next((r.email for r in here if r.email), ""))


def _by_name(identities: Iterable[Identity]) -> tuple[Identity, ...]:
    return tuple(sorted(identities, key=lambda i: (i.organisation.name if i.organisation else "", i.value)))


def _most_helpful_first(missing: Iterable[Missing]) -> tuple[Missing, ...]:
    return tuple(
        sorted(
            missing,
            key=lambda m: (RANK[m.reason], m.organisation.name if m.organisation else "", m.right_name, m.right_id),
        )
    )
