"""What a refused caller is told: an error and one sentence of the table, plain ASCII, and nothing of what was sent."""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.flow.estate import Browser, Estate
from tests.flow.journeys import sign_in
from tests.flow.party import USUAL
from tests.house.refusals import all_refusals

CANARY = "kanarie-7f3a"
GARBAGE = (
    CANARY,
    f"<b>{CANARY}</b>",
    f'{CANARY}"\\',
    f"{CANARY}\u00e9\u2026",
    f"{CANARY}.e30.{CANARY}",
    "[" * 500 + CANARY,
)
AUTHORIZATION = (
    *(
        "response_type",
        "response_mode",
        "scope",
        "prompt",
        "max_age",
        "acr_values",
        "code_challenge",
        "nonce",
        "display",
    ),
    *("code_challenge_method", "claims", "request", "request_uri", "registration", "id_token_hint", "login_hint"),
    *("ui_locales", "resource", "audience", "dpop_jkt"),
)
FORMS: dict[str, dict[str, str]] = {
    "/op/v1/token": {"grant_type": "", "client_id": "", "client_secret": "", "client_assertion": "", "scope": ""},
    "/op/v1/par": dict.fromkeys((*AUTHORIZATION, "client_id", "redirect_uri"), ""),
    "/op/v1/introspect": {"token": "", "client_id": "", "client_assertion": "", "client_assertion_type": ""},
    "/op/v1/revoke": {"token": "", "client_id": "", "client_secret": ""},
    "/op/v1/device": {"client_id": "", "scope": "", "acr_values": ""},
    "/op/v1/backchannel": {"client_id": "", "scope": "", "login_hint": "", "id_token_hint": "", "request": ""},
}
GRANTS: dict[str, dict[str, str]] = {
    "authorization_code": {"code": "", "redirect_uri": "", "code_verifier": ""},
    "refresh_token": {"refresh_token": "", "scope": ""},
    "client_credentials": {"scope": "", "resource": "", "audience": ""},
    "urn:ietf:params:oauth:grant-type:device_code": {"device_code": ""},
    "urn:ietf:params:oauth:grant-type:token-exchange": {
        "subject_token": "",
        "subject_token_type": "",
        "actor_token": "",
    },
    "urn:openid:params:grant-type:ciba": {"auth_req_id": ""},
}


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each error with what its sentences look like; a value of a wrong type is told types and our members alone."""
    known = [(one.error, ".+".join(map(re.escape, one.sentence.split("…")))) for one in all_refusals()]
    mistyped = r"(?:Expected .+|Object .+|Invalid .+|Key .+|Length .+)\."
    known += [("invalid_client_metadata", mistyped), ("invalid_redirect_uri", mistyped)]
    return tuple((error, re.compile(pattern)) for error, pattern in known)


def check(told: dict[str, Any]) -> None:
    """What is told stands in the table, and is plain."""
    assert set(told) <= {"error", "error_description", "error_uri", "state", "iss", "session_state"}
    sentence = told.get("error_description", "")
    assert CANARY not in json.dumps({**told, "state": ""})
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*", sentence), sentence
    known = [pattern for error, pattern in patterns() if error == told["error"]]
    assert any(pattern.fullmatch(sentence) for pattern in known), told


def check_answer(answer: TestResponse) -> None:
    """An answer to a program: what it tells if it refuses, in its body and in its challenge."""
    assert answer.status_code < 500, answer.text
    assert CANARY not in str(answer.headers.get("WWW-Authenticate", ""))
    if answer.status_code >= 400 and answer.data:
        check(dict(answer.get_json()))


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: garbage[:20])
@pytest.mark.parametrize("path", FORMS)
def test_an_endpoint_repeats_nothing(estate: Estate, path: str, garbage: str) -> None:
    secret = estate.client("hinderpremie")["client_secret"]
    for name in FORMS[path]:
        check_answer(estate.post(path, {name: garbage}))
        check_answer(estate.post(path, {name: garbage}, auth=("hinderpremie", secret)))
    check_answer(estate.post(path, {garbage: garbage}, auth=("hinderpremie", garbage)))
    check_answer(estate.http().post(path, base_url=estate.origin, data=garbage.encode(), content_type="text/plain"))


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: garbage[:20])
@pytest.mark.parametrize("grant", GRANTS)
def test_a_grant_repeats_nothing(estate: Estate, grant: str, garbage: str) -> None:
    estate.register(
        "hinderpremie", grant_types=list(GRANTS), backchannel_token_delivery_mode="poll", may_exchange_for=["a"]
    )
    secret = estate.client("hinderpremie")["client_secret"]
    for name in GRANTS[grant]:
        form = {"grant_type": grant, name: garbage}
        check_answer(estate.post("/op/v1/token", form, auth=("hinderpremie", secret)))
        check_answer(
            estate.post("/op/v1/token", dict.fromkeys(GRANTS[grant], garbage) | form, auth=("hinderpremie", secret))
        )


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: garbage[:20])
def test_what_goes_back_by_the_browser_repeats_nothing(browser: Browser, garbage: str) -> None:
    for name in AUTHORIZATION:
        answer = browser.get("/op/v1/auth?" + urlencode(browser.request("hinderpremie", **{name: garbage})))
        if answer.status_code == 303 and "error=" in answer.headers["Location"]:
            check(dict(parse_qsl(urlsplit(answer.headers["Location"]).query)))


@pytest.mark.parametrize("name", ["Authorization", "DPoP", "Client-Cert", "Origin", "Cookie", "Accept"])
@pytest.mark.parametrize("garbage", GARBAGE[:3], ids=lambda garbage: garbage[:20])
def test_a_header_is_not_repeated(estate: Estate, name: str, garbage: str) -> None:
    for scheme in ("", "Basic ", "Bearer ", "DPoP "):
        headers = {name: (scheme if name == "Authorization" else "") + garbage}
        for path in ("/op/v1/userinfo", "/op/v1/token", "/op/v1/register"):
            check_answer(estate.post(path, {"grant_type": "client_credentials"}, headers=headers))


@pytest.mark.parametrize("value", [CANARY, 7, None, [CANARY], [7], {CANARY: CANARY}, [[CANARY]], True], ids=str)
def test_a_registration_repeats_nothing_of_any_member(estate: Estate, value: Any) -> None:
    anyone = estate.configured(registration="open")
    members = anyone.http().post("/op/v1/register", json=USUAL, base_url=anyone.origin).get_json()
    for name in (*members, "jwks", "jwks_uri", "default_max_age", "sector_identifier_uri", "profile", "request_uris"):
        answer = anyone.http().post("/op/v1/register", json=USUAL | {name: value}, base_url=anyone.origin)
        if answer.status_code != 201:
            check_answer(answer)
    for body in (f'"{CANARY}"', f'{{"{CANARY}": ', "[" * 10_000):
        sent = {"data": body, "content_type": "application/json", "base_url": anyone.origin}
        check_answer(anyone.http().post("/op/v1/register", **sent))
    anyone.application.close()


def test_a_page_repeats_nothing(estate: Estate, browser: Browser) -> None:
    sign_in(browser, "hinderpremie", "dirk")
    for address in (
        f"/op/v1/auth?client_id={CANARY}",
        f"/op/v1/auth/{CANARY}/login",
        f"/{CANARY}",
        f"/static/{CANARY}",
    ):
        answer = browser.get(address)
        assert answer.status_code in (400, 404)
        words = re.sub(r'href="[^"]*"', "", answer.text)  # its own address, for the choice of a language
        assert CANARY not in words
