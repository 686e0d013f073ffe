"""The one way out: fetches and posts to addresses that clients gave us (key sets, request objects, logout, logos).

Promises: never reaches a private network (but the hosts that the operator allows), also not by a name that resolves to
one, since the address that was checked is the one that is connected to; follows no redirect; bounds size and time.
Must not know: what is fetched, or for whom.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

MAXIMUM_BODY = 64 * 1024
TIMEOUT_SECONDS = 4.0
"""How long the other side may stay silent, and to connect."""
TOTAL_SECONDS = 6.0
"""How long it may take from then on, however often it says something: a byte a second must not hold a thread."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")
LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
"""Gateways to IPv4: everybody's, and a network's own (RFC 6052 §2.1, RFC 8215)."""

Resolve = Callable[[str, int], Sequence[str]]


class OutboundFailed(Exception):
    """The other side cannot be reached, may not be, or does not answer as it should; the message is for the log."""


@dataclass(frozen=True)
class Fetched:
    """What the other side answered: status, content type (lower case, without parameters) and body."""

    status: int
    content_type: str
    body: bytes


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system knows them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Outbound:
    """Calls others; `allowed` are hosts that may be private, and may be called without TLS."""

    allowed: frozenset[str] = frozenset()
    resolve: Resolve = resolve
    timeout: float = TIMEOUT_SECONDS
    total: float = TOTAL_SECONDS
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def get(self, uri: str) -> Fetched:
        """Fetch; OutboundFailed unless the answer is 200."""
        fetched = self._call("GET", uri, headers={"Accept": "application/json, application/jwt, */*"})
        if fetched.status != http.client.OK:
            raise OutboundFailed(f"status {fetched.status}")
        return fetched

    def post(self, uri: str, *, body: bytes, headers: Mapping[str, str]) -> Fetched:
        """Post; whatever status comes back. OutboundFailed if nothing does."""
        return self._call("POST", uri, headers=headers, body=body)

    def _call(self, method: str, uri: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Fetched:
        parts = self._checked(uri)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            with closing(self._connection(parts)) as connection, self._in_time(connection):
                self._secure(connection, parts)
                connection.request(method, path, body=body, headers={"Host": parts.netloc, **headers})
                with connection.getresponse() as answer:
                    return Fetched(answer.status, content_type_of(answer), self._body(answer))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise OutboundFailed(type(error).__name__) from None

    def _checked(self, uri: str) -> SplitResult:
        try:
            parts = urlsplit(uri)
            port = parts.port
        except ValueError:
            raise OutboundFailed("not an address") from None
        allowed = parts.hostname in self.allowed
        if not parts.hostname or "@" in parts.netloc or port == 0 or parts.scheme not in ("https", "http"):
            raise OutboundFailed("not an address that may be called")
        if parts.scheme == "http" and not allowed:
            raise OutboundFailed("only https may be called")
        return parts

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = self._address(host, port)
        # The name is resolved once, here: a second lookup could answer otherwise (DNS rebinding).
        connection = http.client.HTTPConnection(host, port, timeout=self.timeout)
        connection.auto_open = False
        connection.sock = socket.create_connection((address, port), timeout=self.timeout)
        return connection

    def _secure(self, connection: http.client.HTTPConnection, parts: SplitResult) -> None:
        if parts.scheme == "https":
            host = parts.hostname or ""
            secured = self.tls.wrap_socket(connection.sock, server_hostname=host, do_handshake_on_connect=False)
            connection.sock = secured
            secured.do_handshake()

    @contextmanager
    def _in_time(self, connection: http.client.HTTPConnection) -> Iterator[None]:
        """End the connection when its time is up, in whatever it is; OutboundFailed then, also for half an answer."""
        is_over = threading.Event()
        # A second handle of the connection: TLS takes the first one over.
        handle = connection.sock.dup()

        def stop() -> None:
            is_over.set()
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self.total, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            handle.close()
        if is_over.is_set():
            raise OutboundFailed("the answer took too long")

    def _address(self, host: str, port: int) -> str:
        addresses = self.resolve(host, port)
        if not addresses:
            raise OutboundFailed("the host has no address")
        if host not in self.allowed and any(is_private(address) for address in addresses):
            raise OutboundFailed("the host is on a private network")
        return addresses[0]

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        body = answer.read(MAXIMUM_BODY + 1)
        if len(body) > MAXIMUM_BODY:
            raise OutboundFailed("the answer is larger than 64 kB")
        return body


def content_type_of(answer: http.client.HTTPResponse) -> str:
    """The content type, lower case and without parameters."""
    return (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()


def is_private(address: str) -> bool:
    """Whether an address is anything but a public one (also when written as an IPv4 address inside an IPv6 one)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    reached = inner(ip) if isinstance(ip, ipaddress.IPv6Address) else ip
    return not reached.is_global or reached.is_multicast or reached in LOCAL_NAT64


def inner(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Where a packet to this address ends: gateways lead some IPv6 addresses on to the IPv4 address inside."""
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
