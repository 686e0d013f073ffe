"""Client-initiated backchannel authentication: CIBA Core 1.0 and FAPI-CIBA, requirement by requirement."""

import json
from ipaddress import ip_network
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
import pytest

from idp.client_registry import read_client
from idp.commands import CommandFailed
from idp.composition import House, chores
from idp.flows.awaiting import PLACES
from idp.keys.jwt import new_key_pair
from tests.flow.asking import APPROVE, CLIENT, GRANT, answer, approve, ask, begin, changed, open_list, send, subject
from tests.flow.devices import named
from tests.flow.estate import Browser, Estate, Tokens
from tests.flow.fapi import WAYS, Party
from tests.flow.journeys import arrive, assert_error_page, at_once, introspect, sign_in
from tests.flow.listener import listening
from tests.flow.reading import Page
from tests.flow.test_mtls import PROXY

BY_NUMBER = "subsidieloket"
PRIVATE, PUBLIC = new_key_pair("ES256")
NUMBERS = count()
TOKEN = "a-notification-token-of-the-client.0123456789"


@pytest.fixture(autouse=True)
def counters(estate: Estate) -> None:
    """Two applications that ask for people who are not at their page; one may know national numbers."""
    for client_id in (CLIENT, BY_NUMBER):
        registered = estate.client(client_id)["grant_types"]
        estate.register(client_id, grant_types=[*registered, GRANT], backchannel_token_delivery_mode="poll")


def error_of(told: Tokens, status: int = 400) -> str:
    """The error of a refusal."""
    assert told.status == status, told.body
    assert told.body["error_description"]
    return str(told.body["error"])


def signed(estate: Estate, key: dict[str, Any] = PRIVATE, alg: str = "ES256", **changes: Any) -> str:
    """A signed request; None as a change leaves a claim out."""
    now = int(estate.clock())
    claims = {
        "iss": CLIENT,
        "aud": estate.settings.issuer,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "jti": f"request-{next(NUMBERS)}",
        "scope": "openid vo",
        "login_hint": subject(estate),
    } | changes
    told = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(told, jwt.PyJWK.from_dict(key).key, algorithm=alg)


def test_a_client_is_told_how_to_ask_after_its_request(estate: Estate) -> None:
    secret = estate.client(CLIENT)["client_secret"]
    form = {"scope": "openid", "login_hint": subject(estate)}
    answered = estate.post("/op/v1/backchannel", form, auth=(CLIENT, secret))
    assert answered.headers["Cache-Control"] == "no-store"
    said = answered.json or {}
    assert set(said) == {"auth_req_id", "expires_in", "interval"}
    assert len(said["auth_req_id"]) >= 43
    assert (said["expires_in"], said["interval"]) == (300, 5)


def test_a_person_sees_who_asks_and_says_yes(estate: Estate, browser: Browser) -> None:
    auth_req_id = begin(estate, binding_message="Loket 4: K7-22")
    assert error_of(ask(estate, auth_req_id)) == "authorization_pending"
    page = open_list(browser)
    assert "Hinderpremie" in page.words
    assert "Loket 4: K7-22" in page.words
    assert "Bevestig alleen wat u zelf begonnen bent" in page.words
    done = named(browser.submit(page, ("answer", "allow")), "answered")
    assert "answered-allowed" in done.ids
    tokens = ask(estate, auth_req_id)
    assert tokens.status == 200, tokens.body
    claims = estate.verified(tokens, CLIENT)
    assert claims["sub"] == subject(estate)
    assert claims["vo_orgcode"] == "0999910147"
    assert "urn:openid:params:jwt:claim:auth_req_id" not in claims
    assert estate.userinfo(tokens.body["access_token"]).status_code == 200
    assert introspect(estate, "rapport-api", tokens.body["access_token"])["active"] is True
    assert "Er wacht nu niets" in open_list(browser).words


def test_a_no_refuses_the_client(estate: Estate, browser: Browser) -> None:
    auth_req_id = begin(estate)
    assert "answered-denied" in named(answer(browser, "deny"), "answered").ids
    for _ in range(2):
        assert error_of(ask(estate, auth_req_id)) == "access_denied"


