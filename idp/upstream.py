"""Calls to a provider that the operator chose to rely on, while a person waits for the answer.

Promises: however slow it is, a call takes six seconds at most, and four are made at once; a further one waits a second
for its turn, and fails. A failure is a ConnectionError, since whoever is handed this knows no error of ours. Must not
know: what is asked, or told.
"""

from collections.abc import Callable, Mapping, Sequence
from threading import BoundedSemaphore
from urllib.parse import urlencode, urlsplit

from idp.outbound import Fetched, Outbound, OutboundFailed
from idp.resolving import resolve
from idp.settings import LOOPBACK_HOSTS

MOST_AT_ONCE = 4
WAIT_SECONDS = 1.0
SILENCE_SECONDS = 4.0
TOTAL_SECONDS = 6.0
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class UpstreamCalls:
    """Calls one provider."""

    def __init__(self, outbound: Outbound, *, most: int = MOST_AT_ONCE) -> None:
        self._outbound = outbound
        self._free = BoundedSemaphore(most)

    def get(self, uri: str, *, bearer: str = "") -> bytes:
        """What stands there, shown to the holder of this token; ConnectionError if nothing does."""
        shown = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self._bounded(lambda: self._outbound.get(uri, headers=shown)).body

    def post(self, uri: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer to a form; ConnectionError if there is none."""
        answer = self._bounded(lambda: self._outbound.post(uri, body=urlencode(form).encode(), headers=FORM))
        return answer.status, answer.body

    def _bounded(self, call: Callable[[], Fetched]) -> Fetched:
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise ConnectionError("too much is being asked of it")
        try:
            return call()
        except OutboundFailed as failure:
            raise ConnectionError(str(failure)) from None
        finally:
            self._free.release()


def calls_to(issuer: str, allowed: frozenset[str]) -> UpstreamCalls:
    """Calls to the provider of this issuer: with what the operator opened, and its own port on this machine."""
    parts = urlsplit(issuer)
    own = frozenset({parts.netloc.lower()}) if parts.hostname in LOOPBACK_HOSTS else frozenset()
    return UpstreamCalls(Outbound(allowed | own, ipv4_first, timeout=SILENCE_SECONDS, total=TOTAL_SECONDS))


def ipv4_first(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, those of IPv4 first: what listens on this machine may do so on 127.0.0.1 alone."""
    return sorted(resolve(host, port), key=lambda address: ":" in address)
