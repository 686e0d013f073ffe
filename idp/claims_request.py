"""The `claims` parameter: which claims a client asks for one by one (OpenID Connect Core §5.5).

Promises: what is kept is small and flat, whatever was sent; members that nobody knows are left alone, as §5.5.1 has it.
Must not know: persons, scopes, or which claims a client may have.
"""

from collections.abc import Mapping

import msgspec

from idp.errors import InvalidRequest

MAXIMUM_CLAIMS = 8 * 1024
MAXIMUM_NAMES = 100

Value = str | bool | int | float
Wanted = Mapping[str, tuple[Value, ...]]
"""The claims that are asked, each with the values that would do (none named: any)."""


class ClaimWish(msgspec.Struct, frozen=True):
    """What is said of one claim. That it is essential matters for `acr` alone: no other claim's absence is an error."""

    essential: bool = False
    value: Value | None = None
    values: tuple[Value, ...] | None = None

    @property
    def admitted(self) -> tuple[Value, ...]:
        """The values that would do; none named means any."""
        single = () if self.value is None else (self.value,)
        return (*single, *(self.values or ()))


class SentClaims(msgspec.Struct, frozen=True):
    """The parameter as it is sent."""

    id_token: dict[str, ClaimWish | None] | None = None
    userinfo: dict[str, ClaimWish | None] | None = None


class ClaimsRequest(msgspec.Struct, frozen=True):
    """What is kept: the claims wanted in each place, and the means of sign-in that alone would do (`acr`)."""

    id_token: dict[str, tuple[Value, ...]] = {}
    userinfo: dict[str, tuple[Value, ...]] = {}
    essential_acrs: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Every claim that is asked, wherever."""
        return frozenset(self.id_token) | frozenset(self.userinfo)


NO_CLAIMS = ClaimsRequest()


def parse_claims(text: str) -> ClaimsRequest:
    """What the parameter asks; InvalidRequest if it is no such object, or larger than any well-meant one."""
    if not text:
        return NO_CLAIMS
    if len(text) > MAXIMUM_CLAIMS:
        raise InvalidRequest("claims is too long.")
    try:
        sent = msgspec.json.decode(text, type=SentClaims)
    except (ValueError, RecursionError):  # not JSON, of another shape, or nested without end
        raise InvalidRequest("claims must be a JSON object as OpenID Connect Core, section 5.5, has it.") from None
    if len(sent.id_token or ()) + len(sent.userinfo or ()) > MAXIMUM_NAMES:
        raise InvalidRequest("claims asks too many claims.")
    return ClaimsRequest(wanted(sent.id_token), wanted(sent.userinfo), essential_acrs(sent))


def wanted(wishes: Mapping[str, ClaimWish | None] | None) -> dict[str, tuple[Value, ...]]:
    """Each claim that is asked with the values that would do."""
    return {name: wish.admitted if wish else () for name, wish in (wishes or {}).items()}


def essential_acrs(sent: SentClaims) -> tuple[str, ...]:
    """The means of which one must have been used (§5.5.1.1); none if `acr` is not asked as essential, by value."""
    wish = (sent.id_token or {}).get("acr")
    return tuple(str(value) for value in wish.admitted) if wish and wish.essential else ()


def acrs_asked(claims: ClaimsRequest) -> tuple[str, ...]:
    """The means that are wanted but not essential: they count as `acr_values` do (§5.5.1.1)."""
    return () if claims.essential_acrs else tuple(str(value) for value in claims.id_token.get("acr", ()))


def subject_asked(claims: ClaimsRequest) -> str:
    """The one person of whom the answer may be (§5.5.1); empty if none is named."""
    asked = (*claims.id_token.get("sub", ()), *claims.userinfo.get("sub", ()))
    return str(asked[0]) if asked else ""


def is_admitted(told: object, values: tuple[Value, ...]) -> bool:
    """Whether a claim's value is one of those asked, or holds one; any will do where none was named."""
    held = told if isinstance(told, list) else [told]
    return not values or any(value in held for value in values)
