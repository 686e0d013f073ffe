"""Request objects: RFC 9101 and OpenID Connect Core §6, requirement by requirement."""

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from idp.keys.jwt import new_key_pair
from tests.flow.estate import Arrival, Browser, Estate
from tests.flow.journeys import assert_error_page, error_of
from tests.flow.reading import Page
from tests.flow.test_pushed import address as pushed_address

CLIENT = "hinderpremie"
URI = "http://localhost:8001/callback"


@cache
def keys(alg: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A key pair for an algorithm, made once."""
    made = {"PS256": "RS256"}.get(alg, alg)
    private, public = new_key_pair(made)
    return private | {"alg": alg}, public | {"alg": alg}


def register(estate: Estate, alg: str = "ES256", **changes: Any) -> None:
    estate.register(CLIENT, jwks={"keys": [keys(alg)[1]]}, **changes)


def claims_of(estate: Estate, **changes: Any) -> dict[str, Any]:
    """A usual request with what an object adds to it; None leaves one out."""
    now = int(estate.clock())
    claims: dict[str, Any] = {**estate.browser().request(CLIENT), "iss": CLIENT, "aud": estate.settings.issuer}
    claims |= {"iat": now, "nbf": now, "exp": now + 300, "jti": "one"} | changes
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: dict[str, Any], alg: str = "ES256", **header: str) -> str:
    private = keys(alg)[0]
    return jwt.encode(claims, jwt.PyJWK(private).key, algorithm=alg, headers={"kid": private["kid"], **header})


def address(request: str, **others: str) -> str:
    return "/op/v1/auth?" + urlencode({"client_id": CLIENT, "request": request, **others})


def beside(estate: Estate) -> dict[str, str]:
    """What an OpenID Connect client sends beside the object too, and where an error may then go."""
    return {name: value for name, value in estate.browser().request(CLIENT).items() if name != "client_id"}


def finish(browser: Browser, page: Page | Arrival) -> Arrival:
    if isinstance(page, Page):
        page = browser.sign_in(page, "dirk", "eid")
    assert isinstance(page, Arrival), page.words
    return page


@contextmanager
def publishing(body: str, status: int = 200) -> Iterator[str]:
    """A server of the application that has a request object; its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *values: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/request.jwt"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_signed_request_leads_to_tokens(estate: Estate, browser: Browser, alg: str) -> None:
    register(estate, alg, request_object_signing_alg=alg)
    arrived = finish(browser, browser.open(address(signed(claims_of(estate), alg))))
    assert arrived.address == URI
    assert arrived.parameters["state"] == "the-state"
    assert estate.redeem(CLIENT, arrived).claims["nonce"] == "the-nonce"


@pytest.mark.parametrize("typ", ["JWT", "jwt", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"])
def test_an_object_says_that_it_is_one_or_no_more_than_that_it_is_a_token(
    estate: Estate, browser: Browser, typ: str
) -> None:
    register(estate)
    assert finish(browser, browser.open(address(signed(claims_of(estate), typ=typ)))).code


def test_what_stands_beside_it_counts_for_nothing(estate: Estate, browser: Browser) -> None:
    register(estate)
    others = {"state": "evil", "nonce": "evil", "redirect_uri": "https://evil.example/", "prompt": "none"}
    arrived = finish(browser, browser.open(address(signed(claims_of(estate)), **others)))
    assert (arrived.address, arrived.parameters["state"]) == (URI, "the-state")
    assert estate.redeem(CLIENT, arrived).claims["nonce"] == "the-nonce"


def test_what_it_leaves_out_is_not_taken_from_beside_it(estate: Estate, browser: Browser) -> None:
    register(estate)
    request = signed(claims_of(estate, scope=None))
    assert error_of(browser.open(address(request, **beside(estate)))) == "invalid_scope"


def test_numbers_objects_and_lists_inside_are_parameters(estate: Estate, browser: Browser) -> None:
    register(estate)
    wanted = {"id_token": {"given_name": None}}
    arrived = finish(
        browser, browser.open(address(signed(claims_of(estate, max_age=600, claims=wanted, scope="openid"))))
    )
    assert estate.redeem(CLIENT, arrived).claims["given_name"]
    estate.clock.advance(601)
    again = claims_of(estate, max_age=600, prompt="none")
    assert error_of(browser.open(address(signed(again)))) == "login_required"


def test_a_wrong_return_address_inside_is_shown_on_a_page(estate: Estate, browser: Browser) -> None:
    register(estate)
    request = signed(claims_of(estate, redirect_uri="https://evil.example/"))
    assert_error_page(browser.open(address(request, redirect_uri=URI)))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "subsidieloket"},
        {"iss": None},
        {"client_id": "subsidieloket"},
        {"sub": CLIENT},
        {"aud": "https://another.example/op"},
        {"aud": []},
        {"aud": None},
        {"aud": {"a": 1}},
        {"request": "another"},
        {"request_uri": "https://hinderpremie.example.be/request.jwt"},
    ],
)
def test_an_object_of_another_or_for_another_is_refused(
    estate: Estate, browser: Browser, changes: dict[str, Any]
) -> None:
    register(estate)
    request = signed(claims_of(estate, **changes))
    assert error_of(browser.open(address(request, **beside(estate)))) == "invalid_request_object"


