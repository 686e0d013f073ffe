"""An authorization request as the simulated itsme reads it, and what it refuses of one.

Promises: what is wrong with client or address is told on a page, what is wrong with the rest to the relying party, as
the real one does. Must not know: who answers, or how.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demo.itsme.accounts import CLAIM
from demo.itsme.client import Client

ACRS = (f"{CLAIM}acr_basic", f"{CLAIM}acr_advanced")
"""The weaker first: of those that are asked the strongest counts."""
LANGUAGES = ("fr", "nl", "de", "en")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class NobodyAsks(Exception):
    """Client or address are not registered: nothing may be sent there; the message is for a page."""


class RequestRefused(Exception):
    """The request is refused; `code` is told to the relying party, the message to its developer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Asked:
    """What is asked of a person."""

    state: str
    nonce: str
    scope: frozenset[str]
    acr: str
    code_challenge: str
    claims: Mapping[str, Any]
    language: str


def check_addressee(parameters: Mapping[str, str], client: Client) -> None:
    """Pass a request of the registered client for its registered address; NobodyAsks otherwise."""
    if parameters.get("client_id") != client.client_id:
        raise NobodyAsks("client_id is not known here")
    if parameters.get("redirect_uri") != client.redirect_uri:
        raise NobodyAsks("redirect_uri is not, letter for letter, the registered one")


def read_request(parameters: Mapping[str, str], client: Client) -> Asked:
    """What the request asks; RequestRefused if it may not be asked so."""
    scope = frozenset(parameters.get("scope", "").split())
    acrs = parameters.get("acr_values", ACRS[0]).split()
    checks = (
        (parameters.get("response_type") == "code", "unsupported_response_type", "response_type must be code"),
        ("openid" in scope, "invalid_scope", "scope must hold openid"),
        (codes_in(scope) == [client.service], "invalid_scope", "scope must hold the registered service"),
        (bool(parameters.get("state")), "invalid_request", "state is missing"),
        (bool(parameters.get("nonce")), "invalid_request", "nonce is missing"),
        (all(acr in ACRS for acr in acrs), "invalid_request", "acr_values holds what is not known here"),
        (parameters.get("code_challenge_method") == "S256", "invalid_request", "PKCE with S256 is required"),
        (bool(CHALLENGE.fullmatch(parameters.get("code_challenge", ""))), "invalid_request", "code_challenge is none"),
    )
    for holds, code, message in checks:
        if not holds:
            raise RequestRefused(code, message)
    return Asked(
        state=parameters["state"],
        nonce=parameters["nonce"],
        scope=scope,
        acr=max(acrs, key=ACRS.index),
        code_challenge=parameters["code_challenge"],
        claims=read_claims(parameters.get("claims", "{}")),
        language=next((one for one in parameters.get("ui_locales", "").split() if one in LANGUAGES), "nl"),
    )


def codes_in(scope: frozenset[str]) -> list[str]:
    """The codes of the services that a scope names."""
    return [one.removeprefix("service:") for one in scope if one.startswith("service:")]


def read_claims(text: str) -> Mapping[str, Any]:
    """The `claims` parameter (OpenID Connect Core §5.5); RequestRefused if it is none."""
    try:
        claims = json.loads(text)
    except ValueError:
        claims = None
    if not isinstance(claims, dict) or not all(isinstance(value, dict) for value in claims.values()):
        raise RequestRefused("invalid_request", "claims must be an object of objects")
    if not claims.keys() <= {"id_token", "userinfo"}:
        raise RequestRefused("invalid_request", "claims may hold id_token and userinfo")
    return claims
