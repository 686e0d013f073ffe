"""The token endpoint: the phases that every grant shares, in order.

    form → client → grant type → redeem → access token → ID token → answer

Promises: no token outlives the right that it tells of. Must not know: how a grant proves itself.
"""

from idp.client_authentication import ClientAuthentication
from idp.clients import Client
from idp.errors import InvalidRequest, UnauthorizedClient, UnsupportedGrantType
from idp.flows.authorized import Authorization
from idp.flows.grants import Redeemed, grant_types
from idp.http import Answer, Request, json_answer
from idp.keys.jwt import sign
from idp.keys.tokens import Lifetime, at_hash, id_token_claims, lifetime
from idp.provider import Provider
from idp.tickets import AccessToken, hash_of, new_secret


class TokenEndpoint:
    """`/op/v1/token`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._clients = ClientAuthentication(provider)
        self._grant_types = grant_types(provider)
        self._access_tokens = provider.store.repository(AccessToken)

    def answer(self, request: Request) -> Answer:
        """The tokens that the client may have; a ProtocolError otherwise."""
        form = request.form()
        client = self._clients.authenticate(request, form)
        grant_type = form.get("grant_type")
        if not grant_type:
            raise InvalidRequest("grant_type is missing.")
        if grant_type not in self._grant_types:
            raise UnsupportedGrantType("This grant type is not supported.")
        if grant_type not in client.grant_types:
            raise UnauthorizedClient("The client is not registered for this grant type.")
        return json_answer(self._mint(client, self._grant_types[grant_type].redeem(form, client)))

    def _mint(self, client: Client, redeemed: Redeemed) -> dict[str, object]:
        authorization = redeemed.authorization
        ends_at = authorization.grant_ends_at if authorization else None
        life = lifetime(self._provider.now(), self._provider.settings.access_token_seconds, right_ends_at=ends_at)
        access_token = self._access_token(client, redeemed, life=life)
        answer: dict[str, object] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": life.seconds,
            "scope": " ".join(redeemed.scope),
        }
        if redeemed.refresh_token:
            answer["refresh_token"] = redeemed.refresh_token
        if authorization and "openid" in redeemed.scope:
            answer["id_token"] = self._id_token(authorization, redeemed, access_token=access_token)
        return answer

    def _access_token(self, client: Client, redeemed: Redeemed, *, life: Lifetime) -> str:
        secret = new_secret()
        self._access_tokens.add(
            AccessToken(
                id=hash_of(secret),
                expires_at=life.expires_at,
                issued_at=life.issued_at,
                grant_id=redeemed.authorization.grant.id if redeemed.authorization else "",
                client_id=client.client_id,
                scope=redeemed.scope,
                audience=(client.client_id,),
            )
        )
        return secret

    def _id_token(self, authorization: Authorization, redeemed: Redeemed, *, access_token: str) -> str:
        settings, alg = self._provider.settings, authorization.client.id_token_signed_response_alg
        ends_at = authorization.right_ends_at
        life = lifetime(self._provider.now(), settings.id_token_seconds, right_ends_at=ends_at)
        claims = id_token_claims(authorization.grant, life, issuer=settings.issuer, subject=authorization.subject)
        claims["at_hash"] = at_hash(access_token, alg)
        if redeemed.nonce:
            claims["nonce"] = redeemed.nonce
        # The protocol's members come last: no released claim can take the place of one.
        released = authorization.released(frozenset(redeemed.scope))
        return sign(released | claims, self._provider.keyring.signing_key(alg))
