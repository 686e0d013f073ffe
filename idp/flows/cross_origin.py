"""Cross-origin calls: which scripts of which sites may read what the endpoints for programs answer.

Promises: the public documents are for all; tokens and claims for the origins of public clients alone, since those are
the clients that run in browsers; never with cookies. Must not know: what is answered. The pages that people see are
shared with nobody.
"""

from urllib.parse import urlsplit

from idp.clients import Client
from idp.flows.screen import origin_of
from idp.http import Answer, Endpoint, Header, Request
from idp.provider import Provider

READABLE = "WWW-Authenticate, DPoP-Nonce"
SENDABLE = "Authorization, Content-Type, DPoP"
REMEMBER_SECONDS = "3600"


class CrossOrigin:
    """Answers a browser's question whether a script may call, and marks what it may read."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._known: tuple[dict[str, Client], frozenset[str]] = ({}, frozenset())

    def headers(self, request: Request) -> tuple[Header, ...]:
        """What lets the script that asks read the answer; none, where no script of a known origin asks."""
        origin = request.headers.get("origin", "")
        if not origin or origin not in self._origins():
            return ()
        return ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", READABLE), ("Vary", "Origin")

    def preflight(self, methods: str) -> Endpoint:
        """The answer to OPTIONS at an address that takes these methods (Fetch §3.2.2)."""
        listed = ", ".join(methods.split())

        def answer(request: Request) -> Answer:
            allowed = self.headers(request)
            granted = (
                ("Access-Control-Allow-Methods", listed),
                ("Access-Control-Allow-Headers", SENDABLE),
                ("Access-Control-Max-Age", REMEMBER_SECONDS),
            )
            return Answer(204, (("Allow", f"OPTIONS, {listed}"), *allowed, *(granted if allowed else ())))

        return answer

    def _origins(self) -> frozenset[str]:
        clients, (indexed, origins) = self._provider.clients.all(), self._known
        if indexed is not clients:
            origins = frozenset(origin for client in clients.values() for origin in origins_of(client))
            self._known = (clients, origins)
        return origins


def origins_of(client: Client) -> frozenset[str]:
    """The origins that a public client's pages have; none for one that can keep a secret, which needs no browser."""
    uris = client.redirect_uris if client.is_public else ()
    return frozenset(normal_origin(uri) for uri in uris if urlsplit(uri).scheme in ("http", "https"))


def normal_origin(uri: str) -> str:
    """The origin of an address as browsers write it: lower case, without the port that goes without saying."""
    parts = urlsplit(origin_of(uri).lower())
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{parts.netloc.removesuffix(f':{usual}')}"
