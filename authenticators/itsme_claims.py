"""What an ID token of itsme has to say before anybody is believed to be there: pure checks of claims.

Promises: each way to fail has a sentence of its own for the log, which repeats nothing of the token. Takes values,
keeps nothing. Must not know: how a token was opened, attempts, stores.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authenticators.upstream import UpstreamFailed
from idp.authenticator import Identification

CLAIM = "http://itsme.services/v2/claim/"
BASIC, ADVANCED = f"{CLAIM}acr_basic", f"{CLAIM}acr_advanced"
NATIONAL_NUMBER = f"{CLAIM}BENationalNumber"
DIGITS = re.compile("[0-9]{11}", re.ASCII)
LEEWAY_SECONDS = 60
LONGEST_LIFE = 3600
"""No ID token of itsme lives so long: one that does was not made for a sign-in."""
LATEST = 2**40
LONGEST_NAME = 200


@dataclass(frozen=True)
class Expected:
    """What the token must be for: who issued it, who asked, in which sign-in, and how sure it must be."""

    issuer: str
    client_id: str
    nonce: str
    is_advanced: bool = False


def check_id_token(claims: Mapping[str, Any], expected: Expected, *, now: float) -> None:
    """Pass the claims of an ID token that was made for this sign-in, just now; UpstreamFailed otherwise."""
    checks = (
        (claims.get("iss") == expected.issuer, "it comes from another issuer"),
        (is_for(claims, expected.client_id), "it is meant for another"),
        (claims.get("nonce") == expected.nonce, "it belongs to another sign-in"),
        (bool(name_of(claims.get("sub"))), "it names nobody"),
        (is_timely(claims, now), "it is too old, or not valid yet"),
        (is_sure(claims.get("acr"), expected), "it proves less than was asked"),
    )
    for holds, sentence in checks:
        if not holds:
            raise UpstreamFailed(f"ID token: {sentence}")


def identification_of(claims: Mapping[str, Any]) -> Identification:
    """Who the claims name; UpstreamFailed where they name no Belgian number, as for a foreign document."""
    number, given, family = (claims.get(name) for name in (NATIONAL_NUMBER, "given_name", "family_name"))
    if not isinstance(number, str) or not DIGITS.fullmatch(number):
        raise UpstreamFailed("ID token: it holds no national number")
    return Identification(number, name_of(given), name_of(family))


def is_for(claims: Mapping[str, Any], client_id: str) -> bool:
    """Whether we alone are the audience (OpenID Connect Core §3.1.3.7: others in it we would have to trust)."""
    return claims.get("aud") in (client_id, [client_id]) and claims.get("azp", client_id) == client_id


def is_timely(claims: Mapping[str, Any], now: float) -> bool:
    """Whether the token was made just now and has not ended, give or take a minute."""
    issued_at, expires_at = moment(claims.get("iat")), moment(claims.get("exp"))
    begins_at = moment(claims.get("nbf", 0))
    if issued_at is None or expires_at is None or begins_at is None:
        return False
    is_begun = max(issued_at, begins_at) - LEEWAY_SECONDS <= now
    return is_begun and now < expires_at + LEEWAY_SECONDS and now - issued_at < LONGEST_LIFE


def is_sure(acr: object, expected: Expected) -> bool:
    """Whether the person proved as much as was asked.

    Each use of itsme is at least basic, and its documented tokens hold no `acr`: its absence says nothing. But what was
    asked went through the browser, where it could be lowered; so the advanced kind has to be stated.
    """
    return acr == ADVANCED if expected.is_advanced else acr in (None, BASIC, ADVANCED)


def moment(value: object) -> float | None:
    """A time as JSON has it: a number that may be one, and no truth value; None for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if 0 <= value < LATEST else None


def name_of(value: object) -> str:
    """A name as we show it; empty for what is none."""
    return " ".join(value.split())[:LONGEST_NAME] if isinstance(value, str) else ""
