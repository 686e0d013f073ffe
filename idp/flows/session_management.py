"""Session management: the page that applications frame to learn, without a request, whether the sign-in has changed.

Promises: `session_state` tells an application nothing but whether the browser's state is still the same, and tells each
application something else (OpenID Connect Session Management 1.0 §3.2). Must not know: who is signed in.
"""

from hashlib import sha256
from secrets import token_hex
from urllib.parse import urlsplit

from idp.flows.screen import origin_of
from idp.http import Answer, Request
from idp.provider import Provider
from idp.sessions import Session

HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "public, max-age=3600"),
    # The one page that any application may frame.
    ("Content-Security-Policy", "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'"),
)


class SessionManagement:
    """`/op/v1/session`, the `check_session_iframe`."""

    def __init__(self, provider: Provider) -> None:
        script = provider.pages.static_url("check-session.js")
        cookie = provider.settings.cookie_name("state")
        head = f'<meta charset="utf-8"><title>Toegang</title><script src="{script}" data-cookie="{cookie}"></script>'
        self._page = f'<!DOCTYPE html><html lang="nl"><head>{head}</head><body data-page="session"></body></html>'

    def page(self, _request: Request) -> Answer:
        """The page: the same for all, without cookies, since who reads it is told by the browser."""
        return Answer(200, HEADERS, self._page.encode())


def session_state(session: Session, client_id: str, *, redirect_uri: str) -> str:
    """What the application compares later; empty for an address that is no web page's."""
    if urlsplit(redirect_uri).scheme not in ("http", "https") or not session.browser_state:
        return ""
    salt = token_hex(8)
    parts = (client_id, origin_of(redirect_uri), session.browser_state, salt)
    return f"{sha256(' '.join(parts).encode()).hexdigest()}.{salt}"
