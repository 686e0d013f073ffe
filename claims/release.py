"""The release: person, identities, client and scopes in, claims out, for every place where a client learns something.

Promises: never a claim of a scope that is not both granted and registered; without a role no role claim. Must not know:
tokens, sessions, how the person signed in (`sub`, `acr`, `sid` and the like are the caller's).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from claims import organisation as of_identity
from claims import person as of_person
from claims.person import Claims
from claims.rights import spell_rights
from claims.scopes import TARGET_GROUP, Recipient, is_own_scope
from idm.facts import Organisation, Person
from idm.identity import Identity


@dataclass(frozen=True, slots=True)
class _Told:
    """What may be told: the person, the identities, and the one identity if an organisation was chosen."""

    person: Person
    identities: tuple[Identity, ...]
    chosen: Identity | None

    @property
    def target_group(self) -> str:
        groups = {identity.target_group for identity in self.identities}
        return groups.pop() if len(groups) == 1 else ""


_BY_SCOPE: dict[str, Callable[[_Told], Claims]] = {
    "profile": lambda told: of_person.profile(told.person),
    "rrn": lambda told: of_person.national_number(told.person),
    "email": lambda told: of_person.email(told.person),
    "phone": lambda told: of_person.phone(told.person),
    "vo": lambda told: of_identity.flemish(told.person, told.chosen, target_group=told.target_group),
    "wettelijkvertegenwoordiger": lambda told: of_identity.legal_representative(told.chosen),
    "vo_ovocode": lambda told: of_identity.ovo_code(told.chosen),
    "vo_kbonummer": lambda told: of_identity.kbo_number(told.chosen),
}


def release(
    person: Person, identities: tuple[Identity, ...], *, recipient: Recipient, scopes: Collection[str]
) -> dict[str, object]:
    """The claims of these scopes: of one identity, or of all of a target group where that is the client's choice."""
    may_tell_organisation = len(identities) == 1 and recipient.choice != TARGET_GROUP
    told = _Told(person, identities, identities[0] if may_tell_organisation else None)
    allowed = recipient.scopes.intersection(scopes)
    claims: dict[str, object] = {}
    for scope in sorted(allowed & _BY_SCOPE.keys()):
        claims.update(_BY_SCOPE[scope](told))
    if any(is_own_scope(scope) for scope in allowed):
        claims.update(_roles(identities, recipient))
    return claims


def release_machine(
    application_name: str, organisation: Organisation | None, *, scopes: Collection[str]
) -> dict[str, object]:
    """The claims of a machine with scope vo_info: its application and its organisation, as far as it has one."""
    if "vo_info" not in scopes:
        return {}
    told = of_identity.of_organisation(organisation) if organisation else {}
    return of_person.known({"vo_applicatienaam": application_name, **told})


def _roles(identities: tuple[Identity, ...], recipient: Recipient) -> Claims:
    spelled = spell_rights(identities, recipient.role_form)
    return {recipient.role_claim: spelled} if spelled and recipient.role_claim else {}
