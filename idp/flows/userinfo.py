"""The userinfo endpoint: what the client of an access token may know of the person, as it is today.

Promises: the claims of the token's scopes, from the same release as the ID token (OpenID Connect Core §5.3).
"""

import re
from collections.abc import Iterable, Mapping
from secrets import token_hex

import msgspec

from idp.clients import Client
from idp.errors import InvalidRequest, InvalidToken, ProtocolError
from idp.flows.envelopes import sealed
from idp.flows.presented import AccessTokens
from idp.flows.senders import Senders
from idp.http import Answer, Request, json_answer
from idp.keys.jwt import sign
from idp.keys.tokens import authentication_claims, token_type
from idp.provider import Provider

INTERACTION = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class TokenMissing(ProtocolError):
    """No token was sent: the answer names the scheme and no error (RFC 6750 §3.1)."""

    code = "invalid_request"
    status = 401


class TokenSentTwice(InvalidRequest):
    """The token came in more than one way (RFC 6750 §3.1)."""


class InsufficientUserAuthentication(ProtocolError):
    """The token is good, but the person signed in less surely than is asked by now (RFC 9470 §3)."""

    code = "insufficient_user_authentication"
    status = 401

    def __init__(self, acr_values: Iterable[str], *, scheme: str) -> None:
        super().__init__("A surer sign-in is needed.")
        members = {"error": self.code, "error_description": self.description, "acr_values": " ".join(acr_values)}
        told = ", ".join(f'{name}="{value}"' for name, value in members.items())
        self.headers = (("WWW-Authenticate", f"{scheme} {told}"),)


class InsufficientScope(ProtocolError):
    """The token is good, but not for this (RFC 6750 §3.1)."""

    code = "insufficient_scope"
    status = 403


class Userinfo:
    """`/op/v1/userinfo`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._tokens = AccessTokens(provider)
        self._senders = Senders(provider)

    def answer(self, request: Request) -> Answer:
        """The claims as JSON, or as the client has it a token; InvalidToken or InsufficientScope otherwise."""
        access_token = sent_token(request)
        presented = self._tokens.find(access_token)
        if presented is None or presented.authorization is None:
            self._check_level(request, access_token)
            raise InvalidToken("The access token is unknown, has expired or was withdrawn.")
        if not presented.is_for_its_client:  # an API that was sent it would learn what its client may know
            raise InvalidToken("The access token is meant for another.")
        self._senders.check(request, presented, access_token=access_token)
        if "openid" not in presented.scopes:
            raise InsufficientScope("The access token was given without openid.")
        authorization = presented.authorization
        told = authorization.in_userinfo(presented.scopes) | authentication_claims(authorization.grant)
        answer = self._told(told | {"sub": authorization.subject}, presented.client)
        return answer.with_headers(("X-FAPI-Interaction-Id", interaction_id(request)))

    def _check_level(self, request: Request, access_token: str) -> None:
        weak = self._tokens.too_weak(access_token)
        if weak is None or not weak.is_for_its_client:
            return
        self._senders.check(request, weak, access_token=access_token)
        levels = self._provider.levels
        surer = levels.offered((), minimum=levels.level(weak.client.minimum_acr))
        raise InsufficientUserAuthentication((key.means.urn for key in surer), scheme=token_type(weak.token.cnf))

    def _told(self, claims: Mapping[str, object], client: Client) -> Answer:
        alg = client.userinfo_signed_response_alg
        if not alg and not client.userinfo_encrypted_response_alg:
            return json_answer(claims)
        content: str | bytes = msgspec.json.encode(claims)
        if alg:  # a signed one says from whom it is and for whom (OpenID Connect Core §5.3.2)
            addressed = {**claims, "iss": self._provider.settings.issuer, "aud": client.client_id}
            content = sign(addressed, self._provider.keyring.signing_key(alg))
        body = sealed(self._provider, client, content=content, answer="userinfo")
        return Answer(200, (("Content-Type", "application/jwt"), ("Cache-Control", "no-store")), body.encode())


def sent_token(request: Request) -> str:
    """The token of the header or of the form, one of the two (RFC 6750 §2); TokenMissing if there is none."""
    in_header = request.bearer_token() or request.dpop_token()
    is_form = request.method == "POST" and request.content_type.startswith("application/x-www-form-urlencoded")
    in_form = request.form().get("access_token", "") if is_form else ""
    if in_header and in_form:
        raise TokenSentTwice("Send the access token in one way only.")
    if not in_header and not in_form:
        raise TokenMissing()
    return in_header or in_form


def interaction_id(request: Request) -> str:
    """By what both sides find one call again: the client's own UUID, else a new one (FAPI 1.0 Part 1 §6.2.1)."""
    sent = request.headers.get("x-fapi-interaction-id", "")
    return sent if sent and INTERACTION.fullmatch(sent) else new_uuid()


def new_uuid() -> str:
    """A random UUID (RFC 9562 §5.4), written without the library's detour by way of a number."""
    made = token_hex(16)
    return f"{made[:8]}-{made[8:12]}-4{made[13:16]}-a{made[17:20]}-{made[20:]}"
