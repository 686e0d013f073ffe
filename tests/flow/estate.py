"""An estate for the flow tests: the provider with the demo world and simulators, a browser, and applications.

Promises: everything goes over HTTP semantics (WSGI), through the same application that is served; the clock stands
still until a test moves it. One migrated and loaded database is made once and copied for each test.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
import pyotp
from sqlalchemy.orm import Session
from werkzeug.test import Client as WsgiClient
from werkzeug.test import TestResponse

from authenticators.simulators.clock import SimulatedClock
from demo.world import Persona, World, read_world
from idm.days import day_of
from idp.app import Application
from idp.client_registry import read_client
from idp.composition import House, make_simulated_application
from idp.database import open_database
from idp.settings import Settings
from idp.tickets import challenge_of
from idp.upgrading import migrate
from idp.world import Wish, load_world
from tests.clock import FakeClock
from tests.flow.reading import Page

WORLD = Path(__file__).parents[2] / "demo" / "world.json"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123"


@dataclass
class Arrival:
    """The browser has left for an application: where it came to rest, and what it brought."""

    address: str
    parameters: dict[str, str]

    @property
    def code(self) -> str:
        """The code brought."""
        assert "code" in self.parameters, self.parameters
        return self.parameters["code"]


@dataclass
class Tokens:
    """The answer of the token endpoint."""

    status: int
    body: dict[str, Any]

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the ID token, unverified (`Estate.verified` verifies)."""
        return dict(jwt.decode(self.body["id_token"], options={"verify_signature": False}))


