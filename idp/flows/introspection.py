"""Introspection (RFC 7662, signed by RFC 9701): what a token stands for now, told to those who may know.

Promises: a client learns of its own tokens, of those whose audience it is, and, if it is registered so, of others;
filtered by the scopes that it may know. Everybody else hears `active: false`, as for a token that does not exist.
"""

from idp.client_authentication import ClientAuthentication
from idp.clients import Client
from idp.errors import InvalidClient, InvalidRequest
from idp.flows.audiences import is_recipient
from idp.flows.authorized import Authorization, authorization_of, machine_claims, registered
from idp.flows.delegation import act_of
from idp.flows.envelopes import sealed
from idp.flows.presented import AccessTokens, Presented
from idp.flows.refresh_tokens import RefreshTokens
from idp.http import Answer, Request, json_answer
from idp.keys.jwt import sign
from idp.keys.tokens import authentication_claims, token_type
from idp.provider import Provider

INACTIVE: dict[str, object] = {"active": False}
SIGNED = "application/token-introspection+jwt"


class Introspection:
    """`/op/v1/introspect`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._clients = ClientAuthentication(provider)
        self._tokens = AccessTokens(provider)
        self._refresh_tokens = RefreshTokens(provider.hasher)

    def answer(self, request: Request) -> Answer:
        """What the caller may know of the token. `token_type_hint` needs no reading: every kind is looked for."""
        form = request.form()
        caller = self._clients.authenticate(request, form)
        if caller.is_public:
            raise InvalidClient("A public client cannot introspect.")
        if not form.get("token"):
            raise InvalidRequest("token is missing.")
        presented = self._tokens.find(form["token"])
        told = self._access_token(presented, caller) if presented else self._refresh_token(form["token"], caller)
        is_sealed = bool(caller.introspection_encrypted_response_alg)  # never in the clear, whatever it accepts
        if is_sealed or caller.signs_messages or SIGNED in request.headers.get("accept", "").lower():
            return self._signed_answer(told, caller)
        wants_jwt = caller.introspection_jwt and presented is not None and told != INACTIVE
        return json_answer(told | ({"jwt": self._signed(told, caller)} if wants_jwt else {}))

    def _signed(self, told: dict[str, object], caller: Client) -> str:
        # As ACM has it, for whoever hands the answer on. A type of its own: it must not pass for a token.
        alg = caller.introspection_signed_response_alg if caller.is_fapi else "RS256"
        return sign(told, self._provider.keyring.signing_key(alg), typ="introspection+jwt")

    def _signed_answer(self, told: dict[str, object], caller: Client) -> Answer:
        claims = {
            "iss": self._provider.settings.issuer,
            "aud": caller.client_id,
            "iat": self._provider.now(),
            "token_introspection": told,
        }
        key = self._provider.keyring.signing_key(caller.introspection_signed_response_alg)
        headers = (("Content-Type", SIGNED), ("Cache-Control", "no-store"))
        signed = sign(claims, key, typ="token-introspection+jwt")
        return Answer(200, headers, sealed(self._provider, caller, content=signed, answer="introspection").encode())

    def _access_token(self, presented: Presented, caller: Client) -> dict[str, object]:
        token = presented.token
        is_own = token.client_id == caller.client_id
        if not (is_own or caller.may_introspect or is_recipient(caller, token.audience)):
            return INACTIVE
        visible = presented.scopes if is_own else caller.may_know(presented.scopes)
        behind = presented.authorization
        told = self._of_person(behind, visible) if behind else self._of_machine(presented.client, visible)
        return (
            told
            | caller.set_by_api.get(token.client_id, {})
            | {
                "active": True,
                "iss": self._provider.settings.issuer,
                "client_id": token.client_id,
                "aud": list(token.audience),
                "scope": " ".join(scope for scope in token.scope if scope in visible),
                "token_type": token_type(token.cnf),
                "exp": token.expires_at,
                "iat": token.issued_at,
            }
            | ({"cnf": token.cnf} if token.cnf else {})
            | ({"act": act_of(token.actors)} if token.actors else {})
        )

    def _of_person(self, authorization: Authorization, visible: frozenset[str]) -> dict[str, object]:
        # How surely and when they signed in is what an API may need to ask for more (RFC 9470 §6.2).
        grant = authorization.grant
        told = authorization.released(visible) | {"acr": grant.acr, "auth_time": grant.auth_time}
        if "openid" in visible:
            told |= authentication_claims(authorization.grant) | {"sub": authorization.subject}
        return told

    def _of_machine(self, client: Client, visible: frozenset[str]) -> dict[str, object]:
        return machine_claims(self._provider, client, scopes=visible) | {"sub": client.client_id}

    def _refresh_token(self, secret: str, caller: Client) -> dict[str, object]:
        token = self._refresh_tokens.read(secret)
        held = self._provider.grants.refreshable(token.grant_id) if token else None
        if token is None or held is None or token.number != held.number or held.grant.client_id != caller.client_id:
            return INACTIVE
        grant = held.grant
        if authorization_of(self._provider, grant) is None:
            return INACTIVE
        told: dict[str, object] = {
            "active": True,
            "client_id": grant.client_id,
            "scope": " ".join(registered(grant.scope, caller)),
        }
        return told | {"iss": self._provider.settings.issuer, "exp": grant.expires_at}
