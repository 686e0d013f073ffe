"""The browser: its cookies, what binds a page to it, and the session in it.

Promises: what a page posts was shown to this browser (CSRF); a cookie's value is kept nowhere but in the browser.
Must not know: what a page asks.
"""

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from idp.errors import InvalidRequest
from idp.http import Header, Request
from idp.settings import Settings
from idp.tickets import hash_of, new_secret

LANGUAGE_SECONDS = KEY_SECONDS = 365 * 86400


class CookiesRefused(InvalidRequest):
    """The browser did not send back the cookie that it was given."""


@dataclass(frozen=True)
class Browser:
    """One browser, known by a random cookie; `is_new` means that the cookie has yet to be set."""

    secret: str
    is_new: bool

    @property
    def id(self) -> str:
        """What requests are bound to."""
        return hash_of(self.secret)

    @property
    def csrf(self) -> str:
        """What each form of this browser carries; it tells nothing of the cookie."""
        return sha256(b"csrf " + self.secret.encode()).hexdigest()


class Cookies:
    """Reads and writes our cookies: HttpOnly and SameSite=Lax; under https also Secure and bound to the host."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._secure = "; Secure" if settings.is_https else ""

    def read(self, request: Request, purpose: str) -> str:
        """The value of one of our cookies; empty if it is not there."""
        return request.cookies.get(self._settings.cookie_name(purpose), "")[:200]

    def write(self, purpose: str, value: str, *, seconds: int | None = None) -> Header:
        """The header that sets one of our cookies, until the browser closes or for so many seconds."""
        age = "" if seconds is None else f"; Max-Age={seconds}"
        name = self._settings.cookie_name(purpose)
        return ("Set-Cookie", f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{self._secure}{age}")

    def write_state(self, value: str, *, seconds: int) -> Header:
        """The one cookie that our script may read, also in an application's frame: random, good for nothing else."""
        site = "None" if self._secure else "Lax"
        name = self._settings.cookie_name("state")
        return ("Set-Cookie", f"{name}={value}; Path=/; SameSite={site}{self._secure}; Max-Age={seconds}")

    def browser(self, request: Request) -> Browser:
        """The browser that sent this request, or a new one."""
        secret = self.read(request, "browser")
        return Browser(secret, is_new=False) if len(secret) >= 43 else Browser(new_secret(), is_new=True)

    def check_form(self, request: Request) -> dict[str, str]:
        """The form of a page of ours; InvalidRequest if it was not shown to this browser."""
        form = request.form()
        browser = self.browser(request)
        if browser.is_new:
            raise CookiesRefused("The browser sent no cookie.")
        if not compare_digest(form.get("csrf", "").encode(), browser.csrf.encode()):
            raise InvalidRequest("The form was not shown to this browser.")
        return form
