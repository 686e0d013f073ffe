"""A token that is presented: what an access token stands for now.

Promises: an opaque token is looked up by its hash, a JWT is verified; one whose Grant, person or right is gone is no
token. Shared by userinfo, introspection and revocation. Must not know: who presents it.
"""

import msgspec

from idp.clients import Client
from idp.flows.authorized import Authorization, authorization_of, is_alive
from idp.flows.delegation import actors_in, delegated
from idp.keys.jwt import TokenRejected, segment, verify
from idp.keys.tokens import ACCESS_TOKEN_TYPE
from idp.provider import Provider
from idp.tickets import AccessToken, RevokedToken, hash_of


class Presented(msgspec.Struct, frozen=True):
    """A live access token, with the authorization behind it (None: the client's own)."""

    token: AccessToken
    client: Client
    authorization: Authorization | None

    @property
    def is_for_its_client(self) -> bool:
        """Whether the token may be used here, by the client that it was given to, and not only at an API."""
        return self.client.client_id in self.token.audience

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of the token that its client is still registered for, and the client of the Grant too."""
        registered = self.client.scopes.intersection(self.token.scope)
        return registered & self.authorization.client.scopes if self.authorization else registered


class AccessTokens:
    """Finds and withdraws access tokens, opaque ones and JWTs."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._tokens = provider.store.repository(AccessToken)
        self._revoked = provider.store.repository(RevokedToken)

    def find(self, secret: str) -> Presented | None:
        """What the token stands for today; None if it stands for nothing."""
        token = self._token(secret)
        client = self._provider.clients.get(token.client_id) if token else None
        if token is None or client is None:
            return None
        if not token.grant_id:
            return Presented(token, client, None) if is_alive(self._provider, client) else None
        authorization = self._authorization(token, client)
        return Presented(token, client, authorization) if authorization else None

    def too_weak(self, secret: str) -> Presented | None:
        """A live token whose client asks a surer sign-in by now than the one behind it; None for every other."""
        token = self._token(secret)
        client = self._provider.clients.get(token.client_id) if token else None
        grant = self._provider.grants.get(token.grant_id) if token and token.grant_id else None
        if token is None or client is None or grant is None:
            return None
        is_weak = grant.level < self._provider.levels.level(client.minimum_acr)
        return Presented(token, client, None) if is_weak else None

    def owner(self, secret: str) -> str:
        """The client that the token was given to; empty if there is no such token."""
        token = self._token(secret)
        return token.client_id if token else ""

    def withdraw(self, secret: str) -> None:
        """Make the token worth nothing; what is no token stays none."""
        if not is_jwt(secret):
            self._tokens.discard(hash_of(secret))
        elif token := self._token(secret):
            self._revoked.add(RevokedToken(id=token.id, expires_at=token.expires_at))

    def _authorization(self, token: AccessToken, client: Client) -> Authorization | None:
        grant = self._provider.grants.get(token.grant_id)
        authorization = authorization_of(self._provider, grant) if grant else None
        return delegated(self._provider, authorization, to=client, actors=token.actors) if authorization else None

    def _token(self, secret: str) -> AccessToken | None:
        if not is_jwt(secret):
            return self._tokens.get(hash_of(secret))
        token = signed_token(self._provider, secret)
        is_live = token is not None and token.expires_at > self._provider.now() and not self._revoked.get(token.id)
        return token if is_live else None


def is_jwt(secret: str) -> bool:
    """Whether a token looks like a JWT: an opaque one of ours has no dot."""
    return secret.count(".") == 2


def signed_token(provider: Provider, secret: str) -> AccessToken | None:
    """What a JWT access token of ours says of itself, expired or not; None if it is none (RFC 9068 §4)."""
    keys = provider.keyring.all()
    try:
        claims = verify(secret, [key.public_jwk for key in keys], algorithms=sorted({key.alg for key in keys}))
        is_access_token = segment(secret, 0).get("typ") == ACCESS_TOKEN_TYPE
    except TokenRejected:
        return None
    if not is_access_token or claims["iss"] != provider.settings.issuer:
        return None
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    return AccessToken(
        id=hash_of(claims["jti"]),
        expires_at=claims["exp"],
        issued_at=claims["iat"],
        grant_id=claims["jti"].partition(".")[0],
        client_id=claims["client_id"],
        scope=tuple(claims["scope"].split()),
        audience=tuple(audience),
        cnf=claims.get("cnf", {}),
        actors=actors_in(claims.get("act")),
    )
