"""The authorization request: what is refused, where the refusal is told, and what each parameter does."""

import json
from base64 import b64encode
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.flow.estate import Arrival, Browser, Estate, Tokens
from tests.flow.journeys import arrive, assert_error_page, error_of, sign_in
from tests.flow.reading import Page

EID = "urn:be:vlaanderen:authmech:eid"
TOTP = "urn:be:vlaanderen:authmech:csamtotp"
PASSWORD = "urn:be:vlaanderen:authmech:csampassword"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
HINDERPREMIE = "http://localhost:8001/callback"


def address(browser: Browser, client_id: str, **parameters: str | None) -> str:
    return "/op/v1/auth?" + urlencode(browser.request(client_id, **parameters))


def acm_hint(**hint: str) -> str:
    return b64encode(json.dumps(hint).encode()).decode()


# The addressee: who asks, and where an answer may go.


@pytest.mark.parametrize("client_id", [None, "", "unknown", "Hinderpremie", "hinderpremie\0", "hinderpremie "])
def test_an_unknown_client_is_told_on_a_page_and_sent_nowhere(browser: Browser, client_id: str | None) -> None:
    request = browser.request("hinderpremie")
    del request["client_id"]
    named = {} if client_id is None else {"client_id": client_id}
    assert_error_page(browser.open("/op/v1/auth?" + urlencode(request | named)))


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "https://evil.example/callback",
        HINDERPREMIE + "/",
        HINDERPREMIE + "?next=1",
        HINDERPREMIE + "#fragment",
        HINDERPREMIE + "#",
        HINDERPREMIE + "%2f..",
        HINDERPREMIE + "\r\nSet-Cookie: a=b",
        " " + HINDERPREMIE,
        "http://localhost:8002/callback",
        "http://localhost/callback",
        "http://127.0.0.1:8001/callback",
        "http://user@localhost:8001/callback",
        "http://localhost:8001@evil.example/callback",
        "http://localhost.evil.example:8001/callback",
        "http://LOCALHOST:8001/callback",
        "HTTP://localhost:8001/callback",
        "https://localhost:8001/callback",
        "http://localhost:8001/Callback",
        "http://localhost:8001/%63allback",
        "http://localhost:8001//callback",
        "http://localhost:8001/x/../callback",
        "http://localhost:8001\\@evil.example/callback",
        "//localhost:8001/callback",
        "/callback",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_is_not_registered_to_the_letter_gets_nothing(browser: Browser, uri: str | None) -> None:
    assert_error_page(browser.ask("hinderpremie", redirect_uri=uri))


def test_the_registered_address_of_another_client_gets_nothing(browser: Browser) -> None:
    assert_error_page(browser.ask("hinderpremie", redirect_uri="http://localhost:8002/callback", prompt="none"))


@pytest.fixture
def native(estate: Estate) -> Estate:
    """An estate with a client on a loopback address, as an application on a desktop has it."""
    estate.register("burgerprofiel", client_id="native", redirect_uris=["http://127.0.0.1/callback"])
    return estate


def test_a_loopback_address_may_have_any_port(native: Estate) -> None:
    browser = native.browser()
    arrived = browser.ask("native", redirect_uri="http://127.0.0.1:51004/callback", prompt="none")
    assert isinstance(arrived, Arrival)
    assert (arrived.address, error_of(arrived)) == ("http://127.0.0.1:51004/callback", "login_required")


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:51004/callback/",
        "http://127.0.0.1:51004/callback?a=b",
        "http://127.0.0.1:51004\n/callback",
        "http://127.0.0.1:51004/call\tback",
        "http://127.0.0.1:51004/callback\r\nX-Evil: 1",
        "\x01http://127.0.0.1:51004/callback",
        "http://evil@127.0.0.1:51004/callback",
        "http://127.0.0.1:51004@evil.example/callback",
        "http://127.0.0.1.evil.example:51004/callback",
        "http://[::1]:51004/callback",
        "http://localhost:51004/callback",
        "https://127.0.0.1:51004/callback",
        "http://[127.0.0.1/callback",
    ],
)
@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_nothing_but_the_port_of_a_loopback_address_may_differ(native: Estate, uri: str, mode: str) -> None:
    assert_error_page(native.browser().ask("native", redirect_uri=uri, response_mode=mode))


