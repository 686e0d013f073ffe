"""Cross-origin calls: which scripts of which sites may read what the endpoints for programs answer.

Promises: the public documents are for all; tokens and claims for the origins of public clients alone, since those are
the clients that run in browsers; never with cookies. Must not know: what is answered. The pages that people see are
shared with nobody.
"""

from idp.http import Answer, Endpoint, Header, Request
from idp.provider import Provider

READABLE = "WWW-Authenticate, DPoP-Nonce"
SENDABLE = "Authorization, Content-Type, DPoP"
REMEMBER_SECONDS = "3600"


class CrossOrigin:
    """Answers a browser's question whether a script may call, and marks what it may read."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def headers(self, request: Request) -> tuple[Header, ...]:
        """What lets the script that asks read the answer; none, where no script of a known origin asks."""
        origin = request.headers.get("origin", "")
        if not origin or not self._provider.clients.has_origin(origin):
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
