"""What a grant proved: who, for which client, with which scope, on whose behalf, and how they had signed in.

Promises: the person and the identity are looked up anew each time, so that what has ended in IDM ends here at once.
Must not know: which grant it was, or what a token looks like.
"""

import msgspec

from claims.release import release, release_machine
from claims.scopes import scopes_for
from idm.days import day_of, end_of
from idm.facts import Organisation, Person
from idp.claims_request import Wanted, is_admitted
from idp.clients import Client
from idp.identities import Option
from idp.provider import Provider
from idp.records.grants import Grant


class Authorization(msgspec.Struct, frozen=True):
    """A person's authorization: the Grant, and what IDM says of its person and identity today."""

    client: Client
    grant: Grant
    person: Person
    option: Option
    subject: str
    """The `sub` that this client knows the person by."""

    @property
    def right_ends_at(self) -> int | None:
        """When the first of the rights that a token tells of ends; None if none does."""
        return end_of(self.option.until) if self.option.until else None

    @property
    def grant_ends_at(self) -> int:
        """When the Grant ends, or before it the first of its rights: no access token lives longer."""
        return min(self.grant.expires_at, self.right_ends_at or self.grant.expires_at)

    def in_id_token(self, scopes: frozenset[str]) -> dict[str, object]:
        """The claims for the ID token: those of the scopes, and those asked for it one by one.

        Who registered itself reads the former from userinfo alone (OpenID Connect Core §5.4).
        """
        by_scope = {} if self.client.is_self_registered else self.released(scopes)
        return by_scope | self._asked(self.grant.claims.id_token)

    def in_userinfo(self, scopes: frozenset[str]) -> dict[str, object]:
        """The claims for userinfo: those of the scopes, and those asked for it one by one."""
        return self.released(scopes) | self._asked(self.grant.claims.userinfo)

    def _asked(self, wanted: Wanted) -> dict[str, object]:
        if not wanted:
            return {}
        # Never beyond the registered scopes; a claim with another value than asked is not what was asked (§5.5.1).
        scopes = frozenset[str]().union(*(scopes_for(name, self.client) for name in wanted))
        told = self.released(scopes)
        return {name: told[name] for name, values in wanted.items() if name in told and is_admitted(told[name], values)}

    def released(self, scopes: frozenset[str]) -> dict[str, object]:
        """The claims of these scopes."""
        return release(self.person, self.option.identities, recipient=self.client, scopes=scopes)


def authorization_of(provider: Provider, grant: Grant) -> Authorization | None:
    """The authorization that a Grant stands for today.

    None if the client, the person or the right is gone, or the client asks a surer sign-in by now.
    """
    client = provider.clients.get(grant.client_id)
    person = provider.directory.person(grant.person_id)
    if client is None or person is None or grant.level < provider.levels.level(client.minimum_acr):
        return None
    option = provider.identities.option(person.id, client, level=grant.level, value=grant.identity)
    return Authorization(client, grant, person, option, provider.subject(person, client)) if option else None


def registered(scope: tuple[str, ...], client: Client) -> tuple[str, ...]:
    """What is left of a scope that was granted, now that the client may be registered for less."""
    return tuple(one for one in scope if one in client.scopes)


def machine_organisation(provider: Provider, client: Client) -> Organisation | None:
    """The organisation of a machine client, while it exists; None if it has none, or if that has ended."""
    organisation = provider.directory.organisation(client.organisation) if client.organisation else None
    return organisation if organisation and organisation.is_valid_on(day_of(provider.clock())) else None


def is_alive(provider: Provider, client: Client) -> bool:
    """Whether a machine client may act: it stands for no organisation, or for one that has not ended."""
    return not client.organisation or machine_organisation(provider, client) is not None


def machine_claims(provider: Provider, client: Client, *, scopes: frozenset[str]) -> dict[str, object]:
    """The claims of a machine: its application and organisation, where its scope says so."""
    return release_machine(client.name, machine_organisation(provider, client), scopes=scopes)
