"""Where we may call: what an address must be, which hosts and ports the operator opened, which networks are private.

Promises: an address of a client leads to a public host by https, at a port where web servers are; all else only where
the operator named the host, and without TLS only on this machine. Must not know: how a call is made.
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

USUAL_PORTS = {"https": 443, "http": 80}
FIRST_FREE_PORT = 1024
"""Below it stand the services of a machine (mail, files, printers), at which no request of ours should be thrown."""

ENTRY = re.compile(r"(?P<host>[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")

GLOBAL_UNICAST = ip_network("2000::/3")
SPECIAL = tuple(
    ip_network(text)
    for text in (
        # Protocols of their own, Teredo among them; examples; 6to4; examples again (RFC 6890, RFC 9637).
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
        *("192.0.0.0/24", "192.88.99.0/24"),
    )
)
NAT64 = ip_network("64:ff9b::/96")
"""The gateways to IPv4 that everybody may have: such an address leads to the one inside (RFC 6052 §2.1)."""


class NotCallable(Exception):
    """We may not call there; the message is for the log."""


class Destinations:
    """What may be called, with what the operator opened: `host`, or `host:port` for that port alone."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        read = [entry_of(entry) for entry in entries]
        self._hosts = frozenset(host for host, port in read if port is None)
        self._doors = frozenset((host, port) for host, port in read if port is not None)

    def checked(self, uri: str) -> SplitResult:
        """The parts of an address that may be called as far as it says itself; NotCallable otherwise."""
        try:
            parts = urlsplit(uri)
            port = port_of(parts)
        except ValueError:
            raise NotCallable("not an address") from None
        if not parts.hostname or "@" in parts.netloc or port == 0 or parts.scheme not in USUAL_PORTS:
            raise NotCallable("not an address that may be called")
        is_opened = self._is_opened(parts)
        if not is_opened and not is_web_port(port):
            raise NotCallable("the port is not one of a web server")
        if parts.scheme == "http" and not is_opened:
            raise NotCallable("only https may be called")
        return parts

    def check_addresses(self, parts: SplitResult, addresses: Sequence[str]) -> None:
        """NotCallable, if one of the addresses that the name leads to may not be called."""
        if not addresses:
            raise NotCallable("the host has no address")
        if not self._is_opened(parts) and any(is_private(address) for address in addresses):
            raise NotCallable("the host is on a private network")
        # What is sent without TLS must not leave this machine, whatever its name says.
        if parts.scheme == "http" and not all(is_loopback(address) for address in addresses):
            raise NotCallable("without TLS only this machine may be called")

    def _is_opened(self, parts: SplitResult) -> bool:
        host, port = parts.hostname or "", port_of(parts)
        return (host, port) in self._doors or (host in self._hosts and is_web_port(port))


def entry_of(text: str) -> tuple[str, int | None]:
    """An entry of the operator: the host, and its port if only that one is meant; ValueError if it is none."""
    written = f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text
    found = ENTRY.fullmatch(written.lower())
    if found is None:
        raise ValueError("neither a host nor host:port")
    host = found["host"].strip("[]")
    if written.startswith("["):
        host = str(ip_address(host))
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 65536:
        raise ValueError("not a port")
    return host, port


def port_of(parts: SplitResult) -> int:
    """The port of an address, said or not; ValueError for what is no port."""
    return USUAL_PORTS.get(parts.scheme, 0) if parts.port is None else parts.port


def is_web_port(port: int) -> bool:
    """Whether a web server may listen there."""
    return port in USUAL_PORTS.values() or port >= FIRST_FREE_PORT


def is_private(address: str) -> bool:
    """Whether an address is anything but a public one, and one that leads to nothing else."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip in NAT64:
        ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    if isinstance(ip, IPv6Address) and ip not in GLOBAL_UNICAST:
        return True
    return not ip.is_global or ip.is_multicast or any(ip in network for network in SPECIAL)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine."""
    return ip_address(address.partition("%")[0]).is_loopback