@pytest.mark.parametrize("has_list", [True, False])
def test_its_audience_is_this_issuer_alone_or_among_others(estate: Estate, browser: Browser, has_list: bool) -> None:
    register(estate)
    issuer = estate.settings.issuer
    request = signed(claims_of(estate, aud=["https://another.example", issuer] if has_list else issuer))
    assert finish(browser, browser.open(address(request))).code


@pytest.mark.parametrize(
    ("dates", "is_taken"),
    [
        ({"exp": -9}, True),
        ({"exp": -10}, False),
        ({"exp": -3600}, False),
        ({"nbf": 10, "iat": 10}, True),
        ({"nbf": 60}, True),
        ({"nbf": 61}, False),
        ({"iat": 61}, False),
        ({"iat": -86400, "nbf": -86400}, True),
    ],
)
def test_its_dates_count(estate: Estate, browser: Browser, dates: dict[str, int], is_taken: bool) -> None:
    register(estate)
    request = signed(claims_of(estate, **{name: int(estate.clock()) + value for name, value in dates.items()}))
    asked = browser.open(address(request, **beside(estate)))
    assert isinstance(asked, Page) if is_taken else error_of(asked) == "invalid_request_object"


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["soon", True, [1], 10**15])
def test_a_date_is_a_number(estate: Estate, browser: Browser, name: str, value: Any) -> None:
    register(estate)
    claims = {**claims_of(estate), name: value}
    header = {"alg": "ES256", "kid": keys("ES256")[0]["kid"]}
    request = jwt.api_jws.encode(json.dumps(claims).encode(), jwt.PyJWK(keys("ES256")[0]).key, "ES256", header)
    assert error_of(browser.open(address(request, **beside(estate)))) == "invalid_request_object"


def test_without_dates_an_object_is_good_unless_signing_is_required(estate: Estate, browser: Browser) -> None:
    register(estate)
    request = signed(claims_of(estate, exp=None, nbf=None, iat=None))
    assert isinstance(browser.open(address(request)), Page)
    register(estate, require_signed_request_object=True)
    estate.clock.advance(1)
    assert_error_page(browser.open(address(request)))


@pytest.mark.parametrize("dates", [{"nbf": -3601}, {"exp": 3601}, {"nbf": None}, {"exp": None}])
def test_where_signing_is_required_an_object_is_good_for_an_hour(
    estate: Estate, browser: Browser, dates: dict[str, int | None]
) -> None:
    register(estate, require_signed_request_object=True)
    now = int(estate.clock())
    claims = claims_of(estate, **{name: None if value is None else now + value for name, value in dates.items()})
    assert error_of(browser.open(address(signed(claims), **beside(estate)))) == "invalid_request_object"
    assert isinstance(browser.open(address(signed(claims_of(estate)))), Page)


