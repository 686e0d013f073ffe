"""The main sign-ins on every place where tickets and records can be kept."""

import pytest

from tests.flow import asking, devices
from tests.flow.estate import Arrival, Estate
from tests.flow.journeys import arrive, assert_error_page, at_once, introspect, refresh, sign_in
from tests.flow.proving import Prover
from tests.flow.reading import Page


@pytest.fixture
def estate(anywhere: Estate) -> Estate:
    """The estate on SQLite, on PostgreSQL, or with its tickets in Redis."""
    return anywhere


def test_dirk_signs_in_refreshes_and_logs_out(estate: Estate) -> None:
    browser = estate.browser()
    tokens = sign_in(browser, "hinderpremie", "dirk", scope=estate.client("hinderpremie")["scope"])
    assert estate.verified(tokens, "hinderpremie")["vo_orgcode"] == "0999910147"
    assert introspect(estate, "rapport-api", tokens.body["access_token"])["active"] is True
    again = refresh(estate, "hinderpremie", tokens.body["refresh_token"])
    assert again.status == 200
    plain = sign_in(browser, "hinderpremie", "dirk")
    page = browser.open("/op/v1/logout?id_token_hint=" + plain.body["id_token"])
    assert isinstance(page, Page)
    assert page.name == "logged-out"
    assert estate.userinfo(plain.body["access_token"]).status_code == 401
    assert estate.userinfo(again.body["access_token"]).status_code == 200
    estate.clock.advance(11)
    assert refresh(estate, "hinderpremie", tokens.body["refresh_token"]).body["error"] == "invalid_grant"
    assert estate.userinfo(again.body["access_token"]).status_code == 401


def test_elif_chooses_with_an_app_code_and_is_not_asked_again(estate: Estate) -> None:
    browser = estate.browser()
    tokens = sign_in(browser, "hinderpremie", "elif", "totp", identity="EA:0999920243")
    roles = ["HinderpremieGebruiker-Medewerker:0999920243"]
    assert estate.verified(tokens, "hinderpremie")["hinderpremie_rol_3d"] == roles
    assert sign_in(browser, "statistiek", "elif").claims["auth_time"] == tokens.claims["auth_time"]


def test_marc_signs_in_with_a_code_by_sms(estate: Estate) -> None:
    assert sign_in(estate.browser(), "hinderpremie", "marc", "sms").claims["locale"] == "fr"


def test_a_code_used_by_ten_at_once_wins_once_and_dies(estate: Estate) -> None:
    arrived = arrive(estate.browser(), "hinderpremie", "dirk")
    answers = at_once(10, lambda _: estate.redeem("hinderpremie", arrived))
    won = [answer for answer in answers if answer.status == 200]
    assert len(won) == 1
    assert estate.userinfo(won[0].body["access_token"]).status_code == 401


def test_a_device_code_used_by_twenty_at_once_wins_once(estate: Estate) -> None:
    estate.register(devices.CLIENT, grant_types=[devices.GRANT])
    device = devices.begin(estate)
    assert {answer.status for answer in at_once(20, lambda _: devices.ask(estate, device))} == {400}
    devices.approve(estate.browser(), device)
    answers = at_once(20, lambda _: devices.ask(estate, device))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 19


def test_an_answer_by_backchannel_fetched_by_twenty_at_once_is_had_once(estate: Estate) -> None:
    estate.register(asking.CLIENT, grant_types=[asking.GRANT], backchannel_token_delivery_mode="poll")
    auth_req_id = asking.begin(estate, login_hint=asking.subject(estate))
    page = asking.open_list(estate.browser())
    assert "Hinderpremie" in page.words
    asking.approve(estate.browser())
    answers = at_once(20, lambda _: asking.ask(estate, auth_req_id))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 19


def test_requests_for_one_person_by_twenty_at_once_are_ten(estate: Estate) -> None:
    estate.register(asking.CLIENT, grant_types=[asking.GRANT], backchannel_token_delivery_mode="poll")
    dirk = asking.subject(estate)
    answers = at_once(20, lambda _: asking.send(estate, login_hint=dirk).status)
    assert sorted(answers) == [200] * 10 + [403] * 10


