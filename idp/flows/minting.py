"""The access tokens that we give: opaque tickets, or JWTs (RFC 9068) for APIs that check offline.

Promises: each token names its Grant, its audience, and the key that it is bound to, if any; a JWT tells no more than
each of its readers may know, and costs no store. Must not know: how a grant proves itself.
"""

from idp.clients import Client
from idp.flows.audiences import readers, scopes_told
from idp.flows.authorized import machine_claims
from idp.flows.delegation import act_of
from idp.flows.grants import Redeemed
from idp.keys.jwt import sign
from idp.keys.tokens import ACCESS_TOKEN_TYPE, Lifetime
from idp.provider import Provider
from idp.tickets import AccessToken, hash_of, new_secret


class Mint:
    """Makes access tokens."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._tokens = provider.store.repository(AccessToken)

    def access_token(self, client: Client, redeemed: Redeemed, *, life: Lifetime) -> str:
        """A new access token of what was redeemed."""
        reading = readers(self._provider, client, audience=redeemed.audience)
        secret = jti_of(redeemed) if reading else new_secret()
        token = AccessToken(
            id=hash_of(secret),
            expires_at=life.expires_at,
            issued_at=life.issued_at,
            grant_id=redeemed.grant_id,
            client_id=client.client_id,
            scope=redeemed.scope,
            audience=redeemed.audience or (client.client_id,),
            cnf=redeemed.cnf,
            actors=redeemed.actors,
        )
        if reading:
            return self._signed(token, redeemed, reading=reading, jti=secret)
        self._tokens.add(token)
        return secret

    def _signed(self, token: AccessToken, redeemed: Redeemed, *, reading: tuple[Client, ...], jti: str) -> str:
        client = self._provider.clients.get(token.client_id) or reading[0]
        told = scopes_told(token.scope, client, readers=reading)
        claims = self._released(client, redeemed, told=frozenset() if client in reading else told)
        if authorization := redeemed.authorization:
            claims |= {"acr": authorization.grant.acr, "auth_time": authorization.grant.auth_time}
        if token.cnf:
            claims["cnf"] = token.cnf
        if token.actors:
            claims["act"] = act_of(token.actors)
        # The protocol's members come last: no released claim can take the place of one.
        protocol = {
            "iss": self._provider.settings.issuer,
            "sub": authorization.subject if authorization else token.client_id,
            "aud": list(token.audience) if len(token.audience) > 1 else token.audience[0],
            "client_id": token.client_id,
            "scope": " ".join(scope for scope in token.scope if scope in told),
            "iat": token.issued_at,
            "exp": token.expires_at,
            "jti": jti,
        }
        chooser = client if client.is_fapi else reading[0]
        key = self._provider.keyring.signing_key(chooser.id_token_signed_response_alg)
        return sign(claims | protocol, key, typ=ACCESS_TOKEN_TYPE)

    def _released(self, client: Client, redeemed: Redeemed, *, told: frozenset[str]) -> dict[str, object]:
        if redeemed.authorization:
            return redeemed.authorization.released(told)
        return machine_claims(self._provider, client, scopes=told)


def jti_of(redeemed: Redeemed) -> str:
    """A new name for a JWT; it begins with the Grant, so that the token can be told ended when that has ended."""
    return f"{redeemed.grant_id}.{new_secret()}"
