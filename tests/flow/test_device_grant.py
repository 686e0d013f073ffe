"""The device authorization grant: RFC 8628, requirement by requirement."""

import json
import re
from urllib.parse import quote

import pytest

from idp.flows.user_codes import LETTERS, LOOKUPS_A_SECOND, WRONG_SECONDS, WRONG_TRIES
from tests.flow.devices import CLIENT, GRANT, VERIFY, approve, ask, begin, confirm, named
from tests.flow.estate import Browser, Estate
from tests.flow.journeys import assert_error_page, at_once, introspect
from tests.flow.proving import Prover

PUBLIC = "burgerprofiel"


@pytest.fixture(autouse=True)
def devices(estate: Estate) -> None:
    """Two applications that run on devices too: one with a secret, one without."""
    for client_id in (CLIENT, PUBLIC):
        registered = estate.client(client_id)["grant_types"]
        estate.register(client_id, grant_types=[*registered, GRANT])


def test_a_device_is_told_two_codes_where_to_go_and_how_often_to_ask(estate: Estate) -> None:
    answer = estate.post("/op/v1/device", {"scope": "openid"}, auth=(CLIENT, estate.client(CLIENT)["client_secret"]))
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.json or {}
    assert len(said["device_code"]) >= 43
    assert re.fullmatch(f"[{LETTERS}]{{4}}-[{LETTERS}]{{4}}", said["user_code"])
    assert said["verification_uri"] == estate.origin + VERIFY
    assert said["verification_uri_complete"] == f"{estate.origin}{VERIFY}?user_code={said['user_code']}"
    assert (said["expires_in"], said["interval"]) == (600, 5)


