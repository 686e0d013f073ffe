"""How a right is spelled to a client: `Role-Context:OrganisationCode` (3D) or `Role:OrganisationCode` (2D).

Promises: always a list, one entry per right, context and organisation, each once, in a stable order. Must not know:
whether a right is valid; identities hold only those that are.
"""

from collections.abc import Iterable, Iterator

from idm.identity import Identity, Role

WITHOUT_CONTEXT = "2d"


def spell_rights(identities: Iterable[Identity], role_form: str) -> list[str]:
    """The entries of all roles of these identities; empty if they have none."""
    return sorted(
        {
            f"{name}:{identity.code}"
            for identity in identities
            for role in identity.roles
            for name in _names(role, role_form)
        }
    )


def _names(role: Role, role_form: str) -> Iterator[str]:
    if role_form == WITHOUT_CONTEXT or not role.contexts:
        yield role.role
    else:
        yield from (f"{role.role}-{context}" for context in role.contexts)
