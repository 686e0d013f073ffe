"""Pushed authorization requests: RFC 9126, requirement by requirement."""

from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from idp.keys.jwt import new_key_pair
from tests.flow.estate import VERIFIER, Arrival, Browser, Estate, Tokens
from tests.flow.journeys import assert_error_page, at_once, error_of
from tests.flow.reading import Page

CLIENT = "hinderpremie"
ROLE = "hinderpremie_rol_3d"
URI = "http://localhost:8001/callback"


def push(estate: Estate, client_id: str = CLIENT, **parameters: str | None) -> Tokens:
    """Push a usual request of this client."""
    return estate.call("/op/v1/par", client_id, Browser(estate).request(client_id, **parameters))


def pushed(estate: Estate, client_id: str = CLIENT, **parameters: str | None) -> str:
    """Push a request that is taken; its `request_uri`."""
    answer = push(estate, client_id, **parameters)
    assert answer.status == 201, answer.body
    return str(answer.body["request_uri"])


def address(uri: str, client_id: str = CLIENT, **others: str) -> str:
    """Where the browser is sent."""
    return "/op/v1/auth?" + urlencode({"client_id": client_id, "request_uri": uri, **others})


def finish(browser: Browser, page: Page | Arrival, person: str = "dirk") -> Arrival:
    """Sign in and arrive."""
    if isinstance(page, Page):
        page = browser.sign_in(page, person, "eid")
    assert isinstance(page, Arrival), page.words
    return page


def test_a_pushed_request_leads_to_tokens(estate: Estate, browser: Browser) -> None:
    arrived = finish(browser, browser.open(address(pushed(estate))))
    assert arrived.address == URI
    assert arrived.parameters["state"] == "the-state"
    claims = estate.verified(estate.redeem(CLIENT, arrived), CLIENT)
    assert claims["nonce"] == "the-nonce"
    assert ROLE in claims


def test_the_answer_says_what_the_request_is_called_and_for_how_long(estate: Estate) -> None:
    answer = estate.post(
        "/op/v1/par",
        estate.browser().request(CLIENT),
        auth=(CLIENT, estate.client(CLIENT)["client_secret"]),
    )
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.json or {}
    assert set(said) == {"request_uri", "expires_in"}
    assert said["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    assert 5 <= said["expires_in"] < 600


def test_a_pushed_request_names_its_client_by_its_authentication(estate: Estate, browser: Browser) -> None:
    form = browser.request(CLIENT)
    del form["client_id"]
    answer = estate.call("/op/v1/par", CLIENT, form)
    assert finish(browser, browser.open(address(answer.body["request_uri"]))).code


def test_a_public_client_pushes_too(estate: Estate, browser: Browser) -> None:
    uri = pushed(estate, "burgerprofiel")
    arrived = finish(browser, browser.open(address(uri, "burgerprofiel")), "hanne")
    assert estate.redeem("burgerprofiel", arrived, code_verifier=VERIFIER).status == 200


@pytest.mark.parametrize("path", ["", "/v1/token", "/v1/par"])
def test_a_signed_assertion_may_be_meant_for_the_issuer_or_either_endpoint(estate: Estate, path: str) -> None:
    private, public = new_key_pair("ES256")
    estate.register(
        CLIENT, token_endpoint_auth_method="private_key_jwt", client_secret="unused" * 8, jwks={"keys": [public]}
    )
    now = int(estate.clock())
    claims: dict[str, Any] = {"iss": CLIENT, "sub": CLIENT, "aud": estate.settings.issuer + path}
    claims |= {"jti": "once", "exp": now + 60, "iat": now}
    proof = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(claims, jwt.PyJWK(private).key, algorithm="ES256"),
    }
    form = estate.browser().request(CLIENT) | proof
    assert estate.post("/op/v1/par", form).status_code == 201
    assert estate.post("/op/v1/par", form).status_code == 401


def test_without_client_authentication_nothing_is_kept(estate: Estate) -> None:
    form = estate.browser().request(CLIENT)
    assert estate.post("/op/v1/par", form).status_code == 401
    wrong = estate.post("/op/v1/par", form, auth=(CLIENT, "wrong"))
    assert wrong.status_code == 401
    assert (wrong.json or {})["error"] == "invalid_client"


def test_only_post_pushes(estate: Estate) -> None:
    assert estate.get("/op/v1/par").status_code == 405


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://evil.example/callback"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"scope": "openid rrn"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "bogus"}, "unsupported_response_mode"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"client_id": "subsidieloket"}, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:another"}, "invalid_request"),
        ({"request_uri": "https://hinderpremie.example.be/request"}, "invalid_request"),
    ],
)
def test_what_would_be_refused_at_the_authorization_endpoint_is_refused_when_pushed(
    estate: Estate, changes: dict[str, str | None], error: str
) -> None:
    form = {name: value for name, value in (estate.browser().request(CLIENT) | changes).items() if value is not None}
    answer = estate.call("/op/v1/par", CLIENT, form)
    assert (answer.status, answer.body["error"]) == (400, error)
    assert "request_uri" not in answer.body


def test_a_parameter_that_stands_twice_is_refused(estate: Estate) -> None:
    body = urlencode([*estate.browser().request(CLIENT).items(), ("state", "another")])
    answer = estate.http().post(
        "/op/v1/par",
        data=body,
        content_type="application/x-www-form-urlencoded",
        auth=(CLIENT, estate.client(CLIENT)["client_secret"]),
    )
    assert (answer.status_code, (answer.json or {})["error"]) == (400, "invalid_request")


def test_what_is_kept_is_bounded(estate: Estate) -> None:
    answer = push(estate, anything="x" * 16 * 1024)
    assert (answer.status, answer.body["error"]) == (413, "invalid_request")