@dataclass
class Estate:
    """The provider and all around it."""

    settings: Settings
    clock: FakeClock
    registered: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The origin of the provider."""
        return self.settings.origin

    @cached_property
    def simulated_clock(self) -> SimulatedClock:
        """The clock of the system."""
        return SimulatedClock(self.clock)

    @cached_property
    def application(self) -> Application:
        """The application, as served."""
        return make_simulated_application(self.settings, self.simulated_clock)

    @cached_property
    def world(self) -> World:
        """The demo world."""
        return read_world(WORLD, today=day_of(self.clock()))

    def person(self, id: str) -> Persona:
        """A person of the world."""
        return next(person for person in self.world.people if person.id == id)

    def client(self, client_id: str) -> dict[str, Any]:
        """A client of the world, or one that a test registered."""
        if client_id in self.registered:
            return self.registered[client_id]
        return next(client for client in self.world.clients if client["client_id"] == client_id)

    def register(self, client_id: str, /, **changes: Any) -> None:
        """Register a client of the world with changes; before the application is first used, or a second later."""
        metadata = {**self.client(client_id), **changes}
        self.registered[metadata["client_id"]] = metadata
        house = House(self.settings, self.clock)
        house.clients.put(read_client(metadata, house.master_key))
        house.engine.dispose()

    def configured(self, **changes: Any) -> "Estate":
        """The same estate under other settings."""
        return Estate(replace(self.settings, **changes), self.clock, self.registered)

    @contextmanager
    def facts(self) -> Iterator[Session]:
        """A transaction on what IDM knows, as an administrator's."""
        engine = open_database(self.settings.database_url)
        with Session(engine) as session, session.begin():
            yield session
        engine.dispose()

    def browser(self) -> "Browser":
        """A new browser, without cookies."""
        return Browser(self)

    def http(self) -> WsgiClient:
        """Plain HTTP, without cookies."""
        return WsgiClient(self.application, use_cookies=False)

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET as a program does."""
        return self.http().get(path, base_url=self.origin, **options)

    def post(self, path: str, form: dict[str, str], **options: Any) -> TestResponse:
        """POST a form as a program does."""
        return self.http().post(path, data=form, base_url=self.origin, **options)

    def call(self, path: str, client_id: str, form: dict[str, str]) -> Tokens:
        """Call an endpoint as this client, authenticated as it is registered."""
        client = self.client(client_id)
        method = client["token_endpoint_auth_method"]
        if method == "client_secret_basic":
            answer = self.post(path, form, auth=(client_id, client["client_secret"]))
        else:
            own = {"client_id": client_id}
            if method == "client_secret_post":
                own["client_secret"] = client["client_secret"]
            answer = self.post(path, form | own)
        return Tokens(answer.status_code, json.loads(answer.data or b"{}"))

    def redeem(self, client_id: str, arrival: Arrival, **form: str) -> Tokens:
        """Exchange a code for tokens."""
        uri = arrival.address
        asked = {"grant_type": "authorization_code", "code": arrival.code, "redirect_uri": uri, **form}
        return self.call("/op/v1/token", client_id, {name: value for name, value in asked.items() if value})

    def verified(self, tokens: Tokens, client_id: str, **options: Any) -> dict[str, Any]:
        """The claims of the ID token, checked with an independent library through the published keys."""
        keys = jwt.PyJWKSet.from_dict(self.get("/op/v1/keys").json)
        header = jwt.get_unverified_header(tokens.body["id_token"])
        key = next(key for key in keys.keys if key.key_id == header["kid"])
        checked = {"verify_exp": False, "verify_iat": False}
        return dict(
            jwt.decode(
                tokens.body["id_token"],
                key,
                algorithms=[options.get("alg", "RS256")],
                audience=client_id,
                issuer=self.settings.issuer,
                options=checked,
            )
        )

    def userinfo(self, access_token: str) -> TestResponse:
        """Ask userinfo with a bearer token."""
        return self.get("/op/v1/userinfo", headers={"Authorization": f"Bearer {access_token}"})

    def inbox(self, number: str) -> list[dict[str, str]]:
        """The messages in a simulated inbox, newest first."""
        answer = self.get(f"/simulators/inbox/{number}.json")
        return list(answer.json or [])

    def pass_days(self, days: int) -> None:
        """Move the clock of the whole system."""
        answer = self.post("/simulators/clock", {"offset_days": str(days)})
        assert answer.status_code == 200, answer.data


class Browser:
    """A browser without JavaScript: follows redirects while they stay with the provider."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.wsgi = WsgiClient(estate.application, use_cookies=True)
        self.headers: dict[str, str] = {}

    def ask(self, client_id: str, **parameters: str | None) -> "Page | Arrival":
        """Come from an application with an authorization request."""
        return self.open("/op/v1/auth?" + urlencode(self.request(client_id, **parameters)))

    def request(self, client_id: str, **parameters: str | None) -> dict[str, str]:
        """The parameters of a usual request of this client; None leaves one out."""
        client = self.estate.client(client_id)
        usual: dict[str, str | None] = {
            "client_id": client_id,
            "redirect_uri": client["redirect_uris"][0],
            "response_type": "code",
            "scope": client["scope"].replace(" offline_access", ""),
            "state": "the-state",
            "nonce": "the-nonce",
        }
        if client["token_endpoint_auth_method"] == "none":
            usual |= {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256"}
        return {name: value for name, value in (usual | parameters).items() if value is not None}

    def open(self, address: str) -> "Page | Arrival":
        """Go to an address."""
        return self.rest(address, self.get(address))

    def get(self, address: str) -> TestResponse:
        """The plain answer at an address, no redirect followed."""
        return self.wsgi.get(self.path(address), base_url=self.estate.origin, headers=self.headers)

    def post(self, address: str, form: dict[str, str]) -> TestResponse:
        """The plain answer to a form, no redirect followed."""
        return self.wsgi.post(self.path(address), data=form, base_url=self.estate.origin, headers=self.headers)

    def submit(self, page: "Page | Arrival", button: tuple[str, str] = ("", ""), **fields: str) -> "Page | Arrival":
        """Send the form that has these fields and this button."""
        assert isinstance(page, Page), page
        form = page.form_with(*button) if button[0] else page.form_with(next(iter(fields)))
        sent = form.fields | fields | ({button[0]: button[1]} if button[0] else {})
        address = form.action or page.address
        return self.rest(address, self.post(address, sent))

    def click(self, page: "Page | Arrival", link_id: str) -> "Page | Arrival":
        """Follow a link by its id."""
        assert isinstance(page, Page), page
        return self.open(page.links[link_id])

    def rest(self, address: str, answer: TestResponse) -> "Page | Arrival":
        """Follow redirects until a page of ours, or an application's address."""
        for _ in range(10):
            if answer.status_code != 303:
                return Page(answer.status_code, address, answer.text)
            address = answer.headers["Location"]
            if address.startswith("http") and not address.startswith(f"{self.estate.origin}/"):
                return arrival(address)
            answer = self.get(address)
        raise AssertionError("redirected in a circle")

    def path(self, address: str) -> str:
        """The address without our own origin."""
        return address.removeprefix(self.estate.origin)

    def sign_in(self, page: "Page | Arrival", person_id: str, key: str) -> "Page | Arrival":
        """Sign in with a key, from the page of choice to wherever that leads."""
        person = self.estate.person(person_id)
        chosen = self.submit(page, ("key", key))
        if key == "eid":
            return self.submit(chosen, card=person.national_number, pin=person.eid_pin or "")
        second = self.submit(chosen, username=person.national_number, password=person.password or "")
        if key == "password":
            return second
        return self.submit(second, code=self.code(person, key))

    def code(self, person: Persona, key: str) -> str:
        """The code that a person reads from the app or the telephone."""
        if key == "sms":
            return self.estate.inbox(person.phone)[0]["code"]
        return pyotp.TOTP(person.totp_secret or "").at(int(self.estate.simulated_clock()))


def arrival(address: str) -> Arrival:
    """What a redirect brought to an application, by query or by fragment."""
    parts = urlsplit(address)
    brought = dict(parse_qsl(parts.fragment or parts.query))
    assert all(len(values) == 1 for values in parse_qs(parts.query).values())
    return Arrival(parts._replace(query="", fragment="").geturl(), brought)


def prepare(folder: Path, clock: FakeClock, *, database_url: str = "") -> Settings:
    """A migrated database with the demo world, and the settings to serve it."""
    url = database_url or f"sqlite:///{folder}/toegang.sqlite"
    settings = Settings(database_url=url, master_key_file=folder / "master.key", simulators=True)
    house = House(settings, clock)
    migrate(house)
    load_world(house, Wish(WORLD, folder, 0))
    house.engine.dispose()
    return settings


def copy(folder: Path, to: Path) -> Settings:
    """The settings of a copy of a prepared estate."""
    shutil.copytree(folder, to, dirs_exist_ok=True)
    return Settings(database_url=f"sqlite:///{to}/toegang.sqlite", master_key_file=to / "master.key", simulators=True)
