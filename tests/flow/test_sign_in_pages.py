"""The pages of signing in, used as careless people, broken browsers and hostile ones use them."""

import re
from datetime import date
from urllib.parse import urlencode

import pyotp
import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from idm import model
from tests.flow.estate import Arrival, Browser, Estate
from tests.flow.journeys import arrive, assert_error_page, at_once, error_of, sign_in
from tests.flow.reading import Page


def login_page(browser: Browser, client_id: str = "hinderpremie", **asked: str | None) -> Page:
    page = browser.ask(client_id, **asked)
    assert isinstance(page, Page)
    assert page.name == "login"
    return page


def code_page(browser: Browser, person_id: str, key: str) -> Page:
    """The page that asks a code, after number and password."""
    person = browser.estate.person(person_id)
    page = browser.submit(login_page(browser), ("key", key))
    page = browser.submit(page, username=person.national_number, password=person.password or "")
    assert isinstance(page, Page)
    assert page.name == "code"
    return page


def step(page: Page, name: str = "") -> str:
    """The address of a step of the request that this page belongs to."""
    found = re.match(r"/op/v1/auth/[A-Za-z0-9_-]{43}", page.address)
    assert found, page.address
    return found.group() + name


# Tabs, back button, other browsers.


def test_two_tabs_of_one_browser_both_finish(estate: Estate, browser: Browser) -> None:
    first, second = login_page(browser), login_page(browser, "statistiek", state="other")
    arrived = browser.sign_in(second, "elif", "eid")
    assert isinstance(arrived, Arrival)
    assert arrived.parameters["state"] == "other"
    page = browser.sign_in(first, "elif", "eid")
    arrived = browser.submit(page, ("identity", "EA:0999910147"))
    assert isinstance(arrived, Arrival)
    assert estate.redeem("hinderpremie", arrived).status == 200


def test_two_tabs_with_two_people_leave_one_session(browser: Browser) -> None:
    first, second = login_page(browser, "burgerprofiel"), login_page(browser, "burgerprofiel")
    assert isinstance(browser.sign_in(first, "an", "eid"), Arrival)
    assert isinstance(browser.sign_in(second, "jef", "eid"), Arrival)
    page = browser.open("/")
    assert isinstance(page, Page)
    assert "Jef Goossens" in page.words
    assert "An Peeters" not in page.words


def test_a_second_click_within_ten_seconds_gets_the_answer_again(estate: Estate, browser: Browser) -> None:
    page = login_page(browser)
    browser.sign_in(page, "dirk", "eid")
    estate.clock.advance(9)
    assert isinstance(browser.open(step(page)), Arrival)


def test_the_back_button_after_the_answer_shows_an_error_and_the_session_lives(
    estate: Estate, browser: Browser
) -> None:
    page = login_page(browser)
    browser.sign_in(page, "dirk", "eid")
    estate.clock.advance(11)
    for name in ("", "/login", "/login/eid", "/identity", "/no-access", "/cancel"):
        assert_error_page(browser.open(step(page, name)))
    assert_error_page(browser.submit(page, ("key", "eid")))
    assert isinstance(browser.ask("hinderpremie", prompt="none"), Arrival)


def test_a_request_waits_an_hour_and_no_longer(estate: Estate, browser: Browser) -> None:
    page = login_page(browser)
    estate.clock.advance(3599)
    assert isinstance(browser.open(step(page, "/login")), Page)
    estate.clock.advance(1)
    assert_error_page(browser.open(step(page, "/login")))


@pytest.mark.parametrize("name", ["", "/login", "/login/eid", "/identity", "/no-access", "/cancel"])
def test_a_request_of_one_browser_opens_in_no_other(estate: Estate, browser: Browser, name: str) -> None:
    page, other = login_page(browser), estate.browser()
    without_cookies = assert_error_page(other.open(step(page, name)))
    login_page(other)
    assert_error_page(other.open(step(page, name)))
    assert "cookies" in without_cookies.words
    assert isinstance(browser.sign_in(page, "dirk", "eid"), Arrival)


