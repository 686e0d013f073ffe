"""Our keys towards the providers that we rely on ourselves: to prove who asks, and to open what they tell us.

Promises: keys of their own, so that nothing that we sign as a provider can be shown as ours as a client, or the other
way round; only a token that was signed by the other side and then encrypted to us is opened. A refusal is a ValueError,
since whoever is handed this knows no error of ours. Must not know: which provider, or what any claim means.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from idp.keys.encryption import RSA_ALGORITHMS, decrypt, is_encrypted
from idp.keys.jwt import TokenRejected, sign, unverified_header, verify
from idp.keys.keyring import Keyring

SIGNING, DECRYPTING = "RS256", "RSA-OAEP"
UPSTREAM_ALGORITHMS = (SIGNING, DECRYPTING)


class UpstreamJose:
    """Signs assertions, and opens nested tokens."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The claims as a token that we signed."""
        return sign(claims, self._keyring.signing_key(SIGNING))

    def open(self, token: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The claims of a token that was signed by one of these keys and then encrypted to us; else ValueError."""
        try:
            if not is_encrypted(token):
                raise TokenRejected("it is not encrypted")
            if unverified_header(token).get("alg") not in RSA_ALGORITHMS:
                raise TokenRejected("it is encrypted by another algorithm")
            return verify(decrypt(token, self._keyring.decrypting()), keys, algorithms=(SIGNING,))
        except TokenRejected as refusal:
            raise ValueError(str(refusal)) from None