def test_a_person_types_the_code_signs_in_and_the_device_gets_tokens(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    assert ask(estate, device).body["error"] == "authorization_pending"
    typed = device["user_code"].lower().replace("-", " ")
    page = browser.submit(named(browser.open(VERIFY), "device"), user_code=typed)
    asked = named(page, "device-confirm")
    assert device["user_code"] in asked.words
    assert "Hinderpremie" in asked.words
    assert "Begon u dit niet zelf?" in asked.words
    signing_in = named(browser.submit(asked, ("answer", "allow")), "login")
    done = named(browser.sign_in(signing_in, "dirk", "eid"), "answered")
    assert "answered-allowed" in done.ids
    tokens = ask(estate, device)
    assert tokens.status == 200, tokens.body
    claims = estate.verified(tokens, CLIENT)
    assert claims["vo_orgcode"] == "0999910147"
    assert claims["acr"] == "urn:be:vlaanderen:authmech:eid"
    assert "nonce" not in claims
    assert estate.userinfo(tokens.body["access_token"]).status_code == 200
    assert introspect(estate, "rapport-api", tokens.body["access_token"])["active"] is True


def test_whoever_is_signed_in_still_has_to_say_that_it_is_their_device(estate: Estate, browser: Browser) -> None:
    approve(browser, begin(estate))
    second = begin(estate)
    page = named(browser.open(second["verification_uri_complete"]), "device-confirm")
    assert ask(estate, second).body["error"] == "authorization_pending"
    named(browser.submit(page, ("answer", "allow")), "answered")
    assert ask(estate, second).status == 200


def test_the_way_is_that_of_any_request(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    choice = named(browser.sign_in(confirm(browser, device), "elif", "totp"), "identity")
    assert ask(estate, device).body["error"] == "authorization_pending"
    named(browser.submit(choice, ("identity", "EA:0999920243")), "answered")
    assert ask(estate, device).claims["vo_orgcode"] == "0999920243"


def test_consent_is_asked_where_the_client_asks_it(estate: Estate, browser: Browser) -> None:
    estate.register(PUBLIC, consent="once")
    device = begin(estate, PUBLIC)
    asked = named(approve(browser, device, "hanne"), "consent")
    denied = named(browser.submit(asked, ("answer", "deny")), "answered")
    assert "answered-denied" in denied.ids
    assert ask(estate, device, PUBLIC).body["error"] == "access_denied"
    again = begin(estate, PUBLIC)
    named(browser.submit(approve(browser, again), ("answer", "allow")), "answered")
    assert ask(estate, again, PUBLIC).status == 200


def test_a_page_of_a_device_leads_back_to_no_application_and_shows_its_logo(estate: Estate, browser: Browser) -> None:
    estate.register(CLIENT, logo_uri="https://hinderpremie.example.be/logo.svg")
    page = named(confirm(browser, begin(estate)), "login")
    policy = browser.get(page.address).headers["Content-Security-Policy"]
    assert "form-action 'self';" in policy
    assert "img-src 'self' https://hinderpremie.example.be;" in policy


def test_a_surer_key_is_asked_where_the_device_asks_it(estate: Estate, browser: Browser) -> None:
    device = begin(estate, acr_values="urn:be:vlaanderen:authmech:eid")
    page = named(confirm(browser, device), "login")
    assert page.keys == ["eid"]
    browser.sign_in(page, "dirk", "eid")
    assert ask(estate, device).claims["acr"] == "urn:be:vlaanderen:authmech:eid"


def test_who_has_no_right_is_told_why_and_the_device_that_it_was_refused(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    refused = named(browser.sign_in(confirm(browser, device), "fatima", "eid"), "no-access")
    named(browser.click(refused, "back-to-application"), "answered")
    answer = ask(estate, device)
    assert (answer.status, answer.body["error"]) == (400, "access_denied")


def test_a_no_before_any_key_refuses_the_device(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    page = browser.open(device["verification_uri_complete"])
    assert "answered-denied" in named(browser.submit(page, ("answer", "deny")), "answered").ids
    for _ in range(2):
        assert ask(estate, device).body["error"] == "access_denied"
    assert named(browser.open(device["verification_uri_complete"]), "device").status == 200


def test_a_device_that_asks_too_often_is_slowed_down_and_stays_so(estate: Estate) -> None:
    device = begin(estate)
    told = []
    for seconds in (0, 5, 1, 6, 10, 15, 15):
        estate.clock.advance(seconds)
        told.append(ask(estate, device).body["error"])
    pending, slow = "authorization_pending", "slow_down"
    # After the first slow_down 10 s are needed, after the second 15, after the third 20.
    assert told == [pending, pending, slow, slow, slow, slow, slow]
    estate.clock.advance(60)
    assert ask(estate, device).body["error"] == pending


def test_each_slow_down_asks_for_five_seconds_more(estate: Estate) -> None:
    device = begin(estate)
    for seconds, expected in ((0, "authorization_pending"), (1, "slow_down"), (10, "authorization_pending")):
        estate.clock.advance(seconds)
        assert ask(estate, device).body["error"] == expected
    for seconds, expected in ((8, "slow_down"), (15, "authorization_pending"), (14, "authorization_pending")):
        estate.clock.advance(seconds)
        assert ask(estate, device).body["error"] == expected


def test_an_answer_is_not_kept_back_from_a_device_that_asks_too_often(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    ask(estate, device)
    approve(browser, device)
    assert ask(estate, device).status == 200


def test_a_code_that_nobody_typed_in_time_has_expired(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    page = named(browser.open(device["verification_uri_complete"]), "device-confirm")
    signing_in = named(browser.submit(page, ("answer", "allow")), "login")
    estate.clock.advance(600)
    assert ask(estate, device).body["error"] == "expired_token"
    assert_error_page(browser.submit(signing_in, ("key", "eid")))
    assert named(browser.open(device["verification_uri_complete"]), "device").words.count("Onder deze code wacht") == 2
    estate.clock.advance(600)
    assert ask(estate, device).body["error"] == "invalid_grant"


def test_a_yes_that_is_fetched_too_late_gives_nothing(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    approve(browser, device)
    estate.clock.advance(600)
    assert ask(estate, device).body["error"] == "expired_token"


def test_a_code_serves_once_and_a_second_use_ends_what_the_first_got(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    approve(browser, device)
    tokens = ask(estate, device)
    assert estate.userinfo(tokens.body["access_token"]).status_code == 200
    assert ask(estate, device).body["error"] == "invalid_grant"
    assert estate.userinfo(tokens.body["access_token"]).status_code == 401


def test_a_code_used_by_twenty_at_once_wins_once(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    approve(browser, device)
    answers = at_once(20, lambda _: ask(estate, device))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 19


def test_the_first_decision_counts(estate: Estate) -> None:
    device = begin(estate)
    dirk, elif_ = estate.browser(), estate.browser()
    first, second = named(confirm(dirk, device), "login"), named(confirm(elif_, device), "login")
    late = named(elif_.sign_in(second, "elif", "eid"), "identity")
    named(dirk.sign_in(first, "dirk", "eid"), "answered")
    assert_error_page(elif_.submit(late, ("identity", "EA:0999920243")))
    assert ask(estate, device).claims["given_name"] == "Dirk"


def test_a_no_after_the_yes_changes_nothing(estate: Estate) -> None:
    device = begin(estate)
    dirk, other = estate.browser(), estate.browser()
    page = other.open(device["verification_uri_complete"])
    approve(dirk, device)
    assert_error_page(other.submit(page, ("answer", "deny")))
    assert ask(estate, device).status == 200


def test_a_yes_clicked_twice_is_one_yes(estate: Estate, browser: Browser) -> None:
    approve(browser, begin(estate))
    device = begin(estate)
    page = named(browser.open(device["verification_uri_complete"]), "device-confirm")
    first = browser.post(VERIFY, page.form_with("answer").fields | {"answer": "allow"})
    address = first.headers["Location"]
    assert {named(browser.open(address), "answered").status for _ in range(2)} == {200}
    assert ask(estate, device).status == 200


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"scope": "openid rrn"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"resource": "https://nobody.example.be/"}, "invalid_target"),
        ({"audience": "nobody"}, "invalid_target"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        ({"acr_values": "a" * 3000}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
def test_what_a_device_asks_is_checked_as_at_the_authorization_endpoint(
    estate: Estate, parameters: dict[str, str], error: str
) -> None:
    answer = estate.call("/op/v1/device", CLIENT, {"scope": "openid", **parameters})
    assert (answer.status, answer.body["error"]) == (400, error)


def test_a_client_proves_itself_and_is_registered_for_devices(estate: Estate) -> None:
    answer = estate.post("/op/v1/device", {"scope": "openid"}, auth=(CLIENT, "wrong"))
    assert (answer.status_code, (answer.json or {})["error"]) == (401, "invalid_client")
    assert estate.call("/op/v1/device", "statistiek", {"scope": "openid"}).body["error"] == "unauthorized_client"
    asked = {"grant_type": GRANT, "device_code": "x"}
    assert estate.call("/op/v1/token", "statistiek", asked).body["error"] == "unauthorized_client"
    estate.clock.advance(1)
    estate.register(CLIENT, grant_types=[GRANT], require_signed_request_object=True, jwks={"keys": []})
    estate.clock.advance(1)
    assert estate.call("/op/v1/device", CLIENT, {"scope": "openid"}).body["error"] == "invalid_request"


def test_a_code_is_of_its_client_and_of_this_grant_alone(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    approve(browser, device)
    assert ask(estate, device, PUBLIC).body["error"] == "invalid_grant"
    as_code = {"grant_type": "authorization_code", "code": device["device_code"]}
    assert estate.call("/op/v1/token", CLIENT, as_code).body["error"] == "invalid_grant"
    assert estate.call("/op/v1/token", CLIENT, {"grant_type": GRANT}).body["error"] == "invalid_request"
    typed = {"grant_type": GRANT, "device_code": device["user_code"]}
    assert estate.call("/op/v1/token", CLIENT, typed).body["error"] == "invalid_grant"
    assert ask(estate, device).status == 200


def test_a_device_keeps_a_refresh_token_and_its_key(estate: Estate, browser: Browser) -> None:
    estate.register(PUBLIC, scope="openid profile offline_access", grant_types=[GRANT, "refresh_token"])
    device = begin(estate, PUBLIC, scope="openid offline_access")
    approve(browser, device, "hanne")
    prover = Prover(estate)
    asked = {"grant_type": GRANT, "device_code": device["device_code"], "client_id": PUBLIC}
    said = estate.post("/op/v1/token", asked, headers=prover.sent()).json or {}
    assert said["token_type"] == "DPoP"
    again = {"grant_type": "refresh_token", "refresh_token": said["refresh_token"], "client_id": PUBLIC}
    assert (estate.post("/op/v1/token", again, headers=Prover(estate).sent()).json or {})["error"] == "invalid_grant"
    assert estate.post("/op/v1/token", again, headers=prover.sent()).status_code == 200


def test_tokens_of_a_device_are_for_the_api_that_it_named(estate: Estate, browser: Browser) -> None:
    device = begin(estate, resource="https://rapport.example.be/")
    approve(browser, device)
    token = ask(estate, device).body["access_token"]
    assert introspect(estate, "rapport-api", token)["aud"] == ["https://rapport.example.be/"]
    assert estate.userinfo(token).status_code == 401


def test_tokens_of_a_device_end_with_the_session_in_which_they_were_allowed(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    approve(browser, device)
    tokens = ask(estate, device)
    page = browser.open("/op/v1/logout?id_token_hint=" + tokens.body["id_token"])
    named(page, "logged-out")
    assert estate.userinfo(tokens.body["access_token"]).status_code == 401


def test_a_form_of_another_browser_is_refused(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    page = named(browser.open(device["verification_uri_complete"]), "device-confirm")
    other = estate.browser()
    other.open(VERIFY)
    sent = page.form_with("answer").fields | {"answer": "allow"}
    assert other.post(VERIFY, sent).status_code == 400
    assert estate.post(VERIFY, sent).status_code == 400
    assert other.post(VERIFY, {"user_code": device["user_code"], "answer": "allow"}).status_code == 400
    started = browser.post(VERIFY, sent).headers["Location"]
    assert_error_page(other.open(started))


def test_an_answer_that_is_neither_yes_nor_no_is_refused(estate: Estate, browser: Browser) -> None:
    page = named(browser.open(begin(estate)["verification_uri_complete"]), "device-confirm")
    sent = page.form_with("answer").fields | {"answer": "maybe"}
    assert browser.post(VERIFY, sent).status_code == 400


def test_a_wrong_code_is_told_and_a_browser_has_few_of_them(estate: Estate, browser: Browser) -> None:
    device = begin(estate)
    for _ in range(WRONG_TRIES):
        page = named(browser.submit(browser.open(VERIFY), user_code="BBBB-BBBB"), "device")
        assert "Onder deze code wacht geen toestel" in page.words
        estate.clock.advance(1)
    page = named(browser.submit(browser.open(VERIFY), user_code=device["user_code"]), "device")
    assert (page.status, "te veel codes" in page.words) == (429, True)
    named(estate.browser().open(device["verification_uri_complete"]), "device-confirm")
    estate.clock.advance(WRONG_SECONDS)
    again = begin(estate)
    named(browser.open(again["verification_uri_complete"]), "device-confirm")


def test_guesses_of_all_browsers_together_are_bounded(estate: Estate) -> None:
    device = begin(estate)
    answers = [estate.get(f"{VERIFY}?user_code=BBBB-BBBB").status_code for _ in range(LOOKUPS_A_SECOND)]
    assert set(answers) == {200}
    led = estate.get(device["verification_uri_complete"].removeprefix(estate.origin))
    assert (led.status_code, led.headers["Location"].startswith("/op/v1/auth/")) == (303, True)
    estate.clock.advance(1)
    named(estate.browser().open(device["verification_uri_complete"]), "device-confirm")


@pytest.mark.parametrize("typed", ["", "a", "<script>", "BCDF-GHJK-LMNP", "🔑" * 8, "AAAA-EEEE", "b" * 5000, "\0"])
def test_whatever_is_typed_is_answered_and_not_repeated(estate: Estate, browser: Browser, typed: str) -> None:
    page = named(browser.open(f"{VERIFY}?user_code={quote(typed)}"), "device")
    assert "<script>" not in page.html
    assert page.form_with("user_code").fields["user_code"] == ""


def test_a_device_can_show_a_picture_of_its_address(estate: Estate) -> None:
    device = begin(estate)
    answer = estate.get(f"/op/v1/device/qr/{device['user_code']}.svg")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert "style" not in answer.text
    assert "<svg xmlns=" in answer.text
    other = estate.get("/op/v1/device/qr/BCDF-GHJK.svg")
    assert (other.status_code, other.text != answer.text) == (200, True)


@pytest.mark.parametrize("name", ["BCDF-GHJK", "BCDF.svg", "AAAA-AAAA.svg", "%00.svg", ".svg", "BCDF-GHJK.png"])
def test_there_is_no_picture_of_what_is_no_code(estate: Estate, name: str) -> None:
    assert_error_page(Browser(estate).open(f"/op/v1/device/qr/{name}"), 404)


def test_a_client_that_registers_itself_may_run_on_a_device(estate: Estate, browser: Browser) -> None:
    open_to_all = estate.configured(registration="open")
    metadata = {"grant_types": [GRANT], "token_endpoint_auth_method": "none", "response_types": []}
    answer = open_to_all.http().post("/op/v1/register", json=metadata, base_url=estate.origin)
    assert answer.status_code == 201, answer.data
    client_id = json.loads(answer.data)["client_id"]
    open_to_all.registered[client_id] = metadata
    device = open_to_all.call("/op/v1/device", client_id, {"scope": "openid profile"}).body
    own = open_to_all.browser()
    named(own.submit(named(approve(own, device), "consent"), ("answer", "allow")), "answered")
    asked = {"grant_type": GRANT, "device_code": device["device_code"]}
    assert open_to_all.call("/op/v1/token", client_id, asked).status == 200
