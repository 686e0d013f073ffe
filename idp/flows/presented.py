"""A token that is presented: what an access token stands for now.

Promises: a token is looked up by its hash; a token whose Grant, person or right is gone is no token. Shared by
userinfo, introspection and revocation. Must not know: who presents it.
"""

from dataclasses import dataclass

from idp.clients import Client
from idp.flows.authorized import Authorization, authorization_of, is_alive
from idp.provider import Provider
from idp.tickets import AccessToken, hash_of


@dataclass(frozen=True)
class Presented:
    """A live access token, with the authorization behind it (None: the client's own)."""

    token: AccessToken
    client: Client
    authorization: Authorization | None

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of the token that its client is still registered for."""
        return self.client.scopes.intersection(self.token.scope)


class AccessTokens:
    """Finds and withdraws opaque access tokens."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._tokens = provider.store.repository(AccessToken)

    def find(self, secret: str) -> Presented | None:
        """What the token stands for today; None if it stands for nothing."""
        token = self._tokens.get(hash_of(secret))
        client = self._provider.clients.get(token.client_id) if token else None
        if token is None or client is None:
            return None
        if not token.grant_id:
            return Presented(token, client, None) if is_alive(self._provider, client) else None
        grant = self._provider.grants.get(token.grant_id)
        authorization = authorization_of(self._provider, grant) if grant else None
        return Presented(token, client, authorization) if authorization else None

    def owner(self, secret: str) -> str:
        """The client that the token was given to; empty if there is no such token."""
        token = self._tokens.get(hash_of(secret))
        return token.client_id if token else ""

    def withdraw(self, secret: str) -> None:
        """The token is worth nothing from now on."""
        self._tokens.discard(hash_of(secret))
