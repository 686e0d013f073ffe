"""itsme in a browser: the page that waits, with JavaScript and without, and the telephone beside it."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from idp.pages import LANGUAGES
from tests.browser.conftest import NewVisitor
from tests.browser.test_accessibility import violations
from tests.browser.vocabulary import ACR, KORENAAR, PEOPLE, Visitor

NARROW = {"width": 320, "height": 640}


def test_the_page_that_waits_goes_on_by_itself(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("dirk", "itsme")
    visitor.arrives("hinderpremie")
    assert visitor.who == "Dirk Maes"
    assert visitor.acr == ACR["itsme"]
    assert visitor.roles == [f"HinderpremieGebruiker-Indiener:{KORENAAR}"]


def test_without_javascript_the_button_goes_on(new_visitor: NewVisitor) -> None:
    plain = new_visitor(java_script_enabled=False, viewport=NARROW)
    plain.visit("hinderpremie")
    plain.choose_key("itsme")
    plain.give_phone("dirk")
    plain.page.click("#itsme-continue")
    plain.sees("itsme-wait")  # nobody has confirmed yet
    plain.press_on_phone("dirk", "approve")
    plain.page.click("#itsme-continue")
    plain.arrives("hinderpremie")
    assert plain.acr == ACR["itsme"]


def test_a_refusal_on_the_telephone_leads_to_another_key(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.choose_key("itsme")
    visitor.give_phone("elif")
    visitor.press_on_phone("elif", "deny")
    visitor.sees("itsme-failed")
    visitor.page.click("main a >> text=Kies een andere sleutel")
    visitor.sign_in("dirk", "eid")
    visitor.arrives("hinderpremie")


def test_going_back_to_itsme_does_no_harm(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("dirk", "itsme")
    visitor.arrives("hinderpremie")
    visitor.page.go_back()
    visitor.page.go_back()
    expect(visitor.page.locator("body[data-page]")).to_be_visible()
    visitor.visit("hinderpremie")
    visitor.arrives("hinderpremie")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_as_they_are_served_are_accessible_and_keep_to_their_policy(
    new_visitor: NewVisitor, language: str
) -> None:
    visitor = new_visitor(viewport=NARROW)
    said: list[str] = []
    visitor.page.on("console", lambda message: said.append(message.text))
    found = []
    for name in pages_of_itsme(visitor, language):
        visitor.sees(name)
        assert visitor.language == language
        found += [(name, "width", visitor.page.evaluate("document.documentElement.scrollWidth") > NARROW["width"])]
        visitor.page.evaluate(AXE_SCRIPT)
        found += [(name, rule, bool(places)) for rule, places in violations(visitor.page)]
    assert [one for one in found if one[2]] == []
    assert said == []


def pages_of_itsme(visitor: Visitor, language: str) -> Iterator[str]:
    """Stops at each page of itsme on Bram's way, who then stops."""
    visitor.visit("hinderpremie", ui_locales=language)
    visitor.choose_key("itsme")
    yield "itsme"
    visitor.page.fill("#phone", "0470")
    visitor.page.click("#itsme-submit")
    visitor.page.wait_for_selector("#phone-wrong")
    yield "itsme"
    visitor.give_phone("bram")
    yield "itsme-wait"
    waiting = visitor.page.url
    visitor.page.goto(visitor.demo.at(f"/simulators/itsme/{PEOPLE['bram']['phone']}?ui_locales={language}"))
    yield "itsme-phone"
    visitor.page.goto(waiting)
    visitor.page.click("#itsme-stop")
    yield "itsme-failed"
