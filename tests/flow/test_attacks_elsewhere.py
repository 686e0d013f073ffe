"""Attacks on what is answered elsewhere or handed on: devices, backchannel, token exchange, our own pages. Each stays
tried.
"""

from datetime import date

import pytest
from sqlalchemy import select, update

from idm import model
from idp.flows.user_codes import LOOKUPS_A_SECOND, WRONG_TRIES
from idp.tickets import UNOPENED_SECONDS
from tests.flow import asking, devices
from tests.flow.devices import named
from tests.flow.estate import Browser, Estate, Tokens
from tests.flow.journeys import arrive, assert_error_page, at_once, introspect, sign_in

CLIENT = devices.CLIENT
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
TAKER = "dossier-api"
CONSENTS = "/op/v1/consents"


def make_taker(estate: Estate, **changes: object) -> None:
    """An API that may exchange the tokens of an application; every process sees it as it is now."""
    estate.registered[TAKER] = {
        "client_id": TAKER,
        "client_secret": "dossier-api-secret",
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": [EXCHANGE, "client_credentials"],
        "scope": "openid profile vo hinderpremie vo_info",
        "may_know_scopes": "openid profile vo hinderpremie",
        "may_exchange_from": [CLIENT],
        **changes,
    }
    estate.register(TAKER)
    estate.clock.advance(1)


def exchange(estate: Estate, token: str) -> Tokens:
    """The API exchanges a token for one of its own."""
    form = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
    return estate.call("/op/v1/token", TAKER, form)


def on_devices(estate: Estate, **changes: object) -> None:
    """The application runs on devices, and asks by backchannel too."""
    grants = [*estate.client(CLIENT)["grant_types"], devices.GRANT, asking.GRANT]
    asking.changed(estate, CLIENT, grant_types=grants, backchannel_token_delivery_mode="poll", **changes)


def withdraw(browser: Browser) -> None:
    """Take back what the application holds."""
    named(browser.submit(browser.open(CONSENTS), ("client", CLIENT)), "consents")


def test_an_exchange_is_no_way_around_the_minimum_of_who_takes_the_token(estate: Estate, browser: Browser) -> None:
    make_taker(estate)
    asking.changed(estate, CLIENT, minimum_acr="")
    weak = sign_in(browser, CLIENT, "dirk", "totp", audience=TAKER).body["access_token"]
    before = exchange(estate, weak).body["access_token"]
    assert estate.userinfo(before).status_code == 200
    make_taker(estate, minimum_acr="urn:be:vlaanderen:authmech:eid")
    assert exchange(estate, weak).body["error"] == "invalid_request"
    assert introspect(estate, TAKER, before) == {"active": False}
    assert 'error="insufficient_user_authentication"' in estate.userinfo(before).headers["WWW-Authenticate"]
    sure = sign_in(estate.browser(), CLIENT, "dirk", "eid", audience=TAKER).body["access_token"]
    assert exchange(estate, sure).status == 200


def test_an_api_whose_organisation_has_ended_exchanges_nothing_any_more(estate: Estate, browser: Browser) -> None:
    its_own = model.Organisation.code == "OVO999505"
    with estate.facts() as session:
        make_taker(estate, organisation=session.scalars(select(model.Organisation.id).where(its_own)).one())
    subject = sign_in(browser, CLIENT, "dirk", audience=TAKER).body["access_token"]
    token = exchange(estate, subject).body["access_token"]
    assert introspect(estate, TAKER, token)["active"] is True
    with estate.facts() as session:
        session.execute(update(model.Organisation).where(its_own).values(end_on=date(2020, 1, 1)))
    assert exchange(estate, subject).body["error"] == "invalid_request"
    assert introspect(estate, TAKER, token) == {"active": False}


def test_a_scope_that_the_application_loses_is_lost_to_whoever_took_its_tokens(
    estate: Estate, browser: Browser
) -> None:
    make_taker(estate)
    subject = sign_in(browser, CLIENT, "dirk", audience=TAKER).body["access_token"]
    token = exchange(estate, subject).body["access_token"]
    asking.changed(estate, CLIENT, scope="openid")
    assert introspect(estate, TAKER, token)["scope"] == "openid"


def test_a_yes_that_waits_on_a_device_is_taken_back_with_the_rest(anywhere: Estate) -> None:
    on_devices(anywhere)
    browser = anywhere.browser()
    sign_in(browser, CLIENT, "dirk")
    device = devices.begin(anywhere)
    named(devices.approve(browser, device), "answered")
    withdraw(browser)
    assert devices.ask(anywhere, device).body["error"] == "invalid_grant"
    anywhere.clock.advance(1)
    again = devices.begin(anywhere)
    named(devices.approve(browser, again), "answered")
    assert devices.ask(anywhere, again).status == 200


def test_a_yes_by_backchannel_is_taken_back_with_the_rest(estate: Estate, browser: Browser) -> None:
    on_devices(estate)
    sign_in(browser, CLIENT, "dirk")
    auth_req_id = asking.begin(estate)
    asking.approve(browser)
    withdraw(browser)
    assert asking.ask(estate, auth_req_id).body["error"] == "invalid_grant"


