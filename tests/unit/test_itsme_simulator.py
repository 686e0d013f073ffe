"""The simulated itsme on its own: it refuses each fault that a relying party can make, as the real one does."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from authenticators.itsme import challenge_of
from demo.itsme.__main__ import DemoClock, key_set_at
from demo.itsme.accounts import Accounts, read_accounts, read_phone
from demo.itsme.app import create_itsme
from demo.itsme.asking import read_request
from demo.itsme.client import ASSERTION_TYPE, Client
from demo.itsme.provider import Itsme
from demo.itsme.sign_ins import MOST_KEPT, SignIns
from demo.itsme.tokens import Tokens
from demo.plan import ROOT, WORLD
from tests.clock import FakeClock
from tests.flow.listener import listening

ISSUER = "http://localhost:8007/v2"
CALLBACK = "https://toegang.test/op/v1/auth/itsme/callback"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123"
DIRK = "+32470000004"
OURS, THEIRS = Tokens(), Tokens().signing_key
SOUND = {
    "response_type": "code",
    "client_id": "toegang",
    "redirect_uri": CALLBACK,
    "scope": "openid service:LOGIN profile eid",
    "state": "the-state",
    "nonce": "the-nonce",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
    "claims": '{"id_token": {"given_name": null}}',
}


def published() -> dict[str, Any]:
    """Our keys as the simulator finds them."""
    (key,) = OURS.key_set()["keys"]
    return {"keys": [key, {**key, "kid": "enc", "use": "enc"}]}


@pytest.fixture
def itsme(clock: FakeClock) -> Itsme:
    """The simulated itsme, with the people of the demo world."""
    client = Client("toegang", "LOGIN", redirect_uri=CALLBACK, fetch_keys=published)
    made = Itsme(ISSUER, client, sign_ins=SignIns(read_accounts(WORLD), clock), clock=clock)
    made.tokens = Tokens(THEIRS)
    return made


@pytest.fixture
def http(itsme: Itsme) -> Iterator[FlaskClient]:
    """Its application."""
    app = create_itsme(itsme, ROOT)
    app.testing = True
    with app.test_client() as client:
        yield client


def get(http: FlaskClient, path: str, **options: Any) -> TestResponse:
    """A page at its own address."""
    return http.get(path, base_url="http://localhost:8007", **options)


def post(http: FlaskClient, path: str, form: dict[str, str]) -> TestResponse:
    """A form to its own address."""
    return http.post(path, base_url="http://localhost:8007", data=form)


def ask(http: FlaskClient, **changes: str | None) -> TestResponse:
    """An authorization request; None leaves a parameter out."""
    asked = {name: value for name, value in (SOUND | changes).items() if value is not None}
    return get(http, "/v2/authorization", query_string=asked)


def approved(http: FlaskClient, itsme: Itsme) -> str:
    """The code of a sign-in that Dirk approved."""
    page = ask(http).headers["Location"]
    id = page.rpartition("/")[2]
    post(http, page, {"csrf": id, "phone": "0470 00 00 04"})
    question = itsme.sign_ins.question_at(DIRK)
    assert question
    assert itsme.sign_ins.answer(question.question, phone=DIRK, is_approved=True)
    address = post(http, f"{page}/wait", {"csrf": id}).headers["Location"]
    answer = dict(parse_qsl(urlsplit(address).query))
    assert answer["state"] == "the-state"
    return answer["code"]


def assertion(clock: FakeClock, headers: dict[str, Any] | None = None, **changes: Any) -> str:
    """An assertion of ours with changes; None leaves a claim out."""
    now = int(clock())
    usual = {"iss": "toegang", "sub": "toegang", "aud": f"{ISSUER}/token", "jti": "one", "iat": now, "exp": now + 60}
    claims = {name: value for name, value in (usual | changes).items() if value is not None}
    return jwt.encode(claims, OURS.signing_key, algorithm="RS256", headers={"kid": OURS.kid} | (headers or {}))


def redeem(http: FlaskClient, code: str, proof: str, /, **changes: str) -> TestResponse:
    """A token request."""
    usual = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": proof,
    }
    return post(http, "/v2/token", usual | changes)


def test_a_sound_request_is_answered(http: FlaskClient, itsme: Itsme, clock: FakeClock) -> None:
    answer = redeem(http, approved(http, itsme), assertion(clock)).json
    assert answer
    assert answer["token_type"] == "Bearer"
    assert answer["id_token"].count(".") == 4
    told = get(http, "/v2/userinfo", headers={"Authorization": f"Bearer {answer['access_token']}"})
    assert (told.status_code, told.content_type) == (200, "application/jwt")
    assert get(http, "/v2/userinfo", headers={"Authorization": "Bearer x"}).status_code == 401
    assert get(http, "/v2/userinfo").status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"sub": "another"},
        {"aud": ISSUER},
        {"aud": [f"{ISSUER}/token", "another"]},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 256},
        {"exp": None},
        {"exp": 1},
        {"exp": 10**12},
        {"exp": "tomorrow"},
        {"iat": 10**12},
        {"headers": {"kid": "another"}},
        {"headers": {"kid": "enc"}},
        {"headers": {"kid": ""}},
    ],
)
def test_an_assertion_that_says_anything_else_is_refused(
    http: FlaskClient, itsme: Itsme, clock: FakeClock, *, changes: dict[str, Any]
) -> None:
    refused = redeem(http, approved(http, itsme), assertion(clock, **changes))
    assert (refused.status_code, (refused.json or {})["error"]) == (400, "invalid_client")


def test_an_assertion_signed_by_another_key_or_algorithm_is_refused(
    http: FlaskClient, itsme: Itsme, clock: FakeClock
) -> None:
    code = approved(http, itsme)
    claims = jwt.decode(assertion(clock), options={"verify_signature": False})
    for key, alg in ((THEIRS, "RS256"), (OURS.signing_key, "PS256"), (None, "none")):
        forged = jwt.encode(claims, key, algorithm=alg, headers={"kid": OURS.kid})
        assert (redeem(http, code, forged).json or {})["error"] == "invalid_client"
    assert redeem(http, code, assertion(clock)).status_code == 200


def test_an_assertion_counts_once(http: FlaskClient, itsme: Itsme, clock: FakeClock) -> None:
    proof = assertion(clock)
    assert redeem(http, approved(http, itsme), proof).status_code == 200
    assert (redeem(http, approved(http, itsme), proof).json or {})["error"] == "invalid_client"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_assertion_type": "jwt"},
        {"client_assertion": ""},
        {"client_assertion": "a.b.c"},
        {"client_secret": "secret"},
        {"grant_type": "refresh_token"},
        {"code": "another"},
        {"redirect_uri": f"{CALLBACK}/"},
        {"code_verifier": ""},
        {"code_verifier": VERIFIER[:-1]},
        {"code_verifier": VERIFIER * 3},
    ],
)
def test_a_token_request_that_says_anything_else_is_refused(
    http: FlaskClient, itsme: Itsme, clock: FakeClock, *, changes: dict[str, str]
) -> None:
    assert redeem(http, approved(http, itsme), assertion(clock), **changes).status_code == 400


def test_a_code_counts_once_also_where_it_was_refused(http: FlaskClient, itsme: Itsme, clock: FakeClock) -> None:
    code = approved(http, itsme)
    assert len(code) == 36
    assert redeem(http, code, assertion(clock, jti="a"), code_verifier=VERIFIER[::-1]).status_code == 400
    assert (redeem(http, code, assertion(clock, jti="b")).json or {})["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"scope": "service:LOGIN"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "openid service:OTHER"}, "invalid_scope"),
        ({"scope": "openid service:LOGIN service:OTHER"}, "invalid_scope"),
        ({"state": None}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"acr_values": "acr_basic"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": VERIFIER}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": '{"id_token": []}'}, "invalid_request"),
        ({"claims": '{"other": {}}'}, "invalid_request"),
    ],
)
def test_a_request_that_asks_otherwise_is_sent_back(
    http: FlaskClient, changes: dict[str, str | None], error: str
) -> None:
    address = ask(http, **changes).headers["Location"]
    assert address.startswith(f"{CALLBACK}?")
    assert dict(parse_qsl(urlsplit(address).query))["error"] == error


@pytest.mark.parametrize(
    "changes", [{"client_id": "another"}, {"redirect_uri": f"{CALLBACK}?x=1"}, {"client_id": None}]
)
def test_a_request_of_nobody_is_told_on_a_page(http: FlaskClient, changes: dict[str, str | None]) -> None:
    answer = ask(http, **changes)
    assert (answer.status_code, answer.headers.get("Location")) == (400, None)
    assert 'data-page="itsme-fault"' in answer.text


def test_a_parameter_that_stands_twice_is_told_on_a_page(http: FlaskClient) -> None:
    assert get(http, "/v2/authorization?client_id=toegang&client_id=toegang").status_code == 400


def test_a_form_of_another_page_counts_for_nothing(http: FlaskClient, itsme: Itsme) -> None:
    first, second = (ask(http).headers["Location"] for _ in range(2))
    other = second.rpartition("/")[2]
    assert post(http, first, {"csrf": other, "phone": DIRK}).status_code == 400
    assert itsme.sign_ins.question_at(DIRK) is None


def test_it_answers_at_its_own_address_alone(http: FlaskClient) -> None:
    assert http.get(f"/simulators/itsme/{DIRK}", base_url="http://rebound.example:8007").status_code == 403
    assert get(http, f"/simulators/itsme/{DIRK}").status_code == 200


def test_a_telephone_shows_the_newest_question_and_takes_no_other_answer(http: FlaskClient, itsme: Itsme) -> None:
    for _ in range(2):
        page = ask(http).headers["Location"]
        post(http, page, {"csrf": page.rpartition("/")[2], "phone": DIRK})
    newest = itsme.sign_ins.question_at(DIRK)
    assert newest
    assert newest.id == page.rpartition("/")[2]
    assert not itsme.sign_ins.answer(newest.question, phone="+32470000005", is_approved=True)
    assert not itsme.sign_ins.answer("", phone=DIRK, is_approved=True)
    assert 'id="approve"' not in get(http, "/simulators/itsme/+32470000005").text


def test_sign_ins_that_nobody_comes_back_for_make_room(itsme: Itsme, clock: FakeClock) -> None:
    sign_ins, asked = SignIns(Accounts(()), clock), read_request(SOUND, itsme.client)
    first = sign_ins.begin(asked)
    for _ in range(MOST_KEPT):
        sign_ins.begin(asked)
    assert sign_ins.find(first.id) is None


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0470 00 00 04", DIRK),
        ("+32 470/00.00.04", DIRK),
        ("0032470000004", DIRK),
        ("(0470)-00-00-04", DIRK),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_a_number_is_read_as_people_type_it(typed: str, number: str) -> None:
    assert read_phone(typed) == number


@pytest.mark.parametrize("typed", ["", "0470", "an@example.be", "+", "+0470000004", "٠٤٧٠٠٠٠٠٠٤", "0" * 99])
def test_what_is_no_number_is_told(http: FlaskClient, typed: str) -> None:
    page = ask(http).headers["Location"]
    answer = post(http, page, {"csrf": page.rpartition("/")[2], "phone": typed})
    assert answer.status_code == 200
    assert "phone-wrong" in answer.text


@pytest.mark.parametrize("language", ["nl", "fr", "de", "en"])
def test_its_pages_speak_the_language_that_is_asked_or_chosen(http: FlaskClient, language: str) -> None:
    page = ask(http, ui_locales=f"xx {language}").headers["Location"]
    assert f'<html lang="{language}"' in get(http, page).text
    assert '<html lang="de"' in get(http, f"{page}?ui_locales=de").text


def test_its_pages_let_nobody_in(http: FlaskClient) -> None:
    headers = get(http, ask(http).headers["Location"]).headers
    assert headers["Cache-Control"] == "no-store"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/hulp", "/privacy", "/toegankelijkheid"])
def test_what_the_frame_of_a_page_leads_to_stands_at_the_providers(http: FlaskClient, path: str) -> None:
    assert get(http, path).headers["Location"] == f"https://toegang.test{path}"


def test_keys_are_public_alone(http: FlaskClient) -> None:
    (key,) = (get(http, "/v2/keys").json or {})["keys"]
    assert key.keys() == {"kty", "n", "e", "kid", "alg", "use"}


def test_its_time_is_that_of_the_demo(clock: FakeClock) -> None:
    with listening() as provider:
        demo_clock = DemoClock(provider.address, clock)
        assert demo_clock() == clock.now  # nobody answers yet
        provider.pages["/simulators/clock"] = b'{"now": "", "offset_days": 31}'
        clock.advance(1)
        assert demo_clock() == clock.now + 31 * 86400
        provider.pages["/simulators/clock"] = b"garbage"
        clock.advance(1)
        assert demo_clock() == clock.now + 31 * 86400


def test_keys_that_cannot_be_read_are_no_keys() -> None:
    with listening() as provider:
        read = key_set_at(f"{provider.address}/keys")
        assert read() == {"keys": []}
        for garbage in (b"{}", b"[]", b"garbage", b'{"keys": 1}'):
            provider.pages["/keys"] = garbage
            assert read() == {"keys": []}
        provider.pages["/keys"] = b'{"keys": [{"kid": "a"}]}'
        assert read() == {"keys": [{"kid": "a"}]}
    assert read() == {"keys": []}
