"""What a client asks by CIBA: its parameters, plain or as a signed request (CIBA Core §7.1).

Promises: what is signed is for us, now, used once, and stands alone; each parameter is bounded and read once. Must not
know: who the person is, or how the client gets its answer.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idp.clients import Client
from idp.errors import InvalidRequest, InvalidScope, ProtocolError
from idp.flows.request_objects import date_fault, parameters_of, strict_date_fault, type_fault
from idp.keys.jwt import TokenRejected, admitted_algorithms, unverified_header
from idp.provider import Provider
from idp.store import Ticket
from idp.tickets import hash_of

OF_THE_CALL = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
"""What proves the client belongs to the call, and is no parameter of the request."""
HINTS = ("login_hint", "id_token_hint", "login_hint_token")
LONGEST_MESSAGE = 128
NOTIFICATION_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{22,1024}={0,2}", re.ASCII)
"""As a bearer token is sent (RFC 6750 §2.1), of 128 bits at least: 22 characters, were they all random."""
LONGEST_TOKEN = 1024
DEFAULT_SECONDS, MOST_SECONDS = 300, 600
LONGEST_JTI = 256
PLAIN = ("L", "N", "P", "Zs")
"""Letters, figures, punctuation and spaces: a picture could pass for one of ours, and a phone may show another."""


class UsedSignedRequest(Ticket, frozen=True, kw_only=True):
    """A signed request that was seen; its id is the hash of client and `jti`: a request serves once."""


class InvalidBindingMessage(ProtocolError):
    """The message cannot be shown as it is on both sides (CIBA Core §13)."""

    code = "invalid_binding_message"


@dataclass(frozen=True)
class BackchannelRequest:
    """What was asked: the parameters, and whether the client signed them."""

    parameters: Mapping[str, str]
    is_signed: bool = False

    def get(self, name: str) -> str:
        """A parameter; empty if it was not sent."""
        return self.parameters.get(name, "")

    @property
    def hint(self) -> tuple[str, str]:
        """The one hint of whom it is about: its name and value; InvalidRequest for none, or several."""
        sent = [(name, self.get(name)) for name in HINTS if self.get(name)]
        if len(sent) != 1:
            raise InvalidRequest("Send exactly one of login_hint and id_token_hint.")
        return sent[0]

    @property
    def seconds(self) -> int:
        """How long the person has; InvalidRequest if that is no number of seconds."""
        text = self.get("requested_expiry")
        if text and not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
            raise InvalidRequest("requested_expiry must be a positive number of seconds.")
        return min(int(text or DEFAULT_SECONDS), MOST_SECONDS)

    @property
    def message(self) -> str:
        """The message that both sides show; InvalidBindingMessage if it is long, or not plain text."""
        text = self.get("binding_message")
        if len(text) > LONGEST_MESSAGE or not all(is_plain(character) for character in text):
            raise InvalidBindingMessage("binding_message must be plain text of at most 128 characters.")
        return text

    def notification_token(self, client: Client) -> str:
        """What a client that wants to be told is told with; InvalidRequest if it is missing or none."""
        token = self.get("client_notification_token")
        if client.backchannel_token_delivery_mode != "ping":
            return ""
        if len(token) > LONGEST_TOKEN or not NOTIFICATION_TOKEN.fullmatch(token):
            raise InvalidRequest("client_notification_token must be a bearer token of 22 to 1024 characters.")
        return token


class BackchannelRequests:
    """Reads what clients ask."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._used = provider.store.repository(UsedSignedRequest)

    def read(self, form: Mapping[str, str], client: Client) -> BackchannelRequest:
        """The request; InvalidRequest if it is not signed as registered, or a parameter is none of ours."""
        sent = {name: value for name, value in form.items() if name not in OF_THE_CALL}
        signed = sent.pop("request", "")
        if signed:
            if sent:
                raise InvalidRequest("Every parameter must stand in the signed request (CIBA Core, section 7.1.1).")
            asked = BackchannelRequest(self._open(client, signed), is_signed=True)
        else:
            asked = BackchannelRequest(sent)
        if not signed and client.signs_backchannel_requests:
            raise InvalidRequest("The client has to sign its requests.")
        if asked.get("user_code"):
            raise InvalidRequest("user_code is not supported.")
        if "openid" not in asked.get("scope").split():
            raise InvalidScope("scope must hold openid.")
        return asked

    def _open(self, client: Client, signed: str) -> Mapping[str, str]:
        registered = client.backchannel_authentication_request_signing_alg
        algorithms = admitted_algorithms(registered, is_fapi=client.is_fapi)
        try:
            header = unverified_header(signed)
            claims = self._provider.client_keys.verify(client, signed, algorithms=algorithms)
        except TokenRejected as error:
            raise InvalidRequest("The request is not signed as registered.", detail=str(error)) from None
        fault = type_fault(header) or self._fault(client, claims)
        if fault:
            raise InvalidRequest(f"The signed request is not valid: {fault}.")
        return parameters_of(claims)

    def _fault(self, client: Client, claims: Mapping[str, Any]) -> str:
        audience, jti = claims.get("aud"), claims.get("jti")
        if claims.get("iss") != client.client_id or claims.get("client_id", client.client_id) != client.client_id:
            return "iss or client_id is another"
        if claims.get("sub") == client.client_id:  # else it could prove the client as well
            return "sub is the client"
        if self._provider.settings.issuer not in (audience if isinstance(audience, list) else [audience]):
            return "aud is another"
        if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI or "iat" not in claims:
            return "jti and iat are needed"
        now = self._provider.now()
        fault = date_fault(claims, now) or strict_date_fault(claims, now)
        if fault:
            return fault
        used = UsedSignedRequest(id=hash_of(f"{client.client_id} {jti}"), expires_at=int(claims["exp"]) + 61)
        return "" if self._used.add(used) else "jti was used before"


def is_plain(character: str) -> bool:
    """Whether a character looks the same everywhere."""
    return unicodedata.category(character).startswith(PLAIN)
