"""Step-up for APIs (RFC 9470): the challenge of an API, taken by its client to the provider and back."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from flask import Flask, Response, jsonify
from flask import request as asked

from demo.step_up import Demand
from tests.flow.estate import Arrival, Browser, Estate
from tests.flow.journeys import arrive, introspect, sign_in
from tests.flow.proving import Prover
from tests.flow.reading import Page

EID, TOTP, SMS = (f"urn:be:vlaanderen:authmech:{name}" for name in ("eid", "csamtotp", "csamsms"))
API, CLIENT = "rapport-api", "hinderpremie"


@dataclass
class Service:
    """An API that reads tokens in one of two ways and asks for the sign-in that it needs."""

    estate: Estate
    demand: Demand
    reads_jwts: bool = False
    seen: list[dict[str, Any]] = field(default_factory=list)

    def claims(self, token: str) -> dict[str, Any]:
        """What the token says."""
        if not self.reads_jwts:
            return introspect(self.estate, API, token)
        keys = jwt.PyJWKSet.from_dict(self.estate.get("/op/v1/keys").json or {})
        key = keys[jwt.get_unverified_header(token)["kid"]]
        options: Any = {"verify_exp": False, "verify_iat": False}
        return dict(jwt.decode(token, key, algorithms=["RS256"], audience=API, options=options))

    def call(self, token: str) -> Response:
        """Call it."""
        app = Flask(__name__)

        def report() -> tuple[Any, int, dict[str, str]]:
            claims = self.claims(asked.headers["Authorization"].removeprefix("Bearer "))
            self.seen.append(claims)
            if not self.demand.is_met(claims, now=self.estate.clock()):
                return "", 401, {"WWW-Authenticate": self.demand.challenge()}
            return jsonify("the report"), 200, {}

        app.add_url_rule("/report", view_func=report)
        answer: Any = app.test_client().get("/report", headers={"Authorization": f"Bearer {token}"})
        return answer


def members(challenge: str) -> dict[str, str]:
    """The members of a challenge, as its client reads them."""
    return dict(re.findall(r'(\w+)="([^"]*)"', challenge))


def wishes(challenge: str) -> dict[str, str]:
    """What the client takes to the authorization endpoint."""
    return {name: value for name, value in members(challenge).items() if name in ("acr_values", "max_age")}


def token(browser: Browser, key: str = "sms", **parameters: str) -> str:
    """A token for the API, from a sign-in by this key where one is asked."""
    tokens = sign_in(browser, CLIENT, "dirk", key, audience=API, **parameters)
    return str(tokens.body["access_token"])


@pytest.fixture(params=["jwt", "introspection"])
def reads_jwts(estate: Estate, request: pytest.FixtureRequest) -> bool:
    """The two ways in which an API learns of a token."""
    estate.register(API, access_token_format="jwt" if request.param == "jwt" else "opaque")
    return bool(request.param == "jwt")


def test_a_surer_means_is_asked_and_brought(estate: Estate, browser: Browser, reads_jwts: bool) -> None:
    api = Service(estate, Demand(acr_values=(EID,)), reads_jwts)
    refused = api.call(token(browser))
    assert refused.status_code == 401
    said = members(refused.headers["WWW-Authenticate"])
    assert (said["error"], said["acr_values"]) == ("insufficient_user_authentication", EID)
    again = token(browser, "eid", **wishes(refused.headers["WWW-Authenticate"]))
    assert api.call(again).status_code == 200
    assert [claims["acr"] for claims in api.seen] == [SMS, EID]


def test_a_fresher_sign_in_is_asked_and_brought(estate: Estate, browser: Browser, reads_jwts: bool) -> None:
    api = Service(estate, Demand(max_age=300), reads_jwts)
    assert api.call(token(browser)).status_code == 200
    estate.clock.advance(301)
    refused = api.call(token(browser))
    assert refused.status_code == 401
    assert wishes(refused.headers["WWW-Authenticate"]) == {"max_age": "300"}
    page = browser.ask(CLIENT, audience=API, **wishes(refused.headers["WWW-Authenticate"]))
    assert isinstance(page, Page)
    assert page.name == "login"
    again = token(browser, **wishes(refused.headers["WWW-Authenticate"]))
    assert api.call(again).status_code == 200
    assert api.seen[-1]["auth_time"] == int(estate.clock())


def test_a_token_that_was_refreshed_is_no_fresher(estate: Estate, browser: Browser, reads_jwts: bool) -> None:
    api = Service(estate, Demand(max_age=300), reads_jwts)
    tokens = sign_in(browser, CLIENT, "dirk", "sms", audience=API, scope="openid offline_access").body
    estate.clock.advance(301)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    refreshed = estate.call("/op/v1/token", CLIENT, form).body["access_token"]
    assert api.call(refreshed).status_code == 401


def test_both_at_once_and_a_surer_one_than_asked(estate: Estate, browser: Browser, reads_jwts: bool) -> None:
    api = Service(estate, Demand(acr_values=(EID, TOTP), max_age=60), reads_jwts)
    refused = api.call(token(browser))
    assert wishes(refused.headers["WWW-Authenticate"]) == {"acr_values": f"{EID} {TOTP}", "max_age": "60"}
    page = browser.ask(CLIENT, audience=API, **wishes(refused.headers["WWW-Authenticate"]))
    assert isinstance(page, Page)
    assert page.keys == ["eid", "totp"]
    again = token(browser, "eid", **wishes(refused.headers["WWW-Authenticate"]))
    assert api.call(again).status_code == 200


def test_what_suffices_costs_no_further_sign_in(estate: Estate, browser: Browser, reads_jwts: bool) -> None:
    api = Service(estate, Demand(acr_values=(EID,), max_age=300), reads_jwts)
    token(browser, "eid")
    arrived = browser.ask(CLIENT, audience=API, prompt="none", acr_values=EID, max_age="300")
    assert isinstance(arrived, Arrival)
    assert api.call(str(estate.redeem(CLIENT, arrived).body["access_token"])).status_code == 200


@pytest.mark.parametrize("claims", [{}, {"auth_time": "now"}, {"auth_time": True}, {"acr": None}], ids=json.dumps)
def test_a_token_that_does_not_say_suffices_for_nothing(claims: dict[str, Any]) -> None:
    assert not Demand(acr_values=(EID,), max_age=300).is_met(claims, now=1000)
    assert Demand().is_met(claims, now=1000)


# Our own API: userinfo


def raised(estate: Estate) -> None:
    """The client asks a surer sign-in from now on."""
    estate.register(CLIENT, minimum_acr=EID)
    estate.clock.advance(1)


def test_userinfo_asks_for_a_surer_sign_in_where_the_client_does(estate: Estate, browser: Browser) -> None:
    weak = sign_in(browser, CLIENT, "dirk", "sms").body["access_token"]
    raised(estate)
    refused = estate.userinfo(weak)
    said = members(refused.headers["WWW-Authenticate"])
    assert (refused.status_code, said["error"]) == (401, "insufficient_user_authentication")
    assert (refused.json or {})["error"] == "insufficient_user_authentication"
    assert said["acr_values"] == EID
    sure = sign_in(browser, CLIENT, "dirk", "eid", **wishes(refused.headers["WWW-Authenticate"]))
    assert estate.userinfo(sure.body["access_token"]).status_code == 200
    assert introspect(estate, CLIENT, weak) == {"active": False}


def test_only_its_holder_is_told_so(estate: Estate, browser: Browser) -> None:
    arrived, prover = arrive(browser, CLIENT, "dirk", "sms"), Prover(estate)
    form = {"grant_type": "authorization_code", "code": arrived.code, "redirect_uri": arrived.address}
    auth = (CLIENT, estate.client(CLIENT)["client_secret"])
    bound = (estate.post("/op/v1/token", form, auth=auth, headers=prover.sent()).json or {})["access_token"]
    raised(estate)
    stolen = estate.userinfo(bound)
    assert members(stolen.headers["WWW-Authenticate"])["error"] == "invalid_token"
    refused = estate.get("/op/v1/userinfo", headers=prover.userinfo(bound))
    assert refused.headers["WWW-Authenticate"].startswith('DPoP error="insufficient_user_authentication"')


def test_a_token_that_has_ended_otherwise_is_told_to_have(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, CLIENT, "dirk", "sms").body
    raised(estate)
    estate.clock.advance(3600)
    assert members(estate.userinfo(tokens["access_token"]).headers["WWW-Authenticate"])["error"] == "invalid_token"
    assert members(estate.userinfo("unknown").headers["WWW-Authenticate"])["error"] == "invalid_token"