# The request itself: a failure goes back to the application.


@pytest.mark.parametrize("name", ["scope", "state", "nonce", "response_type", "prompt", "code_challenge", "unheard_of"])
def test_a_repeated_parameter_is_refused_at_the_client(browser: Browser, name: str) -> None:
    repeated = address(browser, "hinderpremie", **{name: "openid"}) + f"&{name}=openid"
    arrived = browser.open(repeated)
    assert isinstance(arrived, Arrival)
    assert arrived.parameters["error"] == "invalid_request"
    assert arrived.parameters.get("state") == (None if name == "state" else "the-state")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_a_repeated_addressee_is_refused_on_a_page(browser: Browser, name: str) -> None:
    twice = browser.request("hinderpremie")[name]
    assert_error_page(browser.open(address(browser, "hinderpremie") + "&" + urlencode({name: twice})))


def test_the_error_page_of_a_repeated_parameter_speaks_the_language_asked(browser: Browser) -> None:
    page = browser.open("/op/v1/auth?client_id=a&client_id=b&ui_locales=fr")
    assert assert_error_page(page).language == "fr"


@pytest.mark.parametrize("scope", [None, "", " ", "openid rrn", "hinderpremie email", "openid unknown", "OPENID"])
def test_a_scope_that_may_not_be_asked_is_refused_before_any_key_is_asked(browser: Browser, scope: str | None) -> None:
    assert error_of(browser.ask("hinderpremie", scope=scope)) == "invalid_scope"


@pytest.mark.parametrize("scope", [None, "openid rrn"])
def test_a_scope_is_refused_the_same_in_silence_and_with_a_session(browser: Browser, scope: str | None) -> None:
    arrive(browser, "hinderpremie", "dirk")
    assert error_of(browser.ask("hinderpremie", scope=scope, prompt="none")) == "invalid_scope"


@pytest.mark.parametrize(
    ("response_type", "error"),
    [
        (None, "invalid_request"),
        ("token", "unsupported_response_type"),
        ("id_token", "unsupported_response_type"),
        ("code id_token", "unsupported_response_type"),
        ("CODE", "unsupported_response_type"),
    ],
)
def test_only_codes_are_given(browser: Browser, response_type: str | None, error: str) -> None:
    assert error_of(browser.ask("hinderpremie", response_type=response_type)) == error


def test_a_client_without_the_code_grant_has_no_address_at_all(browser: Browser) -> None:
    request = browser.request("hinderpremie") | {"client_id": "tijdmeting"}
    assert_error_page(browser.open("/op/v1/auth?" + urlencode(request)))


def test_the_answer_comes_in_the_query_or_in_the_fragment(browser: Browser) -> None:
    browser.sign_in(browser.ask("hinderpremie"), "dirk", "eid")
    in_query = browser.get(address(browser, "hinderpremie", response_mode="query")).headers["Location"]
    in_fragment = browser.get(address(browser, "hinderpremie", response_mode="fragment")).headers["Location"]
    assert {"code", "state", "iss"} <= dict(parse_qsl(urlsplit(in_query).query)).keys()
    assert urlsplit(in_query).fragment == urlsplit(in_fragment).query == ""
    assert {"code", "state", "iss"} <= dict(parse_qsl(urlsplit(in_fragment).fragment)).keys()


def test_an_error_takes_the_way_that_was_asked(browser: Browser) -> None:
    asked = address(browser, "hinderpremie", response_mode="fragment", prompt="none")
    location = urlsplit(browser.get(asked).headers["Location"])
    assert location.query == ""
    assert dict(parse_qsl(location.fragment))["error"] == "login_required"


def test_form_post_answers_with_a_form_for_the_client(estate: Estate, browser: Browser) -> None:
    browser.sign_in(browser.ask("hinderpremie"), "dirk", "eid")
    answer = browser.get(address(browser, "hinderpremie", response_mode="form_post", state='"><script>'))
    page = Page(answer.status_code, "", answer.text)
    assert (page.name, page.status) == ("form-post", 200)
    form = page.form_with("code")
    assert (form.action, form.method.lower()) == (HINDERPREMIE, "post")
    assert form.fields["state"] == '"><script>'
    assert form.fields["iss"] == estate.settings.issuer
    assert "form-action 'self' http://localhost:8001;" in answer.headers["Content-Security-Policy"]
    tokens = estate.redeem("hinderpremie", Arrival(HINDERPREMIE, form.fields))
    assert tokens.status == 200


