"""What applications hold of a person: seen by that person alone, and dead once it is taken back, whatever the store."""

import json
from typing import Any

import pytest

from tests.flow.estate import VERIFIER, Arrival, Browser, Estate
from tests.flow.journeys import arrive, assert_error_page, at_once, introspect, refresh, sign_in
from tests.flow.party import open_to_all, register
from tests.flow.reading import Page

ADDRESS = "/op/v1/consents"
LASTING = "openid profile vo hinderpremie offline_access"


def held(browser: Browser) -> Page:
    """The page, of whoever is signed in."""
    page = browser.open(ADDRESS)
    assert isinstance(page, Page)
    assert page.name == "consents", page.words
    return page


def withdraw(browser: Browser, client_id: str) -> Page:
    page = browser.submit(held(browser), ("client", client_id))
    assert isinstance(page, Page)
    return page


def buttons(page: Page) -> list[str]:
    """The applications that can be stopped."""
    return [value for form in page.forms for name, value in form.buttons if name == "client"]


def lasting(browser: Browser, person: str = "dirk") -> dict[str, Any]:
    return sign_in(browser, "hinderpremie", person, scope=LASTING).body


def test_whoever_is_not_signed_in_signs_in_as_for_any_application(browser: Browser) -> None:
    page = browser.open(ADDRESS)
    assert isinstance(page, Page)
    assert page.name == "login"
    page = browser.sign_in(page, "dirk", "eid")
    assert isinstance(page, Page)
    assert (page.name, page.address) == ("consents", ADDRESS)
    assert "nothing-held" in page.ids


def test_whoever_stops_signing_in_is_at_the_start_page(browser: Browser) -> None:
    page = browser.open(ADDRESS)
    assert isinstance(page, Page)
    start = browser.open(page.address.replace("/login", "/cancel"))
    assert isinstance(start, Page)
    assert start.name == "start"
    assert start.links["holdings"] == ADDRESS


def test_the_page_says_who_holds_what_since_when_and_for_how_long(estate: Estate, browser: Browser) -> None:
    estate.register("hinderpremie", refresh_token_rotation=True, logo_uri="https://rp.example.be/logo.svg")
    first = lasting(browser)
    sign_in(browser, "burgerprofiel", "dirk")
    estate.clock.advance(2 * 86400)
    assert refresh(estate, "hinderpremie", first["refresh_token"]).status == 200
    browser.sign_in(browser.open(ADDRESS), "dirk", "eid")
    page = held(browser)
    assert buttons(page) == ["hinderpremie"]  # of the other, all ended an hour later
    for words in ("Hinderpremie", "Voornaam en naam", "Organisatie", "Uw rechten", "Ook wanneer u niet aangemeld bent"):
        assert words in page.words
    assert "Laatst opgevraagd" in page.words
    answer = browser.get(ADDRESS)
    assert "img-src 'self' https://rp.example.be;" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_consent_without_tokens_is_shown_too_and_is_asked_anew_once_withdrawn(
    estate: Estate, browser: Browser
) -> None:
    estate.register("burgerprofiel", consent="once")
    page = browser.sign_in(browser.ask("burgerprofiel"), "hanne", "eid")
    assert isinstance(browser.submit(page, ("answer", "allow")), Arrival)
    assert buttons(held(browser)) == ["burgerprofiel"]
    assert "Rijksregisternummer" in held(browser).words
    page = withdraw(browser, "burgerprofiel")
    assert {"withdrawn", "nothing-held"} <= page.ids
    asked = browser.ask("burgerprofiel")
    assert isinstance(asked, Page)
    assert asked.name == "consent"


def test_what_was_asked_claim_by_claim_is_named(estate: Estate, browser: Browser) -> None:
    claims = json.dumps({"userinfo": {"rrn": None}})
    sign_in(browser, "burgerprofiel", "hanne", scope="openid profile", claims=claims)
    assert "Rijksregisternummer" in held(browser).words


def test_only_ones_own_is_seen_and_ended(estate: Estate, browser: Browser) -> None:
    dirks = lasting(browser)
    other = estate.browser()
    sign_in(other, "burgerprofiel", "hanne")
    form = held(other).form_with("client", "burgerprofiel")
    assert other.post(ADDRESS, form.fields | {"client": "hinderpremie"}).status_code == 303
    assert estate.userinfo(dirks["access_token"]).status_code == 200
    assert buttons(held(other)) == ["burgerprofiel"]
    assert buttons(held(browser)) == ["hinderpremie"]


def test_a_form_of_another_site_or_browser_ends_nothing(estate: Estate, browser: Browser) -> None:
    tokens = lasting(browser)
    fields = held(browser).form_with("client").fields
    for form in ({"client": "hinderpremie"}, {"client": "hinderpremie", "csrf": "0" * 64}):
        assert browser.post(ADDRESS, form).status_code == 400
    stranger = estate.browser()
    stranger.open("/")
    assert_error_page(stranger.rest(ADDRESS, stranger.post(ADDRESS, fields | {"client": "hinderpremie"})))
    assert estate.userinfo(tokens["access_token"]).status_code == 200