def test_parameters_beside_the_name_count_for_nothing(estate: Estate, browser: Browser) -> None:
    others = {
        "redirect_uri": "https://evil.example/",
        "state": "evil",
        "scope": "rrn",
        "prompt": "none",
        "nonce": "evil",
    }
    arrived = finish(browser, browser.open(address(pushed(estate), **others)))
    assert arrived.address == URI
    assert arrived.parameters["state"] == "the-state"
    assert estate.redeem(CLIENT, arrived).claims["nonce"] == "the-nonce"


def test_a_failure_of_a_pushed_request_goes_back_to_the_application(estate: Estate, browser: Browser) -> None:
    assert error_of(browser.open(address(pushed(estate, prompt="none")))) == "login_required"


def test_a_pushed_request_may_be_opened_again_until_its_code_is_issued(estate: Estate, browser: Browser) -> None:
    place = address(pushed(estate))
    first, second = browser.open(place), browser.open(place)
    assert isinstance(first, Page)
    assert isinstance(second, Page)
    assert finish(browser, second).code
    assert_error_page(browser.open(place))
    assert_error_page(estate.browser().open(place))


def test_a_pushed_request_is_its_clients_alone(estate: Estate, browser: Browser) -> None:
    page = assert_error_page(browser.open(address(pushed(estate), "subsidieloket")))
    assert "invalid_request_uri" in page.words
    assert_error_page(browser.open("/op/v1/auth?" + urlencode({"request_uri": pushed(estate)})))


def test_another_clients_registered_address_is_told_no_more(estate: Estate, browser: Browser) -> None:
    theirs = {"redirect_uri": "http://localhost:8002/callback", "state": "the-state"}
    assert error_of(browser.open(address(pushed(estate), "subsidieloket", **theirs))) == "invalid_request_uri"


def test_a_pushed_request_ends(estate: Estate, browser: Browser) -> None:
    answer = push(estate)
    estate.clock.advance(answer.body["expires_in"] - 1)
    assert isinstance(browser.open(address(answer.body["request_uri"])), Page)
    estate.clock.advance(1)
    assert_error_page(browser.open(address(answer.body["request_uri"])))


def test_a_person_who_takes_their_time_is_not_hurried_by_it(estate: Estate, browser: Browser) -> None:
    page = browser.open(address(pushed(estate)))
    estate.clock.advance(1800)
    assert finish(browser, page).code


@pytest.mark.parametrize("tail", ["", "unknown", "%00", "A" * 5000])
def test_an_unknown_name_is_an_error_page(browser: Browser, tail: str) -> None:
    assert_error_page(browser.open(address("urn:ietf:params:oauth:request_uri:" + tail)))


def test_a_client_registered_so_has_to_push(estate: Estate, browser: Browser) -> None:
    estate.register(CLIENT, require_pushed_authorization_requests=True)
    assert error_of(browser.ask(CLIENT)) == "invalid_request"
    assert finish(browser, browser.open(address(pushed(estate)))).code


def test_each_push_has_a_name_of_its_own(estate: Estate) -> None:
    assert len({pushed(estate) for _ in range(5)}) == 5


def test_a_request_opened_many_times_at_once_shows_the_same_page_to_all(estate: Estate) -> None:
    place = address(pushed(estate))
    pages = at_once(8, lambda _: estate.browser().open(place))
    assert [page.name for page in pages if isinstance(page, Page)] == ["login"] * 8


def test_one_code_comes_of_a_request_that_was_opened_twice_however_late(estate: Estate, browser: Browser) -> None:
    place = address(pushed(estate))
    other = estate.browser()
    first, second = browser.open(place), other.open(place)
    estate.clock.advance(1800)
    assert finish(browser, first).code
    late = other.sign_in(second, "elif", "eid")
    if isinstance(late, Page):
        late = other.submit(late, ("identity", late.identities[0]))
    assert error_of(late) == "invalid_request_uri"


def test_a_second_click_on_the_page_gets_the_same_code(estate: Estate, browser: Browser) -> None:
    choice = browser.sign_in(browser.open(address(pushed(estate))), "elif", "eid")
    first = browser.submit(choice, ("identity", "EA:0999920243"))
    again = browser.submit(choice, ("identity", "EA:0999920243"))
    assert isinstance(first, Arrival)
    assert isinstance(again, Arrival)
    assert first.code == again.code
    assert estate.redeem(CLIENT, again).status == 200
    assert error_of(browser.submit(choice, ("identity", "EA:0999920243"))) == "invalid_request_uri"


def test_in_silence_too_one_code_comes_of_it(estate: Estate, browser: Browser) -> None:
    finish(browser, browser.ask(CLIENT))
    place = address(pushed(estate))
    got = at_once(20, lambda _: browser.get(place).headers.get("Location", ""))
    assert len([where for where in got if "code=" in where]) == 1


def test_what_no_secret_stands_for_may_not_be_large(estate: Estate, browser: Browser) -> None:
    large = {f"x{number}": "y" * 1000 for number in range(9)}
    assert push(estate, "burgerprofiel", **large).status == 413
    assert push(estate, CLIENT, **large).status == 201
    assert error_of(browser.ask(CLIENT, **large)) == "invalid_request"


def test_a_posted_request_that_no_browser_opens_is_soon_gone(estate: Estate, browser: Browser) -> None:
    where = [estate.post("/op/v1/auth", browser.request(CLIENT)).headers["Location"] for _ in range(2)]
    page = browser.open(where[0])
    assert isinstance(page, Page)
    estate.clock.advance(301)
    assert_error_page(estate.browser().open(where[1]))
    estate.clock.advance(1800)
    assert finish(browser, page).code
