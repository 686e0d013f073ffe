"""Without JavaScript, by keyboard alone, on a narrow screen: the sign-ins go the same way."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewVisitor
from tests.browser.vocabulary import ACR, KORENAAR, NOORD, PEOPLE, VELDEKE, Visitor

NARROW = {"width": 320, "height": 640}
MOST_STEPS = 60
"""Presses of Tab within which everything on a page is reached."""


@pytest.fixture
def plain(new_visitor: NewVisitor) -> Visitor:
    """Somebody with a narrow screen and no JavaScript."""
    return new_visitor(java_script_enabled=False, viewport=NARROW)


@pytest.fixture
def narrow(new_visitor: NewVisitor) -> Visitor:
    """Somebody with a narrow screen, whose pages a test can measure."""
    return new_visitor(viewport=NARROW)


def test_a_card_signs_in(plain: Visitor) -> None:
    plain.visit("hinderpremie")
    plain.sign_in("dirk", "eid")
    plain.arrives("hinderpremie")
    assert plain.roles == [f"HinderpremieGebruiker-Indiener:{KORENAAR}"]


def test_a_code_by_sms_signs_in(plain: Visitor) -> None:
    plain.visit("hinderpremie")
    plain.sign_in("dirk", "sms")
    plain.arrives("hinderpremie")
    assert plain.acr == ACR["sms"]


def test_a_code_from_the_app_signs_in(plain: Visitor) -> None:
    plain.visit("loketlb")
    plain.sign_in("jef", "totp")
    plain.arrives("loketlb")
    assert plain.acr == ACR["totp"]
    assert len(plain.roles) == len([role for role in plain.roles if role.endswith(VELDEKE)]) == 2


def test_an_identity_is_chosen_switched_and_left(plain: Visitor) -> None:
    plain.visit("hinderpremie")
    plain.sign_in("elif", "eid")
    plain.choose_identity(f"EA:{NOORD}")
    plain.arrives("hinderpremie")
    plain.page.click("#switch")
    plain.choose_identity(f"EA:{KORENAAR}")
    plain.arrives("hinderpremie")
    assert KORENAAR in plain.organisation
    plain.page.click("#logout")
    expect(plain.page.locator("#signed-out")).to_be_visible()


def test_a_refusal_leads_back(plain: Visitor) -> None:
    plain.visit("hinderpremie")
    plain.sign_in("nadia", "eid")
    plain.sees("no-access")
    plain.page.click("#back-to-application")
    plain.is_refused("hinderpremie", "access_denied")


def test_logging_out_is_confirmed(plain: Visitor) -> None:
    plain.visit("burgerprofiel")
    plain.sign_in("hanne", "eid")
    plain.arrives("burgerprofiel")
    plain.page.goto(plain.demo.at("/op/v1/logout"))
    plain.page.click("#logout-confirm")
    plain.sees("logged-out")


# JavaScript is on below only so that a test can ask where the focus is and how wide a page is: our pages hold none.


def test_by_keyboard_alone_one_signs_in_chooses_and_leaves(narrow: Visitor) -> None:
    narrow.visit("hinderpremie")
    narrow.sees("login")
    press(narrow.page, "button[name=key][value=eid]")
    narrow.sees("eid")
    tab_to(narrow.page, "#card")
    walk_to_option(narrow.page, PEOPLE["elif"]["insz"])
    tab_to(narrow.page, "#pin")
    narrow.page.keyboard.type(PEOPLE["elif"]["eid_pin"])
    narrow.page.keyboard.press("Enter")
    narrow.sees("identity")
    press(narrow.page, f'button[name=identity][value="EA:{NOORD}"]')
    narrow.arrives("hinderpremie")
    press(narrow.page, "#switch")
    narrow.sees("identity")
    press(narrow.page, f'button[name=identity][value="EA:{KORENAAR}"]')
    narrow.arrives("hinderpremie")
    press(narrow.page, "#logout")
    expect(narrow.page.locator("#signed-out")).to_be_visible()


def test_by_keyboard_alone_one_signs_in_with_password_and_code(narrow: Visitor) -> None:
    narrow.visit("burgerprofiel")
    narrow.sees("login")
    press(narrow.page, "button[name=key][value=sms]")
    narrow.sees("password")
    tab_to(narrow.page, "#username")
    narrow.page.keyboard.type(PEOPLE["fatima"]["insz"])
    narrow.page.keyboard.press("Tab")
    narrow.page.keyboard.type(PEOPLE["fatima"]["password"])
    narrow.page.keyboard.press("Enter")
    narrow.sees("code")
    tab_to(narrow.page, "#code")
    narrow.page.keyboard.type(narrow.code("fatima", "sms"))
    narrow.page.keyboard.press("Enter")
    narrow.arrives("burgerprofiel")


def test_by_keyboard_alone_one_leaves_a_refusal(narrow: Visitor) -> None:
    narrow.visit("hinderpremie")
    narrow.sign_in("hanne", "eid")
    narrow.sees("no-access")
    press(narrow.page, "#back-to-application")
    narrow.is_refused("hinderpremie", "access_denied")


def test_the_first_tab_leads_past_the_head_of_the_page(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sees("login")
    visitor.page.keyboard.press("Tab")
    skip = visitor.page.locator(".skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("main")).to_be_focused()
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.locator("button[name=key]").first).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_focus_shows_on_everything_that_can_have_it(new_visitor: NewVisitor, scheme: str) -> None:
    visitor = new_visitor(color_scheme=scheme, viewport=NARROW)
    visitor.visit("hinderpremie")
    for _ in pages_of_a_sign_in(visitor):
        for _ in range(focusable(visitor.page)):
            visitor.page.keyboard.press("Tab")
            assert shows_focus(visitor.page), visitor.page.evaluate("document.activeElement.outerHTML")


def test_no_page_of_a_sign_in_is_wider_than_a_narrow_screen(narrow: Visitor) -> None:
    narrow.visit("hinderpremie")
    seen = []
    for name in pages_of_a_sign_in(narrow):
        narrow.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        seen.append((name, narrow.page.evaluate("document.documentElement.scrollWidth")))
    assert [(name, width) for name, width in seen if width > NARROW["width"]] == []
    assert len(seen) == 7


def pages_of_a_sign_in(visitor: Visitor) -> Iterator[str]:
    """Stops at each page that Elif sees, up to the application's; then at those of leaving, and of a refusal."""
    yield at(visitor, "login")
    visitor.choose_key("eid")
    yield at(visitor, "eid")
    visitor.show_card(PEOPLE["elif"]["insz"], PEOPLE["elif"]["eid_pin"])
    yield at(visitor, "identity")
    visitor.choose_identity(f"EA:{NOORD}")
    visitor.arrives("hinderpremie")
    yield at(visitor, "eloket")
    visitor.page.goto(visitor.demo.at("/op/v1/logout"))
    yield at(visitor, "logout")
    visitor.page.click("#logout-confirm")
    yield at(visitor, "logged-out")
    visitor.visit("hinderpremie")
    visitor.sign_in("fatima", "eid")
    yield at(visitor, "no-access")


def at(visitor: Visitor, name: str) -> str:
    """The page's name, once it is there."""
    visitor.sees(name)
    return name


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until this has the focus, as it shows."""
    for _ in range(MOST_STEPS):
        if page.locator(selector).evaluate("(one) => one === document.activeElement"):
            assert shows_focus(page), selector
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def press(page: Page, selector: str) -> None:
    """Go to a button or link by keyboard, and press it."""
    tab_to(page, selector)
    page.keyboard.press("Enter")


def walk_to_option(page: Page, value: str) -> None:
    """Press the arrow until this option of the list in focus is chosen."""
    for _ in range(MOST_STEPS):
        if page.evaluate("document.activeElement.value") == value:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"the arrow does not reach {value}")


def shows_focus(page: Page) -> bool:
    """Whether what has the focus has a ring around it."""
    ring = "(({outlineStyle, outlineWidth}) => outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2)"
    return bool(page.evaluate(f"{ring}(getComputedStyle(document.activeElement))"))


def focusable(page: Page) -> int:
    """How many things on the page Tab should reach."""
    candidates = "a[href], button, input:not([type=hidden]), select, summary"
    return page.locator(f":is({candidates}):visible").count()