def test_without_a_session_the_button_ends_nothing(estate: Estate, browser: Browser) -> None:
    tokens = lasting(browser)
    sent = held(browser).form_with("client").fields | {"client": "hinderpremie"}
    question = browser.open("/op/v1/logout")
    assert isinstance(question, Page)
    form = question.form_of_button("logout-confirm")
    browser.post(form.action, form.fields)
    assert browser.post(ADDRESS, sent).status_code == 400
    assert refresh(estate, "hinderpremie", tokens["refresh_token"]).status == 200


@pytest.mark.parametrize("named", ["hinderpremie", "nobody", "<script>", "x" * 3000, ""])
def test_a_link_cannot_tell_of_an_end_that_was_none(browser: Browser, named: str) -> None:
    lasting(browser)
    page = browser.open(f"{ADDRESS}?withdrawn={named}")
    assert isinstance(page, Page)
    assert "withdrawn" not in page.ids
    assert "<script>" not in page.html


def test_our_own_client_can_do_nothing(estate: Estate, browser: Browser) -> None:
    own = f"{estate.origin}/"
    for form in ({"client_id": own}, {"client_id": own, "client_secret": ""}):
        answer = estate.post("/op/v1/token", form | {"grant_type": "client_credentials"})
        assert answer.status_code == 401
    for address in (own, estate.origin + ADDRESS, "https://evil.example/", ""):
        asked = f"/op/v1/auth?client_id={own}&redirect_uri={address}&response_type=code&scope=openid"
        assert_error_page(browser.open(asked))


def test_an_application_that_is_gone_is_not_shown(estate: Estate, browser: Browser) -> None:
    lasting(browser)
    estate.application.provider.clients.remove("hinderpremie")
    assert buttons(held(browser)) == []


def test_what_is_withdrawn_is_dead_at_once(anywhere: Estate) -> None:
    anywhere.register("subsidieloket", access_token_format="jwt")
    browser = anywhere.browser()
    tokens, others = lasting(browser), sign_in(browser, "burgerprofiel", "dirk").body
    assert anywhere.userinfo(tokens["access_token"]).status_code == 200
    withdraw(browser, "hinderpremie")
    assert anywhere.userinfo(tokens["access_token"]).status_code == 401
    assert introspect(anywhere, "hinderpremie", tokens["access_token"]) == {"active": False}
    assert introspect(anywhere, "hinderpremie", tokens["refresh_token"]) == {"active": False}
    assert refresh(anywhere, "hinderpremie", tokens["refresh_token"]).body["error"] == "invalid_grant"
    assert anywhere.userinfo(others["access_token"]).status_code == 200
    assert anywhere.userinfo(sign_in(browser, "hinderpremie", "dirk").body["access_token"]).status_code == 200


def test_a_withdrawal_that_meets_a_refresh_leaves_nothing_alive(anywhere: Estate) -> None:
    anywhere.register("hinderpremie", refresh_token_rotation=True)
    browser = anywhere.browser()
    tokens = lasting(browser)
    sent = held(browser).form_with("client").fields | {"client": "hinderpremie"}

    def one(number: int) -> list[str]:
        if number == 5:
            browser.post(ADDRESS, sent)
            return []
        answer = refresh(anywhere, "hinderpremie", tokens["refresh_token"]).body
        return [answer["access_token"]] if "access_token" in answer else []

    given = [token for found in at_once(10, one) for token in found]
    assert [anywhere.userinfo(token).status_code for token in given] == [401] * len(given)


def test_a_code_that_waits_while_its_consent_is_withdrawn_gives_nothing(anywhere: Estate) -> None:
    anywhere.register("burgerprofiel", consent="once")
    browser = anywhere.browser()
    arrived = arrive(browser, "burgerprofiel", "hanne")
    withdraw(browser, "burgerprofiel")
    assert anywhere.redeem("burgerprofiel", arrived, code_verifier=VERIFIER).body["error"] == "invalid_grant"
    assert buttons(held(browser)) == []
    again = arrive(browser, "burgerprofiel", "hanne")
    assert anywhere.redeem("burgerprofiel", again, code_verifier=VERIFIER).status == 200


def test_a_withdrawal_that_meets_the_redemption_of_a_code_leaves_nothing_alive(anywhere: Estate) -> None:
    anywhere.register("burgerprofiel", consent="once")
    browser = anywhere.browser()
    codes = [arrive(browser, "burgerprofiel", "hanne") for _ in range(9)]
    sent = held(browser).form_with("client").fields | {"client": "burgerprofiel"}

    def one(number: int) -> list[str]:
        if number == 9:
            browser.post(ADDRESS, sent)
            return []
        answer = anywhere.redeem("burgerprofiel", codes[number], code_verifier=VERIFIER).body
        return [answer["access_token"]] if "access_token" in answer else []

    given = [token for found in at_once(10, one) for token in found]
    assert [anywhere.userinfo(token).status_code for token in given] == [401] * len(given)


def test_a_strangers_server_is_not_told_who_looks(estate: Estate) -> None:
    party = register(open_to_all(estate), logo_uri="https://suite.example/logo.svg")
    party.tokens(scope="openid profile")
    page = held(party.browser)
    assert buttons(page) == [party.client_id]
    assert "logo.svg" not in page.html
    assert "suite.example" not in party.browser.get(ADDRESS).headers["Content-Security-Policy"]
