"""The hint that an ID token of ours gives about whom a client means (`id_token_hint`), at sign-in and at logout.

Promises: only a token that we signed is believed; an expired one still tells (OpenID Connect Core §3.1.2.1).
"""

from typing import Any

from idp.keys.jwt import TokenRejected, segment, verify
from idp.provider import Provider


def claims_of_hint(provider: Provider, id_token_hint: str) -> dict[str, Any]:
    """The claims of an ID token of ours, expired or not; TokenRejected if it is none."""
    keys = provider.keyring.all()  # a session may outlive the key that signed its first ID token
    claims = verify(id_token_hint, [key.public_jwk for key in keys], algorithms=sorted({key.alg for key in keys}))
    if claims.get("iss") != provider.settings.issuer:
        raise TokenRejected("another issuer")
    if segment(id_token_hint, 0).get("typ") != "JWT":  # an access token, which APIs see, or a logout token
        raise TokenRejected("another kind of token")
    return claims
