"""Devices, backchannel requests and token exchange: whatever is sent is taken, or refused by name."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.flows.ciba_requests import LONGEST_MESSAGE, BackchannelRequest, InvalidBindingMessage, is_plain
from idp.flows.delegation import MOST_ACTORS, act_of, actors_in
from idp.flows.user_codes import HALF, LENGTH, LETTERS, letters_of, shown
from idp.keys.jwt import sign
from tests.clock import FakeClock
from tests.flow.estate import Estate, prepare
from tests.property.test_http import KEY, json_values, tokens, words

CLIENT = "hinderpremie"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
CIBA = "urn:openid:params:grant-type:ciba"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"

names = st.sampled_from(
    [
        *("scope", "resource", "audience", "acr_values", "max_age", "claims", "login_hint", "id_token_hint"),
        *("login_hint_token", "binding_message", "user_code", "requested_expiry", "client_notification_token"),
        *("request", "registration", "dpop_jkt", "ui_locales", "device_code", "auth_req_id", "subject_token"),
        *("subject_token_type", "actor_token", "actor_token_type", "requested_token_type"),
    ]
)
values = st.text(max_size=200) | words | tokens | st.sampled_from(["openid", "openid vo", ACCESS_TOKEN, "rapport-api"])
forms = st.dictionaries(names | words, values, max_size=8)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """The provider, with an application that is registered for all of it."""
    clock = FakeClock()
    made = Estate(prepare(tmp_path_factory.mktemp("estate"), clock), clock)
    made.register(
        CLIENT,
        grant_types=["authorization_code", DEVICE, CIBA, EXCHANGE],
        jwks={"keys": [dict(KEY.public_jwk)]},
        backchannel_token_delivery_mode="poll",
        may_exchange_for=["rapport-api"],
    )
    made.get("/health/live")  # else the first example would pay for making the application
    yield made
    made.application.close()


def send(estate: Estate, path: str, form: dict[str, str]) -> str:
    """Send a form; the error, or nothing."""
    answer = estate.post(path, form, auth=(CLIENT, estate.client(CLIENT)["client_secret"]))
    said = answer.json or {}
    if answer.status_code == 200:
        return ""
    assert answer.status_code in (400, 401, 413), answer.data
    assert said["error_description"]
    return str(said["error"])


@given(forms)
def test_whatever_a_device_sends_is_taken_or_refused_by_name(estate: Estate, form: dict[str, str]) -> None:
    send(estate, "/op/v1/device", form)
    send(estate, "/op/v1/device", {"scope": "openid", **form})


@given(forms)
def test_whatever_is_asked_by_backchannel_is_taken_or_refused_by_name(estate: Estate, form: dict[str, str]) -> None:
    send(estate, "/op/v1/backchannel", form)
    send(estate, "/op/v1/backchannel", {"scope": "openid", "login_hint": "a" * 40, **form})


signed_claims = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("exp", "nbf", "iat", "requested_expiry"), st.integers(-(2**63), 2**63) | json_values),
        **dict.fromkeys(("jti", "scope", "login_hint", "binding_message", "sub", "client_id"), json_values),
    },
)


@given(signed_claims, st.booleans())
def test_whatever_is_signed_is_taken_or_refused_by_name(estate: Estate, inside: dict[str, object], whole: bool) -> None:
    now = int(estate.clock())
    usual = {"iat": now, "nbf": now, "exp": now + 60, "jti": "a", "scope": "openid"} if whole else {}
    claims = {"iss": CLIENT, "aud": estate.settings.issuer, **usual, **inside}
    assert send(estate, "/op/v1/backchannel", {"request": sign(claims, KEY)})


@given(forms, st.sampled_from([DEVICE, CIBA, EXCHANGE]))
def test_whatever_is_redeemed_is_refused_by_name(estate: Estate, form: dict[str, str], grant_type: str) -> None:
    assert send(estate, "/op/v1/token", {**form, "grant_type": grant_type})
    exchange = {"subject_token_type": ACCESS_TOKEN, "subject_token": "x", "audience": "rapport-api"}
    assert send(estate, "/op/v1/token", {**exchange, **form, "grant_type": grant_type})


@given(st.text(max_size=40))
def test_whatever_is_typed_or_drawn_is_answered(estate: Estate, text: str) -> None:
    estate.clock.advance(1)
    assert estate.get("/op/v1/device/verify", query_string={"user_code": text}).status_code in (200, 429)
    assert estate.get(f"/op/v1/device/qr/{quote(text, safe='')}.svg").status_code in (200, 404)


@given(st.text(alphabet=LETTERS, min_size=LENGTH, max_size=LENGTH), st.sampled_from(["", " ", "-", ".", " - ", "\t"]))
def test_a_code_is_read_however_it_is_typed(letters: str, between: str) -> None:
    for typed in (letters, letters.lower(), between.join(letters), letters[:HALF] + between + letters[HALF:]):
        assert letters_of(typed) == letters
    assert letters_of(shown(letters)) == letters


@given(st.text(max_size=100))
def test_what_is_read_as_a_code_is_one(typed: str) -> None:
    letters = letters_of(typed)
    assert letters == "" or (len(letters) == LENGTH and set(letters) <= set(LETTERS))


@given(st.text(max_size=200))
def test_a_message_is_shown_as_it_is_or_refused(text: str) -> None:
    is_sound = len(text) <= LONGEST_MESSAGE and all(map(is_plain, text))
    try:
        assert BackchannelRequest({"binding_message": text}).message == text
    except InvalidBindingMessage:
        assert not is_sound
    else:
        assert is_sound


@given(st.lists(words, max_size=MOST_ACTORS))
def test_who_acts_is_read_back(actors: list[str]) -> None:
    assert actors_in(act_of(tuple(actors)) or None) == tuple(actors)


@given(json_values)
def test_any_claim_is_read_as_few_actors(act: object) -> None:
    assert len(actors_in(json.loads(json.dumps(act)))) <= MOST_ACTORS
