"""What an endpoint gets and gives: a parsed request and an answer, as plain values.

Promises: every input is bounded and decoded once; a parameter that stands twice is refused, an empty one counts as
absent (RFC 6749 §3.1). Must not know: Flask, or any rule of a flow. The same endpoint functions run under Flask and
directly on the WSGI server.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import msgspec

from idp.errors import InvalidClient, InvalidRequest, RequestTooLarge

MAXIMUM_BODY = 64 * 1024
MAXIMUM_QUERY = 16 * 1024
MAXIMUM_PARAMETERS = 100
REPEATABLE = frozenset({"resource"})  # RFC 8707 §2

UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*", re.ASCII)

Header = tuple[str, str]


class Answer(msgspec.Struct, frozen=True):
    """What goes back: status, headers and body."""

    status: int = 200
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    def with_headers(self, *headers: Header) -> "Answer":
        """The same answer with further headers."""
        return Answer(self.status, self.headers + headers, self.body)


class Headers(Mapping[str, str]):
    """The headers of a WSGI environ, by name in lower case; each is looked for when it is asked."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        value: str = self._environ["HTTP_" + name.upper().replace("-", "_")]
        return value

    def __iter__(self) -> Iterator[str]:
        return (name[5:].replace("_", "-").lower() for name in self._environ if name.startswith("HTTP_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Request(msgspec.Struct, frozen=True):
    """What came in. `query` and `body` are raw; `path` holds what the route found in the address.

    `peer` is the other end of the connection: the browser, the client, or a proxy; `certificate` what it proved itself
    with to our own TLS server, in PEM (empty if it did not).
    """

    method: str
    address: str
    query: str = ""
    body: bytes = b""
    content_type: str = ""
    headers: Mapping[str, str] = {}
    cookies: Mapping[str, str] = {}
    path: Mapping[str, str] = {}
    peer: str = ""
    certificate: str = ""

    def query_parameters(self) -> dict[str, str]:
        """The parameters of the address; InvalidRequest if one is repeated or undecodable."""
        if len(self.query) > MAXIMUM_QUERY:
            raise RequestTooLarge("The query is longer than 16 kB.")
        return parse_parameters(self.query)

    def has_parameter(self, name: str) -> bool:
        """Whether a parameter of the address or the form is there at all, be it without a value."""
        raw = self.body.decode("ascii", "replace") if self.method == "POST" else self.query
        return any(pair.partition("=")[0] == name for pair in raw[:MAXIMUM_QUERY].split("&"))

    def form(self) -> dict[str, str]:
        """The parameters of the body; InvalidRequest if it is no form, or one is repeated or undecodable."""
        if not self.content_type.startswith("application/x-www-form-urlencoded"):
            raise InvalidRequest("The body must be application/x-www-form-urlencoded.")
        try:
            return parse_parameters(self.body.decode("ascii"))
        except UnicodeDecodeError:
            raise InvalidRequest("The body is not form-encoded.") from None

    def parameters(self) -> dict[str, str]:
        """The parameters of a request that may come by GET or by POST, from the one place that its method names."""
        return self.form() if self.method == "POST" else self.query_parameters()

    def basic_credentials(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic, form-decoded as RFC 6749 §2.3.1 has them; InvalidClient if garbled."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, colon, password = b64decode(value.strip(), validate=True).decode().partition(":")
            decoded = unquote_plus(user, errors="strict"), unquote_plus(password, errors="strict")
        except ValueError:  # base64, ASCII and UTF-8 each fail with a kind of their own
            raise InvalidClient("The Authorization header is not valid HTTP Basic.") from None
        if not colon:
            raise InvalidClient("The Authorization header is not valid HTTP Basic.")
        return decoded

    def bearer_token(self) -> str:
        """The token of the Authorization header (RFC 6750 §2.1); empty if there is none."""
        return self._authorization("bearer")

    def dpop_token(self) -> str:
        """The token of the Authorization header that goes with a proof (RFC 9449 §7.1); empty if there is none."""
        return self._authorization("dpop")

    def _authorization(self, wanted: str) -> str:
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == wanted else ""


Endpoint = Callable[[Request], Answer]


class ParameterRepeated(InvalidRequest):
    """A parameter stands more than once; `others` are the parameters that do not."""

    def __init__(self, others: Mapping[str, str]) -> None:
        super().__init__("A parameter is given more than once.")
        self.others = others


def parse_parameters(raw: str) -> dict[str, str]:
    """Decode a query or form body; ParameterRepeated if one stands twice, but `resource`, which is joined by spaces."""
    found: dict[str, str] = {}
    repeated = set[str]()
    for name, value in pairs_of(raw):
        if name in found and name not in REPEATABLE:
            repeated.add(name)
        found[name] = f"{found[name]} {value}" if name in found else value
    if repeated:
        raise ParameterRepeated({name: value for name, value in found.items() if name not in repeated})
    return found


def pairs_of(raw: str) -> Iterator[tuple[str, str]]:
    """The names and values of a query or form body, decoded; those without a value are left out."""
    if raw.count("&") >= MAXIMUM_PARAMETERS:
        raise InvalidRequest("There are too many parameters.")
    for pair in raw.split("&"):
        name, _, value = pair.partition("=")
        if value:
            yield decoded(name), decoded(value)


def decoded(text: str) -> str:
    """Text without its percent signs (URL Standard §5.1); most has none."""
    if "%" not in text and "+" not in text:
        return text
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest("A parameter is not valid UTF-8.") from None


def read_request(environ: Mapping[str, Any], path: Mapping[str, str]) -> Request:
    """The request of a WSGI environ, all but its body: never fails, so that a failure knows whose request it was."""
    headers = Headers(environ)
    return Request(
        method=environ["REQUEST_METHOD"],
        address=environ.get("PATH_INFO", ""),
        query=environ.get("QUERY_STRING", ""),
        content_type=environ.get("CONTENT_TYPE", "").lower(),
        headers=headers,
        cookies=parse_cookies(headers.get("cookie", "")),
        path=path,
        peer=environ.get("REMOTE_ADDR", ""),
        certificate=environ.get("SSL_CLIENT_CERT", ""),
    )


def read_body(environ: Mapping[str, Any]) -> bytes:
    """The whole body of a POST or PUT; RequestTooLarge over 64 kB, of which one byte more is read at most."""
    if environ["REQUEST_METHOD"] not in ("POST", "PUT"):
        return b""
    body: bytes = environ["wsgi.input"].read(min(length_of_body(environ), MAXIMUM_BODY + 1))
    if len(body) > MAXIMUM_BODY:
        raise RequestTooLarge("The body is larger than 64 kB.")
    return body


def length_of_body(environ: Mapping[str, Any]) -> int:
    """How much there is to read; without end where the server ends it by itself, as for a body sent in chunks."""
    if environ.get("wsgi.input_terminated"):
        return MAXIMUM_BODY + 1
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdecimal()):
        raise InvalidRequest("Content-Length is not a number.")
    # Python reads no number of very many digits (CVE-2020-10735); this one is too large all the same.
    return int(length[:9])


def parse_cookies(header: str) -> dict[str, str]:
    """The cookies of a Cookie header; the first of a name counts (RFC 6265 §5.4 sends the most specific first)."""
    cookies: dict[str, str] = {}
    for pair in header[:MAXIMUM_QUERY].split(";"):
        name, _, value = pair.strip().partition("=")
        cookies.setdefault(name, value)
    return cookies


def json_answer(value: object, *headers: Header, status: int = 200) -> Answer:
    """A JSON body that no cache keeps (RFC 6749 §5.1)."""
    kept = (("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache"))
    return Answer(status, kept + headers, msgspec.json.encode(value))


def page_answer(html: str, *headers: Header, status: int = 200) -> Answer:
    """An HTML page that no cache keeps."""
    kept = (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"))
    return Answer(status, kept + headers, html.encode())


def see_other(location: str, *headers: Header) -> Answer:
    """A redirect that always turns into a GET, so that no form is sent on to another site (RFC 9700 §4.12)."""
    return Answer(303, (("Location", location), ("Cache-Control", "no-store"), *headers))


def encoded(text: str) -> str:
    """Text as it may stand in a query (URL Standard §5.2); most of ours is so already."""
    return text if UNRESERVED.fullmatch(text) else quote_plus(text)


def with_query(uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The URI (checked, so without a fragment) with parameters added to the query that it has."""
    query = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in parameters)
    joint = "" if not query or uri.endswith(("?", "&")) else "&" if "?" in uri else "?"
    return f"{uri}{joint}{query}"
