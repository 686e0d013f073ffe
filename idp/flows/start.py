"""The pages around the sign-in: the start page, help, privacy, accessibility; and whether we are well.

Promises: need no session; ready means that the database answers. Must not know: any flow.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from idp.authenticator import Page
from idp.clients import Client
from idp.flows.login import full_name
from idp.flows.screen import Occasion, show
from idp.flows.waiting import Waiting
from idp.http import Answer, Endpoint, Request, json_answer, with_query
from idp.provider import Provider


class Start:
    """`/` and its neighbours."""

    def __init__(self, provider: Provider, *, is_ready: Callable[[], bool]) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)
        self._is_ready = is_ready

    def page(self, request: Request) -> Answer:
        """The start page: who is signed in, and the way to each application that has a page of its own."""
        session = self._waiting.session(request)
        person = self._provider.directory.person(session.person_id) if session else None
        applications = [
            {"name": client.name, "url": login_of(client, issuer=self._provider.settings.issuer)}
            for client in self._provider.clients.vouched().values()
            if home_of(client)
        ]
        values = {"signed_in_as": full_name(person), "applications": applications}
        return show(self._provider, request, page=Page("start.html", "start", values), occasion=Occasion())

    def text(self, name: str) -> Endpoint:
        """The endpoint of a page of text: help, privacy or accessibility."""
        return lambda request: show(self._provider, request, page=Page(f"{name}.html", name), occasion=Occasion())

    def live(self, _request: Request) -> Answer:
        """The process answers."""
        return json_answer({"status": "live"})

    def ready(self, _request: Request) -> Answer:
        """The process can do its work; 503 while it cannot."""
        if self._is_ready():
            return json_answer({"status": "ready"})
        return json_answer({"status": "not ready"}, status=503)


def login_of(client: Client, *, issuer: str) -> str:
    """Where its sign-in begins, if it said so (OpenID Connect Core §4); else where a person enters it."""
    if not client.initiate_login_uri:
        return home_of(client)
    target = [("target_link_uri", client.client_uri)] if client.client_uri else []
    return with_query(client.initiate_login_uri, [("iss", issuer), *target])


def home_of(client: Client) -> str:
    """Where a person enters an application: its own page, or the origin that it returns to; empty for a machine."""
    if client.client_uri or not client.redirect_uris:
        return client.client_uri
    parts = urlsplit(client.redirect_uris[0])
    return f"{parts.scheme}://{parts.netloc}/" if parts.scheme in ("http", "https") else ""
