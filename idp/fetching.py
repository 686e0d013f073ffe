"""What is fetched while somebody waits: key sets, request objects, sector lists of clients, in the thread of a request.

Promises: whatever hosts do, they hold two threads of a process, and those of strangers (clients that registered
themselves) one: a further fetch fails at once; an address where nobody answers is left alone for a minute, and so is a
host that was too slow, but what a stranger made fail is held against strangers alone. Must not know: what is fetched.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import BoundedSemaphore
from typing import Protocol
from urllib.parse import urlsplit

from idp.outbound import Fetched, OutboundFailed, OutboundRefused, OutboundTooSlow
from idp.recent import Recent
from idp.store import Clock

MOST_AT_ONCE = 2
MOST_OF_STRANGERS = 1
LEFT_ALONE_SECONDS = 60
MOST_REMEMBERED = 1000


class FetchingBusy(OutboundFailed):
    """Too much is being fetched just now; says nothing of the address, which may be tried again in a moment."""


class Outgoing(Protocol):
    """What goes out."""

    @property
    def apart(self) -> "Outgoing":
        """The same for strangers: names of theirs whose look-up hangs take no place of others."""
        ...

    def get(self, uri: str) -> Fetched:
        """Fetch; OutboundFailed if that cannot be done."""
        ...


class Fetcher(Protocol):
    """What fetches for a client."""

    def get(self, uri: str, *, is_stranger: bool) -> Fetched:
        """Fetch; OutboundFailed if that cannot be done."""
        ...


class Fetching:
    """Fetches within bounds."""

    def __init__(self, outbound: Outgoing, clock: Clock) -> None:
        self._outbound = outbound
        self._clock = clock
        self._places = BoundedSemaphore(MOST_AT_ONCE)
        self._strangers_places = BoundedSemaphore(MOST_OF_STRANGERS)
        self._failed_at: dict[bool, Recent[float]] = {is_one: Recent(MOST_REMEMBERED) for is_one in (False, True)}

    def get(self, uri: str, *, is_stranger: bool) -> Fetched:
        """Fetch; OutboundFailed if that cannot be done, or was tried in vain a moment ago."""
        failed_at = self._failed_at[is_stranger]
        if any(self._is_recent(failed_at.get(name)) for name in (uri, host_of(uri))):
            raise OutboundFailed("it failed a moment ago")
        outbound = self._outbound.apart if is_stranger else self._outbound
        try:
            with self._place(is_stranger=is_stranger):
                return outbound.get(uri)
        except (OutboundRefused, FetchingBusy):
            raise  # costs nothing: the developer who puts the page there need not wait
        except OutboundFailed as failure:
            failed_at.put(uri, self._clock())
            # A host is left alone for its slowness only: a wrong address of one client must not hide another's keys.
            if isinstance(failure, OutboundTooSlow):
                failed_at.put(host_of(uri), self._clock())
            raise

    @contextmanager
    def _place(self, *, is_stranger: bool) -> Iterator[None]:
        with ExitStack() as taken:
            for places in [self._strangers_places, self._places] if is_stranger else [self._places]:
                if not places.acquire(blocking=False):
                    raise FetchingBusy("too much is being fetched")
                taken.callback(places.release)
            yield

    def _is_recent(self, failed_at: float | None) -> bool:
        return failed_at is not None and 0 <= self._clock() - failed_at < LEFT_ALONE_SECONDS


def host_of(uri: str) -> str:
    """The host and port of an address; empty for what is none, which fails by itself."""
    try:
        return urlsplit(uri).netloc.lower()
    except ValueError:
        return ""