def test_others_see_and_decide_nothing(estate: Estate, browser: Browser) -> None:
    auth_req_id = begin(estate)
    page = open_list(browser)
    other = estate.browser()
    assert "Er wacht nu niets" in open_list(other, "elif").words
    request = page.form_with("request").fields["request"]
    own = other.open("/op/v1/device/verify")
    assert isinstance(own, Page)
    csrf = own.form_with("csrf").fields["csrf"]
    for word in ("allow", "deny"):
        assert other.post(APPROVE, {"csrf": csrf, "request": request, "answer": word}).status_code == 400
    nobody = estate.browser()
    csrf = named(nobody.open("/op/v1/device/verify"), "device").form_with("csrf").fields["csrf"]
    assert nobody.post(APPROVE, {"csrf": csrf, "request": request, "answer": "deny"}).status_code == 400
    started = browser.post(APPROVE, page.form_with("request").fields | {"answer": "allow"}).headers["Location"]
    assert_error_page(other.open(started))
    assert error_of(ask(estate, auth_req_id)) == "authorization_pending"


def test_a_form_of_another_browser_and_a_word_that_is_no_answer_are_refused(estate: Estate, browser: Browser) -> None:
    begin(estate)
    fields = open_list(browser).form_with("request").fields
    assert browser.post(APPROVE, fields | {"answer": "allow", "csrf": "x"}).status_code == 400
    assert browser.post(APPROVE, fields | {"answer": "maybe"}).status_code == 400


def test_somebody_else_who_signs_in_on_the_way_decides_nothing(estate: Estate, browser: Browser) -> None:
    changed(estate, minimum_acr="urn:be:vlaanderen:authmech:eid")
    auth_req_id = begin(estate)
    step_up = named(answer(browser, key="password"), "login")
    refused = named(browser.sign_in(step_up, "elif", "eid"), "answered")
    assert "answered-denied" in refused.ids
    assert error_of(ask(estate, auth_req_id)) == "access_denied"


def test_the_yes_goes_through_the_steps_of_any_request(estate: Estate, browser: Browser) -> None:
    changed(estate, consent="always")
    auth_req_id = begin(estate, login_hint=subject(estate, "elif"))
    page = open_list(browser, "elif", "password")
    step_up = named(browser.submit(page, ("answer", "allow")), "login")
    assert "password" not in step_up.keys
    choice = named(browser.sign_in(step_up, "elif", "totp"), "identity")
    consent = named(browser.submit(choice, ("identity", "EA:0999920243")), "consent")
    assert error_of(ask(estate, auth_req_id)) == "authorization_pending"
    named(browser.submit(consent, ("answer", "allow")), "answered")
    claims = ask(estate, auth_req_id).claims
    assert (claims["vo_orgcode"], claims["acr"]) == ("0999920243", "urn:be:vlaanderen:authmech:csamtotp")


def test_who_has_no_right_cannot_say_yes(estate: Estate, browser: Browser) -> None:
    auth_req_id = begin(estate, login_hint=subject(estate, "fatima"))
    refused = named(answer(browser, person="fatima"), "no-access")
    named(browser.click(refused, "back-to-application"), "answered")
    assert error_of(ask(estate, auth_req_id)) == "access_denied"


def test_a_person_is_named_by_sub_by_id_token_or_by_number(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, CLIENT, "dirk")
    number = estate.person("dirk").national_number
    begin(estate, login_hint=tokens.claims["sub"])
    begin(estate, id_token_hint=tokens.body["id_token"])
    begin(estate, BY_NUMBER, login_hint=number)
    assert error_of(send(estate, login_hint=number)) == "unknown_user_id"
    estate.clock.advance(3700)
    begin(estate, id_token_hint=tokens.body["id_token"])
    assert error_of(send(estate, BY_NUMBER, id_token_hint=tokens.body["id_token"])) == "invalid_request"
    assert error_of(send(estate, id_token_hint=tokens.body["access_token"])) == "invalid_request"


