"""OpenID Connect Session Management 1.0: `session_state`, the readable cookie, and the page that applications frame."""

import re
from hashlib import sha256

from werkzeug.test import TestResponse

from tests.flow.estate import Browser, Estate
from tests.flow.journeys import arrive, sign_in

ORIGIN = "http://localhost:8001"


def state_cookie(browser: Browser) -> str:
    cookie = browser.wsgi.get_cookie(browser.estate.settings.cookie_name("state"), domain="localhost")
    return cookie.value if cookie else ""


def is_true(state: str, *, browser: Browser, client_id: str = "hinderpremie", origin: str = ORIGIN) -> bool:
    """What the framed page would find."""
    known, _, salt = state.partition(".")
    return known == sha256(f"{client_id} {origin} {state_cookie(browser)} {salt}".encode()).hexdigest()


def test_the_answer_carries_a_state_that_the_cookie_confirms(browser: Browser) -> None:
    state = arrive(browser, "hinderpremie", "dirk").parameters["session_state"]
    assert is_true(state, browser=browser)
    assert not is_true(state, browser=browser, client_id="subsidieloket")
    assert not is_true(state, browser=browser, origin="http://localhost:8002")


def test_each_answer_has_a_salt_of_its_own(browser: Browser) -> None:
    first = arrive(browser, "hinderpremie", "dirk").parameters["session_state"]
    second = arrive(browser, "hinderpremie", "dirk", prompt="none").parameters["session_state"]
    assert first != second
    assert is_true(first, browser=browser)
    assert is_true(second, browser=browser)


def test_a_step_up_of_the_same_person_changes_nothing(browser: Browser) -> None:
    state = arrive(browser, "hinderpremie", "dirk").parameters["session_state"]
    browser.sign_in(browser.ask("hinderpremie", prompt="login"), "dirk", "eid")
    assert is_true(state, browser=browser)


def test_another_person_changes_it(browser: Browser) -> None:
    state = arrive(browser, "hinderpremie", "dirk").parameters["session_state"]
    browser.sign_in(browser.ask("burgerprofiel", prompt="login"), "an", "eid")
    assert state_cookie(browser)
    assert not is_true(state, browser=browser)


def test_logging_out_changes_it(browser: Browser) -> None:
    tokens = sign_in(browser, "hinderpremie", "dirk")
    state = arrive(browser, "hinderpremie", "dirk", prompt="none").parameters["session_state"]
    browser.open(f"/op/v1/logout?id_token_hint={tokens.body['id_token']}")
    assert state_cookie(browser) == ""
    assert not is_true(state, browser=browser)


def sign_in_cookies(estate: Estate) -> dict[str, str]:
    """Each cookie that a sign-in sets, by its purpose."""
    browser, seen = estate.browser(), []
    post = browser.wsgi.post

    def kept(*arguments: object, **options: object) -> TestResponse:
        answer = post(*arguments, **options)
        seen.extend(answer.headers.getlist("Set-Cookie"))
        return answer

    browser.wsgi.post = kept
    arrive(browser, "hinderpremie", "dirk")
    return {cookie.partition("=")[0].rpartition("_")[2]: cookie for cookie in seen}


def test_only_this_cookie_is_readable_by_script(estate: Estate) -> None:
    cookies = sign_in_cookies(estate)
    assert {purpose for purpose, cookie in cookies.items() if "HttpOnly" not in cookie} == {"state"}
    assert "SameSite=Lax" in cookies["state"]
    assert "Max-Age=28800" in cookies["state"]


def test_under_https_it_goes_into_frames_of_other_sites(estate: Estate) -> None:
    secure = sign_in_cookies(estate.configured(issuer="https://toegang.test/op"))
    assert secure["state"].startswith("__Host-")
    assert secure["state"].endswith("; Path=/; SameSite=None; Secure; Max-Age=28800")
    assert "SameSite=Lax" in secure["session"]


def test_only_this_page_may_be_framed(estate: Estate) -> None:
    said = estate.get("/op/.well-known/openid-configuration").json
    assert said
    answer = estate.get(said["check_session_iframe"].removeprefix(estate.origin))
    assert answer.status_code == 200
    assert "X-Frame-Options" not in answer.headers
    assert "frame-ancestors" not in answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers
    for path in ("/", "/op/v1/auth", "/op/v1/session/other"):
        assert estate.get(path).headers["X-Frame-Options"] == "DENY"


def test_the_page_is_nothing_but_its_script_and_the_name_of_the_cookie(estate: Estate) -> None:
    html = estate.get("/op/v1/session").text
    found = re.search(r'<script src="(/static/check-session.js\?v=\w+)" data-cookie="(\w+)">', html)
    assert found
    assert estate.get(found[1]).status_code == 200
    assert found[2] == "toegang_8000_state"
