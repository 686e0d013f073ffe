"""Logging out and switching: with and without a hint, with and without a question, and what stays."""

from urllib.parse import urlencode

import pytest

from tests.flow.estate import Arrival, Browser, Estate
from tests.flow.journeys import arrive, assert_error_page, error_of, refresh, sign_in
from tests.flow.reading import Page

HOME = "http://localhost:8001/"


def leave(browser: Browser, **parameters: str) -> Page | Arrival:
    """Go to the logout address with these parameters."""
    return browser.open("/op/v1/logout?" + urlencode(parameters))


def is_signed_in(browser: Browser) -> bool:
    """Whether the session lives."""
    arrived = browser.ask("burgerprofiel", prompt="none")
    assert isinstance(arrived, Arrival)
    return "code" in arrived.parameters


def hint(browser: Browser, client_id: str = "hinderpremie", person: str = "dirk") -> str:
    return str(sign_in(browser, client_id, person).body["id_token"])


def question(page: Page | Arrival) -> Page:
    assert isinstance(page, Page), page
    assert (page.name, page.status) == ("logout", 200)
    return page


def confirm(browser: Browser, page: Page) -> Page | Arrival:
    form = page.form_of_button("logout-confirm")
    return browser.rest(form.action, browser.post(form.action, form.fields))


def test_the_hint_of_this_session_logs_out_without_a_question(browser: Browser) -> None:
    back = leave(browser, id_token_hint=hint(browser), post_logout_redirect_uri=HOME, state="bye & co")
    assert isinstance(back, Arrival)
    assert (back.address, back.parameters) == (HOME, {"state": "bye & co"})
    assert not is_signed_in(browser)


def test_a_hint_that_has_expired_still_logs_out(estate: Estate, browser: Browser) -> None:
    given = hint(browser)
    estate.clock.advance(2 * 3600)
    assert isinstance(leave(browser, id_token_hint=given, post_logout_redirect_uri=HOME), Arrival)
    assert not is_signed_in(browser)


def test_without_an_address_it_ends_on_a_page(browser: Browser) -> None:
    page = leave(browser, id_token_hint=hint(browser))
    assert isinstance(page, Page)
    assert page.name == "logged-out"
    assert "logged-out" in page.ids
    assert not is_signed_in(browser)


@pytest.mark.parametrize("parameters", [{"client_id": "hinderpremie", "post_logout_redirect_uri": HOME}, {}])
def test_without_a_hint_the_person_is_asked_first(browser: Browser, parameters: dict[str, str]) -> None:
    arrive(browser, "hinderpremie", "dirk")
    page = question(leave(browser, **parameters))
    assert "Dirk Maes" in page.words
    assert "Hinderpremie" in page.words
    assert is_signed_in(browser)
    back = confirm(browser, page)
    assert (back.address if isinstance(back, Arrival) else back.name) == (HOME if parameters else "logged-out")
    assert not is_signed_in(browser)


