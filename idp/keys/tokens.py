"""What stands in each token: the members of an ID token, and of what introspection and userinfo tell of one.

Promises: pure. Must not know: which claims a client may learn, or where tokens are kept.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256, sha512

import msgspec

from idp.records.grants import Grant

ACCESS_TOKEN_TYPE = "at+jwt"
"""What sets an access token apart from an ID token that the same key signed (RFC 9068 §2.1)."""


class Lifetime(msgspec.Struct, frozen=True):
    """From when to when a token lives, in whole seconds since the epoch."""

    issued_at: int
    expires_at: int

    @property
    def seconds(self) -> int:
        """What `expires_in` tells."""
        return self.expires_at - self.issued_at


def lifetime(now: int, seconds: int, *, right_ends_at: int | None) -> Lifetime:
    """So many seconds from now, cut where the right ends that the token tells of."""
    ends_at = now + seconds
    return Lifetime(now, ends_at if right_ends_at is None else max(now, min(ends_at, right_ends_at)))


def token_type(cnf: Mapping[str, str]) -> str:
    """How a token is to be sent: with a proof, or as it is, be it over a connection that proves its own key."""
    return "DPoP" if "jkt" in cnf else "Bearer"


def authentication_claims(grant: Grant) -> dict[str, object]:
    """How and when the person had signed in (OpenID Connect Core §2)."""
    return {"acr": grant.acr, "amr": list(grant.methods), "auth_time": grant.auth_time}


def id_token_claims(grant: Grant, life: Lifetime, *, issuer: str, subject: str) -> dict[str, object]:
    """The protocol's members of an ID token (OpenID Connect Core §2), without `nonce` and `at_hash`."""
    return authentication_claims(grant) | {
        "iss": issuer,
        "sub": subject,
        "aud": grant.client_id,
        "azp": grant.client_id,
        "exp": life.expires_at,
        "iat": life.issued_at,
        "sid": grant.sid,
    }


def at_hash(access_token: str, alg: str) -> str:
    """The left half of the token's hash, by the algorithm of the signature (OpenID Connect Core §3.1.3.6)."""
    digest = sha512(access_token.encode()) if alg == "EdDSA" else sha256(access_token.encode())
    half = digest.digest()[: digest.digest_size // 2]
    return urlsafe_b64encode(half).rstrip(b"=").decode("ascii")
