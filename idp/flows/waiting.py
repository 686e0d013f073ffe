"""The authorization requests that wait for a person: kept, found again by their address, bound to one browser.

Promises: a request is found only by the browser that it is bound to; one that was sent cross-site is bound to the first
browser that opens it. Also what every step asks: whose browser it is, and what a decision is made from.
"""

import msgspec

from idp.browser import CookiesRefused
from idp.clients import Client
from idp.errors import InvalidRequest
from idp.flows.interaction import Known
from idp.flows.screen import Occasion, chosen_language
from idp.http import Request
from idp.provider import Provider
from idp.sessions import Session
from idp.tickets import ANSWERED_SECONDS, AuthorizationRequest, hash_of, new_secret


class RequestGone(InvalidRequest):
    """The request that a page belongs to has expired, was answered, or belongs to another browser."""


class Waiting:
    """The requests that wait, and what is known around one."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._requests = provider.store.repository(AuthorizationRequest)

    def keep(self, checked: AuthorizationRequest) -> AuthorizationRequest:
        """Keep a request under a new id; without a browser it waits for the first that opens it."""
        kept = msgspec.structs.replace(checked, id=new_secret())
        self._requests.add(kept)
        return kept

    def find(self, request: Request) -> AuthorizationRequest:
        """The request of this address, if it waits for this browser; RequestGone or CookiesRefused otherwise."""
        found = self.arrive(request)
        if not found.browser:
            raise RequestGone("The sign-in is not bound to a browser yet.")
        return found

    def arrive(self, request: Request) -> AuthorizationRequest:
        """The same at the resume, where a request that is bound to no browser yet is found too."""
        found = self._requests.get(request.path["request_id"])
        if found is None:
            raise RequestGone("The sign-in has ended or took too long.")
        browser = self._provider.cookies.browser(request)
        if found.browser and browser.is_new:
            raise CookiesRefused("The browser sent no cookie.")
        if found.browser and found.browser != browser.id:
            raise RequestGone("The sign-in was begun in another browser.")
        language = chosen_language(request)
        return self.advance(found, ui_locales=language) if language and language != found.ui_locales else found

    def advance(self, waiting: AuthorizationRequest, **progress: object) -> AuthorizationRequest:
        """The request with progress noted; RequestGone if it ended meanwhile."""
        changed: AuthorizationRequest = msgspec.structs.replace(waiting, **progress)
        if not self._requests.replace(changed):
            raise RequestGone("The sign-in has ended or took too long.")
        return changed

    def answered(self, waiting: AuthorizationRequest) -> None:
        """The application has its answer: the request stays a moment, for a double click, and is gone."""
        if waiting.id:
            soon = min(waiting.expires_at, self._provider.now() + ANSWERED_SECONDS)
            self._requests.replace(msgspec.structs.replace(waiting, expires_at=soon))

    def client(self, waiting: AuthorizationRequest) -> Client:
        """The client of a request; RequestGone if it was removed meanwhile."""
        client = self._provider.clients.get(waiting.client_id)
        if client is None:
            raise RequestGone("The application is no longer known here.")
        return client

    def occasion(self, waiting: AuthorizationRequest, locale: str = "") -> Occasion:
        """On what occasion a page of this request is shown."""
        return Occasion(waiting, self.client(waiting), locale)

    def session(self, request: Request) -> Session | None:
        """The live session of the browser."""
        secret = self._provider.cookies.read(request, "session")
        return self._provider.sessions.by_cookie(hash_of(secret)) if secret else None

    def known(self, waiting: AuthorizationRequest, session: Session | None) -> Known:
        """What the decision is made from; what costs a trip to the database is asked only when it matters."""
        provider, client = self._provider, self.client(waiting)
        person_id = session.person_id if session else ""
        return Known(
            request=waiting,
            client=client,
            levels=provider.levels,
            now=provider.now(),
            session=session,
            subject=lambda: subject_of(provider, person_id, client=client),
            known_keys=lambda: known_keys_of(provider, person_id),
            allowed=lambda: provider.consents.get(person_id, client.client_id),
            options=lambda used: provider.identities.options(person_id, client, level=used.level),
        )


def subject_of(provider: Provider, person_id: str, *, client: Client) -> str:
    """The `sub` of a person towards a client; empty if unknown."""
    person = provider.directory.person(person_id)
    return provider.subject(person, client) if person else ""


def known_keys_of(provider: Provider, person_id: str) -> frozenset[str]:
    """The keys that a person is known to have."""
    person = provider.directory.person(person_id)
    return provider.enrolled.kinds(person.national_number) if person else frozenset()