def test_a_pairwise_client_names_a_person_by_id_token_while_the_session_lasts(estate: Estate, browser: Browser) -> None:
    changed(estate, subject_type="pairwise")
    tokens = sign_in(browser, CLIENT, "dirk")
    auth_req_id = begin(estate, id_token_hint=tokens.body["id_token"])
    assert error_of(send(estate, login_hint=tokens.claims["sub"])) == "unknown_user_id"
    assert error_of(send(estate, login_hint=subject(estate))) == "unknown_user_id"
    approve(browser)
    assert ask(estate, auth_req_id).claims["sub"] == tokens.claims["sub"]
    browser.open("/op/v1/logout?id_token_hint=" + tokens.body["id_token"])
    assert error_of(send(estate, id_token_hint=tokens.body["id_token"])) == "unknown_user_id"


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"login_hint": ""}, "invalid_request"),
        ({"login_hint": "nobody"}, "unknown_user_id"),
        ({"login_hint": "f" * 40}, "unknown_user_id"),
        ({"login_hint": "\0" * 40}, "unknown_user_id"),
        ({"login_hint": "🔑"}, "unknown_user_id"),
        ({"login_hint": "x", "id_token_hint": "y"}, "invalid_request"),
        ({"login_hint": "x", "login_hint_token": "y"}, "invalid_request"),
        ({"login_hint_token": "y"}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid rrn"}, "invalid_scope"),
        ({"requested_expiry": "0"}, "invalid_request"),
        ({"requested_expiry": "-5"}, "invalid_request"),
        ({"requested_expiry": "soon"}, "invalid_request"),
        ({"requested_expiry": "٣"}, "invalid_request"),
        ({"requested_expiry": "9" * 5000}, "invalid_request"),
        ({"user_code": "1234"}, "invalid_request"),
        ({"binding_message": "a" * 129}, "invalid_binding_message"),
        ({"binding_message": "K7 👍🏿 22"}, "invalid_binding_message"),
        ({"binding_message": "een\ntwee"}, "invalid_binding_message"),
        ({"binding_message": "\u202e4 tekoL"}, "invalid_binding_message"),
        ({"acr_values": "a" * 3000}, "invalid_request"),
        ({"resource": "https://nobody.example.be/"}, "invalid_target"),
        ({"request": "a.b.c"}, "invalid_request"),
    ],
)
def test_a_request_that_is_not_sound_is_refused_by_name(estate: Estate, parameters: dict[str, str], error: str) -> None:
    hinted = parameters.keys() & {"login_hint", "id_token_hint", "login_hint_token", "request"}
    sent = {"scope": "openid", **({} if hinted else {"login_hint": subject(estate)}), **parameters}
    form = {name: value for name, value in sent.items() if value}
    assert error_of(estate.call("/op/v1/backchannel", CLIENT, form)) == error


def test_only_a_registered_confidential_client_may_ask(estate: Estate) -> None:
    answered = estate.post("/op/v1/backchannel", {"scope": "openid"}, auth=(CLIENT, "wrong"))
    assert (answered.status_code, (answered.json or {})["error"]) == (401, "invalid_client")
    assert error_of(send(estate, "statistiek")) == "unauthorized_client"
    assert error_of(send(estate, "burgerprofiel"), 401) == "invalid_client"
    assert error_of(ask(estate, "x", "statistiek")) == "unauthorized_client"


def test_few_requests_a_minute_wait_for_one_person(estate: Estate, browser: Browser) -> None:
    for number in range(PLACES):
        begin(estate, binding_message=f"nr {number}")
    assert error_of(send(estate), 403) == "access_denied"
    begin(estate, login_hint=subject(estate, "elif"))
    page = open_list(browser)
    assert len([form for form in page.forms if "request" in form.fields]) == PLACES
    estate.clock.advance(60)
    begin(estate, binding_message="the newest", requested_expiry="600")
    page = open_list(browser)
    assert page.words.index("the newest") < page.words.index("nr 9") < page.words.index("nr 0")
    estate.clock.advance(599)
    assert "the newest" in open_list(browser).words
    estate.clock.advance(1)
    assert "Er wacht nu niets" in open_list(browser).words


def test_a_client_says_how_long_it_waits(estate: Estate, browser: Browser) -> None:
    auth_req_id = send(estate, requested_expiry="30")
    assert auth_req_id.body["expires_in"] == 30
    assert send(estate, requested_expiry="999999999").body["expires_in"] == 600
    estate.clock.advance(30)
    assert error_of(ask(estate, auth_req_id.body["auth_req_id"])) == "expired_token"


def test_a_client_that_asks_too_often_is_slowed_down(estate: Estate) -> None:
    auth_req_id = begin(estate)
    told = []
    for seconds in (0, 1, 10, 9):
        estate.clock.advance(seconds)
        told.append(error_of(ask(estate, auth_req_id)))
    assert told == ["authorization_pending", "slow_down", "authorization_pending", "authorization_pending"]


