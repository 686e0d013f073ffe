"""OpenID Connect Back-Channel Logout 1.0: an application with a server of its own is told when a session has ended."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from idp.composition import chores
from idp.dispatcher import Dispatcher
from tests.flow.estate import Browser, Estate
from tests.flow.journeys import arrive, at_once, refresh, sign_in
from tests.flow.listener import Listener, listening
from tests.flow.reading import Page

EVENT = "http://schemas.openid.net/event/backchannel-logout"
PATH = "/backchannel-logout"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


@pytest.fixture
def estate(estate: Estate, listener: Listener) -> Estate:
    """The estate, in which hinderpremie's server is the listener."""
    allowed = estate.configured(outbound_allow=frozenset({"127.0.0.1"}))
    allowed.register("hinderpremie", backchannel_logout_uri=listener.address + PATH)
    return allowed


def deliver(estate: Estate) -> None:
    """A turn of the dispatcher."""
    for chore in chores(estate.application.provider):
        chore()


def log_out(browser: Browser, id_token: str) -> None:
    page = browser.open(f"/op/v1/logout?id_token_hint={id_token}")
    assert isinstance(page, Page)
    assert page.name == "logged-out"


def read(estate: Estate, token: str, client_id: str = "hinderpremie") -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict(estate.get("/op/v1/keys").json)
    key = next(key for key in keys.keys if key.key_id == jwt.get_unverified_header(token)["kid"])
    checked = {"verify_exp": False, "verify_iat": False}
    return dict(jwt.decode(token, key, algorithms=["RS256"], audience=client_id, options=checked))


def test_the_application_is_told_who_and_which_session(estate: Estate, browser: Browser, listener: Listener) -> None:
    tokens = sign_in(browser, "hinderpremie", "dirk")
    log_out(browser, tokens.body["id_token"])
    deliver(estate)
    ((path, form),) = listener.received
    assert (path, set(form)) == (PATH, {"logout_token"})
    token = form["logout_token"]
    assert jwt.get_unverified_header(token)["typ"] == "logout+jwt"
    claims = read(estate, token)
    assert claims["jti"]
    assert claims["exp"] - claims["iat"] == 120
    assert {name: claims[name] for name in ("iss", "aud", "sub", "sid", "events")} == {
        "iss": estate.settings.issuer,
        "aud": "hinderpremie",
        "sub": tokens.claims["sub"],
        "sid": tokens.claims["sid"],
        "events": {EVENT: {}},
    }
    assert "nonce" not in claims


def test_it_is_told_once(estate: Estate, browser: Browser, listener: Listener) -> None:
    log_out(browser, sign_in(browser, "hinderpremie", "dirk").body["id_token"])
    for _ in range(3):
        deliver(estate)
        estate.clock.advance(400)
    assert len(listener.received) == 1


def test_only_those_that_the_session_visited_are_told(estate: Estate, browser: Browser, listener: Listener) -> None:
    estate.register("subsidieloket", backchannel_logout_uri=listener.address + "/other")
    estate.clock.advance(2)
    log_out(browser, sign_in(browser, "burgerprofiel", "dirk").body["id_token"])
    deliver(estate)
    assert listener.received == []


def test_every_application_of_the_session_gets_a_token_of_its_own(
    estate: Estate, browser: Browser, listener: Listener
) -> None:
    estate.register("burgerprofiel", backchannel_logout_uri=listener.address + "/profiel")
    estate.clock.advance(2)
    arrive(browser, "burgerprofiel", "dirk")
    log_out(browser, sign_in(browser, "hinderpremie", "dirk").body["id_token"])
    deliver(estate)
    audiences = {
        path: jwt.decode(form["logout_token"], options={"verify_signature": False})["aud"]
        for path, form in listener.received
    }
    assert audiences == {PATH: "hinderpremie", "/profiel": "burgerprofiel"}


def test_when_another_person_signs_in_the_first_ones_applications_are_told(
    estate: Estate, browser: Browser, listener: Listener
) -> None:
    first = sign_in(browser, "hinderpremie", "dirk")
    page = browser.ask("burgerprofiel", prompt="login")
    browser.sign_in(page, "an", "eid")
    deliver(estate)
    ((_, form),) = listener.received
    assert read(estate, form["logout_token"])["sid"] == first.claims["sid"]


