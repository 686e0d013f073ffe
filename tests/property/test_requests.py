"""What a client may pack into a request: it is read, or refused by name, whatever it holds."""

import json
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.claims_request import MAXIMUM_NAMES, ClaimsRequest, is_admitted, parse_claims
from idp.errors import InvalidRequest
from idp.keys.jwt import sign
from tests.clock import FakeClock
from tests.flow.estate import Estate, prepare
from tests.property.test_http import KEY, json_values, names, tokens, words

CLIENT = "hinderpremie"

wishes = st.none() | st.fixed_dictionaries(
    {}, optional={"essential": st.booleans(), "value": json_values, "values": json_values, "other": json_values}
)
places = st.dictionaries(st.sampled_from(["acr", "sub", "name", "rrn"]) | words, wishes | json_values, max_size=4)
claims_like = st.one_of(
    st.text(),
    json_values.map(json.dumps),
    st.fixed_dictionaries({}, optional={"id_token": places, "userinfo": places}).map(json.dumps),
    st.integers(1, 8000).map(lambda depth: '{"x":' + "[" * depth),
    st.integers(1, 2000).map(lambda depth: '{"id_token":' * depth + "null" + "}" * depth),
)


@given(claims_like)
def test_a_claims_parameter_is_read_or_refused_and_can_be_kept(text: str) -> None:
    try:
        asked = parse_claims(text)
    except InvalidRequest:
        return
    assert len(asked.names) <= MAXIMUM_NAMES
    assert msgspec.json.decode(msgspec.json.encode(asked), type=ClaimsRequest) == asked
    for values in (*asked.id_token.values(), *asked.userinfo.values()):
        assert all(is_admitted(value, values) for value in values)
        assert is_admitted("any", values) is (not values or "any" in values)


@given(st.dictionaries(words, st.none(), max_size=5), st.dictionaries(words, st.none(), max_size=5))
def test_what_was_asked_is_read_back(in_id_token: dict[str, None], in_userinfo: dict[str, None]) -> None:
    asked = parse_claims(json.dumps({"id_token": in_id_token, "userinfo": in_userinfo}))
    assert (set(asked.id_token), set(asked.userinfo)) == (set(in_id_token), set(in_userinfo))


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """The provider, with a client that signs its requests."""
    clock = FakeClock()
    made = Estate(prepare(tmp_path_factory.mktemp("estate"), clock), clock)
    made.register(CLIENT, jwks={"keys": [dict(KEY.public_jwk)]})
    # What is made at first use (the application, a page, the keys for what is encrypted) is nobody's slowness.
    for request in ("", "a.b.c.d.e"):
        push(made, {"request": request})
        open_address(made, {"client_id": CLIENT, "request": request})
    yield made
    made.application.close()


def push(estate: Estate, form: dict[str, str]) -> str:
    """Push a form; the error, or nothing. Whatever it holds, it is taken or refused by name."""
    answer = estate.post("/op/v1/par", form, auth=(CLIENT, estate.client(CLIENT)["client_secret"]))
    said = answer.json or {}
    if answer.status_code == 201:
        assert said["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
        return ""
    assert answer.status_code in (400, 413), answer.data
    assert said["error_description"]
    return str(said["error"])


def open_address(estate: Estate, parameters: dict[str, str]) -> None:
    """Open an address; it is answered by a page or a redirect, never by a failure of ours."""
    answer = estate.get("/op/v1/auth", query_string=parameters)
    assert answer.status_code in (200, 303, 400, 413), answer.text


parameters = st.dictionaries(
    st.sampled_from([*names, "request_uri", "claims", "login_hint", "id_token_hint", "resource", "ui_locales"]) | words,
    words | st.sampled_from(["code", "openid", "none", "S256", "query", "http://localhost:8001/callback"]),
    max_size=8,
)
dates = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | json_values
objects = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("exp", "nbf", "iat", "max_age"), dates),
        **dict.fromkeys(("claims", "scope", "state", "client_id", "redirect_uri", "prompt", "resource"), json_values),
        "request": json_values,
    },
)


@given(parameters)
def test_whatever_is_pushed_is_taken_or_refused_by_name(estate: Estate, sent: dict[str, str]) -> None:
    push(estate, sent)
    open_address(estate, {"client_id": CLIENT, **sent})


@given(objects, st.booleans(), st.sampled_from(["JWT", "dpop+jwt", ""]))
def test_whatever_is_signed_is_opened_or_refused_by_name(
    estate: Estate, inside: dict[str, object], is_whole: bool, typ: str
) -> None:
    claims = {"iss": CLIENT, "aud": estate.settings.issuer, **inside}
    if is_whole:
        claims = {**estate.browser().request(CLIENT), **claims}
    request = sign(claims, KEY, typ=typ)
    error = push(estate, {"request": request})
    if typ == "dpop+jwt":
        assert error == "invalid_request_object"
    open_address(estate, {"client_id": CLIENT, "request": request})


@given(tokens)
def test_whatever_is_sent_as_an_object_is_refused_by_name(estate: Estate, text: str) -> None:
    if text:
        assert push(estate, {"request": text}) == "invalid_request_object"
        open_address(estate, {"client_id": CLIENT, "request": text})


@given(st.text(max_size=60))
def test_whatever_names_a_request_is_refused_by_name(estate: Estate, tail: str) -> None:
    for uri in (tail, "urn:ietf:params:oauth:request_uri:" + tail, "https://hinderpremie.example.be/" + tail):
        open_address(estate, {"client_id": CLIENT, "request_uri": uri})


def test_ten_thousand_parameters_and_a_scope_of_100_kb_are_refused_at_once(estate: Estate) -> None:
    many = {f"p{number}": "x" for number in range(10_000)}
    for form in (many, {"scope": "a " * 50_000}, {"claims": '{"a":' * 20_000}, {"request": "a." * 50_000}):
        assert push(estate, form) in ("invalid_request", "invalid_request_object")
        open_address(estate, {"client_id": CLIENT, **form})