@pytest.mark.parametrize("id", ["x", "A" * 43, "%00", "%F0%9F", "..%2f..", "a" * 5000])
def test_a_request_that_never_was_is_gone(browser: Browser, id: str) -> None:
    login_page(browser)
    for name in ("/login", "/login/eid", "/identity"):
        assert browser.get(f"/op/v1/auth/{id}{name}").status_code in (400, 404)


def test_a_browser_that_refuses_cookies_is_told_so(estate: Estate, browser: Browser) -> None:
    asked = "/op/v1/auth?" + urlencode(browser.request("hinderpremie"))
    location = estate.get(asked).headers["Location"]
    answer = estate.get(location)
    page = assert_error_page(Page(answer.status_code, location, answer.text))
    assert "cookies" in page.words


# Forms: not ours, out of order, empty.


@pytest.mark.parametrize("csrf", [None, "", "wrong", "é", "0" * 64])
def test_a_form_that_was_not_shown_to_this_browser_is_refused_at_every_step(browser: Browser, csrf: str | None) -> None:
    page = login_page(browser)
    person = browser.estate.person("dirk")
    fields = {
        "/login": {"key": "eid"},
        "/login/eid": {"card": person.national_number, "pin": person.eid_pin or ""},
        "/login/totp": {"username": person.national_number, "password": person.password or ""},
        "/identity": {"identity": "EA:0999910147"},
    }
    for name, form in fields.items():
        sent = form | ({} if csrf is None else {"csrf": csrf})
        assert browser.post(step(page, name), sent).status_code == 400
    assert browser.post("/op/v1/logout/confirm", {} if csrf is None else {"csrf": csrf}).status_code == 400
    assert isinstance(browser.sign_in(page, "dirk", "eid"), Arrival)


def test_the_form_of_another_browser_is_refused(estate: Estate, browser: Browser) -> None:
    theirs = login_page(estate.browser()).form_with("key").fields["csrf"]
    page = login_page(browser)
    assert browser.post(step(page, "/login"), {"key": "eid", "csrf": theirs}).status_code == 400


def test_steps_called_out_of_order_lead_back_to_the_step_that_is_due(browser: Browser) -> None:
    page = login_page(browser)
    for name in ("", "/identity", "/no-access"):
        due = browser.open(step(page, name))
        assert isinstance(due, Page)
        assert due.name == "login"
    choice = browser.sign_in(page, "elif", "eid")
    for name in ("", "/identity", "/no-access"):
        due = browser.open(step(page, name))
        assert isinstance(due, Page)
        assert due.name == "identity"
    assert isinstance(browser.submit(choice, ("identity", "EA:0999910147")), Arrival)


def test_a_choice_posted_before_any_sign_in_leads_to_the_sign_in(browser: Browser) -> None:
    page = login_page(browser)
    csrf = page.form_with("key").fields["csrf"]
    answer = browser.post(step(page, "/identity"), {"identity": "EA:0999910147", "csrf": csrf})
    due = browser.rest("", answer)
    assert isinstance(due, Page)
    assert due.name == "login"


def test_no_access_is_shown_only_to_who_has_none(browser: Browser) -> None:
    page = login_page(browser)
    refused = browser.sign_in(page, "fatima", "eid")
    assert isinstance(refused, Page)
    assert refused.name == "no-access"
    again = browser.open(step(page, "/identity"))
    assert isinstance(again, Page)
    assert (again.name, again.status) == ("no-access", 403)


@pytest.mark.parametrize("key", ["eid", "totp", "sms"])
def test_an_answer_to_a_key_that_was_never_begun_signs_nobody_in(browser: Browser, key: str) -> None:
    page = login_page(browser)
    csrf = page.form_with("key").fields["csrf"]
    for form in ({}, {"code": "123456"}, {"resend": "1"}, {"auth-token": "{}"}, {"card": "x", "pin": ""}):
        answer = browser.post(step(page, f"/login/{key}?begun=never"), {"csrf": csrf, **form})
        assert answer.status_code == 200
        assert "Location" not in answer.headers
    assert error_of(browser.ask("hinderpremie", prompt="none")) == "login_required"


