"""The hint that an ID token of ours gives about whom a client means (`id_token_hint`), at sign-in and at logout.

Promises: only a token that we signed is believed; an expired one still tells (OpenID Connect Core §3.1.2.1).
"""

from typing import Any

from idp.keys.encryption import decrypt, is_encrypted
from idp.keys.jwt import TokenRejected, segment, verify
from idp.provider import Provider


def claims_of_hint(provider: Provider, id_token_hint: str) -> dict[str, Any]:
    """The claims of an ID token of ours, expired or not; TokenRejected if it is none."""
    if is_encrypted(id_token_hint):  # as a client may do that was given it encrypted (§3.1.2.1)
        id_token_hint = decrypt(id_token_hint, provider.keyring.decrypting())
    keys = provider.keyring.all()  # a session may outlive the key that signed its first ID token
    claims = verify(id_token_hint, [key.public_jwk for key in keys], algorithms=sorted({key.alg for key in keys}))
    if claims.get("iss") != provider.settings.issuer:
        raise TokenRejected("another issuer")
    # An access token, which APIs see, or a logout token; and what userinfo signed, which has no end.
    if segment(id_token_hint, 0).get("typ") != "JWT" or "exp" not in claims:
        raise TokenRejected("another kind of token")
    return claims