def test_an_auth_req_id_is_of_its_client_and_grant_and_serves_once(estate: Estate, browser: Browser) -> None:
    auth_req_id = begin(estate)
    approve(browser)
    assert error_of(ask(estate, auth_req_id, BY_NUMBER)) == "invalid_grant"
    as_code = {"grant_type": "authorization_code", "code": auth_req_id}
    assert error_of(estate.call("/op/v1/token", CLIENT, as_code)) == "invalid_grant"
    assert error_of(estate.call("/op/v1/token", CLIENT, {"grant_type": GRANT})) == "invalid_request"
    tokens = ask(estate, auth_req_id)
    assert tokens.status == 200
    assert error_of(ask(estate, auth_req_id)) == "invalid_grant"
    assert estate.userinfo(tokens.body["access_token"]).status_code == 401


def test_an_auth_req_id_used_by_twenty_at_once_wins_once(estate: Estate, browser: Browser) -> None:
    auth_req_id = begin(estate)
    approve(browser)
    answers = at_once(20, lambda _: ask(estate, auth_req_id))
    assert sorted(one.status for one in answers) == [200] + [400] * 19


def test_a_refresh_token_comes_with_offline_access(estate: Estate, browser: Browser) -> None:
    auth_req_id = begin(estate, scope="openid offline_access")
    approve(browser)
    assert "refresh_token" in ask(estate, auth_req_id).body


def test_a_signed_request_is_taken_and_counts_alone(estate: Estate, browser: Browser) -> None:
    changed(estate, jwks={"keys": [PUBLIC]}, backchannel_authentication_request_signing_alg="ES256")
    answered = send(estate, request=signed(estate, binding_message="K7", requested_expiry=120))
    assert answered.body["expires_in"] == 120
    assert "K7" in open_list(browser).words
    assert error_of(send(estate)) == "invalid_request"
    beside = {"request": signed(estate), "scope": "openid vo"}
    assert error_of(estate.call("/op/v1/backchannel", CLIENT, beside)) == "invalid_request"


def test_a_signed_request_serves_once(estate: Estate) -> None:
    changed(estate, jwks={"keys": [PUBLIC]}, backchannel_authentication_request_signing_alg="ES256")
    request = signed(estate)
    answers = at_once(20, lambda _: send(estate, request=request).status)
    assert sorted(answers) == [200] + [400] * 19


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": "subsidieloket"},
        {"client_id": "subsidieloket"},
        {"sub": CLIENT},
        {"aud": None},
        {"aud": "https://elsewhere.example.be/"},
        {"aud": 7},
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"exp": 10**15},
        {"nbf": None},
        {"nbf": 10**11},
        {"nbf": 1},
        {"iat": None},
        {"iat": 10**11},
        {"jti": None},
        {"jti": 7},
        {"jti": ""},
        {"jti": "a" * 300},
    ],
)
def test_a_signed_request_is_for_us_and_for_now(estate: Estate, changes: dict[str, Any]) -> None:
    changed(estate, jwks={"keys": [PUBLIC]}, backchannel_authentication_request_signing_alg="ES256")
    assert error_of(send(estate, request=signed(estate, **changes))) == "invalid_request"


def test_a_signed_request_is_good_for_an_hour_at_most(estate: Estate) -> None:
    changed(estate, jwks={"keys": [PUBLIC]}, backchannel_authentication_request_signing_alg="ES256")
    now = int(estate.clock())
    assert send(estate, request=signed(estate, exp=now + 3600)).status == 200
    assert error_of(send(estate, request=signed(estate, exp=now + 3601))) == "invalid_request"
    assert error_of(send(estate, request=signed(estate, nbf=now - 3601))) == "invalid_request"


def test_only_the_registered_algorithm_and_keys_count(estate: Estate) -> None:
    changed(estate, jwks={"keys": [PUBLIC]}, backchannel_authentication_request_signing_alg="PS256")
    assert error_of(send(estate, request=signed(estate))) == "invalid_request"
    other, _ = new_key_pair("ES256")
    changed(estate, backchannel_authentication_request_signing_alg="ES256")
    assert error_of(send(estate, request=signed(estate, other))) == "invalid_request"
    unsigned = jwt.encode({"scope": "openid"}, "", algorithm="none")
    assert error_of(send(estate, request=unsigned)) == "invalid_request"