def test_form_post_tells_an_error_too(browser: Browser) -> None:
    page = browser.ask("hinderpremie", response_mode="form_post", prompt="none")
    assert isinstance(page, Page)
    assert page.form_with("error").fields["error"] == "login_required"


@pytest.mark.parametrize("mode", ["bogus", "jwt.jwt", "Query", "form_post fragment"])
def test_an_unknown_response_mode_is_refused_in_the_query(browser: Browser, mode: str) -> None:
    assert error_of(browser.ask("hinderpremie", response_mode=mode)) == "unsupported_response_mode"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("request", "invalid_request_object"),
        ("request_uri", "invalid_request_uri"),
        ("registration", "registration_not_supported"),
    ],
)
def test_what_is_not_supported_is_named_and_never_ignored(browser: Browser, name: str, error: str) -> None:
    assert error_of(browser.ask("hinderpremie", **{name: "eyJhbGciOiJub25lIn0.e30."})) == error


@pytest.mark.parametrize("client_id", ["burgerprofiel", "hinderpremie"])
@pytest.mark.parametrize(
    "pkce",
    [
        {"code_challenge": CHALLENGE, "code_challenge_method": "plain"},
        {"code_challenge": CHALLENGE, "code_challenge_method": "s256"},
        {"code_challenge": CHALLENGE, "code_challenge_method": None},
        {"code_challenge": None, "code_challenge_method": "S256"},
        {"code_challenge": CHALLENGE[:-1], "code_challenge_method": "S256"},
        {"code_challenge": CHALLENGE + "=", "code_challenge_method": "S256"},
        {"code_challenge": CHALLENGE[:-1] + "+", "code_challenge_method": "S256"},
        {"code_challenge": CHALLENGE + "\n", "code_challenge_method": "S256"},
    ],
)
def test_pkce_is_s256_or_refused(browser: Browser, client_id: str, pkce: dict[str, str | None]) -> None:
    assert error_of(browser.ask(client_id, **pkce)) == "invalid_request"


def test_a_confidential_client_that_is_registered_for_pkce_needs_it(estate: Estate) -> None:
    estate.register("hinderpremie", require_pkce=True)
    assert error_of(estate.browser().ask("hinderpremie")) == "invalid_request"


# Prompt, age, and hints.


@pytest.mark.parametrize("prompt", ["none login", "login none", "none consent", "none select_account"])
def test_silence_stands_alone(browser: Browser, prompt: str) -> None:
    assert error_of(browser.ask("hinderpremie", prompt=prompt)) == "invalid_request"


def test_silence_without_a_session_needs_a_login(browser: Browser) -> None:
    assert error_of(browser.ask("hinderpremie", prompt="none")) == "login_required"


def test_silence_with_a_session_that_is_too_weak_needs_a_login(browser: Browser) -> None:
    arrive(browser, "burgerprofiel", "dirk", "password")
    assert error_of(browser.ask("hinderpremie", prompt="none")) == "login_required"


def test_silence_with_a_choice_to_make_needs_interaction(browser: Browser) -> None:
    arrive(browser, "burgerprofiel", "elif")
    assert error_of(browser.ask("hinderpremie", prompt="none")) == "interaction_required"


def test_silence_with_a_choice_made_earlier_gives_a_code(browser: Browser) -> None:
    arrive(browser, "hinderpremie", "elif", identity="EA:0999910147")
    assert browser.get(address(browser, "hinderpremie", prompt="none")).status_code == 303
    assert isinstance(browser.ask("hinderpremie", prompt="none"), Arrival)


def test_silence_for_somebody_without_a_right_is_denied(browser: Browser) -> None:
    arrive(browser, "burgerprofiel", "fatima")
    assert error_of(browser.ask("hinderpremie", prompt="none")) == "access_denied"


def test_silence_with_one_identity_gives_a_code_without_any_page(browser: Browser) -> None:
    arrive(browser, "burgerprofiel", "dirk")
    answer = browser.get(address(browser, "hinderpremie", prompt="none"))
    assert answer.status_code == 303
    assert "code" in dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert answer.headers["Cache-Control"] == "no-store"


