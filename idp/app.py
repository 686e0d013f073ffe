"""The application: finds the endpoint of an address, adds the headers that every answer has, turns failures around.

Promises: no rule lives here. Our own addresses are answered directly on the WSGI server; what is not ours is Flask's,
as the consoles will be. Must not know: how an answer is made, or which addresses there are.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from flask import Flask, Response
from flask import request as flask_request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WrongMethod
from werkzeug.routing import Rule

from idp.errors import ProtocolError, ServerError
from idp.flows.cross_origin import CrossOrigin
from idp.flows.failure import MethodNotAllowed, NotFound, as_json, as_page
from idp.flows.screen import content_security_policy
from idp.http import Answer, Header, read_body, read_request
from idp.provider import Provider
from idp.routes import Route, Surroundings, all_routes

log = logging.getLogger(__name__)

STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

StartResponse = Callable[..., Any]


class Verbatim(Response):
    """An answer whose headers go out letter for letter: a checked address must not be rewritten on the way."""

    def get_wsgi_headers(self, _environ: Any) -> Any:
        """The headers as they were given, and the length of the body."""
        headers = self.headers.copy()
        headers["Content-Length"] = str(len(self.get_data()))
        return headers


class Application:
    """The WSGI application."""

    def __init__(self, provider: Provider, routes: Iterable[Route]) -> None:
        self.provider = provider
        self._headers = headers_of_every_answer(provider)
        self._cross_origin = CrossOrigin(provider)
        self._fixed: dict[str, dict[str, Route]] = {}
        self._flask = Flask(__name__, static_folder=None)
        # An address is what it is: a helpful redirect would be built from the Host header.
        self._flask.url_map.merge_slashes = self._flask.url_map.strict_slashes = False
        for route in routes:
            self._mount(route)
            if route.is_shared:
                self._mount(Route("OPTIONS", route.address, self._cross_origin.preflight(route.methods), as_json))
        self._addresses = self._flask.url_map.bind("")
        self._flask.register_error_handler(HTTPException, self._elsewhere)

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        method = environ["REQUEST_METHOD"]
        if not method.isupper():  # the map takes `head` for HEAD: whatever stands behind it has to do the same
            method = method.upper()
            environ = {**environ, "REQUEST_METHOD": method}
        try:
            route, path = self._found("GET" if method == "HEAD" else method, environ.get("PATH_INFO", ""))
        except WrongMethod as error:
            answer = self._unrouted(error, environ)
        except HTTPException:
            return self._flask.wsgi_app(dict(environ), start_response)
        else:
            answer = self._answer(route, environ, path=path)
        start_response(STATUS_LINES[answer.status], [*answer.headers, ("Content-Length", str(len(answer.body)))])
        return [b"" if method == "HEAD" else answer.body]

    def close(self) -> None:
        """Let go of what the provider holds open."""
        self.provider.close()

    def _mount(self, route: Route) -> None:
        methods = route.methods.split()
        if "<" in route.address:
            self._flask.url_map.add(Rule(route.address, endpoint=route, methods=methods))
        else:
            self._fixed.setdefault(route.address, {}).update(dict.fromkeys(methods, route))

    def _found(self, method: str, address: str) -> tuple[Route, Mapping[str, str]]:
        if fixed := self._fixed.get(address):
            if method not in fixed:
                raise WrongMethod(valid_methods=[*fixed, *(["HEAD"] if "GET" in fixed else [])])
            return fixed[method], {}
        # WSGI hands the bytes of an address over as if each were a character (PEP 3333).
        return self._addresses.match(address.encode("latin-1").decode("utf-8", "replace"), method)

    def _answer(self, route: Route, environ: Mapping[str, Any], *, path: Mapping[str, str]) -> Answer:
        request = read_request(environ, path)
        try:
            if request.method == "HEAD" and route.acts:
                raise MethodNotAllowed("Use GET.")
            request = msgspec.structs.replace(request, body=read_body(environ))
            answer = route.endpoint(request)
        except ProtocolError as error:
            answer = route.failure(self.provider, request, error=error)
        except Exception:  # the last door: whatever it was, the caller hears server_error and the log has the trace
            log.exception("unforeseen at %s", route.address)
            unforeseen = ServerError("Something went wrong here.")
            answer = route.failure(self.provider, request, error=unforeseen)
        if route.is_shared:
            answer = answer.with_headers(*self._cross_origin.headers(request))
        return self._finished(answer, may_be_framed=route.may_be_framed)

    def _elsewhere(self, error: HTTPException) -> Response:
        answer = self._unrouted(error, flask_request.environ)
        return Verbatim(answer.body, answer.status, list(answer.headers))

    def _unrouted(self, error: HTTPException, environ: Mapping[str, Any]) -> Answer:
        failure: ProtocolError = NotFound("No page.")
        if isinstance(error, WrongMethod):
            failure = MethodNotAllowed("This method is not allowed.")
        request = read_request(environ, {})
        is_program = request.address.startswith(("/op/v1/", "/op/.well-known/", "/.well-known/"))
        answer = self._finished((as_json if is_program else as_page)(self.provider, request, error=failure))
        if isinstance(error, WrongMethod):  # RFC 9110 §15.5.6
            answer = answer.with_headers(("Allow", ", ".join(sorted(error.valid_methods or ()))))
        return answer

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


def create_app(provider: Provider, surroundings: Surroundings) -> Application:
    """The application with every address of the provider."""
    return Application(provider, all_routes(provider, surroundings))
