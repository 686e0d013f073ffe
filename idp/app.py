"""The application: mounts every endpoint at its address, adds the headers that every answer has, turns failures around.

Promises: no rule lives here. The endpoints at fixed addresses are answered directly on the WSGI server; those with
something to find in the address go through Flask's router, as the consoles will. Must not know: how an answer is made.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from flask import Flask, Response
from flask import request as flask_request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WrongMethod

from idp.errors import ProtocolError, ServerError
from idp.flows.authorization import Authorization
from idp.flows.consent import ConsentQuestion
from idp.flows.cross_origin import CrossOrigin
from idp.flows.discovery import Discovery
from idp.flows.failure import MethodNotAllowed, NotFound, as_json, as_page
from idp.flows.identity import IdentityChoice
from idp.flows.introspection import Introspection
from idp.flows.login import Login
from idp.flows.logout import Logout
from idp.flows.no_access import NoAccess
from idp.flows.pushed import PushedAuthorization
from idp.flows.registration import Registration
from idp.flows.revocation import Revocation
from idp.flows.screen import content_security_policy
from idp.flows.session_management import SessionManagement
from idp.flows.simulators import Simulated, Simulators
from idp.flows.start import Start
from idp.flows.static import StaticFiles
from idp.flows.token import TokenEndpoint
from idp.flows.userinfo import Userinfo
from idp.http import Answer, Endpoint, Header, Request, read_body, read_request
from idp.provider import Provider

log = logging.getLogger(__name__)

StartResponse = Callable[..., Any]


class Failure(Protocol):
    """How a failure is told."""

    def __call__(self, provider: Provider, request: Request, /, *, error: ProtocolError) -> Answer:
        """The answer that tells it."""
        ...


@dataclass(frozen=True)
class Route:
    """An address with its methods and endpoint, and how a failure of it is told.

    `may_be_framed`: by pages of others; `is_shared`: with scripts of the origins that clients registered.
    """

    methods: str
    address: str
    endpoint: Endpoint
    failure: Failure = as_page
    may_be_framed: bool = False
    is_shared: bool = False

    @property
    def acts(self) -> bool:
        """Whether a GET does more than show: a HEAD, as link scanners send, must not do the same."""
        return self.address.startswith(("/op/v1/auth", "/op/v1/logout"))


class Verbatim(Response):
    """An answer whose headers go out letter for letter: a checked address must not be rewritten on the way."""

    def get_wsgi_headers(self, _environ: Any) -> Any:
        """The headers as they were given, and the length of the body."""
        headers = self.headers.copy()
        headers["Content-Length"] = str(len(self.get_data()))
        return headers


def protocol_routes(provider: Provider) -> tuple[Route, ...]:
    """What programs call."""
    discovery = Discovery(provider)
    return (
        Route("GET", "/op/.well-known/openid-configuration", discovery.document, as_json),
        Route("GET", "/.well-known/oauth-authorization-server/op", discovery.document, as_json),
        Route("GET", "/op/v1/keys", discovery.keys, as_json),
        Route("POST", "/op/v1/token", TokenEndpoint(provider).answer, as_json, is_shared=True),
        Route("POST", "/op/v1/par", PushedAuthorization(provider).answer, as_json),
        Route("GET POST", "/op/v1/userinfo", Userinfo(provider).answer, as_json, is_shared=True),
        Route("POST", "/op/v1/introspect", Introspection(provider).answer, as_json),
        Route("POST", "/op/v1/revoke", Revocation(provider).answer, as_json, is_shared=True),
    )


def registration_routes(provider: Provider) -> tuple[Route, ...]:
    """Where applications register themselves, if they may at all."""
    if provider.settings.registration == "off":
        return ()
    registration = Registration(provider)
    return (
        Route("POST", "/op/v1/register", registration.register, as_json),
        Route("GET", "/op/v1/register/<client_id>", registration.read, as_json),
        Route("PUT", "/op/v1/register/<client_id>", registration.update, as_json),
        Route("DELETE", "/op/v1/register/<client_id>", registration.delete, as_json),
    )


def page_routes(provider: Provider) -> tuple[Route, ...]:
    """What people see."""
    authorization, login, logout = Authorization(provider), Login(provider), Logout(provider)
    identity, consent, no_access = IdentityChoice(provider), ConsentQuestion(provider), NoAccess(provider)
    return (
        Route("GET POST", "/op/v1/auth", authorization.authorize),
        Route("GET", "/op/v1/auth/<request_id>", authorization.resume),
        Route("GET", "/op/v1/auth/<request_id>/cancel", authorization.cancel),
        Route("GET", "/op/v1/auth/<request_id>/login", login.choose),
        Route("POST", "/op/v1/auth/<request_id>/login", login.chosen),
        Route("GET", "/op/v1/auth/<request_id>/login/<key>", login.begin),
        Route("POST", "/op/v1/auth/<request_id>/login/<key>", login.finish),
        Route("GET", "/op/v1/auth/<request_id>/identity", identity.show),
        Route("POST", "/op/v1/auth/<request_id>/identity", identity.chosen),
        Route("GET", "/op/v1/auth/<request_id>/consent", consent.show),
        Route("POST", "/op/v1/auth/<request_id>/consent", consent.answered),
        Route("GET", "/op/v1/auth/<request_id>/no-access", no_access.show),
        Route("GET POST", "/op/v1/logout", logout.ask),
        Route("GET", "/op/v1/session", SessionManagement(provider).page, may_be_framed=True),
        Route("POST", "/op/v1/logout/confirm", logout.confirmed),
    )


def start_routes(provider: Provider, is_ready: Callable[[], bool]) -> tuple[Route, ...]:
    """The pages around it, and our health."""
    start = Start(provider, is_ready=is_ready)
    return (
        Route("GET", "/", start.page),
        Route("GET", "/hulp", start.text("help")),
        Route("GET", "/privacy", start.text("privacy")),
        Route("GET", "/toegankelijkheid", start.text("accessibility")),
        Route("GET", "/health/live", start.live, as_json),
        Route("GET", "/health/ready", start.ready, as_json),
    )


def simulator_routes(provider: Provider, simulated: Simulated) -> tuple[Route, ...]:
    """The simulators, each guarded."""
    simulators = Simulators(provider, simulated)
    routes = (
        Route("GET", "/simulators/inbox/", simulators.inboxes),
        Route("GET", "/simulators/inbox/<address>", simulators.inbox),
        Route("GET", "/simulators/app", simulators.app),
        Route("GET", "/simulators/clock", simulators.clock),
        Route("POST", "/simulators/clock", simulators.set_clock),
        Route("GET", "/simulators/clock.html", simulators.clock_page),
        Route("POST", "/simulators/clock.html", simulators.set_clock_page),
    )
    return tuple(replace(route, endpoint=simulators.guarded(route.endpoint)) for route in routes)


class Application:
    """The WSGI application."""

    def __init__(self, provider: Provider, routes: Iterable[Route]) -> None:
        self.provider = provider
        self._headers = headers_of_every_answer(provider)
        self._cross_origin = CrossOrigin(provider)
        self._fixed: dict[tuple[str, str], Route] = {}
        self._flask = Flask(__name__, static_folder=None)
        # An address is what it is: a helpful redirect would be built from the Host header.
        self._flask.url_map.merge_slashes = self._flask.url_map.strict_slashes = False
        for route in routes:
            self._mount(route)
            if route.is_shared:
                self._mount(Route("OPTIONS", route.address, self._cross_origin.preflight(route.methods), as_json))
        self._flask.register_error_handler(HTTPException, self._unrouted)

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        method = environ["REQUEST_METHOD"]
        route = self._fixed.get(("GET" if method == "HEAD" else method, environ.get("PATH_INFO", "")))
        if route is None:
            return self._flask.wsgi_app(dict(environ), start_response)
        answer = self._answer(route, environ, path={})
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        start_response(status, [*answer.headers, ("Content-Length", str(len(answer.body)))])
        return [b"" if method == "HEAD" else answer.body]

    def close(self) -> None:
        """Let go of what the provider holds open."""
        self.provider.close()

    def _mount(self, route: Route) -> None:
        methods = route.methods.split()
        if "<" not in route.address:
            self._fixed.update({(method, route.address): route for method in methods})

        def view(**path: str) -> Response:
            answer = self._answer(route, flask_request.environ, path=path)
            return Verbatim(answer.body, answer.status, list(answer.headers))

        self._flask.add_url_rule(
            route.address, f"{route.methods} {route.address}", view, methods=methods, provide_automatic_options=False
        )

    def _answer(self, route: Route, environ: Mapping[str, Any], *, path: Mapping[str, str]) -> Answer:
        request = replace(read_request(environ), path=path)
        try:
            if request.method == "HEAD" and route.acts:
                raise MethodNotAllowed("Use GET.")
            request = replace(request, body=read_body(environ))
            answer = route.endpoint(request)
        except ProtocolError as error:
            answer = route.failure(self.provider, request, error=error)
        except Exception:  # the last door: whatever it was, the caller hears server_error and the log has the trace
            log.exception("unforeseen at %s", route.address)
            unforeseen = ServerError("Something went wrong here.")
            answer = route.failure(self.provider, request, error=unforeseen)
        shared = self._cross_origin.headers(request) if route.is_shared else ()
        return self._finished(answer.with_headers(*shared), may_be_framed=route.may_be_framed)

    def _unrouted(self, error: HTTPException) -> Response:
        failure: ProtocolError = NotFound("No page.")
        if isinstance(error, WrongMethod):
            failure = MethodNotAllowed("This method is not allowed.")
        request = read_request(flask_request.environ)
        is_program = request.address.startswith(("/op/v1/", "/op/.well-known/", "/.well-known/"))
        answer = self._finished((as_json if is_program else as_page)(self.provider, request, error=failure))
        if isinstance(error, WrongMethod):  # RFC 9110 §15.5.6
            answer = answer.with_headers(("Allow", ", ".join(sorted(error.valid_methods or ()))))
        return Verbatim(answer.body, answer.status, list(answer.headers))

    def _finished(self, answer: Answer, *, may_be_framed: bool = False) -> Answer:
        named = {name for name, _ in answer.headers} | ({"X-Frame-Options"} if may_be_framed else set())
        return answer.with_headers(*(header for header in self._headers if header[0] not in named))


def headers_of_every_answer(provider: Provider) -> tuple[Header, ...]:
    """What every answer has, unless it says otherwise itself."""
    always = (
        content_security_policy(),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
    )
    transport = ("Strict-Transport-Security", "max-age=31536000")
    return (*always, transport) if provider.settings.is_https else always


@dataclass(frozen=True)
class Surroundings:
    """What the application is mounted with besides the provider; the simulators only where they are handed in."""

    is_ready: Callable[[], bool]
    static: Path
    simulated: Simulated | None = None


def create_app(provider: Provider, surroundings: Surroundings) -> Application:
    """The application with every route."""
    simulated = surroundings.simulated
    routes = (
        *protocol_routes(provider),
        *registration_routes(provider),
        *page_routes(provider),
        *start_routes(provider, surroundings.is_ready),
        *(simulator_routes(provider, simulated) if simulated else ()),
        Route("GET", "/static/<path:name>", StaticFiles(surroundings.static).answer),
    )
    return Application(provider, routes)
