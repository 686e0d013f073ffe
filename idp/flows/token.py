"""The token endpoint: the phases that every grant shares, in order.

    form → client → grant type → audience → key → redeem → access token → ID token → answer

Promises: no token outlives the right that it tells of. Must not know: how a grant proves itself.
"""

import msgspec

from idp.client_authentication import ClientAuthentication
from idp.clients import Client
from idp.errors import InvalidRequest, UnauthorizedClient, UnsupportedGrantType
from idp.flows.audiences import audience_asked, narrowed_audience
from idp.flows.authorized import Authorization
from idp.flows.envelopes import check_key, sealed
from idp.flows.grant_types import grant_types
from idp.flows.grants import Redeemed, TokenRequest
from idp.flows.minting import Mint
from idp.flows.senders import Senders
from idp.http import Answer, Request, json_answer
from idp.keys.jwt import sign
from idp.keys.tokens import at_hash, id_token_claims, lifetime, token_type
from idp.provider import Provider


class TokenEndpoint:
    """`/op/v1/token`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._clients = ClientAuthentication(provider)
        self._grant_types = grant_types(provider)
        self._senders = Senders(provider)
        self._access_tokens = Mint(provider)

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
        # Before the proof is taken: a misspelt resource must not cost the client its code.
        asked = audience_asked(self._provider, client, parameters=form)
        check_key(self._provider, client, answer="id_token")
        cnf = self._senders.confirmation(request, client)
        redeemed = self._grant_types[grant_type].redeem(TokenRequest(form, client, cnf))
        audience = narrowed_audience(asked, redeemed.granted_audience)
        answer = self._mint(client, msgspec.structs.replace(redeemed, audience=audience, cnf=cnf))
        return json_answer(answer, *self._senders.fresh_nonce(client))

    def _mint(self, client: Client, redeemed: Redeemed) -> dict[str, object]:
        authorization = redeemed.authorization
        ends_at = authorization.grant_ends_at if authorization else None
        life = lifetime(self._provider.now(), self._provider.settings.access_token_seconds, right_ends_at=ends_at)
        access_token = self._access_tokens.access_token(client, redeemed, life=life)
        answer: dict[str, object] = {
            "access_token": access_token,
            "token_type": token_type(redeemed.cnf),
            "expires_in": life.seconds,
            "scope": " ".join(redeemed.scope),
        }
        if redeemed.issued_token_type:
            return answer | {"issued_token_type": redeemed.issued_token_type}
        if redeemed.refresh_token:
            answer["refresh_token"] = redeemed.refresh_token
        if authorization and "openid" in redeemed.scope:
            answer["id_token"] = self._id_token(authorization, redeemed, access_token=access_token)
        return answer

    def _id_token(self, authorization: Authorization, redeemed: Redeemed, *, access_token: str) -> str:
        settings, alg = self._provider.settings, authorization.client.id_token_signed_response_alg
        ends_at = authorization.right_ends_at
        life = lifetime(self._provider.now(), settings.id_token_seconds, right_ends_at=ends_at)
        claims = id_token_claims(authorization.grant, life, issuer=settings.issuer, subject=authorization.subject)
        claims["at_hash"] = at_hash(access_token, alg)
        if redeemed.nonce:
            claims["nonce"] = redeemed.nonce
        # The protocol's members come last: no released claim can take the place of one.
        released = authorization.in_id_token(frozenset(redeemed.scope))
        signed = sign(released | claims, self._provider.keyring.signing_key(alg))
        return sealed(self._provider, authorization.client, content=signed, answer="id_token")