def test_prompt_login_asks_a_key_again_and_tells_the_new_moment(estate: Estate, browser: Browser) -> None:
    first = sign_in(browser, "hinderpremie", "dirk").claims
    estate.clock.advance(100)
    page = browser.ask("hinderpremie", prompt="login")
    assert isinstance(page, Page)
    assert page.name == "login"
    arrived = browser.sign_in(page, "dirk", "eid")
    assert isinstance(arrived, Arrival)
    again = estate.redeem("hinderpremie", arrived).claims
    assert (again["auth_time"] - first["auth_time"], again["sid"]) == (100, first["sid"])


def test_prompt_login_takes_the_key_that_was_used_for_it(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk", "eid")
    estate.clock.advance(100)
    tokens = sign_in(browser, "hinderpremie", "dirk", "sms", prompt="login")
    assert tokens.claims["acr"] == "urn:be:vlaanderen:authmech:csamsms"
    assert tokens.claims["amr"] == ["pwd", "sms", "mfa"]


def test_max_age_counts_from_the_sign_in(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    estate.clock.advance(10)
    assert isinstance(browser.ask("hinderpremie", max_age="10"), Arrival)
    estate.clock.advance(1)
    page = browser.ask("hinderpremie", max_age="10")
    assert isinstance(page, Page)
    assert page.name == "login"
    assert error_of(browser.ask("hinderpremie", max_age="10", prompt="none")) == "login_required"
    assert isinstance(browser.sign_in(page, "dirk", "eid"), Arrival)


def test_max_age_nought_asks_a_key_each_time_and_then_goes_on(browser: Browser) -> None:
    for _ in range(2):
        page = browser.ask("hinderpremie", max_age="0")
        assert isinstance(page, Page)
        assert isinstance(browser.sign_in(page, "dirk", "eid"), Arrival)


@pytest.mark.parametrize("max_age", ["-1", "1.5", "ten", "1e3", "٣", " 5", "9" * 10, "9" * 5000])
def test_a_garbled_max_age_is_refused(browser: Browser, max_age: str) -> None:
    assert error_of(browser.ask("hinderpremie", max_age=max_age)) == "invalid_request"


@pytest.mark.parametrize(
    ("acr_values", "keys"),
    [
        (EID, ["eid"]),
        (f"{TOTP} {EID}", ["eid", "totp"]),
        ("urn:unknown", ["eid", "totp", "passkey", "sms"]),
        (f"urn:unknown {TOTP}", ["totp"]),
        (PASSWORD, ["eid", "totp", "passkey", "sms"]),
        (f"{PASSWORD} {TOTP}", ["totp"]),
    ],
)
def test_acr_values_name_the_keys_that_are_offered(browser: Browser, acr_values: str, keys: list[str]) -> None:
    page = browser.ask("hinderpremie", acr_values=acr_values)
    assert isinstance(page, Page)
    assert page.keys == keys


def test_a_stronger_session_does_for_a_weaker_means(browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk", "eid")
    assert isinstance(browser.ask("hinderpremie", acr_values=TOTP), Arrival)


def test_a_weaker_session_steps_up_to_the_means_asked(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk", "sms")
    page = browser.ask("hinderpremie", acr_values=EID)
    assert isinstance(page, Page)
    assert page.keys == ["eid"]
    arrived = browser.sign_in(page, "dirk", "eid")
    assert isinstance(arrived, Arrival)
    assert estate.redeem("hinderpremie", arrived).claims["acr"] == EID


def hint_of(tokens: Tokens) -> str:
    return str(tokens.body["id_token"])


@pytest.mark.parametrize(
    "hint",
    [
        "garbage",
        "a.b.c",
        "é.é.é",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
        b64encode(b"[" * 6000).decode() + ".e30.",
        "." * 100,
    ],
)
@pytest.mark.parametrize("prompt", [None, "none"])
def test_a_garbage_hint_is_refused(browser: Browser, hint: str, prompt: str | None) -> None:
    assert error_of(browser.ask("hinderpremie", id_token_hint=hint, prompt=prompt)) == "invalid_request"


def test_a_changed_hint_is_refused(browser: Browser) -> None:
    head, claims, signature = hint_of(sign_in(browser, "hinderpremie", "dirk")).split(".")
    changed = ".".join((head, claims, signature[::-1]))
    assert error_of(browser.ask("hinderpremie", id_token_hint=changed)) == "invalid_request"


def test_the_hint_of_who_is_signed_in_changes_nothing_and_may_have_expired(estate: Estate, browser: Browser) -> None:
    hint = hint_of(sign_in(browser, "hinderpremie", "dirk"))
    assert isinstance(browser.ask("hinderpremie", id_token_hint=hint, prompt="none"), Arrival)
    estate.clock.advance(2 * 3600)
    arrived = browser.ask("hinderpremie", id_token_hint=hint, prompt="none")
    assert isinstance(arrived, Arrival)
    assert arrived.code


def test_the_hint_of_another_person_needs_a_login_in_silence(estate: Estate, browser: Browser) -> None:
    hint = hint_of(sign_in(estate.browser(), "burgerprofiel", "an"))
    arrive(browser, "hinderpremie", "dirk")
    assert error_of(browser.ask("hinderpremie", id_token_hint=hint, prompt="none")) == "login_required"


def test_the_hint_of_another_person_asks_once_and_refuses_the_wrong_one(estate: Estate, browser: Browser) -> None:
    hint = hint_of(sign_in(estate.browser(), "burgerprofiel", "jef"))
    arrive(browser, "burgerprofiel", "an")
    page = browser.ask("burgerprofiel", id_token_hint=hint)
    assert isinstance(page, Page)
    assert page.name == "login"
    assert error_of(browser.sign_in(page, "an", "eid")) == "login_required"
    page = browser.ask("burgerprofiel", id_token_hint=hint)
    arrived = browser.sign_in(page, "jef", "eid")
    assert isinstance(arrived, Arrival)
    assert arrived.code


def test_a_hint_matters_more_than_the_keys_of_who_is_signed_in(estate: Estate, browser: Browser) -> None:
    hint = hint_of(sign_in(estate.browser(), "burgerprofiel", "elif"))
    arrive(browser, "burgerprofiel", "marc", "sms")
    page = browser.ask("subsidieloket", id_token_hint=hint)
    assert isinstance(page, Page)
    assert page.name == "login"
    assert isinstance(browser.sign_in(page, "elif", "eid"), Arrival)


def test_a_plain_login_hint_is_filled_in(estate: Estate, browser: Browser) -> None:
    page = browser.submit(browser.ask("hinderpremie", login_hint=estate.person("elif").national_number), ("key", "sms"))
    assert isinstance(page, Page)
    assert page.form_with("username").fields["username"] == estate.person("elif").national_number


def test_the_hint_of_an_organisation_skips_the_choice(estate: Estate, browser: Browser) -> None:
    page = browser.ask("hinderpremie", login_hint=acm_hint(cap_hint="EA", code_hint="0999920243"))
    arrived = browser.sign_in(page, "elif", "totp")
    assert isinstance(arrived, Arrival)
    assert estate.redeem("hinderpremie", arrived).claims["vo_orgcode"] == "0999920243"


@pytest.mark.parametrize(
    "hint",
    [
        acm_hint(cap_hint="EA", code_hint="0999930339"),
        acm_hint(cap_hint="LB", code_hint="0999920243"),
        acm_hint(cap_hint="EA"),
        acm_hint(code_hint="0999920243"),
        b64encode(b'{"cap_hint":1,"code_hint":[]}').decode(),
        b64encode(b'{"cap_hint":"\\ud800"}').decode(),
        b64encode(b"[" * 1500).decode(),
        b64encode(b"{}").decode(),
        "=====",
        "é",
        "\0",
    ],
)
def test_a_hint_that_leads_nowhere_leaves_the_choice(browser: Browser, hint: str) -> None:
    page = browser.sign_in(browser.ask("hinderpremie", login_hint=hint), "elif", "eid")
    assert isinstance(page, Page)
    assert sorted(page.identities) == ["EA:0999910147", "EA:0999920243"]


def test_the_hint_of_an_application_matters_more_than_an_earlier_choice(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "elif", identity="EA:0999910147")
    hint = acm_hint(cap_hint="EA", code_hint="0999920243")
    arrived = browser.ask("hinderpremie", login_hint=hint, prompt="none")
    assert isinstance(arrived, Arrival)
    assert estate.redeem("hinderpremie", arrived).claims["vo_orgcode"] == "0999920243"


def test_select_account_asks_on_whose_behalf_even_if_there_is_one_only(browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    page = browser.ask("hinderpremie", prompt="select_account")
    assert isinstance(page, Page)
    assert page.identities == ["EA:0999910147"]
    assert isinstance(browser.submit(page, ("identity", "EA:0999910147")), Arrival)


# Language.


@pytest.mark.parametrize(("asked", "language"), [("fr", "fr"), ("de-DE fr", "de"), ("xx", "nl"), ("xx en", "en")])
def test_the_application_says_the_language(browser: Browser, asked: str, language: str) -> None:
    page = browser.ask("hinderpremie", ui_locales=asked)
    assert isinstance(page, Page)
    assert page.language == language


def test_the_browser_says_the_language_where_the_application_does_not(browser: Browser) -> None:
    browser.headers = {"Accept-Language": "de;q=0.4, fr-BE"}
    page = browser.ask("hinderpremie")
    assert isinstance(page, Page)
    assert page.language == "fr"


def test_a_language_chosen_on_a_page_is_kept_to_the_end(estate: Estate, browser: Browser) -> None:
    page = browser.ask("hinderpremie", ui_locales="de")
    assert isinstance(page, Page)
    page = browser.open(page.address + "?ui_locales=fr")
    assert isinstance(page, Page)
    assert page.language == "fr"
    page = browser.submit(page, ("key", "sms"))
    person = estate.person("elif")
    page = browser.submit(page, username=person.national_number, password=person.password or "")
    assert isinstance(page, Page)
    assert (page.name, page.language) == ("code", "fr")
    assert "est votre code" in estate.inbox(person.phone)[0]["text"]
    page = browser.submit(page, code=browser.code(person, "sms"))
    assert isinstance(page, Page)
    assert (page.name, page.language) == ("identity", "fr")
    # In this browser, from now on.
    page = browser.open("/")
    assert isinstance(page, Page)
    assert page.language == "fr"


# Requests by POST.


def test_a_post_from_another_site_is_answered_by_a_get_that_works(estate: Estate, browser: Browser) -> None:
    answer = estate.post("/op/v1/auth", browser.request("hinderpremie"))
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers
    page = browser.open(answer.headers["Location"])
    assert isinstance(page, Page)
    assert page.name == "login"
    assert isinstance(browser.sign_in(page, "dirk", "eid"), Arrival)


def test_a_post_from_another_site_finds_the_session_at_its_get(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    answer = estate.post("/op/v1/auth", browser.request("hinderpremie", prompt="none"))
    arrived = browser.open(answer.headers["Location"])
    assert isinstance(arrived, Arrival)
    assert arrived.code


def test_a_post_that_a_browser_has_opened_opens_in_no_other(estate: Estate, browser: Browser) -> None:
    location = estate.post("/op/v1/auth", browser.request("hinderpremie")).headers["Location"]
    assert_error_page(estate.browser().open(location + "/login"))
    browser.open(location)
    other = estate.browser()
    other.ask("hinderpremie")
    assert_error_page(other.open(location))


def test_a_post_that_is_wrong_is_refused_as_a_get_would_be(estate: Estate, browser: Browser) -> None:
    answer = estate.post("/op/v1/auth", browser.request("hinderpremie", scope="openid rrn"))
    assert "error=invalid_scope" in answer.headers["Location"]
    assert estate.post("/op/v1/auth", {"client_id": "unknown"}).status_code == 400
    json_body = estate.http().post("/op/v1/auth", json=browser.request("hinderpremie"), base_url=estate.origin)
    assert json_body.status_code == 400


# Too much, and not even text.


def test_ten_thousand_parameters_are_too_many(estate: Estate, browser: Browser) -> None:
    many = {f"p{number}": "x" for number in range(10_000)}
    assert_error_page(browser.open("/op/v1/auth?" + urlencode(many)), status=413)
    assert estate.post("/op/v1/auth", {f"p{n}": "" for n in range(5_000)}).status_code == 400


def test_a_scope_of_a_hundred_kilobytes_is_too_large(estate: Estate, browser: Browser) -> None:
    scope = "openid " * 14_500
    assert_error_page(browser.ask("hinderpremie", scope=scope, ui_locales="fr"), status=413)
    assert estate.post("/op/v1/auth", browser.request("hinderpremie", scope=scope)).status_code == 413


def test_a_body_of_a_megabyte_is_too_large(estate: Estate) -> None:
    answer = estate.http().post("/op/v1/auth", data=b"a=" + b"x" * 2**20, base_url=estate.origin, headers=FORM)
    assert answer.status_code == 413
    assert 'data-page="error"' in answer.text


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("length", ["-1", "x", "1.5", "9" * 5000, "٣"])
def test_a_content_length_that_is_no_number_breaks_nothing(estate: Estate, length: str) -> None:
    environ = {"CONTENT_LENGTH": length}
    answer = estate.http().post(
        "/op/v1/auth", data=b"a=b", base_url=estate.origin, headers=FORM, environ_overrides=environ
    )
    assert answer.status_code == 400


def test_a_body_sent_in_chunks_is_read_to_its_end(estate: Estate, browser: Browser) -> None:
    form = urlencode(browser.request("hinderpremie")).encode()
    # As the server hands it on: no length, and an input that ends by itself.
    chunked = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    answer = estate.http().post(
        "/op/v1/auth", data=form, base_url=estate.origin, headers=FORM, environ_overrides=chunked
    )
    page = browser.open(answer.headers["Location"])
    assert isinstance(page, Page)
    assert page.name == "login"
    large = estate.http().post(
        "/op/v1/auth", data=b"x" * 70_000, base_url=estate.origin, headers=FORM, environ_overrides=chunked
    )
    assert large.status_code == 413


def test_a_long_state_comes_back_whole_or_is_refused(estate: Estate, browser: Browser) -> None:
    arrived = browser.ask("hinderpremie", state="s" * 4096, prompt="none")
    assert isinstance(arrived, Arrival)
    assert (arrived.parameters["error"], len(arrived.parameters["state"])) == ("login_required", 4096)
    arrived = browser.ask("hinderpremie", state="s" * 4097, prompt="none")
    assert isinstance(arrived, Arrival)
    assert (arrived.parameters["error"], len(arrived.parameters["state"])) == ("invalid_request", 4097)
    assert_error_page(browser.ask("hinderpremie", state="s" * 20_000, prompt="none"), status=413)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state", "prompt", "max_age", "ui_locales"])
@pytest.mark.parametrize("value", ["%FF%FE", "%C3%28", "%ED%A0%80", "%00", "%0d%0aX-Evil:%201", "%F0%9F%94%91"])
def test_bytes_that_are_no_text_break_nothing(browser: Browser, name: str, value: str) -> None:
    asked = urlencode({key: text for key, text in browser.request("hinderpremie").items() if key != name})
    answer = browser.get(f"/op/v1/auth?{asked}&{name}={value}")
    assert answer.status_code in (303, 400)
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("state", ["a\0b", "a\r\nX-Evil: 1", "🔑 é", "%41", "a+b c", "<&>"])
def test_any_state_comes_back_as_it_was(browser: Browser, state: str) -> None:
    arrived = browser.ask("hinderpremie", state=state, prompt="none")
    assert isinstance(arrived, Arrival)
    assert arrived.parameters["state"] == state


@pytest.mark.parametrize("raw", ["%FF", "%00", "\\evil.example", "//evil.example/x", "é"])
def test_an_address_of_no_page_leads_nowhere_else(browser: Browser, raw: str) -> None:
    answer = browser.wsgi.get("/nothing", base_url=browser.estate.origin, environ_overrides={"PATH_INFO": raw})
    assert answer.status_code in (400, 404)
    assert 'href="//' not in answer.text
    assert 'href="/\\' not in answer.text


def test_a_page_that_is_not_there_keeps_the_browser_and_what_waits_in_it(browser: Browser) -> None:
    page = browser.ask("hinderpremie")
    assert "Set-Cookie" not in browser.get("/apple-touch-icon.png").headers
    too_large = browser.wsgi.post("/op/v1/auth", data=b"x" * 70_000, base_url=browser.estate.origin, headers=FORM)
    assert (too_large.status_code, too_large.headers.get("Set-Cookie")) == (413, None)
    assert isinstance(browser.sign_in(page, "dirk", "eid"), Arrival)