def test_a_refresh_token_used_by_twenty_at_once_has_one_successor(estate: Estate) -> None:
    tokens = sign_in(estate.browser(), "hinderpremie", "dirk", scope=estate.client("hinderpremie")["scope"])
    token = tokens.body["refresh_token"]
    answers = at_once(20, lambda _: refresh(estate, "hinderpremie", token))
    successors = {answer.body["refresh_token"] for answer in answers}
    assert len(successors) == 1
    assert refresh(estate, "hinderpremie", successors.pop()).status == 200
    estate.clock.advance(11)
    assert {answer.status for answer in at_once(20, lambda _: refresh(estate, "hinderpremie", token))} == {400}


def test_a_proof_used_by_twenty_at_once_wins_once(estate: Estate) -> None:
    headers = Prover(estate, "RS256").sent()
    secret, form = estate.client("tijdmeting")["client_secret"], {"grant_type": "client_credentials"}

    def ask(_: int) -> int:
        return estate.post("/op/v1/token", form, headers=headers, auth=("tijdmeting", secret)).status_code

    assert sorted(at_once(20, ask)) == [200] + [400] * 19


def test_a_signed_token_given_back_by_twenty_at_once_is_gone(estate: Estate) -> None:
    estate.register("hinderpremie", access_token_format="jwt")
    token = sign_in(estate.browser(), "hinderpremie", "dirk").body["access_token"]
    assert estate.userinfo(token).status_code == 200
    answers = at_once(20, lambda _: estate.call("/op/v1/revoke", "hinderpremie", {"token": token}).status)
    assert set(answers) == {200}
    assert estate.userinfo(token).status_code == 401


def test_a_choice_clicked_ten_times_at_once_is_made(estate: Estate) -> None:
    browser = estate.browser()
    choice = browser.sign_in(browser.ask("hinderpremie"), "elif", "eid")
    assert isinstance(choice, Page)
    form = choice.form_with("identity")
    sent = form.fields | {"identity": "EA:0999920243"}
    assert set(at_once(10, lambda _: browser.post(form.action, sent).status_code)) == {303}


def test_an_id_that_is_no_id_is_gone_and_breaks_nothing(estate: Estate) -> None:
    browser = estate.browser()
    for text in ("%00", "%F0%9F%94%91", "%FF", "a" * 3000):
        assert_error_page(browser.open(f"/op/v1/auth/{text}/login"))
        assert estate.get(f"/op/v1/logout?request={text}").status_code in (200, 400)
    for text in ("\0", "🔑", "a" * 3000):
        assert introspect(estate, "hinderpremie", text) == {"active": False}
        assert estate.call("/op/v1/revoke", "hinderpremie", {"token": text}).status == 200


def test_of_one_pushed_request_opened_and_answered_by_twenty_at_once_one_code_comes(estate: Estate) -> None:
    asked = estate.browser().request("hinderpremie")
    uri = estate.call("/op/v1/par", "hinderpremie", asked).body["request_uri"]
    browsers = [estate.browser() for _ in range(20)]
    pages = [browser.open(f"/op/v1/auth?client_id=hinderpremie&request_uri={uri}") for browser in browsers]
    forms = []
    for browser, page in zip(browsers, pages, strict=True):
        card = browser.submit(page, ("key", "eid"))
        assert isinstance(card, Page)
        forms.append(card)
    dirk = estate.person("dirk")
    signing = {"card": dirk.national_number, "pin": dirk.eid_pin or ""}
    arrived = at_once(20, lambda number: browsers[number].submit(forms[number], **signing))
    brought = [page.parameters for page in arrived if isinstance(page, Arrival)]
    assert len(brought) == 20
    assert sorted(got.get("error", "code") for got in brought) == ["code"] + ["invalid_request_uri"] * 19
