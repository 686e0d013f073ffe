"""The simulators over HTTP: inboxes, the authenticator app, the clock. Mounted only while simulators are on.

Promises: answers only requests whose Host and Origin are our own, so that no page elsewhere can read a code or turn
the clock through somebody's browser. Must not know: how anything is simulated (it is handed in).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from idp.authenticator import Page
from idp.errors import AccessDenied, InvalidRequest
from idp.flows.screen import Occasion, origin_of, show
from idp.http import Answer, Endpoint, Request, json_answer, see_other
from idp.provider import Provider

LONGEST_NUMBER = 20


@dataclass(frozen=True)
class Simulated:
    """What is simulated: messages by address, the addresses, the app's codes, and the clock."""

    messages: Callable[[str], Sequence[Mapping[str, object]]]
    addresses: Callable[[], Sequence[Mapping[str, str]]]
    app_codes: Callable[[], Sequence[Mapping[str, object]]]
    clock: Callable[[], Mapping[str, object]]
    set_clock: Callable[[str], Mapping[str, object]]


class Simulators:
    """`/simulators/…`."""

    def __init__(self, provider: Provider, simulated: Simulated) -> None:
        self._provider = provider
        self._simulated = simulated

    def inboxes(self, request: Request) -> Answer:
        """Every inbox."""
        values = {"inboxes": self._simulated.addresses()}
        return self._show(request, Page("simulators/inboxes.html", "inboxes", values))

    def inbox(self, request: Request) -> Answer:
        """One inbox: a page, or JSON where `.json` ends the address."""
        address = unquote(request.path["address"])
        plain = address.removesuffix(".json")
        messages = self._simulated.messages(plain)
        if address != plain:
            return json_answer(messages)
        return self._show(request, Page("simulators/inbox.html", "inbox", {"address": plain, "messages": messages}))

    def app(self, request: Request) -> Answer:
        """The codes that each person's app shows now."""
        return self._show(request, Page("simulators/app.html", "app", {"personas": self._simulated.app_codes()}))

    def itsme(self, request: Request) -> Answer:
        """The way to the telephone of this number, which stands beside the simulated itsme."""
        address = quote(unquote(request.path["number"])[:LONGEST_NUMBER], safe="")
        return see_other(f"{origin_of(self._provider.settings.itsme_issuer)}/simulators/itsme/{address}")

    def clock(self, _request: Request) -> Answer:
        """The time, as JSON."""
        return json_answer(self._simulated.clock())

    def set_clock(self, request: Request) -> Answer:
        """Move the clock of the whole system; the time that it then is, as JSON."""
        try:
            return json_answer(self._simulated.set_clock(request.form().get("offset_days", "")))
        except ValueError as error:
            raise InvalidRequest(f"offset_days must be {error}.") from None

    def clock_page(self, request: Request) -> Answer:
        """The time, as a page on which people may move it."""
        values = {"offset_days": self._simulated.clock()["offset_days"], "now": self._provider.clock()}
        return self._show(request, Page("simulators/clock.html", "clock", values))

    def set_clock_page(self, request: Request) -> Answer:
        """Move the clock from the page, and show the page again."""
        self.set_clock(request)
        return self.clock_page(request)

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint, for requests from our own host and pages alone (DNS rebinding, cross-site requests)."""
        own = own_hosts(self._provider)
        own_origins = {f"{scheme}://{host}" for scheme in ("http", "https") for host in own}

        def guard(request: Request) -> Answer:
            origin = request.headers.get("origin", "")
            if request.headers.get("host", "") not in own or (origin and origin not in own_origins):
                raise AccessDenied("The simulators answer only on their own address.")
            return endpoint(request)

        return guard

    def _show(self, request: Request, page: Page) -> Answer:
        return show(self._provider, request, page=page, occasion=Occasion())


def own_hosts(provider: Provider) -> frozenset[str]:
    """The values of Host under which we are reached."""
    settings = provider.settings
    local = (f"{host}:{settings.port}" for host in ("localhost", "127.0.0.1", "[::1]"))
    return frozenset({urlsplit(settings.issuer).netloc, *local})
