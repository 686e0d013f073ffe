"""Addresses that clients register: which may be one, and what of each counts when two are compared.

Promises: pure; no address that is accepted here can end a directive of a page's policy, or a header. Must not know:
clients, or what an address is for.
"""

import re
from urllib.parse import urlsplit

USUAL_PORTS = {"http": 80, "https": 443}
LOOPBACK_ADDRESSES = frozenset({"127.0.0.1", "::1"})
LOOPBACK_URI = re.compile(r"(?P<origin>http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?P<path>/[^#]*)?")
HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?")
SAFE_URI = re.compile(r"[!$&-+\--:=?-Z\[\]_a-z~%#]{1,2000}", re.ASCII)
"""No space, quote, comma or semicolon: they would end a directive of a page's policy, or a header."""


def without_port(uri: str) -> str:
    """A loopback http address with its port left out; empty for every other address.

    Matched letter for letter, not parsed: parsers disagree on what the host of `http://[::1].evil.example/` is.
    """
    found = LOOPBACK_URI.fullmatch(uri)
    return found["origin"] + (found["path"] or "") if found else ""


def web_origin(uri: str) -> str:
    """The origin of a checked web address as browsers write it: lower case, without the port that goes without saying;

    empty for an application's own scheme.
    """
    parts = urlsplit(uri)
    if parts.scheme not in USUAL_PORTS:
        return ""
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(f':{USUAL_PORTS[parts.scheme]}')}"


def host_of(uri: str) -> str:
    """The host of a checked address, lower case; empty where it has none."""
    return urlsplit(uri).hostname or ""


def is_acceptable_uri(uri: str) -> bool:
    """Absolute, without fragment, safe to stand in a policy; http only on this machine (RFC 9700 §2.1, RFC 8252 §7)."""
    if not SAFE_URI.fullmatch(uri) or "#" in uri:
        return False
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
        is_own_scheme = "." in parts.scheme and not parts.netloc
        has_host = HOST.fullmatch(parts.netloc) is not None and parts.port != 0
    except ValueError:
        return False
    is_safe_web = parts.scheme == "https" or (parts.scheme == "http" and host in {*LOOPBACK_ADDRESSES, "localhost"})
    return is_own_scheme or (has_host and is_safe_web)


def is_web_address(uri: str) -> bool:
    """Whether people may be sent there, or shown a picture from there; empty counts as none given."""
    return not uri or (uri.startswith(("https://", "http://")) and is_acceptable_uri(uri))


def is_https_address(uri: str) -> bool:
    """Whether it is an address by TLS, without the exception for one's own machine; empty counts as none given."""
    return not uri or (uri.startswith("https://") and is_acceptable_uri(uri))


def is_resource(uri: str) -> bool:
    """Whether this can name an API: an absolute address without fragment (RFC 8707 §2)."""
    return bool(SAFE_URI.fullmatch(uri)) and ":" in uri and "#" not in uri