def test_an_empty_form_shows_the_page_again(estate: Estate, browser: Browser) -> None:
    page = login_page(browser)
    csrf = page.form_with("key").fields["csrf"]
    assert browser.post(step(page, "/login"), {"csrf": csrf}).status_code == 400
    for key, name in (("eid", "eid"), ("totp", "password"), ("sms", "password")):
        answer = browser.post(step(page, f"/login/{key}"), {"csrf": csrf})
        assert Page(answer.status_code, "", answer.text).name == name
    second = code_page(browser, "elif", "totp")
    answer = browser.post(second.form_with("code").action, {"csrf": csrf, "code": ""})
    assert Page(answer.status_code, "", answer.text).name == "code"
    choice = browser.submit(second, code=browser.code(estate.person("elif"), "totp"))
    assert isinstance(choice, Page)
    answer = browser.post(choice.form_with("identity").action, {"csrf": csrf})
    due = browser.rest("", answer)
    assert isinstance(due, Page)
    assert due.name == "identity"


@pytest.mark.parametrize("key", ["unknown", "", "EID", "password", "../eid", "\0", "x" * 3000])
def test_a_key_that_is_not_offered_cannot_be_used(browser: Browser, key: str) -> None:
    page = login_page(browser)
    csrf = page.form_with("key").fields["csrf"]
    assert browser.post(step(page, "/login"), {"csrf": csrf, "key": key}).status_code == 400


def test_a_key_below_the_level_cannot_be_used_by_its_address(estate: Estate, browser: Browser) -> None:
    page, person = login_page(browser), estate.person("dirk")
    csrf = page.form_with("key").fields["csrf"]
    form = {"csrf": csrf, "username": person.national_number, "password": person.password or ""}
    assert browser.get(step(page, "/login/password")).status_code == 400
    assert browser.post(step(page, "/login/password"), form).status_code == 400
    assert error_of(browser.ask("hinderpremie", prompt="none")) == "login_required"


@pytest.mark.parametrize("identity", ["EA:0999930339", "LB:0999940435", "BUR:", "EA:", "", "x", "EA:0999910147\0"])
def test_only_what_is_offered_can_be_chosen(browser: Browser, identity: str) -> None:
    choice = browser.sign_in(login_page(browser), "elif", "eid")
    assert isinstance(choice, Page)
    form = choice.form_with("identity")
    due = browser.rest("", browser.post(form.action, form.fields | {"identity": identity}))
    assert isinstance(due, Page)
    assert due.name == ("error" if identity else "identity")
    assert isinstance(browser.submit(choice, ("identity", "EA:0999910147")), Arrival)


def test_a_double_click_on_a_choice_breaks_nothing(browser: Browser) -> None:
    choice = browser.sign_in(login_page(browser), "elif", "eid")
    assert isinstance(choice, Page)
    form = choice.form_with("identity")
    sent = form.fields | {"identity": "EA:0999910147"}
    answers = at_once(8, lambda _: browser.post(form.action, sent).status_code)
    assert set(answers) == {303}
    assert isinstance(browser.open(step(choice)), Arrival)


# Keys: the same answer to whoever is not proven.


@pytest.mark.parametrize(("label", "page_name"), [("Dirk Maes", ""), ("Elif Yilmaz", "identity"), ("Marc Lambert", "")])
def test_one_click_signs_a_persona_in(browser: Browser, label: str, page_name: str) -> None:
    page = login_page(browser)
    place = next(n for n, html in enumerate(page.html.split("<form")) if label in html)
    form = page.forms[place - 1]
    arrived = browser.rest("", browser.post(form.action, form.fields))
    assert (arrived.name if isinstance(arrived, Page) else "") == page_name