def test_a_client_that_has_to_sign_sends_nothing_unsigned(estate: Estate, browser: Browser) -> None:
    register(estate, require_signed_request_object=True)
    assert error_of(browser.ask(CLIENT)) == "invalid_request"


def test_a_client_that_has_to_sign_signs_what_it_pushes(estate: Estate, browser: Browser) -> None:
    register(estate, require_signed_request_object=True, require_pushed_authorization_requests=True)
    unsigned = estate.call("/op/v1/par", CLIENT, browser.request(CLIENT))
    assert (unsigned.status, unsigned.body["error"]) == (400, "invalid_request")
    taken = estate.call("/op/v1/par", CLIENT, {"request": signed(claims_of(estate)), "state": "evil"})
    assert taken.status == 201
    arrived = finish(browser, browser.open(pushed_address(taken.body["request_uri"])))
    assert arrived.parameters["state"] == "the-state"


def test_an_unsound_object_is_refused_when_it_is_pushed(estate: Estate) -> None:
    register(estate)
    form = {"request": signed(claims_of(estate, aud="https://another.example"))}
    answer = estate.call("/op/v1/par", CLIENT, form)
    assert (answer.status, answer.body["error"]) == (400, "invalid_request_object")


def test_an_unsigned_object_is_none(estate: Estate, browser: Browser) -> None:
    register(estate)
    unsigned = jwt.encode(claims_of(estate), "", algorithm="none")
    assert error_of(browser.open(address(unsigned, **beside(estate)))) == "invalid_request_object"


def test_a_secret_is_no_key(estate: Estate, browser: Browser) -> None:
    secret = estate.client(CLIENT)["client_secret"]
    estate.register(CLIENT, jwks={"keys": [{"kty": "oct", "k": urlsafe_b64encode(secret.encode()).decode()}]})
    request = jwt.encode(claims_of(estate), secret, algorithm="HS256")
    assert error_of(browser.open(address(request, **beside(estate)))) == "invalid_request_object"


def test_only_the_registered_algorithm_counts(estate: Estate, browser: Browser) -> None:
    both = [keys("RS256")[1], keys("ES256")[1]]
    estate.register(CLIENT, jwks={"keys": both}, request_object_signing_alg="ES256")
    assert isinstance(browser.open(address(signed(claims_of(estate)))), Page)
    request = signed(claims_of(estate), "RS256")
    assert error_of(browser.open(address(request, **beside(estate)))) == "invalid_request_object"


def test_another_key_or_a_changed_object_is_refused(estate: Estate, browser: Browser) -> None:
    register(estate, "RS256")
    request = signed(claims_of(estate))
    assert error_of(browser.open(address(request, **beside(estate)))) == "invalid_request_object"
    head, _, signature = signed(claims_of(estate), "RS256").split(".")
    body = urlsafe_b64encode(json.dumps(claims_of(estate, state="evil")).encode()).rstrip(b"=").decode()
    assert error_of(browser.open(address(f"{head}.{body}.{signature}", **beside(estate)))) == "invalid_request_object"


def test_a_client_without_keys_has_no_signed_requests(estate: Estate, browser: Browser) -> None:
    request = signed(claims_of(estate))
    assert error_of(browser.open(address(request, **beside(estate)))) == "invalid_request_object"


@pytest.mark.parametrize("typ", ["dpop+jwt", "at+jwt", "logout+jwt", "secevent+jwt", ""])
def test_a_token_of_another_type_is_no_request(estate: Estate, browser: Browser, typ: str) -> None:
    register(estate)
    asked = browser.open(address(signed(claims_of(estate), typ=typ), **beside(estate)))
    assert isinstance(asked, Page) if not typ else error_of(asked) == "invalid_request_object"


