"""Refresh tokens: each names its Grant and its place in the family, under a hash that only we can make.

Promises: nothing of one is kept, so that nothing can be stolen; the same place always has the same token, so that a
client that lost our answer is given it again; what nobody was given is no token. Must not know: who presents one.
"""

from hmac import compare_digest
from typing import Protocol

import msgspec

PURPOSE = "refresh token"
LONGEST = 200
SEPARATOR = "~"


class Hasher(Protocol):
    """Makes keyed hashes under the master key."""

    def keyed_hash(self, value: str, *, purpose: str) -> str:
        """A hash in hex that nobody can compute without the master key."""
        ...


class RefreshToken(msgspec.Struct, frozen=True):
    """What a token says of itself: its Grant, and how many came before it (0 for the first)."""

    grant_id: str
    number: int

    @property
    def successor(self) -> "RefreshToken":
        """The one that takes its place."""
        return RefreshToken(self.grant_id, self.number + 1)


class RefreshTokens:
    """Writes and reads refresh tokens."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher

    def write(self, token: RefreshToken) -> str:
        """The token as its client gets it."""
        named = f"{token.number}{SEPARATOR}{token.grant_id}"
        return f"{named}{SEPARATOR}{self._hasher.keyed_hash(named, purpose=PURPOSE)}"

    def read(self, secret: str) -> RefreshToken | None:
        """What a token says of itself; None if it is none of ours."""
        number, _, rest = secret.partition(SEPARATOR)
        if len(secret) > LONGEST or not (number.isascii() and number.isdecimal()):
            return None
        token = RefreshToken(rest.rpartition(SEPARATOR)[0], int(number))
        # The whole is compared with what we would write: no other spelling of the same token passes.
        return token if compare_digest(self.write(token).encode(), secret.encode("utf-8", "replace")) else None
