"""Our own pages for whoever is signed in: who that is, or the way there, by the same sign-in as for any application.

Promises: a page is shown to the person of this browser's session alone, signed in as surely and lately as it needs;
whoever stops signing in is at the start page, or where the page says. Must not know: what a page shows.
"""

from dataclasses import dataclass

from idm.facts import Person
from idp.clients import Client
from idp.flows.waiting import Waiting
from idp.http import Answer, Request, see_other
from idp.provider import Provider
from idp.sessions import Session
from idp.settings import Settings
from idp.tickets import UNOPENED_SECONDS, AuthorizationRequest


@dataclass(frozen=True)
class Visitor:
    """Who is signed in, and in which session."""

    session: Session
    person: Person


@dataclass(frozen=True)
class Need:
    """How surely, and how long ago at most, one has to be signed in; `back` is where whoever stops signing in is."""

    level: int = 0
    seconds: int | None = None
    back: str = "/"

    def is_met(self, session: Session, *, now: int) -> bool:
        """Whether a sign-in of this session will do."""
        since = 0 if self.seconds is None else now - self.seconds
        return session.strongest(acrs=frozenset(), level=self.level, since=since) is not None


ANY = Need()


def visitor(provider: Provider, request: Request, *, address: str, need: Need = ANY) -> Visitor | Answer:
    """Whoever is signed in as surely as need be; else, or back from the sign-in, the answer that leads on."""
    parameters, waiting = request.query_parameters(), Waiting(provider)
    session = waiting.session(request)
    person = provider.directory.person(session.person_id) if session else None
    if session is None or person is None or not need.is_met(session, now=provider.now()):
        return see_other(need.back) if "error" in parameters else sign_in(provider, waiting, address=address, need=need)
    if "code" in parameters:  # the session is what we came for, the code is nobody's
        return see_other(address)
    return Visitor(session, person)


def sign_in(provider: Provider, waiting: Waiting, *, address: str, need: Need = ANY) -> Answer:
    """To the sign-in, with a request of our own that leads back to this page."""
    asked = AuthorizationRequest(
        id="",
        expires_at=provider.now() + UNOPENED_SECONDS,  # anybody can have many made: longer once a browser opens it
        client_id=own_client(provider.settings).client_id,
        redirect_uri=provider.settings.origin + address,
        response_mode="",
        scope=("openid",),
        created_at=provider.now(),
        floor=need.level,
        max_age=need.seconds,
    )
    return see_other(f"/op/v1/auth/{waiting.keep(asked).id}")


def own_client(settings: Settings) -> Client:
    """The client as which we lead people to our own pages.

    It can do nothing itself: it has no grant, no key and no address, so that nobody can speak in its name.
    """
    return Client(
        client_id=f"{settings.origin}/",
        client_name="Toegang",
        token_endpoint_auth_method="private_key_jwt",
        grant_types=(),
    )