def without_what_differs(answer: TestResponse, typed: str) -> str:
    assert answer.status_code == 200
    found = re.sub(r"begun=[A-Za-z0-9_-]+", "begun", answer.text)
    found = re.sub(r'(name="csrf" value=|/op/v1/auth/)"?[A-Za-z0-9_-]+', r"\1", found)
    return found.replace(typed, "TYPED")


@pytest.mark.parametrize("key", ["sms", "totp"])
def test_nobody_learns_who_is_known_or_which_key_they_have(estate: Estate, key: str) -> None:
    marc, dirk = estate.person("marc"), estate.person("dirk")
    tried = [
        (dirk.national_number, "wrong"),
        (dirk.national_number, ""),
        ("85641299109", dirk.password or ""),
        ("00000000000", "wrong"),
    ]
    if key == "totp":
        tried.append((marc.national_number, marc.password or ""))
    answers = set()
    for number, password in tried:
        browser = estate.browser()
        page = browser.submit(login_page(browser), ("key", key))
        assert isinstance(page, Page)
        form = page.form_with("username")
        answer = browser.post(form.action, form.fields | {"username": number, "password": password})
        answers.add((without_what_differs(answer, number), tuple(name for name, _ in answer.headers)))
    assert len(answers) == 1


def test_a_code_by_sms_signs_in_once_also_when_it_is_sent_twenty_times_at_once(
    estate: Estate, browser: Browser
) -> None:
    page = code_page(browser, "dirk", "sms")
    form = page.form_with("code")
    sent = form.fields | {"code": browser.code(estate.person("dirk"), "sms")}
    statuses = at_once(20, lambda _: browser.post(form.action, sent).status_code)
    assert sorted(statuses).count(303) == 1
    assert set(statuses) == {200, 303}


def test_a_code_of_the_app_signs_in_once_also_in_another_sign_in(estate: Estate, browser: Browser) -> None:
    other = estate.browser()
    first, second = code_page(browser, "dirk", "totp"), code_page(other, "dirk", "totp")
    code = browser.code(estate.person("dirk"), "totp")
    assert isinstance(browser.submit(first, code=code), Arrival)
    again = other.submit(second, code=code)
    assert isinstance(again, Page)
    assert again.name == "code"
    estate.clock.advance(30)
    assert isinstance(other.submit(again, code=other.code(estate.person("dirk"), "totp")), Arrival)


def test_a_code_of_the_app_raced_from_two_browsers_signs_in_one(estate: Estate) -> None:
    browsers = [estate.browser() for _ in range(4)]
    pages = [code_page(browser, "dirk", "totp") for browser in browsers]
    code = pyotp.TOTP(estate.person("dirk").totp_secret or "").at(int(estate.simulated_clock()))
    arrived = at_once(4, lambda n: browsers[n].submit(pages[n], code=code))
    assert sum(isinstance(one, Arrival) for one in arrived) == 1


@pytest.mark.parametrize("key", ["sms", "totp"])
def test_five_wrong_codes_are_the_last(estate: Estate, browser: Browser, key: str) -> None:
    page: Page | Arrival = code_page(browser, "dirk", key)
    right = browser.code(estate.person("dirk"), key)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    form = page.form_with("code") if isinstance(page, Page) else None
    assert form is not None
    for _ in range(5):
        assert browser.post(form.action, form.fields | {"code": wrong}).status_code == 200
    assert browser.post(form.action, form.fields | {"code": right}).status_code == 200
    assert error_of(browser.ask("hinderpremie", prompt="none")) == "login_required"