def test_a_withdrawal_that_meets_the_device_leaves_nothing_alive(anywhere: Estate) -> None:
    on_devices(anywhere)
    browser = anywhere.browser()
    sign_in(browser, CLIENT, "dirk")
    begun = [devices.begin(anywhere) for _ in range(7)]
    for device in begun:
        named(devices.approve(browser, device), "answered")
    sent = named(browser.open(CONSENTS), "consents").form_with("client").fields | {"client": CLIENT}

    def one(number: int) -> list[str]:
        if number == len(begun):
            browser.post(CONSENTS, sent)
            return []
        answer = devices.ask(anywhere, begun[number]).body
        return [answer["access_token"]] if "access_token" in answer else []

    given = [token for found in at_once(len(begun) + 1, one) for token in found]
    assert [anywhere.userinfo(token).status_code for token in given] == [401] * len(given)


def test_nobody_is_asked_to_let_in_a_device_of_an_application_that_is_gone(estate: Estate, browser: Browser) -> None:
    on_devices(estate)
    device = devices.begin(estate)
    estate.application.provider.clients.remove(CLIENT)
    named(browser.open(device["verification_uri_complete"]), "device")


@pytest.mark.parametrize("address", [CONSENTS, asking.APPROVE])
def test_a_sign_in_to_our_own_pages_that_no_browser_opens_is_not_kept_for_long(
    estate: Estate, browser: Browser, address: str
) -> None:
    unopened = estate.get(address).headers["Location"]
    opened = browser.open(address)
    estate.clock.advance(UNOPENED_SECONDS)
    assert_error_page(estate.browser().open(unopened))
    named(browser.sign_in(opened, "dirk", "eid"), address.rpartition("/")[2].replace("approve", "backchannel"))


def test_what_is_no_application_can_be_withdrawn_from_in_vain(anywhere: Estate) -> None:
    browser = anywhere.browser()
    sign_in(browser, CLIENT, "dirk")
    sent = named(browser.open(CONSENTS), "consents").form_with("client").fields
    for nobody in ("\0", "nobody", ""):
        answer = browser.post(CONSENTS, sent | {"client": nobody})
        assert (answer.status_code, answer.headers["Location"]) == (303, CONSENTS)


def test_a_method_in_small_letters_does_no_more_than_the_same_in_capitals(estate: Estate, browser: Browser) -> None:
    page = named(browser.ask(CLIENT), "login")
    started = page.address.rpartition("/")[0]
    for method in ("HEAD", "head"):
        answer = browser.wsgi.open(started + "/cancel", method=method, base_url=estate.origin)
        assert (answer.status_code, answer.data) == (405, b"")
    assert named(browser.open(started), "login").status == 200


def flood(estate: Estate) -> None:
    """Strangers guess as fast as they may in this second."""
    for _ in range(LOOKUPS_A_SECOND):
        estate.get(f"{devices.VERIFY}?user_code=BBBB-BBBB")


def test_a_flood_of_guesses_keeps_out_nobody_who_signs_in(estate: Estate, browser: Browser) -> None:
    on_devices(estate)
    device = devices.begin(estate)
    flood(estate)
    signing_in = named(browser.open(device["verification_uri_complete"]), "login")
    asked = named(browser.sign_in(signing_in, "dirk", "eid"), "device-confirm")
    assert asked.address == f"{devices.VERIFY}?user_code={device['user_code']}"
    named(browser.submit(asked, ("answer", "allow")), "answered")
    assert devices.ask(estate, device).status == 200


def test_whoever_does_not_sign_in_during_a_flood_has_to_wait(estate: Estate, browser: Browser) -> None:
    on_devices(estate)
    device = devices.begin(estate)
    flood(estate)
    signing_in = named(browser.open(device["verification_uri_complete"]), "login")
    waiting = named(browser.open(signing_in.address.replace("/login", "/cancel")), "device")
    assert (waiting.status, "te veel codes" in waiting.words) == (429, True)


def test_a_person_has_few_wrong_codes_in_whatever_browser(estate: Estate) -> None:
    on_devices(estate)
    device = devices.begin(estate)
    for _ in range(WRONG_TRIES):
        one = estate.browser()
        sign_in(one, CLIENT, "dirk")
        assert named(one.open(f"{devices.VERIFY}?user_code=BBBB-BBBB"), "device").status == 200
    last = estate.browser()
    sign_in(last, CLIENT, "dirk")
    assert named(last.open(device["verification_uri_complete"]), "device").status == 429


def test_a_logout_that_meets_the_redemption_of_codes_leaves_nothing_alive(anywhere: Estate) -> None:
    browser = anywhere.browser()
    hint = sign_in(browser, CLIENT, "dirk").body["id_token"]
    codes = [arrive(browser, CLIENT, "dirk") for _ in range(9)]

    def one(number: int) -> list[str]:
        if number == len(codes):
            browser.open("/op/v1/logout?id_token_hint=" + hint)
            return []
        answer = anywhere.redeem(CLIENT, codes[number]).body
        return [answer["access_token"]] if "access_token" in answer else []

    given = [token for found in at_once(len(codes) + 1, one) for token in found]
    assert [anywhere.userinfo(token).status_code for token in given] == [401] * len(given)