def test_a_step_up_of_the_same_person_tells_nobody(estate: Estate, browser: Browser, listener: Listener) -> None:
    sign_in(browser, "hinderpremie", "dirk")
    browser.sign_in(browser.ask("hinderpremie", prompt="login"), "dirk", "eid")
    deliver(estate)
    assert listener.received == []


def test_what_the_session_gave_ends_with_it(estate: Estate, browser: Browser, listener: Listener) -> None:
    usual = sign_in(browser, "hinderpremie", "dirk")
    kept = sign_in(
        browser, "hinderpremie", "dirk", prompt="none", scope="openid profile vo hinderpremie offline_access"
    )
    log_out(browser, usual.body["id_token"])
    asked = {"Authorization": f"Bearer {usual.body['access_token']}"}
    assert estate.get("/op/v1/userinfo", headers=asked).status_code == 401
    assert refresh(estate, "hinderpremie", kept.body["refresh_token"]).status == 200
    assert listener.received == []


def test_a_failed_attempt_is_repeated_later_and_later_with_a_new_token(
    estate: Estate, browser: Browser, listener: Listener
) -> None:
    log_out(browser, sign_in(browser, "hinderpremie", "dirk").body["id_token"])
    listener.statuses = [500, 400, 302, 503]
    deliver(estate)
    for attempts, wait in enumerate((1, 5, 30, 300), start=1):
        estate.clock.advance(wait - 1)
        deliver(estate)
        assert len(listener.received) == attempts
        estate.clock.advance(1)
        deliver(estate)
        assert len(listener.received) == attempts + 1
    claims = [read(estate, form["logout_token"]) for _, form in listener.received]
    assert len({each["jti"] for each in claims}) == 5
    assert [each["iat"] - claims[0]["iat"] for each in claims] == [0, 1, 6, 36, 336]


def test_after_five_attempts_it_is_given_up_and_logged(
    estate: Estate, browser: Browser, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    log_out(browser, sign_in(browser, "hinderpremie", "dirk").body["id_token"])
    listener.statuses = [500] * 10
    for wait in (0, 1, 5, 30, 300, 3600):
        estate.clock.advance(wait)
        deliver(estate)
    assert len(listener.received) == 5
    (said,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert said.getMessage() == "given up: kind=backchannel logout client=hinderpremie attempt=5: status 500"


def test_an_application_that_was_removed_or_no_longer_asks_is_not_told(
    estate: Estate, browser: Browser, listener: Listener
) -> None:
    log_out(browser, sign_in(browser, "hinderpremie", "dirk").body["id_token"])
    estate.register("hinderpremie", backchannel_logout_uri="")
    estate.clock.advance(2)
    deliver(estate)
    assert listener.received == []
    assert not estate.application.provider.outbox.has_due()


def test_a_private_address_is_never_called_unless_the_operator_allows_it(
    estate: Estate, browser: Browser, listener: Listener
) -> None:
    strict = estate.configured(outbound_allow=frozenset())
    visitor = strict.browser()
    log_out(visitor, sign_in(visitor, "hinderpremie", "dirk").body["id_token"])
    deliver(strict)
    assert listener.received == []


def test_several_workers_tell_it_once(estate: Estate, browser: Browser, listener: Listener) -> None:
    for _ in range(5):
        visitor = estate.browser()
        log_out(visitor, sign_in(visitor, "hinderpremie", "dirk").body["id_token"])
    listener.before_answer = threading.Event()
    threading.Timer(0.5, listener.before_answer.set).start()
    at_once(6, lambda _: deliver(estate))
    assert len(listener.received) == 5


def test_the_dispatcher_delivers_by_itself(estate: Estate, browser: Browser, listener: Listener) -> None:
    dispatcher = Dispatcher(chores(estate.application.provider), pause=0.01)
    dispatcher.start()
    log_out(browser, sign_in(browser, "hinderpremie", "dirk").body["id_token"])
    waited = threading.Event()
    for _ in range(500):
        if listener.received or waited.wait(0.01):
            break
    dispatcher.stop()
    assert len(listener.received) == 1


def test_discovery_says_so(estate: Estate) -> None:
    said = estate.get("/op/.well-known/openid-configuration").json
    assert said
    assert said["backchannel_logout_supported"] is True
    assert said["backchannel_logout_session_supported"] is True
