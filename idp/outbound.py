"""The one way out: fetches and posts to addresses that clients gave us (key sets, request objects, logout, logos).

Promises: never reaches a private network (but the hosts that the operator opened), also not by a name that resolves to
one, since the address that was checked is the one that is connected to; follows no redirect; bounds the size, and the
time from the look-up of the name to the last byte. Must not know: what is fetched, or for whom.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from types import MappingProxyType
from urllib.parse import SplitResult

from idp.deadline import Deadline, nothing
from idp.destinations import Destinations, NotCallable, port_of
from idp.resolving import Resolve, Resolving, resolve

MAXIMUM_BODY = 64 * 1024
SILENCE_SECONDS = 2.0
"""How long the other side may stay silent."""
TOTAL_SECONDS = 3.0
"""How long all of it may take, however often the other side says something: a byte a second must not hold a thread."""


class OutboundFailed(Exception):
    """The other side cannot be reached, may not be, or does not answer as it should; the message is for the log."""


class OutboundTooSlow(OutboundFailed):
    """It did not answer in time."""


class OutboundRefused(OutboundFailed):
    """It answered at once that there is nothing to be had."""


@dataclass(frozen=True)
class Fetched:
    """What the other side answered: status, content type (lower case, without parameters) and body."""

    status: int
    content_type: str
    body: bytes


@cache
def usual_tls() -> ssl.SSLContext:
    """The authorities that this machine trusts: read once, since that takes longer than anything else at the start."""
    return ssl.create_default_context()


@dataclass(frozen=True)
class Outbound:
    """Calls others; `allowed` are what the operator opened, hosts or host:port (`idp/destinations.py`)."""

    allowed: frozenset[str] = frozenset()
    resolve: Resolve = resolve
    timeout: float = SILENCE_SECONDS
    total: float = TOTAL_SECONDS
    tls: ssl.SSLContext = field(default_factory=usual_tls)

    def get(self, uri: str, *, headers: Mapping[str, str] = MappingProxyType({})) -> Fetched:
        """Fetch; OutboundFailed unless the answer is 200. While somebody waits for it, `idp/fetching.py` is the way."""
        fetched = self._call("GET", uri, headers={"Accept": "application/json, application/jwt, */*", **headers})
        if fetched.status != http.client.OK:
            raise OutboundRefused(f"status {fetched.status}")
        return fetched

    def post(self, uri: str, *, body: bytes, headers: Mapping[str, str]) -> Fetched:
        """Post; whatever status comes back. OutboundFailed if nothing does."""
        return self._call("POST", uri, headers=headers, body=body)

    def _call(self, method: str, uri: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Fetched:
        with Deadline(self.total) as deadline:
            try:
                parts = self._destinations.checked(uri)
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                with self._connection(parts, deadline) as connection:
                    connection.request(method, path, body=body, headers={"Host": parts.netloc, **headers})
                    with connection.getresponse() as answer:
                        fetched = Fetched(answer.status, content_type_of(answer), self._body(answer))
            except NotCallable as refusal:
                raise OutboundFailed(str(refusal)) from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                is_slow = deadline.is_over or isinstance(error, TimeoutError)
                raise (OutboundTooSlow if is_slow else OutboundFailed)(type(error).__name__) from None
            if deadline.is_over:  # half an answer can look like a whole one
                raise OutboundTooSlow("the answer took too long")
            return fetched

    @cached_property
    def apart(self) -> "Outbound":
        """The same way out for strangers: names of theirs whose look-up hangs take no place of others."""
        return replace(self)

    @cached_property
    def _destinations(self) -> Destinations:
        return Destinations(self.allowed)

    @cached_property
    def _resolving(self) -> Resolving:
        return Resolving(self.resolve)

    @contextmanager
    def _connection(self, parts: SplitResult, deadline: Deadline) -> Iterator[http.client.HTTPConnection]:
        host, port = parts.hostname or "", port_of(parts)
        # The name is resolved once, here: a second look-up could answer otherwise (DNS rebinding).
        addresses = self._resolving.addresses(host, port, deadline=deadline)
        self._destinations.check_addresses(parts, addresses)
        connection = http.client.HTTPConnection(host, port, timeout=self.timeout)
        connection.auto_open = False
        family = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
        # A second handle of the connection, to end it by: TLS takes the first one over.
        with socket.socket(family, socket.SOCK_STREAM) as plain, plain.dup() as handle, closing(connection):
            plain.settimeout(self.timeout)
            deadline.stops_by(lambda: shut(handle))
            try:
                plain.connect((addresses[0], port))
                connection.sock = plain
                self._secure(connection, parts)
                yield connection
            finally:
                deadline.stops_by(nothing)

    def _secure(self, connection: http.client.HTTPConnection, parts: SplitResult) -> None:
        if parts.scheme == "https":
            host = parts.hostname or ""
            secured = self.tls.wrap_socket(connection.sock, server_hostname=host, do_handshake_on_connect=False)
            connection.sock = secured
            secured.do_handshake()

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        body = answer.read(MAXIMUM_BODY + 1)
        if len(body) > MAXIMUM_BODY:
            raise OutboundFailed("the answer is larger than 64 kB")
        return body


def shut(handle: socket.socket) -> None:
    """End a connection, in whatever it is."""
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


def content_type_of(answer: http.client.HTTPResponse) -> str:
    """The content type, lower case and without parameters."""
    return (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()
