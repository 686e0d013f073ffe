"""Logging out (OpenID Connect RP-Initiated Logout 1.0), and `switch`, by which only one application forgets for whom.

Promises: a browser is sent only to an address that the client registered, letter for letter; without a hint that
matches the session the person is asked first, so that no page elsewhere can log anybody out; what was asked to outlive
the session (`offline_access`) stays. Must not know: what an application does when it loses its tokens.
"""

import logging
from collections.abc import Sequence

import msgspec

from idp.authenticator import Page
from idp.clients import Client
from idp.errors import InvalidRequest
from idp.flows.checks import LONGEST
from idp.flows.ending import end_session
from idp.flows.frontchannel_logout import frames
from idp.flows.hints import claims_of_hint
from idp.flows.login import full_name
from idp.flows.screen import Occasion, show
from idp.flows.waiting import Waiting
from idp.http import Answer, Request, see_other, with_query
from idp.keys.jwt import TokenRejected
from idp.provider import Provider
from idp.sessions import Session
from idp.tickets import LogoutRequest, new_secret

log = logging.getLogger(__name__)

QUESTION_SECONDS = 600


class Logout:
    """`/op/v1/logout` and the answer to its question."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)
        self._questions = provider.store.repository(LogoutRequest)

    def ask(self, request: Request) -> Answer:
        """Log out at once where the request proves that it is meant; ask the person otherwise."""
        parameters = request.parameters()
        wanted = self._questions.get(parameters.get("request", "")) or self._wanted(request, parameters)
        session = self._waiting.session(request)
        if request.method == "POST" and session is None:
            return self._keep_unbound(wanted)
        if wanted.is_switch:
            return self._switch(request, session, wanted=wanted)
        if session is None:
            return self._go_back(request, wanted)
        if wanted.hinted_sid == session.sid or self._asks_no_question(wanted):
            return self._end(request, session, wanted=wanted)
        return self._question(request, session, wanted=wanted)

    def confirmed(self, request: Request) -> Answer:
        """The person said yes on our page."""
        form = self._provider.cookies.check_form(request)
        wanted = self._questions.get(form.get("request", ""))
        session = self._waiting.session(request)
        if wanted is None or (session and session.sid != wanted.sid):
            raise InvalidRequest("The question was asked too long ago.")
        self._questions.discard(wanted.id)
        return self._end(request, session, wanted=wanted) if session else self._go_back(request, wanted)

    def _hint(self, id_token_hint: str) -> dict[str, object]:
        if not id_token_hint:
            return {}
        try:
            return claims_of_hint(self._provider, id_token_hint)
        except TokenRejected:
            raise InvalidRequest("id_token_hint is not an ID token of this issuer.") from None

    def _client(self, client_id: str, hint: dict[str, object]) -> Client | None:
        hinted = str(hint.get("azp", ""))
        if client_id and hinted and client_id != hinted:
            raise InvalidRequest("client_id is not the one of id_token_hint.")
        if not client_id and not hinted:
            return None
        client = self._provider.clients.get(client_id or hinted)
        if client is None:
            raise InvalidRequest("The application is not known here.")
        return client

    def _keep_unbound(self, wanted: LogoutRequest) -> Answer:
        # A POST from another site comes without our cookies (SameSite=Lax): only a GET shows whose session it is.
        self._questions.add(wanted)
        return see_other(with_query("/op/v1/logout", [("request", wanted.id)]))

    def _asks_no_question(self, wanted: LogoutRequest) -> bool:
        client = self._provider.clients.get(wanted.client_id)
        return client is not None and client.logout_without_question

    def _wanted(self, request: Request, parameters: dict[str, str]) -> LogoutRequest:
        hint = self._hint(parameters.get("id_token_hint", ""))
        client = self._client(parameters.get("client_id", ""), hint)
        uri = parameters.get("post_logout_redirect_uri", "")
        if uri and (client is None or not client.has_logout_uri(uri)):
            raise InvalidRequest("The address to return to is not registered.")
        return LogoutRequest(
            id=new_secret(),
            expires_at=self._provider.now() + QUESTION_SECONDS,
            hinted_sid=str(hint.get("sid", "")),
            client_id=client.client_id if client else "",
            redirect_uri=uri,
            state=short_state(parameters.get("state", "")),
            is_switch=client is not None and request.has_parameter("switch"),
        )

    def _switch(self, request: Request, session: Session | None, *, wanted: LogoutRequest) -> Answer:
        if session:
            self._provider.sessions.change(session.sid, lambda now: now.without_identity(wanted.client_id))
        return self._go_back(request, wanted)

    def _question(self, request: Request, session: Session, *, wanted: LogoutRequest) -> Answer:
        asked = msgspec.structs.replace(wanted, id=new_secret(), sid=session.sid)
        self._questions.add(asked)
        person = self._provider.directory.person(session.person_id)
        clients = [self._provider.clients.get(client_id) for client_id in session.clients]
        values = {
            "person_name": full_name(person),
            "applications": [{"name": client.name} for client in clients if client],
            "action": "/op/v1/logout/confirm",
            "request": asked.id,
            "cancel_url": "/",
        }
        occasion = Occasion(locale=person.locale if person else "", leads_to=wanted.redirect_uri)
        return show(self._provider, request, page=Page("flows/logout.html", "logout", values), occasion=occasion)

    def _end(self, request: Request, session: Session, *, wanted: LogoutRequest) -> Answer:
        ended = end_session(self._provider, session)
        log.info("logged out: person=%s client=%s", session.person_id, wanted.client_id)
        cookies = self._provider.cookies
        forgotten = cookies.write("session", "", seconds=0), cookies.write_state("", seconds=0)
        framed = frames(self._provider, ended) if ended else []
        return self._go_back(request, wanted, framed=framed).with_headers(*forgotten)

    def _go_back(self, request: Request, wanted: LogoutRequest, *, framed: Sequence[str] = ()) -> Answer:
        back = with_query(wanted.redirect_uri, [("state", wanted.state)] if wanted.state else [])
        if wanted.redirect_uri and not framed:
            return see_other(back)
        client = self._provider.clients.get(wanted.client_id)
        values = {
            "back_url": back if wanted.redirect_uri else client.client_uri if client else "",
            "back_name": client.name if client else "",
            "frames": framed,
            "is_awaited": bool(wanted.redirect_uri),
        }
        page = Page("flows/logged_out.html", "logged-out", values)
        return show(self._provider, request, page=page, occasion=Occasion(frames=tuple(framed)))


def short_state(state: str) -> str:
    """The state to give back; InvalidRequest if it is longer than anybody needs, since it may have to be kept."""
    if len(state) > LONGEST["state"]:
        raise InvalidRequest("state is too long.")
    return state
