"""The map: which endpoint answers at which address, and how a failure of it is told.

Promises: every address of the provider stands here, once. Must not know: how an address is found in a request, or how
an answer is made.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from idp.errors import ProtocolError
from idp.flows.authorization import Authorization
from idp.flows.automated_approval import AutomatedApproval
from idp.flows.ciba import BackchannelAuthentication
from idp.flows.ciba_page import BackchannelApproval
from idp.flows.consent import ConsentQuestion
from idp.flows.device import DeviceAuthorization
from idp.flows.device_page import DevicePage
from idp.flows.discovery import Discovery
from idp.flows.failure import as_json, as_page
from idp.flows.holdings import Holdings
from idp.flows.identity import IdentityChoice
from idp.flows.introspection import Introspection
from idp.flows.keys import KeysPage
from idp.flows.login import Login
from idp.flows.logout import Logout
from idp.flows.no_access import NoAccess
from idp.flows.pushed import PushedAuthorization
from idp.flows.registration import Registration
from idp.flows.revocation import Revocation
from idp.flows.session_management import SessionManagement
from idp.flows.simulators import Simulated, Simulators
from idp.flows.start import Start
from idp.flows.static import StaticFiles
from idp.flows.token import TokenEndpoint
from idp.flows.userinfo import Userinfo
from idp.http import Answer, Endpoint, Request, see_other
from idp.provider import Provider


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


@dataclass(frozen=True)
class Surroundings:
    """What the application is mounted with besides the provider; the simulators only where they are handed in."""

    is_ready: Callable[[], bool]
    static: Path
    simulated: Simulated | None = None


def all_routes(provider: Provider, surroundings: Surroundings) -> tuple[Route, ...]:
    """Every address, with its endpoint."""
    simulated = surroundings.simulated
    return (
        *protocol_routes(provider),
        *registration_routes(provider),
        *page_routes(provider),
        *elsewhere_routes(provider),
        *key_routes(provider),
        *start_routes(provider, surroundings.is_ready),
        *(simulator_routes(provider, simulated) if simulated else ()),
        Route("GET", "/static/<path:name>", StaticFiles(surroundings.static).answer),
    )


def protocol_routes(provider: Provider) -> tuple[Route, ...]:
    """What programs call."""
    discovery, settings = Discovery(provider), provider.settings
    return (
        Route("GET", "/op/.well-known/openid-configuration", discovery.document, as_json),
        Route("GET", "/.well-known/oauth-authorization-server/op", discovery.document, as_json),
        Route("GET", "/op/v1/keys", discovery.keys, as_json),
        *([Route("GET", "/op/v1/keys/itsme", discovery.upstream_keys, as_json)] if settings.itsme_issuer else []),
        Route("POST", "/op/v1/token", TokenEndpoint(provider).answer, as_json, is_shared=True),
        Route("POST", "/op/v1/par", PushedAuthorization(provider).answer, as_json),
        Route("POST", "/op/v1/device", DeviceAuthorization(provider).answer, as_json),
        Route("POST", "/op/v1/backchannel", BackchannelAuthentication(provider).answer, as_json),
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
    holdings = Holdings(provider)
    return (
        Route("GET POST", "/op/v1/auth", authorization.authorize),
        Route("GET", "/op/v1/auth/<request_id>", authorization.resume),
        Route("GET", "/op/v1/auth/<request_id>/cancel", authorization.cancel),
        Route("GET", "/op/v1/auth/<request_id>/login", login.choose),
        Route("POST", "/op/v1/auth/<request_id>/login", login.chosen),
        Route("GET", "/op/v1/auth/<request_id>/login/<key>", login.begin),
        Route("POST", "/op/v1/auth/<request_id>/login/<key>", login.finish),
        Route("GET", "/op/v1/auth/<key>/callback", login.returned),
        Route("GET", "/op/v1/auth/<request_id>/identity", identity.show),
        Route("POST", "/op/v1/auth/<request_id>/identity", identity.chosen),
        Route("GET", "/op/v1/auth/<request_id>/consent", consent.show),
        Route("POST", "/op/v1/auth/<request_id>/consent", consent.answered),
        Route("GET", "/op/v1/auth/<request_id>/no-access", no_access.show),
        Route("GET POST", "/op/v1/logout", logout.ask),
        Route("GET", "/op/v1/session", SessionManagement(provider).page, may_be_framed=True),
        Route("POST", "/op/v1/logout/confirm", logout.confirmed),
        Route("GET", "/op/v1/consents", holdings.page),
        Route("POST", "/op/v1/consents", holdings.withdraw),
    )


def elsewhere_routes(provider: Provider) -> tuple[Route, ...]:
    """Where a person answers an application that waits elsewhere: on a device, or at a counter."""
    device, approval = DevicePage(provider), BackchannelApproval(provider)
    return (
        Route("GET", "/op/v1/device/verify", device.enter),
        Route("POST", "/op/v1/device/verify", device.entered),
        Route("GET", "/op/v1/device/qr/<user_code>", device.picture),
        Route("GET", "/op/v1/backchannel/approve", approval.page),
        Route("POST", "/op/v1/backchannel/approve", approval.decided),
    )


def key_routes(provider: Provider) -> tuple[Route, ...]:
    """Mijn digitale sleutels."""
    keys = KeysPage(provider)
    return (
        Route("GET", "/sleutels", lambda _request: see_other("/sleutels/")),
        Route("GET", "/sleutels/", keys.page),
        Route("GET", "/sleutels/nieuw/<kind>", keys.add),
        Route("POST", "/sleutels/nieuw/<kind>", keys.added),
        Route("GET", "/sleutels/nieuw/<kind>/beeld", keys.picture),
        Route("GET", "/sleutels/sleutel/<id>", keys.key),
        Route("POST", "/sleutels/sleutel/<id>", keys.change),
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
        *([Route("GET", "/simulators/itsme/<number>", simulators.itsme)] if provider.settings.itsme_issuer else []),
        Route("GET POST", "/simulators/ciba", AutomatedApproval(provider).answer, as_json),
        Route("GET", "/simulators/clock", simulators.clock),
        Route("POST", "/simulators/clock", simulators.set_clock),
        Route("GET", "/simulators/clock.html", simulators.clock_page),
        Route("POST", "/simulators/clock.html", simulators.set_clock_page),
    )
    return tuple(replace(route, endpoint=simulators.guarded(route.endpoint)) for route in routes)
