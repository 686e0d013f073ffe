"""What our headers make Chromium do: nothing is blocked that should pass, and what should not pass is blocked."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import ConsoleMessage, Error, Request, expect

from tests.browser.conftest import NewVisitor
from tests.browser.vocabulary import NOORD, PEOPLE, Visitor


@pytest.fixture
def complaints(visitor: Visitor) -> list[str]:
    """What the browser complains of, as it does so: in the console, by a failed request, by an error of a script."""
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # Chromium also tells of a page with status 403, as a refusal has: that is no complaint.
        if message.type in ("error", "warning") and "the server responded with a status of 4" not in message.text:
            found.append(message.text)

    def fail(request: Request) -> None:
        # A drawing that is still on its way when the page is left is no complaint either.
        if request.failure != "net::ERR_ABORTED":
            found.append(f"{request.url} {request.failure}")

    def stumble(error: Error) -> None:
        found.append(error.message)

    visitor.page.on("console", hear)
    visitor.page.on("requestfailed", fail)
    visitor.page.on("pageerror", stumble)
    return found


def test_no_page_of_a_sign_in_breaks_its_policy(visitor: Visitor, complaints: list[str]) -> None:
    visitor.visit("hinderpremie")
    visitor.choose_key("sms")
    visitor.give_password("bram")
    visitor.sees("code")
    visitor.page.goto(visitor.demo.at("/simulators/inbox/"))
    visitor.visit("hinderpremie")
    visitor.choose_key("eid")
    visitor.show_card(PEOPLE["elif"]["insz"], "9999")
    visitor.show_card(PEOPLE["elif"]["insz"], PEOPLE["elif"]["eid_pin"])
    visitor.choose_identity(f"EA:{NOORD}")
    visitor.arrives("hinderpremie")
    visitor.page.click("#switch")
    visitor.choose_identity(f"EA:{NOORD}")
    visitor.arrives("hinderpremie")
    visitor.page.click("#logout")
    expect(visitor.page.locator("#signed-out")).to_be_visible()
    for path in (
        "/",
        "/hulp",
        "/privacy",
        "/toegankelijkheid",
        "/simulators/app",
        "/simulators/clock.html",
        "/op/v1/auth",
    ):
        visitor.page.goto(visitor.demo.at(path))
    visitor.visit("hinderpremie")
    visitor.sign_in("fatima", "eid")
    visitor.sees("no-access")
    visitor.page.goto(visitor.demo.at("/op/v1/logout"))
    visitor.page.click("#logout-confirm")
    visitor.sees("logged-out")
    assert complaints == []


def test_a_form_may_lead_on_to_the_application_and_nowhere_else(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.choose_key("eid")
    visitor.sees("eid")
    with visitor.page.expect_console_message() as heard:
        visitor.page.evaluate("document.forms[0].action = 'http://localhost:9/'; document.forms[0].requestSubmit()")
    assert "form-action" in heard.value.text


def test_the_answer_as_a_form_sends_itself(visitor: Visitor, complaints: list[str]) -> None:
    ask_for_a_form(visitor)
    visitor.sign_in("dirk", "eid")
    expect(visitor.page.locator("body")).to_have_text("received")
    assert complaints == []


def test_without_javascript_the_answer_as_a_form_has_a_button(new_visitor: NewVisitor) -> None:
    visitor = new_visitor(java_script_enabled=False)
    ask_for_a_form(visitor)
    visitor.sign_in("dirk", "eid")
    visitor.sees("form-post")
    visitor.page.click("#form-post button")
    expect(visitor.page.locator("body")).to_have_text("received")


def ask_for_a_form(visitor: Visitor) -> None:
    """Ask for the answer as a form, and stand in for the application that gets it: those of the demo read queries."""
    callback = f"{visitor.demo.application('hinderpremie')}callback"
    visitor.page.route(
        callback,
        lambda route: route.fulfill(
            body="received" if "code=" in (route.request.post_data or "") else "nothing", content_type="text/html"
        ),
    )
    asked = {
        "client_id": "hinderpremie",
        "redirect_uri": callback,
        "response_type": "code",
        "response_mode": "form_post",
        "scope": "openid",
        "state": '"><script>',
    }
    visitor.page.goto(visitor.demo.at(f"/op/v1/auth?{urlencode(asked)}"))


def test_no_page_of_another_may_frame_ours(visitor: Visitor) -> None:
    frame = f'<iframe id="ours" src="{visitor.demo.at()}"></iframe>'
    visitor.page.route("http://elsewhere.test/", lambda route: route.fulfill(body=frame, content_type="text/html"))
    visitor.page.goto("http://elsewhere.test/")
    expect(visitor.page.frame_locator("#ours").locator("h1", has_text="Toegang")).to_have_count(0)


def test_going_back_after_leaving_shows_nothing_of_before(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.choose_key("eid")
    visitor.show_card(PEOPLE["elif"]["insz"], PEOPLE["elif"]["eid_pin"])
    visitor.sees("identity")
    visitor.choose_identity(f"EA:{NOORD}")
    visitor.arrives("hinderpremie")
    visitor.page.click("#logout")
    expect(visitor.page.locator("#signed-out")).to_be_visible()
    visitor.page.go_back()
    expect(visitor.page.locator("#sign-in")).to_be_visible()
    visitor.page.go_back()
    expect(visitor.page.locator("body")).not_to_have_attribute("data-page", "eloket")
    expect(visitor.page.locator("button[name=identity]")).to_have_count(0)
