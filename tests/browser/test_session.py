"""One session in one browser: signing on once, choosing again, leaving, and what tabs, buttons and cookies do to it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.vocabulary import ACR, KORENAAR, NOORD, PEOPLE, Visitor


def test_one_session_serves_every_application(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("dirk", "eid")
    visitor.arrives("hinderpremie")
    visitor.visit("burgerprofiel")
    visitor.arrives("burgerprofiel")
    assert visitor.who == "Dirk Maes"
    assert visitor.acr == ACR["eid"]


def test_a_stronger_key_is_asked_only_by_the_application_that_needs_it(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("elif", "sms")
    visitor.choose_identity(f"EA:{KORENAAR}")
    visitor.arrives("hinderpremie")
    visitor.visit("subsidieloket")
    visitor.sees("login")
    assert "Elif Yilmaz" in visitor.words
    assert not visitor.keys & {"sms", "totp"}
    visitor.sign_in("elif", "eid")
    visitor.arrives("subsidieloket")
    assert visitor.acr == ACR["eid"]
    visitor.visit("hinderpremie")
    visitor.arrives("hinderpremie")


def test_switching_asks_again_for_whom_and_no_key(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("elif", "eid")
    visitor.choose_identity(f"EA:{NOORD}")
    visitor.arrives("hinderpremie")
    visitor.visit("hinderpremie")
    visitor.arrives("hinderpremie")
    visitor.page.click("#switch")
    visitor.sees("identity")
    assert visitor.identities[0] == f"EA:{NOORD}"
    visitor.choose_identity(f"EA:{KORENAAR}")
    visitor.arrives("hinderpremie")
    assert KORENAAR in visitor.organisation


def test_refreshing_asks_the_rights_of_this_moment(visitor: Visitor) -> None:
    visitor.visit("subsidieloket")
    visitor.sign_in("elif", "eid")
    visitor.arrives("subsidieloket")
    before = visitor.claims
    visitor.page.click("#refresh")
    visitor.arrives("subsidieloket")
    assert visitor.claims["auth_time"] == before["auth_time"]
    assert "nonce" not in visitor.claims
    assert len(visitor.roles) == 2


def test_logging_out_by_the_application_asks_no_question(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("dirk", "eid")
    visitor.arrives("hinderpremie")
    visitor.page.click("#logout")
    expect(visitor.page.locator("#signed-out")).to_be_visible()
    expect(visitor.page).to_have_url(
        re.compile(re.escape(visitor.demo.application("hinderpremie")) + r"(\?state=.*)?$")
    )
    visitor.visit("burgerprofiel")
    visitor.sees("login")


def test_logging_out_on_our_own_page_asks_first(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("dirk", "eid")
    visitor.arrives("hinderpremie")
    visitor.page.goto(visitor.demo.at("/op/v1/logout"))
    visitor.sees("logout")
    assert "Dirk Maes" in visitor.words
    assert "Hinderpremie" in visitor.words
    visitor.page.click("#logout-cancel")
    visitor.sees("start")
    assert "U bent aangemeld als Dirk Maes" in visitor.words
    visitor.page.goto(visitor.demo.at("/op/v1/logout"))
    visitor.page.click("#logout-confirm")
    visitor.sees("logged-out")
    visitor.page.goto(visitor.demo.at())
    assert "U bent aangemeld" not in visitor.words


@pytest.mark.parametrize(("label", "key"), [("Dirk Maes", "eid"), ("Marc Lambert", "sms")])
def test_one_click_signs_in_as_a_persona(visitor: Visitor, label: str, key: str) -> None:
    visitor.visit("hinderpremie")
    visitor.sees("login")
    visitor.page.locator(".personas button", has_text=label).click()
    visitor.arrives("hinderpremie")
    assert (visitor.who, visitor.acr) == (label, ACR[key])


def test_a_new_card_signs_in_somebody_whom_nobody_knows(visitor: Visitor) -> None:
    visitor.visit("burgerprofiel")
    visitor.choose_key("eid")
    visitor.page.click("details summary:has-text('nieuwe testkaart')")
    visitor.page.fill("#new_number", "85.64.12-991.09")
    visitor.page.fill("#new_given_name", "Nieuwe")
    visitor.page.fill("#new_family_name", "Bürger")
    visitor.page.click("#new-card-submit")
    expect(visitor.page.locator("#card")).to_have_value("85641299109")
    visitor.page.fill("#pin", "1234")
    visitor.page.click("#submit")
    visitor.arrives("burgerprofiel")
    assert (visitor.who, visitor.claims["rrn"]) == ("Nieuwe Bürger", "85641299109")


def test_a_language_chosen_on_a_page_stays(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sees("login")
    assert visitor.language == "nl"
    visitor.page.click("nav.languages a[hreflang=fr]")
    expect(visitor.page.locator("html")).to_have_attribute("lang", "fr")
    visitor.choose_key("eid")
    visitor.sees("eid")
    assert visitor.language == "fr"
    later = visitor.another_tab()
    later.visit("burgerprofiel")
    later.sees("login")
    assert later.language == "fr"


def test_without_a_choice_pages_speak_the_language_of_the_browser(new_visitor: NewVisitor) -> None:
    visitor = new_visitor(locale="de-BE")
    visitor.visit("hinderpremie")
    visitor.sees("login")
    assert visitor.language == "de"


def test_a_wrong_pin_is_told_and_the_next_try_goes_on(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.choose_key("eid")
    visitor.show_card(PEOPLE["dirk"]["insz"], "9999")
    expect(visitor.page.locator("#pin-wrong")).to_be_visible()
    expect(visitor.page.locator(".errors")).to_be_focused()
    expect(visitor.page.locator("#card")).to_have_value(PEOPLE["dirk"]["insz"])
    assert visitor.page.title().startswith("Fout:")
    visitor.show_card(PEOPLE["dirk"]["insz"], PEOPLE["dirk"]["eid_pin"])
    visitor.arrives("hinderpremie")


def test_a_wrong_code_is_told_and_a_new_one_can_be_asked(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.choose_key("sms")
    visitor.give_password("lotte")
    visitor.sees("code")
    first = visitor.code("lotte", "sms")
    visitor.page.fill("#code", f"{(int(first) + 1) % 1_000_000:06}")
    visitor.page.click("#code-submit")
    expect(visitor.page.locator("#code-wrong")).to_be_visible()
    visitor.page.click("#code-resend")
    expect(visitor.page.locator(".note--good")).to_be_visible()
    visitor.page.fill("#code", visitor.code("lotte", "sms"))
    visitor.page.click("#code-submit")
    visitor.sees("no-access")


def test_an_unknown_person_is_told_what_a_wrong_password_is_told(new_visitor: NewVisitor) -> None:
    told = []
    for number, password in (("85641299109", "Welkom-demo-1"), (PEOPLE["dirk"]["insz"], "verkeerd")):
        visitor = new_visitor()
        visitor.visit("hinderpremie")
        visitor.choose_key("sms")
        visitor.sees("password")
        visitor.page.fill("#username", number)
        visitor.page.fill("#password", password)
        visitor.page.click("#login-submit")
        expect(visitor.page.locator("#username-wrong")).to_be_visible()
        told.append(visitor.words)
    assert told[0] == told[1]


def test_two_tabs_sign_in_without_disturbing_each_other(visitor: Visitor) -> None:
    other = visitor.another_tab()
    visitor.visit("hinderpremie")
    visitor.sees("login")
    other.visit("statistiek")
    other.sign_in("elif", "eid")
    other.arrives("statistiek")
    visitor.sign_in("elif", "eid")
    visitor.choose_identity(f"EA:{NOORD}")
    visitor.arrives("hinderpremie")
    assert NOORD in visitor.organisation
    other.visit("statistiek")
    other.arrives("statistiek")


def test_two_tabs_of_one_application_get_each_their_own_answer(visitor: Visitor) -> None:
    other = visitor.another_tab()
    visitor.visit("hinderpremie")
    other.visit("hinderpremie")
    other.sign_in("elif", "eid")
    other.choose_identity(f"EA:{KORENAAR}")
    other.arrives("hinderpremie")
    visitor.sign_in("elif", "eid")
    visitor.arrives("hinderpremie")
    assert KORENAAR in visitor.organisation


def test_back_from_a_key_chooses_another(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.choose_key("sms")
    visitor.sees("password")
    visitor.page.go_back()
    visitor.sign_in("dirk", "eid")
    visitor.arrives("hinderpremie")


def test_back_from_the_application_loses_nobody(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("elif", "eid")
    visitor.choose_identity(f"EA:{NOORD}")
    visitor.arrives("hinderpremie")
    visitor.page.go_back()
    assert visitor.page.locator("h1").count() == 1
    visitor.page.goto(visitor.demo.application("hinderpremie"))
    visitor.arrives("hinderpremie")
    visitor.visit("statistiek")
    visitor.arrives("statistiek")


def test_a_browser_without_cookies_is_told_so(visitor_without_cookies: Visitor) -> None:
    visitor = visitor_without_cookies
    visitor.visit("hinderpremie")
    visitor.sees("error")
    assert "Uw browser bewaart geen cookies van deze site" in visitor.words
    expect(visitor.page.locator("#error-reference")).not_to_be_empty()
    expect(visitor.page.locator("#error-code")).to_have_text("invalid_request")


def test_an_address_where_nothing_is_shows_the_way(visitor: Visitor) -> None:
    visitor.page.goto(visitor.demo.at("/nergens"))
    visitor.sees("error")
    expect(visitor.page.locator("#error-code")).to_have_text("not_found")
    visitor.page.click("main .button")
    visitor.sees("start")
