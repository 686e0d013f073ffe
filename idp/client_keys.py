"""The public keys of clients: those that they registered, or those at their `jwks_uri`, fetched and held.

Promises: a client may change its keys without telling us, by giving the new one a new name; nobody makes us fetch a key
set more than once a minute; a set that cannot be fetched is trusted for a day at most. Must not know: what was signed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

import msgspec

from idp.clients import Client
from idp.keys.jwt import MOST_KEYS, TokenRejected, is_public_key, named_key, unverified_header, verify
from idp.outbound import Fetched, OutboundFailed
from idp.store import Clock

FRESH_SECONDS = 3600
STALE_SECONDS = 86400
LOOK_SECONDS = 60
MOST_SETS = 1000
"""Key sets held at most, so that many registrations do not fill our memory."""

Keys = Sequence[Mapping[str, Any]]


class Fetcher(Protocol):
    """What goes out to others."""

    def get(self, uri: str) -> Fetched:
        """Fetch; OutboundFailed if that cannot be done."""
        ...


@dataclass(frozen=True)
class HeldSet:
    """A key set as it was fetched, and when we last looked."""

    keys: Keys
    fetched_at: float
    looked_at: float


class ClientKeys:
    """Verifies what clients signed."""

    def __init__(self, outbound: Fetcher, clock: Clock) -> None:
        self._outbound = outbound
        self._clock = clock
        self._held: dict[str, HeldSet] = {}
        self._locks: dict[str, Lock] = {}

    def keys_of(self, client: Client, *, renewed: bool = False) -> Keys:
        """The client's keys, as they are held, or looked up anew if that was not done just now."""
        if client.jwks or not client.jwks_uri:
            return (client.jwks or {}).get("keys", [])
        return self._keys(client.jwks_uri, oldest_at=self._clock() - (LOOK_SECONDS if renewed else FRESH_SECONDS))

    def verify(self, client: Client, token: str, *, algorithms: Sequence[str]) -> dict[str, Any]:
        """The claims of a token that this client signed by one of the algorithms; TokenRejected otherwise."""
        if client.jwks or not client.jwks_uri:
            return verify(token, for_signatures((client.jwks or {}).get("keys", [])), algorithms=algorithms)
        kid = named_key(unverified_header(token))
        keys = self._keys(client.jwks_uri, oldest_at=self._clock() - FRESH_SECONDS)
        # A name that we know needs no second look: whoever sends garbage must not make us fetch.
        if kid is None or kid not in {key.get("kid") for key in keys}:
            keys = self._keys(client.jwks_uri, oldest_at=self._clock() - LOOK_SECONDS)
        return verify(token, keys, algorithms=algorithms)

    def _keys(self, uri: str, *, oldest_at: float) -> Keys:
        held = self._held.get(uri)
        if held and held.looked_at > oldest_at:
            return held.keys
        with self._locks.setdefault(uri, Lock()):  # twenty at once wait for one fetch
            held = self._held.get(uri)
            if held is None or held.looked_at <= oldest_at:
                held = self._looked(uri, held)
            return held.keys

    def _looked(self, uri: str, held: HeldSet | None) -> HeldSet:
        now = self._clock()
        try:
            found = HeldSet(parsed_set(self._outbound.get(uri).body), now, now)
        except (OutboundFailed, TokenRejected):
            usable = held is not None and held.fetched_at > now - STALE_SECONDS
            found = HeldSet(held.keys if held and usable else (), held.fetched_at if held else 0, now)
        while len(self._held) >= MOST_SETS and uri not in self._held:
            oldest = next(iter(self._held))
            self._held.pop(oldest, None)
            self._locks.pop(oldest, None)
        self._held[uri] = found
        return found


def parsed_set(body: bytes) -> Keys:
    """The signing keys of a key set; TokenRejected if it is none. A key that we cannot read is left (RFC 7517 §5)."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        raise TokenRejected("not a key set") from None
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list):
        raise TokenRejected("not a key set")
    return for_signatures([key for key in keys[:MOST_KEYS] if is_public_key(key)])


def for_signatures(keys: Keys) -> Keys:
    """The keys that are not meant for encryption."""
    return [key for key in keys if key.get("use", "sig") == "sig"]
