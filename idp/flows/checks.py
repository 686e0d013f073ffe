"""The checks on an authorization request, one function each, in the order in which they run.

Promises: a failed check of ADDRESSEE is shown on a page, since there is no address yet that may be trusted; a failure
after it goes back to the application. No check changes anything. Must not know: sessions, pages, stores.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from idp.claims_request import parse_claims
from idp.clients import Client
from idp.errors import (
    InvalidRequest,
    InvalidScope,
    ProtocolError,
    UnauthorizedClient,
    UnsupportedResponseMode,
    UnsupportedResponseType,
)

RESPONSE_MODES = ("query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt")
LONGEST = {
    **{"state": 4096, "nonce": 1024, "scope": 4096, "acr_values": 2048, "login_hint": 2048, "ui_locales": 256},
    **{"resource": 2048, "audience": 200},
}
MAXIMUM_REQUEST = 8 * 1024
"""What anybody may make us keep, in bytes; what a client has signed or pushed is bounded elsewhere."""
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class UnknownAddressee(InvalidRequest):
    """We do not know who asks or where an answer may go; shown on a page, never sent on (RFC 9700 §4.11)."""


class InvalidRequestObject(ProtocolError):
    """A request object is not signed as its client is registered, or not for us, or not now (RFC 9101 §6.1)."""

    code = "invalid_request_object"


class InvalidRequestUri(ProtocolError):
    """What `request_uri` names cannot be had, or is not a request of this client (RFC 9101 §6.2, RFC 9126 §4)."""

    code = "invalid_request_uri"


class RegistrationNotSupported(ProtocolError):
    """Self-issued registration has no place here."""

    code = "registration_not_supported"


@dataclass(frozen=True)
class Asked:
    """An authorization request as it came, with the client that it names (None if unknown).

    A parameter that stood more than once is not there; `has_repeated` says that there was one. `pushed` names the
    pushed request that it was unpacked from (empty if none), `is_signed` says that it came as a request object, and
    `fault` why it could not be unpacked.
    """

    parameters: Mapping[str, str]
    client: Client | None
    has_repeated: bool = False
    pushed: str = ""
    is_signed: bool = False
    fault: ProtocolError | None = None

    def get(self, name: str) -> str:
        """A parameter; empty if it was not sent."""
        return self.parameters.get(name, "")

    @property
    def size(self) -> int:
        """How many bytes would have to be kept of it."""
        return sum(len(name) + len(value.encode(errors="replace")) for name, value in self.parameters.items())

    @property
    def asker(self) -> Client:
        """The client; only after the ADDRESSEE checks have passed."""
        if self.client is None:
            raise UnknownAddressee("The application is not known here.")
        return self.client


Check = Callable[[Asked], None]


def client_is_known(asked: Asked) -> None:
    """An unknown client gets no answer at its address."""
    if asked.client is None:
        raise UnknownAddressee("The application is not known here.")


def redirect_uri_is_registered(asked: Asked) -> None:
    """The one check that keeps a code from a thief (RFC 9700 §2.1)."""
    if not asked.get("redirect_uri"):
        if asked.fault:
            raise asked.fault
        raise UnknownAddressee("The application gave no address to return to.")
    if not asked.asker.has_redirect_uri(asked.get("redirect_uri")):
        raise UnknownAddressee("The address to return to is not registered.")


def response_mode_is_supported(asked: Asked) -> None:
    """The mode comes first: it says how every later failure is told."""
    if asked.get("response_mode") not in ("", *RESPONSE_MODES):
        raise UnsupportedResponseMode("response_mode must be query, fragment or form_post, or one of these with .jwt.")


def no_parameter_is_repeated(asked: Asked) -> None:
    """Which of the two was meant, nobody can tell (RFC 6749 §3.1)."""
    if asked.has_repeated:
        raise InvalidRequest("A parameter is given more than once.")


def what_was_packed_is_sound(asked: Asked) -> None:
    """A request that names another, or holds one, stands and falls with it."""
    if asked.fault:
        raise asked.fault


def request_is_pushed_where_required(asked: Asked) -> None:
    """A client registered so sends nothing by the browser but a name (RFC 9126 §6)."""
    if asked.asker.needs_pushed_requests and not asked.pushed:
        raise InvalidRequest("The application has to push its requests.")


def request_is_signed_where_required(asked: Asked) -> None:
    """A client registered so signs what it asks, so that nobody can change it on the way (RFC 9101 §10.5)."""
    if asked.asker.needs_signed_requests and not asked.is_signed:
        raise InvalidRequest("The application has to sign its requests.")


def answer_is_signed_where_required(asked: Asked) -> None:
    """Who is held to message signing gets no answer that anybody could have made up (FAPI 2.0 Message Signing §5.4)."""
    if asked.asker.signs_messages and not asked.get("response_mode").endswith("jwt"):
        raise InvalidRequest("The application has to ask for a signed answer: response_mode jwt.")


def values_are_short(asked: Asked) -> None:
    """A request may have to be kept for an hour, for anybody who sends one: what is kept has to be small."""
    kept = asked.size - len(asked.get("id_token_hint"))  # read, and not kept
    if kept > MAXIMUM_REQUEST and not (asked.pushed or asked.is_signed):
        raise InvalidRequest("The request is larger than 8 kB: push it.")
    for name, longest in LONGEST.items():
        if len(asked.get(name)) > longest:
            raise InvalidRequest(f"{name} is too long.")


def no_registration_is_sent(asked: Asked) -> None:
    """Ignoring one would leave its sender in the belief that it counts (OpenID Connect Core §7.2.1)."""
    if asked.get("registration"):
        raise RegistrationNotSupported("Register the application first.")


def response_type_is_code(asked: Asked) -> None:
    """Tokens never travel in addresses (RFC 9700 §2.1.2)."""
    if not asked.get("response_type"):
        raise InvalidRequest("response_type is missing.")
    if asked.get("response_type") != "code":
        raise UnsupportedResponseType("response_type must be code.")


def client_may_use_codes(asked: Asked) -> None:
    """A client that is not registered for codes gets none."""
    if "authorization_code" not in asked.asker.grant_types:
        raise UnauthorizedClient("The application is not registered for authorization codes.")


def scope_is_allowed(asked: Asked) -> None:
    """More than is registered is refused before any key is asked; nothing is dropped in silence."""
    scopes = asked.get("scope").split()
    if not scopes:
        raise InvalidScope("scope is missing.")
    if set(scopes) - asked.asker.scopes:
        raise InvalidScope("The application may not ask all of these scopes.")


def code_challenge_is_sound(asked: Asked) -> None:
    """S256 only: a plain challenge is the verifier itself, for whoever reads the address (RFC 9700 §2.1.1)."""
    challenge, method = asked.get("code_challenge"), asked.get("code_challenge_method")
    if not challenge and (method or asked.asker.needs_pkce):
        raise InvalidRequest("code_challenge is missing: PKCE is required.")
    if challenge and method != "S256":
        raise InvalidRequest("code_challenge_method must be S256.")
    if challenge and not CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("code_challenge must be a base64url SHA-256: 43 characters.")


def dpop_jkt_is_a_thumbprint(asked: Asked) -> None:
    """A code bound to a garbled key could be used by nobody (RFC 9449 §10)."""
    if asked.get("dpop_jkt") and not CHALLENGE.fullmatch(asked.get("dpop_jkt")):
        raise InvalidRequest("dpop_jkt must be a base64url SHA-256: 43 characters.")


def prompt_is_consistent(asked: Asked) -> None:
    """Silence and a page cannot both be asked (OpenID Connect Core §3.1.2.1)."""
    prompts = asked.get("prompt").split()
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequest("prompt none stands alone.")


def claims_are_sound(asked: Asked) -> None:
    """What is asked claim by claim can be read; InvalidRequest otherwise."""
    parse_claims(asked.get("claims"))


def max_age_is_a_number(asked: Asked) -> None:
    """Ignoring a garbled one would pass off an old sign-in as a fresh one."""
    max_age = asked.get("max_age")
    if max_age and not (max_age.isascii() and max_age.isdecimal() and len(max_age) <= 9):
        raise InvalidRequest("max_age must be a whole number of seconds.")


ADDRESSEE: tuple[Check, ...] = (client_is_known, redirect_uri_is_registered)

REQUEST: tuple[Check, ...] = (
    response_mode_is_supported,
    no_parameter_is_repeated,
    what_was_packed_is_sound,
    request_is_pushed_where_required,
    request_is_signed_where_required,
    answer_is_signed_where_required,
    values_are_short,
    no_registration_is_sent,
    response_type_is_code,
    client_may_use_codes,
    scope_is_allowed,
    code_challenge_is_sound,
    dpop_jkt_is_a_thumbprint,
    prompt_is_consistent,
    max_age_is_a_number,
    claims_are_sound,
)


def hinted_identity(login_hint: str) -> str:
    """The identity that ACM's login_hint asks for, as an option's value (`EA:0999910147`, `EA:`); else empty.

    The hint is base64 of {"cap_hint": target group, "code_hint": organisation}; any other hint names a person.
    """
    try:
        hint = msgspec.json.decode(b64decode(login_hint + "=" * (-len(login_hint) % 4)))
    except (ValueError, RecursionError):  # not base64, not JSON, or nested without end
        return ""
    if not isinstance(hint, dict) or not isinstance(hint.get("cap_hint"), str):
        return ""
    code = hint.get("code_hint", "")
    return f"{hint['cap_hint']}:{code}" if isinstance(code, str) else ""