def test_a_new_code_by_sms_makes_the_old_one_void(estate: Estate, browser: Browser) -> None:
    page, person = code_page(browser, "dirk", "sms"), estate.person("dirk")
    old = browser.code(person, "sms")
    resend = page.form_of_button("code-resend")
    name, value = next(button for button in resend.buttons if button[0])
    page_again = browser.rest(page.address, browser.post(resend.action, resend.fields | {name: value}))
    assert isinstance(page_again, Page)
    new = browser.code(person, "sms")
    assert len(estate.inbox(person.phone)) == 2
    if new != old:
        assert isinstance(browser.submit(page_again, code=old), Page)
    assert isinstance(browser.submit(page_again, code=new), Arrival)


def test_a_code_by_sms_lives_ten_minutes(estate: Estate, browser: Browser) -> None:
    page = code_page(browser, "dirk", "sms")
    code = browser.code(estate.person("dirk"), "sms")
    estate.clock.advance(601)
    assert isinstance(browser.submit(page, code=code), Page)


# The session.


def session_cookie(browser: Browser) -> str:
    cookie = browser.wsgi.get_cookie(browser.estate.settings.cookie_name("session"), domain="localhost")
    return cookie.value if cookie else ""


def test_the_session_cookie_changes_at_each_sign_in_and_the_old_one_is_worth_nothing(browser: Browser) -> None:
    name = browser.estate.settings.cookie_name("session")
    browser.wsgi.set_cookie(name, "planted" * 10, domain="localhost")
    arrive(browser, "hinderpremie", "dirk")
    first = session_cookie(browser)
    assert "planted" not in first
    arrive(browser, "hinderpremie", "dirk", prompt="login")
    second = session_cookie(browser)
    assert second != first
    browser.wsgi.set_cookie(name, first, domain="localhost")
    assert error_of(browser.ask("hinderpremie", prompt="none")) == "login_required"
    browser.wsgi.set_cookie(name, second, domain="localhost")
    assert isinstance(browser.ask("hinderpremie", prompt="none"), Arrival)


def test_another_person_ends_the_session_and_its_tokens(estate: Estate, browser: Browser) -> None:
    token = sign_in(browser, "hinderpremie", "dirk").body["access_token"]
    pending = browser.ask("hinderpremie")
    arrive(browser, "burgerprofiel", "an", prompt="login")
    assert estate.userinfo(token).status_code == 401
    assert isinstance(pending, Arrival)
    assert estate.redeem("hinderpremie", pending).body["error"] == "invalid_grant"


def test_the_same_person_with_another_key_keeps_session_and_tokens(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, "hinderpremie", "dirk", "sms")
    again = sign_in(browser, "hinderpremie", "dirk", "eid", prompt="login")
    assert estate.userinfo(tokens.body["access_token"]).status_code == 200
    assert again.claims["sid"] == tokens.claims["sid"]


