"""The public keys of clients: those that they registered, or those at their `jwks_uri`, fetched and held.

Promises: a client may change its keys without telling us, by giving the new one a new name; nobody makes us fetch a key
set more than once a minute, and nobody waits for a slow one but the request that fetches it; a set that cannot be
fetched is trusted for a day at most; no client pushes another's keys out of memory. Must not know: what was signed.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

import msgspec

from idp.clients import Client
from idp.fetching import Fetcher, FetchingBusy
from idp.keys.encryption import key_for
from idp.keys.jwt import MOST_KEYS, TokenRejected, is_public_key, named_key, unverified_header, verify
from idp.outbound import OutboundFailed
from idp.recent import Recent
from idp.store import Clock

log = logging.getLogger(__name__)

FRESH_SECONDS = 3600
STALE_SECONDS = 86400
LOOK_SECONDS = 60
WAIT_SECONDS = 0.5
"""How long requests wait for what another fetches. Once one has waited in vain, no other does: a host of a client must
not hold more threads than the one that fetches."""
MOST_SETS = 1000
"""Key sets held at most, of clients that registered themselves, and as many of others: strangers push out strangers."""

Keys = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class HeldSet:
    """A key set as it was fetched, from where, and when we last looked."""

    uri: str
    keys: Keys
    fetched_at: float
    looked_at: float


@dataclass
class Look:
    """A fetch that is under way."""

    done: Event = field(default_factory=Event)
    is_slow: bool = False

    def wait(self) -> None:
        """Wait for its end, unless it is known to be slow."""
        if not self.is_slow and not self.done.wait(WAIT_SECONDS):
            self.is_slow = True


class ClientKeys:
    """Verifies what clients signed, and finds what to encrypt to."""

    def __init__(self, fetcher: Fetcher, clock: Clock) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._held: dict[bool, Recent[HeldSet]] = {is_stranger: Recent(MOST_SETS) for is_stranger in (False, True)}
        self._looks: dict[tuple[str, str], Look] = {}
        self._lock = Lock()

    def keys_of(self, client: Client, *, renewed: bool = False) -> Keys:
        """The client's keys, as they are held, or looked up anew if that was not done just now."""
        if client.jwks or not client.jwks_uri:
            return (client.jwks or {}).get("keys", [])
        return self._keys(client, oldest_at=self._clock() - (LOOK_SECONDS if renewed else FRESH_SECONDS))

    def verify(self, client: Client, token: str, *, algorithms: Sequence[str]) -> dict[str, Any]:
        """The claims of a token that this client signed by one of the algorithms; TokenRejected otherwise."""
        if client.jwks or not client.jwks_uri:
            return verify(token, signing_keys(client, (client.jwks or {}).get("keys", [])), algorithms=algorithms)
        kid = named_key(unverified_header(token))
        keys = self._keys(client, oldest_at=self._clock() - FRESH_SECONDS)
        # A name that we know needs no second look: whoever sends garbage must not make us fetch.
        if kid is None or kid not in {key.get("kid") for key in keys}:
            keys = self._keys(client, oldest_at=self._clock() - LOOK_SECONDS)
        return verify(token, signing_keys(client, keys), algorithms=algorithms)

    def encryption_key(self, client: Client, alg: str) -> Mapping[str, Any] | None:
        """The client's key to encrypt to by an algorithm; None if it has none, also not after a new look."""
        return key_for(self.keys_of(client), alg) or key_for(self.keys_of(client, renewed=True), alg)

    def _keys(self, client: Client, *, oldest_at: float) -> Keys:
        held = self._of(client)
        if held and held.looked_at > oldest_at:
            return self._usable(held)
        with self._lock:
            under_way = self._looks.get(named := (client.client_id, client.jwks_uri))
            mine = self._looks.setdefault(named, Look())
        if under_way:
            under_way.wait()
        else:
            self._look(client, mine, oldest_at=oldest_at)
        return self._usable(self._of(client))

    def _usable(self, held: HeldSet | None) -> Keys:
        return held.keys if held and held.fetched_at > self._clock() - STALE_SECONDS else ()

    def _look(self, client: Client, look: Look, *, oldest_at: float) -> None:
        try:
            held = self._of(client)  # again: another may have ended its look just before ours began
            if held is None or held.looked_at <= oldest_at:
                self._fetch(client, held)
        finally:
            with self._lock:
                self._looks.pop((client.client_id, client.jwks_uri), None)
            look.done.set()

    def _fetch(self, client: Client, held: HeldSet | None) -> None:
        now, uri = self._clock(), client.jwks_uri
        try:
            found = HeldSet(
                uri, parsed_set(self._fetcher.get(uri, is_stranger=client.is_self_registered).body), now, now
            )
        except FetchingBusy as busy:
            log.warning("key set not fetched: client=%s: %s", client.client_id, busy)
            return  # nobody has looked: the next request may
        except (OutboundFailed, TokenRejected) as failure:
            log.warning("key set not fetched: client=%s: %s", client.client_id, failure)
            found = HeldSet(uri, held.keys if held else (), held.fetched_at if held else 0, now)
        self._held[client.is_self_registered].put(client.client_id, found)

    def _of(self, client: Client) -> HeldSet | None:
        held = self._held[client.is_self_registered].get(client.client_id)
        return held if held and held.uri == client.jwks_uri else None


def parsed_set(body: bytes) -> Keys:
    """The keys of a key set; TokenRejected if it is none. A key that we cannot read is left (RFC 7517 §5)."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        raise TokenRejected("not a key set") from None
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list):
        raise TokenRejected("not a key set")
    return [key for key in keys[:MOST_KEYS] if is_public_key(key)]


def signing_keys(client: Client, keys: Keys) -> Keys:
    """The keys that a client may sign with: under a FAPI profile, EdDSA is Ed25519 alone (§5.4.1)."""
    return [key for key in for_signatures(keys) if not (client.is_fapi and key.get("crv") == "Ed448")]


def for_signatures(keys: Keys) -> Keys:
    """The keys that are not meant for encryption."""
    return [key for key in keys if key.get("use", "sig") == "sig"]
