"""The authorization endpoint and its resume: check, decide, then respond at once or keep the request and show a step.

Promises: the order is the one written in `authorize`; a request that needs no page is never stored; a step knows only
its own address and the resume. Must not know: what a step shows, or which keys there are.
"""

import logging
from collections.abc import Mapping

import msgspec

from idp.claims_request import acrs_asked, parse_claims, subject_asked
from idp.errors import AccessDenied, InvalidRequest, ProtocolError
from idp.flows.audiences import audience_asked
from idp.flows.checks import ADDRESSEE, REQUEST, RESPONSE_MODES, Asked, hinted_identity
from idp.flows.hints import claims_of_hint
from idp.flows.interaction import AskConsent, ChooseIdentity, Refuse, Respond, SignIn, Step, next_step
from idp.flows.pushed import PushedRequests
from idp.flows.request_objects import RequestObjects
from idp.flows.response import respond
from idp.flows.session_management import session_state
from idp.flows.waiting import Waiting
from idp.http import Answer, ParameterRepeated, Request, see_other
from idp.keys.jwt import TokenRejected
from idp.provider import Provider
from idp.sessions import Session
from idp.tickets import (
    CODE_SECONDS,
    REQUEST_SECONDS,
    AuthorizationCode,
    AuthorizationRequest,
    hash_of,
    new_secret,
)

log = logging.getLogger(__name__)

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
            checked = self._checked(address, asked)
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

    def _checked(self, address: AuthorizationRequest, asked: Asked) -> AuthorizationRequest:
        max_age, claims = asked.get("max_age"), parse_claims(asked.get("claims"))
        return msgspec.structs.replace(
            address,
            scope=tuple(dict.fromkeys(asked.get("scope").split())),
            nonce=asked.get("nonce"),
            code_challenge=asked.get("code_challenge"),
            prompt=frozenset(asked.get("prompt").split()),
            max_age=int(max_age) if max_age else asked.asker.default_max_age,
            acr_values=tuple(asked.get("acr_values").split()) or acrs_asked(claims),
            login_hint=asked.get("login_hint"),
            hinted_identity=hinted_identity(asked.get("login_hint")),
            audience=audience_asked(self._provider, asked.asker, parameters=asked.parameters),
            dpop_jkt=asked.get("dpop_jkt"),
            hinted_subject=self._hinted_subject(asked.get("id_token_hint")) or subject_asked(claims),
            created_at=self._provider.now(),
            claims=claims,
        )

    def _hinted_subject(self, id_token_hint: str) -> str:
        if not id_token_hint:
            return ""
        try:
            return str(claims_of_hint(self._provider, id_token_hint)["sub"])
        except (TokenRejected, KeyError):
            raise InvalidRequest("id_token_hint is not an ID token of this issuer.") from None

    def _keep_unbound(self, checked: AuthorizationRequest) -> Answer:
        # A cross-site POST comes without our cookies (SameSite=Lax): the browser is known only at the GET that follows.
        return see_other(f"/op/v1/auth/{self._waiting.keep(checked).id}")

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
        bound = msgspec.structs.replace(waiting, floor=floor, browser=browser.id)
        if not waiting.id:
            waiting = self._waiting.keep(bound)
        elif bound != waiting:
            waiting = self._waiting.advance(waiting, floor=floor, browser=browser.id)
        return see_other(f"/op/v1/auth/{waiting.id}/{STEP_ADDRESSES[type(step)]}", *cookies)

    def _respond(self, request: Request, waiting: AuthorizationRequest, *, session: Session, step: Respond) -> Answer:
        if waiting.client_id not in session.clients:
            self._provider.sessions.change(session.sid, lambda current: current.with_client(waiting.client_id))
        code = new_secret()
        self._codes.add(self._code(hash_of(code), waiting, session=session, step=step))
        self._waiting.answered(waiting)
        self._pushed.used(waiting.pushed)
        state = session_state(session, waiting.client_id, redirect_uri=waiting.redirect_uri)
        members = {"code": code} | ({"session_state": state} if state else {})
        return respond(self._provider, request, to=waiting, members=members)

    def _code(self, id: str, waiting: AuthorizationRequest, *, session: Session, step: Respond) -> AuthorizationCode:
        return AuthorizationCode(
            id=id,
            expires_at=self._provider.now() + CODE_SECONDS,
            grant_id=new_secret(),
            client_id=waiting.client_id,
            redirect_uri=waiting.redirect_uri,
            code_challenge=waiting.code_challenge,
            nonce=waiting.nonce,
            scope=waiting.scope,
            person_id=session.person_id,
            sid=session.sid,
            identity=step.option.value,
            acr=step.authentication.acr,
            level=step.authentication.level,
            methods=step.authentication.methods,
            auth_time=step.authentication.at,
            claims=waiting.claims,
            audience=waiting.audience,
            dpop_jkt=waiting.dpop_jkt,
        )

    def _finish(self, request: Request, waiting: AuthorizationRequest, *, error: ProtocolError) -> Answer:
        log.info("authorization ended: %s %s", error.code, error)
        self._waiting.answered(waiting)
        return respond(self._provider, request, to=waiting, members=error.members())
