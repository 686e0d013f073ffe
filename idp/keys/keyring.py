"""The keyring: which key signs now, which ones decrypt, and which are published.

Promises: a key is published a while before it signs and as long after as a token that it signed may live, so that no
relying party ever meets a key that it could not have fetched. Decided from times alone. Must not know: what is signed.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from idp.clients import SIGNING_ALGORITHMS
from idp.keys.encryption import KEY_KINDS, EncryptionKey
from idp.keys.jwt import SigningKey
from idp.store import Clock

Key = SigningKey | EncryptionKey
AnyKey = TypeVar("AnyKey", SigningKey, EncryptionKey)

ALGORITHMS = (*SIGNING_ALGORITHMS, *KEY_KINDS)
"""What there is a key for, at any time."""

ANNOUNCE_SECONDS = 24 * 3600
"""A new key stands in the key set this long before it signs: longer than any well-behaved cache."""
DECRYPTING_SECONDS = 7 * 24 * 3600
"""A key that is no longer published still decrypts for so long, what was encrypted to it by an old key set."""


class KeyRecords(Protocol):
    """Where keys are kept."""

    def all(self) -> tuple[Key, ...]:
        """Every key, oldest first."""
        ...

    def make(self, alg: str, *, active_at: int) -> Key:
        """Make and keep a new key."""
        ...

    def make_if(self, is_due: Callable[[Sequence[Key]], str], *, active_at: int) -> Key | None:
        """Make a new key of the algorithm that is due, unless another worker does; None if none is."""
        ...


class Keyring:
    """The keys of one issuer; `token_seconds` is the longest that a signed token lives."""

    def __init__(
        self, records: KeyRecords, clock: Clock, *, token_seconds: int, algorithms: Sequence[str] = ALGORITHMS
    ) -> None:
        self._records = records
        self.algorithms = algorithms
        self._clock = clock
        self._token_seconds = token_seconds

    def signing_key(self, alg: str) -> SigningKey:
        """The key that signs now with this algorithm."""
        return current(self._records.all(), alg, now=self._clock())

    def published(self) -> tuple[Key, ...]:
        """Every key that a relying party may need: next and current, and those that signed while their tokens live."""
        now, decrypting = self._clock(), lasting(self._encryption_keys(), self._clock(), seconds=0)
        return (*lasting(self.all(), now, seconds=self._token_seconds), *decrypting)

    def decrypting(self) -> tuple[EncryptionKey, ...]:
        """The keys that what clients encrypt may be encrypted to: also those replaced a while ago."""
        return lasting(self._encryption_keys(), self._clock(), seconds=DECRYPTING_SECONDS)

    def all(self) -> tuple[SigningKey, ...]:
        """Every key that we ever signed with, or will: for tokens that come back to us, however old."""
        return tuple(key for key in self._records.all() if isinstance(key, SigningKey))

    def _encryption_keys(self) -> tuple[EncryptionKey, ...]:
        return tuple(key for key in self._records.all() if isinstance(key, EncryptionKey))

    def make_first(self) -> None:
        """At first start: a key of each algorithm that signs at once, since nobody can hold an older key set yet."""
        known = {key.alg for key in self._records.all()}
        for alg in self.algorithms:
            if alg not in known:
                self._records.make(alg, active_at=int(self._clock()))

    def rotate_due(self, *, seconds: int) -> Key | None:
        """Announce a successor for one algorithm whose youngest key has served for so long; None if none has."""
        now = int(self._clock())
        return self._records.make_if(
            lambda keys: due_alg(keys, self.algorithms, now=now, seconds=seconds), active_at=now + ANNOUNCE_SECONDS
        )

    def rotate(self, alg: str) -> Key:
        """Announce the next key of an algorithm; it signs once every relying party could have fetched it."""
        return self._records.make(alg, active_at=int(self._clock()) + ANNOUNCE_SECONDS)


def current(keys: Sequence[Key], alg: str, *, now: float) -> SigningKey:
    """The youngest active key of the algorithm, or its first where none is active yet; LookupError if it has none."""
    candidates = [key for key in keys if key.alg == alg and isinstance(key, SigningKey)]
    if not candidates:
        raise LookupError(f"no key for {alg}")
    active = [key for key in candidates if key.active_at <= now]
    return max(active, key=lambda key: key.active_at) if active else min(candidates, key=lambda key: key.active_at)


def due_alg(keys: Sequence[Key], algorithms: Sequence[str], *, now: float, seconds: int) -> str:
    """The first algorithm that has no key, or whose youngest has served for so long; empty if there is none."""
    youngest = dict.fromkeys(algorithms, -seconds)
    youngest |= {key.alg: key.active_at for key in sorted(keys, key=lambda key: key.active_at)}
    return next((alg for alg, active_at in sorted(youngest.items()) if now >= active_at + seconds), "")


def lasting(keys: Sequence[AnyKey], now: float, *, seconds: int) -> tuple[AnyKey, ...]:
    """The keys that are still needed: all but those that were replaced so long ago."""
    return tuple(key for key in keys if now < retired_at(key, keys) + seconds)


def retired_at(key: Key, keys: Sequence[Key]) -> float:
    """When a younger key of the same algorithm takes over; never, if there is none."""
    younger = [other.active_at for other in keys if other.alg == key.alg and other.active_at > key.active_at]
    return min(younger, default=float("inf"))
