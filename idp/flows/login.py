"""Signing in: the choice of a key, the key's own pages, and the session that follows.

Promises: only keys that serve the request can be begun or finished; whoever signs in gets a new cookie, so that nobody
can plant a session (RFC 9700 §4.7 and OWASP session fixation); another person ends the session that was there.
Must not know: how any key works.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec

from idm.facts import Person
from idm.identifiers import IdentifierInvalid
from idp.authenticator import Attempt, AuthenticationFailed, Authenticator, Identification, Page, Redirect
from idp.browser import KEY_SECONDS
from idp.errors import InvalidRequest
from idp.flows.ending import end_session
from idp.flows.interaction import needed_level, offered_keys
from idp.flows.screen import language_of, show
from idp.flows.waiting import RequestGone, Waiting
from idp.http import Answer, Header, Request, see_other
from idp.provider import Provider
from idp.sessions import Authentication, Session
from idp.tickets import ELSEWHERE_SECONDS, AttemptElsewhere, AuthorizationRequest, hash_of, new_secret

log = logging.getLogger(__name__)

BEGUN_LENGTH = 43
STATE_LENGTH = 64


@dataclass(frozen=True)
class Choice:
    """A key as the page of choice shows it."""

    name: str
    level: int
    label: str


class Login:
    """The pages of signing in, for a request that waits."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)
        self._elsewhere = provider.store.repository(AttemptElsewhere)

    def choose(self, request: Request) -> Answer:
        """Show the keys that serve this request, the one used last in this browser first."""
        waiting = self._waiting.find(request)
        session = self._waiting.session(request)
        known = self._waiting.known(waiting, session)
        level = needed_level(known)
        offered = offered_keys(known, level)
        person = self._provider.directory.person(session.person_id) if session else None
        values = {
            "keys": [choice(key) for key in offered],
            "last_key": self._provider.cookies.read(request, "key"),
            "missing_keys": [
                (key.name, key.means.level) for key in self._provider.authenticators.values() if key not in offered
            ],
            "level": level,
            "step_up": session is not None and known.request.floor > max(u.level for u in session.authentications),
            "person_name": full_name(person),
            "shortcuts": self._shortcuts(waiting, offered),
            "action": f"/op/v1/auth/{waiting.id}/login",
            "cancel_url": f"/op/v1/auth/{waiting.id}/cancel",
        }
        return self._show(request, waiting, page=Page("flows/login.html", "login", values))

    def chosen(self, request: Request) -> Answer:
        """Go on to the first page of the key that was chosen."""
        waiting = self._waiting.find(request)
        form = self._provider.cookies.check_form(request)
        key = self._key(waiting, form.get("key", ""))
        return see_other(f"/op/v1/auth/{waiting.id}/login/{key.name}")

    def begin(self, request: Request) -> Answer:
        """The first page of a key; each time a new attempt."""
        waiting = self._waiting.find(request)
        key = self._key(waiting, request.path["key"])
        begun = new_secret()
        try:
            page = key.begin(self._attempt(request, waiting, begun=begun))
        except AuthenticationFailed as failure:
            page = self._failed(waiting, failure, key=key)
        return self._next(request, waiting, begun=begun, page=page)

    def finish(self, request: Request) -> Answer:
        """The person's answer to a page of the key: signed in, a further page, or the page again."""
        waiting = self._waiting.find(request)
        answer = self._provider.cookies.check_form(request)
        begun = request.query_parameters().get("begun", "")[:BEGUN_LENGTH] or new_secret()
        return self._finish(request, waiting, begun=begun, answer=answer)

    def returned(self, request: Request) -> Answer:
        """The answer that a browser brings from elsewhere to the fixed address of a key.

        It needs no CSRF value: its `state` is one that this very browser was sent away with, or it counts for nothing.
        """
        answer = request.query_parameters()
        state = answer.get("state", "")
        sent = self._elsewhere.get(state) if len(state) <= STATE_LENGTH else None
        if sent is None or sent.key != request.path["key"]:
            raise RequestGone("The sign-in has ended or took too long.")
        # Whatever page follows is the attempt's own: what was brought here stands in no link of it.
        own = f"/op/v1/auth/{sent.request_id}/login"
        path = {"request_id": sent.request_id, "key": sent.key}
        here = msgspec.structs.replace(request, path=path, address=own, query="")
        return self._finish(here, self._waiting.find(here), begun=sent.begun, answer=answer)

    def _finish(
        self, request: Request, waiting: AuthorizationRequest, *, begun: str, answer: Mapping[str, str]
    ) -> Answer:
        key = self._key(waiting, request.path["key"])
        try:
            outcome = key.finish(self._attempt(request, waiting, begun=begun), answer)
        except AuthenticationFailed as failure:
            return self._next(request, waiting, begun=begun, page=self._failed(waiting, failure, key=key))
        if isinstance(outcome, Identification):
            return self._signed_in(request, waiting, key=key, identification=outcome)
        return self._next(request, waiting, begun=begun, page=outcome)

    def _failed(self, waiting: AuthorizationRequest, failure: AuthenticationFailed, *, key: Authenticator) -> Page:
        log.info("authentication failed: key=%s reason=%s request=%s", key.name, failure.reason, waiting.id[:8])
        return failure.page

    def _key(self, waiting: AuthorizationRequest, name: str) -> Authenticator:
        # Looked up for each page: the address of a weaker key, typed by hand, leads nowhere.
        known = self._waiting.known(waiting, None)
        for key in offered_keys(known, needed_level(known)):
            if key.name == name:
                return key
        raise InvalidRequest("This digital key cannot be used here.")

    def _attempt(self, request: Request, waiting: AuthorizationRequest, *, begun: str) -> Attempt:
        is_plain = not waiting.hinted_identity
        return Attempt(
            id=sha256(f"{waiting.id} {waiting.browser} {request.path['key']} {begun}".encode()).hexdigest(),
            origin=self._provider.settings.origin,
            locale=language_of(self._provider, request, occasion=self._waiting.occasion(waiting)),
            hint=waiting.login_hint[:50] if is_plain else "",
            application=self._waiting.client(waiting).name,
        )

    def _next(self, request: Request, waiting: AuthorizationRequest, *, begun: str, page: Page | Redirect) -> Answer:
        if isinstance(page, Redirect):
            return self._sent(request, waiting, begun=begun, page=page)
        values = {**page.values, "action": f"/op/v1/auth/{waiting.id}/login/{request.path['key']}?begun={begun}"}
        return self._show(request, waiting, page=Page(page.template, page.name, values))

    def _sent(self, request: Request, waiting: AuthorizationRequest, *, begun: str, page: Redirect) -> Answer:
        sent = AttemptElsewhere(
            id=self._attempt(request, waiting, begun=begun).id,
            expires_at=self._provider.now() + ELSEWHERE_SECONDS,
            request_id=waiting.id,
            key=request.path["key"],
            begun=begun,
        )
        if not self._elsewhere.add(sent):
            self._elsewhere.replace(sent)
        return see_other(page.url)

    def _show(self, request: Request, waiting: AuthorizationRequest, *, page: Page) -> Answer:
        # A form here may lead to a key that is used elsewhere, by whatever redirects.
        occasion = replace(self._waiting.occasion(waiting), keys_lead_to=self._provider.key_origins)
        return show(self._provider, request, page=page, occasion=occasion)

    def _shortcuts(self, waiting: AuthorizationRequest, offered: tuple[Authenticator, ...]) -> list[dict[str, object]]:
        names = {key.name for key in offered}
        return [
            {
                "label": shortcut.label,
                "key": shortcut.key,
                "action": f"/op/v1/auth/{waiting.id}/login/{shortcut.key}",
                "fields": shortcut.answer,
            }
            for shortcut in self._provider.shortcuts
            if shortcut.key in names
        ]

    def _signed_in(
        self, request: Request, waiting: AuthorizationRequest, *, key: Authenticator, identification: Identification
    ) -> Answer:
        person = self._person(identification)
        if key.name not in self._provider.enrolled.kinds(identification.national_number):
            self._provider.enrolled.enrol(identification.national_number, key.name)
        self._provider.enrolled.mark_used(identification.national_number, key.name)
        # One moment for both: a sign-in that is older than its request says would not count for it.
        used = authentication(key, at=self._provider.now(), methods=identification.methods)
        session = self._waiting.session(request) or self._provider.sessions.by_browser(waiting.browser)
        cookies = self._sign_in(session, person, new=self._new_session(person, waiting.browser, used=used))
        self._waiting.advance(waiting, authenticated_at=used.at, identity="")
        log.info("signed in: key=%s person=%s client=%s", key.name, person.id, waiting.client_id)
        last_key = self._provider.cookies.write("key", key.name, seconds=KEY_SECONDS)
        return see_other(f"/op/v1/auth/{waiting.id}", *cookies, last_key)

    def _person(self, identification: Identification) -> Person:
        number = identification.national_number
        known = self._provider.directory.find(number)
        if known:
            return known
        if not identification.family_name:
            raise InvalidRequest("This person is not known here, and the key carries no name.")
        names = {"given_name": identification.given_name, "family_name": identification.family_name}
        try:
            return self._provider.directory.register_citizen(number, **names, locale="nl")
        except IdentifierInvalid as refused:
            raise InvalidRequest("People with such a number cannot come in here.", detail=str(refused)) from None

    def _sign_in(self, session: Session | None, person: Person, *, new: Session) -> tuple[Header, ...]:
        secret = new_secret()
        new = new.with_cookie(hash_of(secret))
        renewed = self._renewed(session, new) if session and session.person_id == person.id else None
        if renewed is None:
            if session:
                end_session(self._provider, session)
            self._provider.sessions.add(new)
        live, cookies = renewed or new, self._provider.cookies
        left = live.expires_at - self._provider.now()
        return cookies.write("session", secret), cookies.write_state(live.browser_state, seconds=left)

    def _renewed(self, session: Session, new: Session) -> Session | None:
        (used,) = new.authentications
        return self._provider.sessions.change(
            session.sid, lambda current: current.with_authentication(used).with_cookie(new.cookie_hash)
        )

    def _new_session(self, person: Person, browser_id: str, *, used: Authentication) -> Session:
        return Session(
            sid=new_secret(),
            cookie_hash="",
            person_id=person.id,
            browser_id=browser_id,
            browser_state=new_secret(),
            authentications=(used,),
            created_at=used.at,
            expires_at=used.at + self._provider.settings.session_seconds,
        )


def authentication(key: Authenticator, *, at: int, methods: tuple[str, ...] = ()) -> Authentication:
    """A sign-in with this key at that moment; by these methods, or by its usual ones."""
    used = methods or key.methods
    return Authentication(key=key.name, acr=key.means.urn, level=key.means.level, methods=used, at=at)


def choice(key: Authenticator) -> Choice:
    """A key as the page shows it; a third party's key is called by its name."""
    return Choice(key.name, key.means.level, key.name)


def full_name(person: Person | None) -> str:
    """Given name and family name; empty for nobody."""
    return f"{person.given_name} {person.family_name}".strip() if person else ""