def test_the_person_may_say_no(browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    page = question(leave(browser))
    stayed = browser.click(page, "logout-cancel")
    assert isinstance(stayed, Page)
    assert stayed.status == 200
    assert is_signed_in(browser)


def test_the_question_lets_the_way_back_through(browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    answer = browser.get("/op/v1/logout?" + urlencode({"client_id": "hinderpremie", "post_logout_redirect_uri": HOME}))
    assert "form-action 'self' http://localhost:8001;" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("csrf", [None, "", "wrong"])
def test_a_yes_that_was_not_given_on_our_page_counts_for_nothing(browser: Browser, csrf: str | None) -> None:
    arrive(browser, "hinderpremie", "dirk")
    form = question(leave(browser)).form_of_button("logout-confirm")
    sent = {name: value for name, value in form.fields.items() if name != "csrf"}
    answer = browser.post(form.action, sent | ({} if csrf is None else {"csrf": csrf}))
    assert answer.status_code == 400
    assert is_signed_in(browser)


def test_a_yes_to_the_question_of_another_session_counts_for_nothing(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    page = question(leave(browser))
    other = estate.browser()
    arrive(other, "hinderpremie", "dirk")
    form = question(leave(other)).form_of_button("logout-confirm")
    theirs = page.form_of_button("logout-confirm").fields["request"]
    assert other.post(form.action, form.fields | {"request": theirs}).status_code == 400
    for request in ("", "unknown", "\0"):
        assert other.post(form.action, form.fields | {"request": request}).status_code == 400
    assert is_signed_in(other)


def test_a_yes_comes_too_late_after_ten_minutes(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    page = question(leave(browser))
    estate.clock.advance(600)
    assert_error_page(confirm(browser, page))
    assert is_signed_in(browser)


def test_post_logs_out_as_get_does(browser: Browser) -> None:
    form = {"id_token_hint": hint(browser), "post_logout_redirect_uri": HOME, "state": "s"}
    back = browser.rest("", browser.post("/op/v1/logout", form))
    assert isinstance(back, Arrival)
    assert back.parameters == {"state": "s"}
    assert not is_signed_in(browser)


def test_a_post_from_another_site_comes_without_cookies_and_logs_out_at_its_get(
    estate: Estate, browser: Browser
) -> None:
    form = {"id_token_hint": hint(browser), "post_logout_redirect_uri": HOME, "state": "s"}
    answer = estate.post("/op/v1/logout", form)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (303, False)
    assert answer.headers["Location"].startswith("/op/v1/logout?request=")
    back = browser.open(answer.headers["Location"])
    assert isinstance(back, Arrival)
    assert (back.address, back.parameters) == (HOME, {"state": "s"})
    assert not is_signed_in(browser)


def test_a_post_from_another_site_without_a_hint_asks_at_its_get(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    answer = estate.post("/op/v1/logout", {"client_id": "hinderpremie", "post_logout_redirect_uri": HOME})
    page = question(browser.open(answer.headers["Location"]))
    assert is_signed_in(browser)
    assert isinstance(confirm(browser, page), Arrival)
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:8001",
        "http://localhost:8001/x",
        "http://localhost:8001/?a=b",
        "http://localhost:8001/callback",
        "http://localhost:8002/",
        "https://evil.example/",
        "javascript:alert(1)",
        "//localhost:8001/",
        "http://localhost:8001/\r\nX: 1",
    ],
)
def test_an_address_that_is_not_registered_is_refused_and_the_session_lives(browser: Browser, uri: str) -> None:
    given = hint(browser)
    for parameters in ({"id_token_hint": given}, {"client_id": "hinderpremie"}, {}):
        assert_error_page(leave(browser, **parameters, post_logout_redirect_uri=uri))
    assert_error_page(leave(browser, client_id="hinderpremie", switch="1", post_logout_redirect_uri=uri))
    assert is_signed_in(browser)


def test_an_address_needs_a_client_that_it_belongs_to(browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    assert_error_page(leave(browser, post_logout_redirect_uri=HOME))
    assert_error_page(leave(browser, client_id="unknown", post_logout_redirect_uri=HOME))
    assert_error_page(leave(browser, client_id="unknown"))
    assert is_signed_in(browser)


def test_the_hint_of_an_ended_session_is_asked_about(browser: Browser) -> None:
    old = hint(browser)
    leave(browser, id_token_hint=old)
    arrive(browser, "hinderpremie", "dirk")
    question(leave(browser, id_token_hint=old, post_logout_redirect_uri=HOME))
    assert is_signed_in(browser)


def test_the_hint_of_another_person_is_asked_about(estate: Estate, browser: Browser) -> None:
    theirs = hint(estate.browser(), "burgerprofiel", "an")
    arrive(browser, "hinderpremie", "dirk")
    question(leave(browser, id_token_hint=theirs))
    assert is_signed_in(browser)


def test_a_hint_and_a_client_that_disagree_are_refused(browser: Browser) -> None:
    given = hint(browser)
    assert_error_page(leave(browser, id_token_hint=given, client_id="statistiek"))
    assert is_signed_in(browser)
    assert isinstance(leave(browser, id_token_hint=given, client_id="hinderpremie"), Page)
    assert not is_signed_in(browser)


@pytest.mark.parametrize("garbage", ["x", "a.b.c", "é", "eyJhbGciOiJub25lIn0.eyJzaWQiOiJ4In0."])
def test_a_garbage_hint_is_refused_and_the_session_lives(browser: Browser, garbage: str) -> None:
    arrive(browser, "hinderpremie", "dirk")
    assert_error_page(leave(browser, id_token_hint=garbage))
    assert is_signed_in(browser)


def test_a_repeated_parameter_is_refused(browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    assert_error_page(browser.open("/op/v1/logout?client_id=hinderpremie&client_id=hinderpremie&ui_locales=fr"))
    assert is_signed_in(browser)


def test_tokens_end_with_the_session_but_those_with_offline_access_stay(estate: Estate, browser: Browser) -> None:
    plain = sign_in(browser, "hinderpremie", "dirk")
    scope = estate.client("hinderpremie")["scope"]
    offline = sign_in(browser, "hinderpremie", "dirk", scope=scope)
    leave(browser, id_token_hint=plain.body["id_token"])
    assert estate.userinfo(plain.body["access_token"]).status_code == 401
    assert estate.userinfo(offline.body["access_token"]).status_code == 200
    assert refresh(estate, "hinderpremie", offline.body["refresh_token"]).status == 200


def test_the_old_cookie_is_worth_nothing_after_logging_out(estate: Estate, browser: Browser) -> None:
    given, name = hint(browser), estate.settings.cookie_name("session")
    cookie = browser.wsgi.get_cookie(name, domain="localhost")
    assert cookie
    leave(browser, id_token_hint=given)
    assert browser.wsgi.get_cookie(name, domain="localhost") is None
    browser.wsgi.set_cookie(name, cookie.value, domain="localhost")
    assert error_of(browser.ask("hinderpremie", prompt="none")) == "login_required"


def test_logging_out_ends_the_session_for_every_application(browser: Browser) -> None:
    given = hint(browser, "hinderpremie", "dirk")
    assert is_signed_in(browser)
    leave(browser, id_token_hint=given)
    page = browser.ask("burgerprofiel")
    assert isinstance(page, Page)
    assert page.name == "login"


def test_without_a_session_there_is_nothing_to_ask(browser: Browser) -> None:
    back = leave(browser, client_id="hinderpremie", post_logout_redirect_uri=HOME, state="s")
    assert isinstance(back, Arrival)
    assert back.parameters == {"state": "s"}
    page = leave(browser)
    assert isinstance(page, Page)
    assert page.name == "logged-out"
    posted = browser.rest("", browser.post("/op/v1/logout", {"client_id": "hinderpremie"}))
    assert isinstance(posted, Page)
    assert posted.name == "logged-out"


def test_a_client_that_is_registered_so_logs_out_without_a_question(estate: Estate) -> None:
    estate.register("hinderpremie", logout_without_question=True)
    browser = estate.browser()
    arrive(browser, "hinderpremie", "dirk")
    question(leave(browser, client_id="statistiek"))
    assert isinstance(leave(browser, client_id="hinderpremie", post_logout_redirect_uri=HOME), Arrival)
    assert not is_signed_in(browser)


@pytest.mark.parametrize("switch", ["switch", "switch=", "switch=true", "switch=1"])
def test_switching_forgets_for_whom_and_nothing_else(estate: Estate, browser: Browser, switch: str) -> None:
    token = sign_in(browser, "hinderpremie", "elif", identity="EA:0999910147").body["access_token"]
    arrive(browser, "statistiek", "elif")
    asked = urlencode({"client_id": "hinderpremie", "post_logout_redirect_uri": HOME, "state": "s"})
    back = browser.open(f"/op/v1/logout?{asked}&{switch}")
    assert isinstance(back, Arrival)
    assert (back.address, back.parameters) == (HOME, {"state": "s"})
    assert is_signed_in(browser)
    assert estate.userinfo(token).status_code == 200
    page = browser.ask("hinderpremie")
    assert isinstance(page, Page)
    assert page.name == "identity"


def test_switching_at_one_application_leaves_the_choice_at_another(estate: Estate) -> None:
    estate.register("hinderpremie", client_id="other", redirect_uris=["http://localhost:8009/callback"])
    browser = estate.browser()
    arrive(browser, "hinderpremie", "elif", identity="EA:0999910147")
    arrive(browser, "other", "elif", identity="EA:0999920243")
    leave(browser, client_id="hinderpremie", switch="")
    assert isinstance(browser.ask("other"), Arrival)
    assert isinstance(browser.ask("hinderpremie"), Page)


def test_switching_by_post_from_another_site_finds_the_session_too(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "elif", identity="EA:0999910147")
    answer = estate.post("/op/v1/logout", {"client_id": "hinderpremie", "switch": ""})
    browser.open(answer.headers["Location"])
    page = browser.ask("hinderpremie")
    assert isinstance(page, Page)
    assert page.name == "identity"