@pytest.mark.parametrize("way", WAYS)
def test_a_client_held_to_fapi_asks_signed_and_gets_bound_tokens(estate: Estate, way: str) -> None:
    behind = estate.configured(trusted_proxies=(ip_network(PROXY),))
    party = Party(behind, way, changes={"grant_types": [GRANT], "backchannel_token_delivery_mode": "poll"})
    now = int(estate.clock())
    claims = {"iss": party.client_id, "aud": estate.settings.issuer, "iat": now, "nbf": now, "exp": now + 300}
    asked = {"scope": "openid", "login_hint": subject(estate), "binding_message": "K7"}
    assert error_of(party.post("/op/v1/backchannel", asked, is_bound=False)) == "invalid_request"
    rsa, _ = new_key_pair("RS256")
    weak = jwt.encode(claims | asked | {"jti": "weak"}, jwt.PyJWK.from_dict(rsa).key, algorithm="RS256")
    assert error_of(party.post("/op/v1/backchannel", {"request": weak}, is_bound=False)) == "invalid_request"
    request = party.sign(claims | asked | {"jti": "one"})
    auth_req_id = party.post("/op/v1/backchannel", {"request": request}, is_bound=False).body["auth_req_id"]
    form = {"grant_type": GRANT, "auth_req_id": auth_req_id}
    assert error_of(party.post("/op/v1/token", form)) == "authorization_pending"
    assert decide(behind, auth_req_id, "allow") == 200
    tokens = party.post("/op/v1/token", form)
    assert tokens.body["token_type"] == ("DPoP" if party.has_proofs else "Bearer")
    assert jwt.get_unverified_header(tokens.body["id_token"])["alg"] == "ES256"
    assert behind.verified(tokens, party.client_id, alg="ES256")["sub"] == subject(estate)
    behind.application.close()


@pytest.mark.parametrize("word", ["allow", "deny"])
def test_a_client_that_wants_to_be_told_is_told_once(estate: Estate, word: str) -> None:
    with listening() as listener:
        local = estate.configured(outbound_allow=frozenset({"127.0.0.1"}))
        endpoint = listener.address + "/ciba"
        mode = {"backchannel_token_delivery_mode": "ping", "backchannel_client_notification_endpoint": endpoint}
        changed(local, **mode)
        listener.statuses = [500, 204]
        auth_req_id = begin(local, client_notification_token=TOKEN)
        deliver, *_ = chores(local.application.provider)
        deliver()
        assert listener.received == []
        named(answer(local.browser(), word), "answered")
        for _ in range(3):
            deliver()
            estate.clock.advance(2)
        assert [path for path, _ in listener.received] == ["/ciba", "/ciba"]
        assert {json.loads(body)["auth_req_id"] for body in listener.bodies} == {auth_req_id}
        assert {headers["Authorization"] for headers in listener.headers} == {f"Bearer {TOKEN}"}
        assert (ask(local, auth_req_id).status == 200) is (word == "allow")
        local.application.close()


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_a_client_that_refuses_to_be_told_is_not_told_again_and_may_ask(estate: Estate, status: int) -> None:
    with listening() as listener:
        local = estate.configured(outbound_allow=frozenset({"127.0.0.1"}))
        endpoint = listener.address + "/ciba"
        mode = {"backchannel_token_delivery_mode": "ping", "backchannel_client_notification_endpoint": endpoint}
        changed(local, **mode)
        listener.statuses = [status]
        auth_req_id = begin(local, client_notification_token=TOKEN)
        named(answer(local.browser()), "answered")
        deliver, *_ = chores(local.application.provider)
        for _ in range(3):
            deliver()
            estate.clock.advance(2)
        assert len(listener.received) == 1
        assert ask(local, auth_req_id).status == 200
        local.application.close()


@pytest.mark.parametrize("token", ["", "short", "a" * 1025, "with space in it 0123456789", "é" * 30, "a=b" * 20])
def test_the_token_to_be_told_with_is_a_bearer_token(estate: Estate, token: str) -> None:
    endpoint = "https://hinderpremie.example.be/ciba"
    changed(estate, backchannel_token_delivery_mode="ping", backchannel_client_notification_endpoint=endpoint)
    assert error_of(send(estate, client_notification_token=token)) == "invalid_request"


