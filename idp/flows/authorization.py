"""The authorization endpoint and its resume: check, decide, then respond at once or keep the request and show a step.

Promises: the order is the one written in `authorize`; a request that needs no page is never stored; a step knows only
its own address and the resume. Must not know: what a step shows, or which keys there are.
"""

import logging
from collections.abc import Mapping

import msgspec

from idp.errors import AccessDenied, ProtocolError
from idp.flows.answered import PolledAnswers
from idp.flows.checked import checked_request
from idp.flows.checks import ADDRESSEE, REQUEST, RESPONSE_MODES, Asked, InvalidRequestUri
from idp.flows.codes import code_of
from idp.flows.interaction import AskConsent, ChooseIdentity, Refuse, Respond, SignIn, Step, next_step
from idp.flows.pushed import PushedRequests
from idp.flows.request_objects import RequestObjects
from idp.flows.response import respond
from idp.flows.session_management import session_state
from idp.flows.waiting import Waiting
from idp.http import Answer, ParameterRepeated, Request, see_other
from idp.provider import Provider
from idp.sessions import Session
from idp.tickets import (
    REQUEST_SECONDS,
    UNOPENED_SECONDS,
    AuthorizationCode,
    AuthorizationRequest,
    hash_of,
    new_secret,
)

log = logging.getLogger(__name__)

CODE_PURPOSE = "code of a pushed request"

STEP_ADDRESSES: Mapping[type[Step], str] = {
    SignIn: "login",
    ChooseIdentity: "identity",
    AskConsent: "consent",
    Refuse: "no-access",
}


class Authorization:
    """The endpoint, its resume, and the way out."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)
        self._pushed = PushedRequests(provider)
        self._objects = RequestObjects(provider)
        self._polled = PolledAnswers(provider)
        self._codes = provider.store.repository(AuthorizationCode)

    def authorize(self, request: Request) -> Answer:
        """Check the request; then answer it, or keep it and lead the browser to the next step."""
        asked = self._read(request)
        for check in ADDRESSEE:
            check(asked)
        address = self._return_address(asked)
        try:
            for check in REQUEST:
                check(asked)
            checked = checked_request(self._provider, asked, address=address)
            if request.method == "POST":
                return self._keep_unbound(checked)
            return self._go_on(request, checked)
        except ProtocolError as error:
            log.info("authorization refused: %s %s", error.code, error)
            return respond(self._provider, request, to=address, members=error.members())

    def resume(self, request: Request) -> Answer:
        """Decide again from what is stored; the one address to which every step returns."""
        waiting = self._waiting.arrive(request)
        try:
            return self._go_on(request, waiting)
        except ProtocolError as error:
            return self._finish(request, waiting, error=error)

    def cancel(self, request: Request) -> Answer:
        """The person stops: the application is told `access_denied`."""
        return self._finish(request, self._waiting.find(request), error=AccessDenied("The person stopped."))

    def _read(self, request: Request) -> Asked:
        repeated = False
        try:
            parameters: Mapping[str, str] = request.parameters()
        except ParameterRepeated as error:
            parameters, repeated = error.others, True
        client = self._provider.clients.get(parameters.get("client_id", ""))
        return self._objects.unpack(self._pushed.unpack(Asked(parameters, client, repeated)))

    def _return_address(self, asked: Asked) -> AuthorizationRequest:
        mode = asked.get("response_mode")
        return AuthorizationRequest(
            id="",
            expires_at=self._provider.now() + REQUEST_SECONDS,
            client_id=asked.asker.client_id,
            redirect_uri=asked.get("redirect_uri"),
            response_mode=mode if mode in RESPONSE_MODES else "",
            scope=(),
            state=asked.get("state"),
            ui_locales=asked.get("ui_locales"),
            pushed=asked.pushed,
        )

    def _keep_unbound(self, checked: AuthorizationRequest) -> Answer:
        # A cross-site POST comes without our cookies (SameSite=Lax): the browser is known only at the GET that follows.
        # One that no browser opens is not kept for long: anybody can send many.
        soon = self._provider.now() + UNOPENED_SECONDS
        return see_other(f"/op/v1/auth/{self._waiting.keep(msgspec.structs.replace(checked, expires_at=soon)).id}")

    def _go_on(self, request: Request, waiting: AuthorizationRequest) -> Answer:
        session = self._waiting.session(request)
        step = next_step(self._waiting.known(waiting, session))
        if isinstance(step, Respond) and session:
            return self._respond(request, waiting, session=session, step=step)
        return self._show(request, waiting, step=step)

    def _show(self, request: Request, waiting: AuthorizationRequest, *, step: Step) -> Answer:
        browser = self._provider.cookies.browser(request)
        cookies = (self._provider.cookies.write("browser", browser.secret),) if browser.is_new else ()
        floor = step.level if isinstance(step, SignIn) else waiting.floor
        is_opened = bool(waiting.browser or waiting.polled)
        ends_at = waiting.expires_at if is_opened else waiting.created_at + REQUEST_SECONDS
        bound = msgspec.structs.replace(waiting, floor=floor, browser=browser.id, expires_at=ends_at)
        if not waiting.id:
            waiting = self._waiting.keep(bound)
        elif bound != waiting:
            waiting = self._waiting.advance(bound)
        return see_other(f"/op/v1/auth/{waiting.id}/{STEP_ADDRESSES[type(step)]}", *cookies)

    def _respond(self, request: Request, waiting: AuthorizationRequest, *, session: Session, step: Respond) -> Answer:
        if waiting.client_id not in session.clients:
            self._provider.sessions.change(session.sid, lambda current: current.with_client(waiting.client_id))
        self._waiting.answered(waiting)
        if waiting.polled:
            approved = code_of(waiting, session, step=step, now=self._provider.now())
            return self._polled.approve(request, waiting, code=approved)
        code = self._issue(waiting, session=session, step=step)
        state = session_state(session, waiting.client_id, redirect_uri=waiting.redirect_uri)
        members = {"code": code} | ({"session_state": state} if state else {})
        return respond(self._provider, request, to=waiting, members=members)

    def _issue(self, waiting: AuthorizationRequest, *, session: Session, step: Respond) -> str:
        code = new_secret()
        if waiting.pushed:
            # A double click on one page gets one code, so that its second answer is no error.
            clicked = f"{waiting.id} {session.sid}"
            code = self._provider.hasher.keyed_hash(clicked, purpose=CODE_PURPOSE) if waiting.id else code
            if not self._pushed.claim(waiting.pushed):
                if self._codes.get(hash_of(code)) is None:
                    raise InvalidRequestUri("A code was issued for the pushed request before.")
                return code
        issued = code_of(waiting, session, step=step, now=self._provider.now())
        self._codes.add(msgspec.structs.replace(issued, id=hash_of(code)))
        return code

    def _finish(self, request: Request, waiting: AuthorizationRequest, *, error: ProtocolError) -> Answer:
        log.info("authorization ended: %s %s", error.code, error)
        self._waiting.answered(waiting)
        if waiting.polled:
            return self._polled.refuse(request, waiting)
        return respond(self._provider, request, to=waiting, members=error.members())