def test_a_session_ends_after_its_time(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    estate.clock.advance(estate.settings.session_seconds)
    assert error_of(browser.ask("hinderpremie", prompt="none")) == "login_required"


def test_a_sign_in_across_the_turn_of_a_second_counts(estate: Estate, browser: Browser) -> None:
    page = browser.submit(login_page(browser, prompt="login"), ("key", "eid"))
    person = estate.person("dirk")
    estate.clock.ticks = 1.0
    arrived = browser.submit(page, card=person.national_number, pin=person.eid_pin or "")
    assert isinstance(arrived, Arrival)


def test_a_session_remembers_every_application_that_it_went_to_at_once(estate: Estate) -> None:
    names = [f"application-{number}" for number in range(12)]
    for name in names:
        estate.register("burgerprofiel", client_id=name, client_name=name.title())
    browser = estate.browser()
    arrive(browser, "burgerprofiel", "dirk")
    asked = [browser.request(name, prompt="none") for name in names]
    answers = at_once(12, lambda n: browser.get("/op/v1/auth?" + urlencode(asked[n])).headers["Location"])
    assert all("code=" in location for location in answers)
    page = browser.open("/op/v1/logout")
    assert isinstance(page, Page)
    assert [name for name in names if name.title() not in page.words] == []


# Cookies and headers.


def cookies_set(answer: TestResponse) -> list[str]:
    return answer.headers.get_all("Set-Cookie")


def test_cookies_of_a_local_issuer_need_no_https(browser: Browser) -> None:
    asked = browser.get("/op/v1/auth?" + urlencode(browser.request("hinderpremie")))
    assert [cookie.partition("=")[0] for cookie in cookies_set(asked)] == ["toegang_8000_browser"]
    for cookie in cookies_set(asked):
        assert "; Path=/; HttpOnly; SameSite=Lax" in cookie
        assert "Secure" not in cookie


def test_cookies_under_https_are_secure_and_bound_to_the_host(estate: Estate) -> None:
    browser = estate.configured(issuer="https://toegang.test/op").browser()
    page = login_page(browser)
    person = estate.person("dirk")
    form = browser.submit(page, ("key", "eid"))
    assert isinstance(form, Page)
    sent = form.form_with("pin").fields | {"card": person.national_number, "pin": person.eid_pin or ""}
    answer = browser.post(form.form_with("pin").action, sent)
    set_here = cookies_set(answer)
    assert len(set_here) == 3
    for cookie in set_here:
        assert cookie.startswith("__Host-toegang_")
        assert "Domain" not in cookie
        # Only the cookie of session management may be read by script, and in an application's frame.
        is_state = cookie.startswith("__Host-toegang_8000_state=")
        kept = "; Path=/; SameSite=None; Secure" if is_state else "; Path=/; HttpOnly; SameSite=Lax; Secure"
        assert kept in cookie
    assert answer.headers["Strict-Transport-Security"]
    assert isinstance(browser.rest("", answer), Arrival)


def assert_protected(answer: TestResponse, leads_to: str = "") -> None:
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == f"'self' {leads_to}".strip()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer", "strict-origin")
    assert answer.headers["Cache-Control"] == "no-store"


def test_every_page_of_a_request_lets_the_way_back_to_the_client_through(browser: Browser) -> None:
    page = login_page(browser)
    for name in ("/login", "/login/eid", "/login/totp", "/login/sms"):
        assert_protected(browser.get(step(page, name)), "http://localhost:8001")
    choice = browser.sign_in(page, "elif", "eid")
    assert isinstance(choice, Page)
    assert_protected(browser.get(step(page, "/identity")), "http://localhost:8001")


def test_the_page_of_no_access_lets_the_way_back_through_too(browser: Browser) -> None:
    page = login_page(browser)
    browser.sign_in(page, "fatima", "eid")
    assert_protected(browser.get(step(page, "/no-access")), "http://localhost:8001")


@pytest.mark.parametrize(
    "path",
    ["/", "/hulp", "/privacy", "/toegankelijkheid", "/nothing", "/op/v1/auth", "/op/v1/logout", "/op/v1/auth/x/login"],
)
def test_every_other_page_leads_nowhere_else(browser: Browser, path: str) -> None:
    assert_protected(browser.get(path))


def test_redirects_and_json_are_protected_alike(estate: Estate, browser: Browser) -> None:
    answer = browser.get("/op/v1/auth?" + urlencode(browser.request("hinderpremie")))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (303, "no-store")
    assert_protected(estate.post("/op/v1/token", {}))
    assert_protected(estate.get("/op/v1/userinfo"))


def test_a_page_holds_no_script_and_no_style_of_its_own(browser: Browser) -> None:
    page = login_page(browser)
    for name in ("/login", "/login/eid", "/login/sms"):
        html = browser.get(step(page, name)).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\sstyle=|javascript:", html)


# Ways out, and choices.


def test_stopping_tells_the_application_and_keeps_the_session(browser: Browser) -> None:
    arrive(browser, "burgerprofiel", "dirk")
    page = browser.ask("hinderpremie", prompt="login")
    assert isinstance(page, Page)
    assert error_of(browser.open(step(page, "/cancel"))) == "access_denied"
    assert isinstance(browser.ask("hinderpremie", prompt="none"), Arrival)


def test_switching_asks_again_for_whom_and_shows_the_last_choice_first(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "elif", identity="EA:0999920243")
    assert isinstance(browser.ask("hinderpremie"), Arrival)
    browser.open("/op/v1/logout?client_id=hinderpremie&switch")
    page = browser.ask("hinderpremie")
    assert isinstance(page, Page)
    assert (page.name, page.identities[0]) == ("identity", "EA:0999920243")
    arrived = browser.submit(page, ("identity", "EA:0999910147"))
    assert isinstance(arrived, Arrival)
    assert estate.redeem("hinderpremie", arrived).claims["vo_orgcode"] == "0999910147"


def test_the_last_choice_stands_first_in_a_new_session_in_another_browser(estate: Estate) -> None:
    for chosen in ("EA:0999920243", "EA:0999910147"):
        browser = estate.browser()
        arrive(browser, "hinderpremie", "elif", identity=chosen)
        other = estate.browser()
        page = other.sign_in(login_page(other), "elif", "eid")
        assert isinstance(page, Page)
        assert page.identities[0] == chosen
        assert len(page.identities) == 2


def test_the_key_used_last_stands_first(browser: Browser) -> None:
    assert login_page(browser).keys[0] == "eid"
    arrive(browser, "hinderpremie", "dirk", "sms")
    assert login_page(browser, prompt="login").keys == ["sms", "eid", "totp", "passkey"]


@pytest.fixture
def busy(estate: Estate) -> Estate:
    """The estate with 25 more organisations for which Elif may use hinderpremie."""
    with estate.facts() as facts:
        elif_id = facts.scalar(select(model.Person.id).where(model.Person.given_name == "Elif"))
        for number in range(25):
            organisation = model.Organisation(
                name=f"Onderneming {number:02}", target_group="EA", code=f"09999{number:05}", kbo=f"09999{number:05}"
            )
            facts.add(organisation)
            facts.flush()
            relation = model.WorkRelation(
                person_id=elif_id, organisation_id=organisation.id, begin_on=date(2026, 1, 1), end_on=None
            )
            facts.add(relation)
            facts.flush()
            facts.add(
                model.RightGrant(
                    work_relation_id=relation.id,
                    right_id="hinderpremie-gebruiker",
                    contexts=["Medewerker"],
                    begin_on=date(2026, 1, 1),
                    end_on=None,
                )
            )
    return estate


def test_many_organisations_are_searched_and_paged(busy: Estate) -> None:
    browser = busy.browser()
    first = browser.sign_in(login_page(browser), "elif", "eid")
    assert isinstance(first, Page)
    second = browser.open(step(first, "/identity?blad=2"))
    assert isinstance(second, Page)
    assert (len(first.identities), len(second.identities)) == (20, 7)
    assert len(set(first.identities + second.identities)) == 27
    found = browser.open(step(first, "/identity?zoek=neming%2017"))
    assert isinstance(found, Page)
    assert found.identities == ["EA:0999900017"]
    by_number = browser.open(step(first, "/identity?zoek=0999.900.018"))
    assert isinstance(by_number, Page)
    assert by_number.identities == ["EA:0999900018"]
    arrived = browser.submit(found, ("identity", "EA:0999900017"))
    assert isinstance(arrived, Arrival)
    assert busy.redeem("hinderpremie", arrived).claims["vo_orgcode"] == "0999900017"


@pytest.mark.parametrize(
    "query", ["blad=0", "blad=-1", "blad=99999999999", "blad=x", "blad=٣", "zoek=%00", "zoek=%3Cevil"]
)
def test_a_search_or_page_that_makes_no_sense_breaks_nothing(busy: Estate, query: str) -> None:
    browser = busy.browser()
    choice = browser.sign_in(login_page(browser), "elif", "eid")
    assert isinstance(choice, Page)
    page = browser.open(step(choice, f"/identity?{query}"))
    assert isinstance(page, Page)
    assert (page.name, page.status) == ("identity", 200)
    assert "<evil" not in page.html