@pytest.mark.parametrize("request_object", ["x", "a.b.c", "e30.e30.", "a.b.c.d.e", "." * 50, "é", "e30.W10.AA"])
def test_what_is_no_object_is_refused(estate: Estate, browser: Browser, request_object: str) -> None:
    register(estate)
    asked = browser.open(address(request_object, **beside(estate)))
    assert error_of(asked) == "invalid_request_object"
    assert "invalid_request_object" in assert_error_page(browser.open(address(request_object))).words


def test_deep_nesting_is_refused_and_not_fallen_into(estate: Estate, browser: Browser) -> None:
    register(estate)
    payload = b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}"
    request = jwt.api_jws.encode(payload, jwt.PyJWK(keys("ES256")[0]).key, "ES256")
    answer = estate.call("/op/v1/par", CLIENT, {"request": request})
    assert (answer.status, answer.body["error"]) == (400, "invalid_request_object")


# By reference


def test_an_object_may_be_fetched_where_the_client_registered_it(estate: Estate) -> None:
    estate = estate.configured(outbound_allow=frozenset({"127.0.0.1"}))
    browser = estate.browser()
    with publishing(signed(claims_of(estate)) + "\n") as uri:
        register(estate, request_uris=[uri])
        asked = browser.open("/op/v1/auth?" + urlencode({"client_id": CLIENT, "request_uri": uri, "state": "evil"}))
        arrived = finish(browser, asked)
    assert arrived.parameters["state"] == "the-state"
    estate.application.close()


@pytest.mark.parametrize("fragment", ["", "#version-1"])
def test_a_fragment_says_which_version_it_is(estate: Estate, fragment: str) -> None:
    estate = estate.configured(outbound_allow=frozenset({"127.0.0.1"}))
    browser = estate.browser()
    with publishing(signed(claims_of(estate))) as uri:
        register(estate, request_uris=[uri + "#version-0"])
        query = urlencode({"client_id": CLIENT, "request_uri": uri + fragment})
        assert finish(browser, browser.open("/op/v1/auth?" + query)).code
    estate.application.close()


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/request.jwt",
        "http://127.0.0.1/",
        "file:///etc/passwd",
        "urn:x",
        "https://hinderpremie.example.be/request.jwt/../other",
        "x",
    ],
)
def test_an_address_that_is_not_registered_is_never_called(estate: Estate, browser: Browser, uri: str) -> None:
    register(estate, request_uris=["https://hinderpremie.example.be/request.jwt"])
    assert error_of(browser.ask(CLIENT, request_uri=uri)) == "invalid_request_uri"


def test_a_private_network_is_not_called_even_if_registered(estate: Estate, browser: Browser) -> None:
    with publishing(signed(claims_of(estate))) as uri:
        register(estate, request_uris=[uri])
        assert error_of(browser.ask(CLIENT, request_uri=uri)) == "invalid_request_uri"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, "", "invalid_request_uri"),
        (302, "", "invalid_request_uri"),
        (200, "x" * 70000, "invalid_request_uri"),
        (200, "é", "invalid_request_uri"),
        (200, "not an object", "invalid_request_object"),
        (200, "", "invalid_request_object"),
    ],
)
def test_what_is_fetched_has_to_be_an_object(estate: Estate, status: int, body: str, error: str) -> None:
    estate = estate.configured(outbound_allow=frozenset({"127.0.0.1"}))
    with publishing(body, status) as uri:
        register(estate, request_uris=[uri])
        assert error_of(estate.browser().ask(CLIENT, request_uri=uri)) == error
    estate.application.close()


def test_by_value_and_by_reference_at_once_is_neither(estate: Estate, browser: Browser) -> None:
    register(estate, request_uris=["https://hinderpremie.example.be/request.jwt"])
    both = {"request": "x", "request_uri": "https://hinderpremie.example.be/request.jwt"}
    assert error_of(browser.ask(CLIENT, **both)) == "invalid_request"