def test_no_secret_of_a_request_is_kept_in_the_clear(estate: Estate, browser: Browser) -> None:
    endpoint = "https://hinderpremie.example.be/ciba"
    changed(estate, backchannel_token_delivery_mode="ping", backchannel_client_notification_endpoint=endpoint)
    auth_req_id = begin(estate, client_notification_token=TOKEN)
    approve(browser)
    database = Path(estate.settings.database_url.removeprefix("sqlite:///"))
    kept = b"".join(file.read_bytes() for file in database.parent.glob(f"{database.name}*"))
    assert TOKEN.encode() not in kept
    assert auth_req_id.encode() not in kept


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"backchannel_token_delivery_mode": "push"}, "poll or ping"),
        ({"backchannel_token_delivery_mode": ""}, "poll or ping"),
        ({"grant_types": ["authorization_code"]}, "poll or ping"),
        ({"backchannel_token_delivery_mode": "ping"}, "goes with backchannel_token_delivery_mode ping"),
        ({"backchannel_client_notification_endpoint": "https://a.be/"}, "goes with backchannel_token_delivery_mode"),
        ({"backchannel_client_notification_endpoint": "http://a.be/"}, "must be https"),
        ({"backchannel_authentication_request_signing_alg": "none"}, "signing_alg is one of"),
        ({"backchannel_authentication_request_signing_alg": "HS256"}, "signing_alg is one of"),
        ({"backchannel_authentication_request_signing_alg": "ES256"}, "needs jwks"),
        ({"backchannel_user_code_parameter": True}, "not supported"),
        ({"token_endpoint_auth_method": "none"}, "public client"),
        ({"scope": "profile"}, "openid"),
    ],
)
def test_what_is_registered_has_to_make_sense(estate: Estate, changes: dict[str, Any], fault: str) -> None:
    house = House(estate.settings, estate.clock)
    with pytest.raises(CommandFailed, match=fault):
        read_client({**estate.client(CLIENT), **changes}, house.master_key)
    house.engine.dispose()


def test_who_registers_itself_cannot_ask_for_people(estate: Estate) -> None:
    open_to_all = estate.configured(registration="open")
    metadata = {"redirect_uris": ["https://rp.example.be/cb"], "grant_types": ["authorization_code", GRANT]}
    sent = metadata | {"backchannel_token_delivery_mode": "poll"}
    answered = open_to_all.http().post("/op/v1/register", json=sent, base_url=estate.origin)
    assert (answered.json or {})["error"] == "invalid_client_metadata"


def test_discovery_says_how_to_ask(estate: Estate) -> None:
    said = estate.get("/op/.well-known/openid-configuration").json or {}
    assert said["backchannel_authentication_endpoint"] == f"{estate.settings.issuer}/v1/backchannel"
    assert said["backchannel_token_delivery_modes_supported"] == ["poll", "ping"]
    assert said["backchannel_user_code_parameter_supported"] is False
    assert "none" not in said["backchannel_authentication_request_signing_alg_values_supported"]
    assert GRANT in said["grant_types_supported"]


def decide(estate: Estate, auth_req_id: str, action: str, **options: Any) -> int:
    """Decide by program, as the conformance suite does; the status."""
    address = f"/simulators/ciba?auth_req_id={quote(auth_req_id)}&action={action}"
    return estate.post(address, {}, **options).status_code


def test_a_simulated_person_decides_by_program(estate: Estate) -> None:
    auth_req_id = begin(estate, login_hint=subject(estate, "elif"))
    assert decide(estate, auth_req_id, "allow") == 200
    assert ask(estate, auth_req_id).claims["sub"] == subject(estate, "elif")
    for action in ("allow", "deny"):
        assert decide(estate, auth_req_id, action) == 400
    second = begin(estate)
    assert decide(estate, second, "deny") == 200
    assert error_of(ask(estate, second)) == "access_denied"


def test_a_simulated_person_has_no_more_rights_than_a_real_one(estate: Estate) -> None:
    auth_req_id = begin(estate, login_hint=subject(estate, "fatima"))
    assert decide(estate, auth_req_id, "allow") == 200
    assert error_of(ask(estate, auth_req_id)) == "access_denied"


def test_the_simulated_person_allows_also_what_asks_consent(estate: Estate) -> None:
    changed(estate, consent="always")
    auth_req_id = begin(estate)
    assert decide(estate, auth_req_id, "allow") == 200
    assert ask(estate, auth_req_id).status == 200


def test_the_simulated_person_decides_nothing_else(estate: Estate) -> None:
    assert decide(estate, "nothing", "allow") == 400
    assert decide(estate, begin(estate), "maybe") == 400
    assert decide(estate, begin(estate), "allow", headers={"Origin": "https://evil.example"}) == 403
    assert arrive(estate.browser(), CLIENT, "dirk").code
