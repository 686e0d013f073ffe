"""The token endpoint: codes, refresh tokens, machines, and everybody who comes with something else."""

import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from datetime import date, timedelta
from hashlib import sha256, sha512
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from idm import model
from idm.days import day_of
from tests.flow.estate import VERIFIER, Arrival, Browser, Estate, Tokens
from tests.flow.journeys import arrive, at_once, error_of, introspect, refresh, sign_in

TOKEN = "/op/v1/token"
OFFLINE = "openid profile vo hinderpremie offline_access"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def assert_refused(tokens: Tokens, error: str, status: int = 400) -> None:
    assert (tokens.status, tokens.body.get("error")) == (status, error), tokens.body
    assert "access_token" not in tokens.body


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()}


def told(answer: TestResponse) -> Tokens:
    return Tokens(answer.status_code, json.loads(answer.data))


# Codes.


def test_an_answer_is_complete_and_kept_by_no_cache(estate: Estate, browser: Browser) -> None:
    arrived = arrive(browser, "hinderpremie", "dirk")
    form = {"grant_type": "authorization_code", "code": arrived.code, "redirect_uri": arrived.address}
    answer = estate.post(TOKEN, form, auth=("hinderpremie", estate.client("hinderpremie")["client_secret"]))
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    body = json.loads(answer.data)
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "id_token"}
    assert body["scope"] == "openid profile vo hinderpremie"
    claims = estate.verified(Tokens(200, body), "hinderpremie")
    assert (claims["aud"], claims["azp"], claims["iss"]) == ("hinderpremie", "hinderpremie", estate.settings.issuer)
    assert claims["exp"] - claims["iat"] == 3600


def test_the_code_of_another_client_is_worth_nothing(estate: Estate, browser: Browser) -> None:
    arrived = arrive(browser, "hinderpremie", "dirk")
    assert_refused(estate.redeem("statistiek", arrived), "invalid_grant")
    uri = estate.client("statistiek")["redirect_uris"][0]
    arrived = arrive(browser, "hinderpremie", "dirk")
    assert_refused(estate.redeem("statistiek", arrived, redirect_uri=uri), "invalid_grant")


@pytest.mark.parametrize("uri", ["http://localhost:8001/callback/", "http://localhost:8002/callback", ""])
def test_the_address_must_be_that_of_the_request(estate: Estate, browser: Browser, uri: str) -> None:
    assert_refused(
        estate.redeem("hinderpremie", arrive(browser, "hinderpremie", "dirk"), redirect_uri=uri), "invalid_grant"
    )


@pytest.mark.parametrize("verifier", ["", VERIFIER[:-1], VERIFIER + "x", VERIFIER.upper(), "é" * 43, "a\0b"])
def test_a_wrong_verifier_gets_nothing(estate: Estate, browser: Browser, verifier: str) -> None:
    arrived = arrive(browser, "burgerprofiel", "hanne")
    assert_refused(estate.redeem("burgerprofiel", arrived, code_verifier=verifier), "invalid_grant")


def test_a_verifier_without_a_challenge_is_refused(estate: Estate, browser: Browser) -> None:
    arrived = arrive(browser, "hinderpremie", "dirk")
    assert_refused(estate.redeem("hinderpremie", arrived, code_verifier=VERIFIER), "invalid_grant")


def test_with_pkce_the_address_may_be_left_out(estate: Estate, browser: Browser) -> None:
    arrived = arrive(browser, "burgerprofiel", "hanne")
    tokens = estate.redeem("burgerprofiel", arrived, redirect_uri="", code_verifier=VERIFIER)
    assert tokens.status == 200


def test_a_code_lives_thirty_seconds(estate: Estate, browser: Browser) -> None:
    first, second = arrive(browser, "hinderpremie", "dirk"), arrive(browser, "hinderpremie", "dirk")
    estate.clock.advance(29)
    assert estate.redeem("hinderpremie", first).status == 200
    estate.clock.advance(2)
    assert_refused(estate.redeem("hinderpremie", second), "invalid_grant")


@pytest.mark.parametrize("code", ["unknown", "\0", "é", "x" * 50_000])
def test_a_code_that_never_was_is_refused(estate: Estate, code: str) -> None:
    arrived = Arrival("http://localhost:8001/callback", {"code": code})
    assert_refused(estate.redeem("hinderpremie", arrived), "invalid_grant")


def test_a_missing_code_is_a_faulty_request(estate: Estate) -> None:
    assert_refused(estate.call(TOKEN, "hinderpremie", {"grant_type": "authorization_code"}), "invalid_request")


def test_the_second_use_of_a_code_ends_what_the_first_one_got(estate: Estate, browser: Browser) -> None:
    arrived = arrive(browser, "hinderpremie", "dirk", scope=OFFLINE)
    first = estate.redeem("hinderpremie", arrived)
    assert estate.userinfo(first.body["access_token"]).status_code == 200
    renewed = refresh(estate, "hinderpremie", first.body["refresh_token"])
    assert_refused(estate.redeem("hinderpremie", arrived), "invalid_grant")
    for token in (first.body["access_token"], renewed.body["access_token"]):
        assert estate.userinfo(token).status_code == 401
        assert introspect(estate, "hinderpremie", token) == {"active": False}
    assert_refused(refresh(estate, "hinderpremie", renewed.body["refresh_token"]), "invalid_grant")


def test_twenty_uses_of_a_code_at_once_get_one_answer_whose_tokens_are_dead(estate: Estate, browser: Browser) -> None:
    arrived = arrive(browser, "hinderpremie", "dirk", scope=OFFLINE)
    answers = at_once(20, lambda _: estate.redeem("hinderpremie", arrived))
    won = [answer for answer in answers if answer.status == 200]
    assert len(won) == 1
    assert {answer.body["error"] for answer in answers if answer.status != 200} == {"invalid_grant"}
    assert estate.userinfo(won[0].body["access_token"]).status_code == 401
    assert_refused(refresh(estate, "hinderpremie", won[0].body["refresh_token"]), "invalid_grant")


def test_a_code_is_worth_nothing_after_the_logout(estate: Estate, browser: Browser) -> None:
    hint = sign_in(browser, "hinderpremie", "dirk").body["id_token"]
    arrived = arrive(browser, "hinderpremie", "dirk")
    browser.open(f"/op/v1/logout?id_token_hint={hint}")
    assert_refused(estate.redeem("hinderpremie", arrived), "invalid_grant")


# Who is calling.


def code_form(arrived: Arrival) -> dict[str, str]:
    return {"grant_type": "authorization_code", "code": arrived.code, "redirect_uri": arrived.address}


def machine(estate: Estate, headers: dict[str, str], **form: str) -> Tokens:
    return told(estate.post(TOKEN, {"grant_type": "client_credentials", **form}, headers=headers))


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [
        ("tijdmeting", "wrong"),
        ("tijdmeting", ""),
        ("unknown", "tijdmeting-demo-secret-0123456789abcdef"),
        ("hinderpremie", "tijdmeting-demo-secret-0123456789abcdef"),
        ("subsidieloket", "subsidieloket-demo-secret-0123456789abcdef"),
        ("burgerprofiel", ""),
        ("nachtverwerking", "x"),
        ("", ""),
        ("\0", "\0"),
    ],
)
def test_whoever_is_not_proven_hears_the_same(estate: Estate, client_id: str, secret: str) -> None:
    form = {"grant_type": "client_credentials"}
    answer = estate.post(TOKEN, form, headers=basic(client_id, secret))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert json.loads(answer.data) == {
        "error": "invalid_client",
        "error_description": "Client authentication failed.",
    }


def test_a_client_uses_the_method_that_it_is_registered_with(estate: Estate) -> None:
    secret = estate.client("tijdmeting")["client_secret"]
    for form in ({"client_id": "tijdmeting", "client_secret": secret}, {"client_id": "tijdmeting"}, {}):
        assert_refused(machine(estate, {}, **form), "invalid_client", 401)
    own = estate.client("subsidieloket")["client_secret"]
    answer = estate.post(TOKEN, {"grant_type": "refresh_token"}, headers=basic("subsidieloket", own))
    assert_refused(told(answer), "invalid_client", 401)


def test_two_proofs_at_once_are_refused(estate: Estate) -> None:
    secret = estate.client("tijdmeting")["client_secret"]
    assert_refused(machine(estate, basic("tijdmeting", secret), client_secret=secret), "invalid_request")
    assert_refused(machine(estate, basic("tijdmeting", secret), client_assertion="x"), "invalid_request")
    assert_refused(machine(estate, {}, client_secret=secret, client_assertion="x"), "invalid_request")
    assert_refused(machine(estate, basic("tijdmeting", secret), client_id="hinderpremie"), "invalid_request")
    assert machine(estate, basic("tijdmeting", secret), client_id="tijdmeting").status == 200


@pytest.mark.parametrize(
    "value",
    ["", "é", "!!!", "YTpi=", "YTp", b64encode(b"\xff\xfe:\xff").decode(), b64encode(b"no colon").decode(), "x" * 5000],
)
def test_a_garbled_basic_header_is_a_failed_authentication(estate: Estate, value: str) -> None:
    assert_refused(machine(estate, {"Authorization": f"Basic {value}"}), "invalid_client", 401)


def test_percent_encoded_bytes_that_are_no_text_are_a_failed_authentication(estate: Estate) -> None:
    assert_refused(machine(estate, basic("%ff", "%fe")), "invalid_client", 401)


def test_basic_is_form_encoded_so_that_any_secret_can_be_sent(estate: Estate) -> None:
    secret = "a+b c%41:é/=&🔑" + "0" * 20
    estate.register("tijdmeting", client_id="urn:tijd:meting", client_secret=secret, organisation="")
    named = quote("urn:tijd:meting", safe=""), quote(secret, safe="")
    assert machine(estate, basic(*named)).status == 200
    assert_refused(machine(estate, basic("urn:tijd:meting", secret)), "invalid_client", 401)


@pytest.mark.parametrize("scheme", ["basic", "BASIC"])
def test_the_name_of_the_scheme_may_be_written_anyhow(estate: Estate, scheme: str) -> None:
    value = basic("tijdmeting", estate.client("tijdmeting")["client_secret"])["Authorization"].split(" ")[1]
    assert machine(estate, {"Authorization": f"{scheme} {value}"}).status == 200


# The request itself.


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "Authorization_Code"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
    ],
)
def test_a_grant_type_must_be_there_and_known_and_registered(estate: Estate, form: dict[str, str], error: str) -> None:
    assert_refused(estate.call(TOKEN, "hinderpremie", form), error)


def test_a_public_client_has_no_credentials(estate: Estate) -> None:
    assert_refused(estate.call(TOKEN, "burgerprofiel", {"grant_type": "client_credentials"}), "unauthorized_client")


def test_a_repeated_parameter_is_refused(estate: Estate) -> None:
    body = "grant_type=client_credentials&grant_type=client_credentials"
    headers = basic("tijdmeting", estate.client("tijdmeting")["client_secret"])
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    answer = estate.http().post(TOKEN, data=body, base_url=estate.origin, headers=headers)
    assert_refused(told(answer), "invalid_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_post_is_answered(estate: Estate, method: str) -> None:
    answer = estate.http().open(TOKEN, method=method, base_url=estate.origin)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert json.loads(answer.data)["error"] == "invalid_request"


def test_a_json_body_is_refused(estate: Estate) -> None:
    headers = basic("tijdmeting", estate.client("tijdmeting")["client_secret"])
    answer = estate.http().post(
        TOKEN, json={"grant_type": "client_credentials"}, base_url=estate.origin, headers=headers
    )
    assert_refused(told(answer), "invalid_request")


def test_parameters_in_the_address_count_for_nothing(estate: Estate) -> None:
    headers = basic("tijdmeting", estate.client("tijdmeting")["client_secret"])
    assert_refused(
        told(estate.post(f"{TOKEN}?grant_type=client_credentials", {"a": "b"}, headers=headers)), "invalid_request"
    )


def test_a_form_that_is_too_large_or_no_text_is_refused(estate: Estate) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, status in ((b"a=" + b"x" * 70_000, 413), (b"grant_type=%ff", 400), (b"grant_type=\xff", 400), (b"", 401)):
        answer = estate.http().post(TOKEN, data=body, base_url=estate.origin, headers=headers)
        assert answer.status_code == status
        assert "error" in json.loads(answer.data)


# Machines.


def test_a_machine_with_a_secret_gets_a_token_of_its_own(estate: Estate) -> None:
    tokens = estate.call(TOKEN, "tijdmeting", {"grant_type": "client_credentials"})
    assert (tokens.status, tokens.body["token_type"], tokens.body["expires_in"]) == (200, "Bearer", 3600)
    assert set(tokens.body["scope"].split()) == {"vo_info", "rapport_lezen"}
    assert "id_token" not in tokens.body
    assert "refresh_token" not in tokens.body


def test_a_machine_may_ask_less_and_never_more(estate: Estate) -> None:
    asked = {"grant_type": "client_credentials", "scope": "rapport_lezen rapport_lezen"}
    assert estate.call(TOKEN, "tijdmeting", asked).body["scope"] == "rapport_lezen"
    for scope in ("openid", "rapport_lezen rrn", "vo", "VO_INFO"):
        assert_refused(estate.call(TOKEN, "tijdmeting", asked | {"scope": scope}), "invalid_scope")


def private_key(estate: Estate) -> dict[str, Any]:
    return dict(json.loads((estate.settings.master_key_file.parent / "nachtverwerking.jwk").read_text()))


def assertion(estate: Estate, **changes: Any) -> str:
    """An assertion of nachtverwerking; None leaves a claim out."""
    key, now = private_key(estate), int(estate.clock())
    claims = {
        "iss": "nachtverwerking",
        "sub": "nachtverwerking",
        "aud": estate.settings.issuer,
        "jti": changes.pop("jti", "jti-1"),
        "iat": now,
        "exp": now + 60,
    } | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, jwt.PyJWK(key).key, algorithm="ES256", headers={"kid": key["kid"]})


def by_assertion(estate: Estate, token: str, **form: str) -> Tokens:
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": token}
    return machine(estate, {}, **(proof | form))


@pytest.mark.parametrize("aud", ["{issuer}", "{issuer}/v1/token", ["https://other.example", "{issuer}"]])
def test_a_machine_with_a_key_signs_for_us_and_is_known(estate: Estate, aud: str | list[str]) -> None:
    issuer = estate.settings.issuer
    meant = [one.format(issuer=issuer) for one in aud] if isinstance(aud, list) else aud.format(issuer=issuer)
    assert by_assertion(estate, assertion(estate, aud=meant)).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example/op"},
        {"aud": None},
        {"aud": [1, {}]},
        {"aud": "http://localhost:8000/op/v1/token/"},
        {"exp": 0},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 10**12},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"iss": "tijdmeting"},
        {"iss": None},
        {"sub": "tijdmeting"},
        {"sub": "unknown"},
        {"sub": None},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
    ],
)
def test_an_assertion_that_claims_anything_else_proves_nothing(estate: Estate, changes: dict[str, Any]) -> None:
    assert_refused(by_assertion(estate, assertion(estate, **changes)), "invalid_client", 401)


def test_an_assertion_expires(estate: Estate) -> None:
    token = assertion(estate)
    estate.clock.advance(121)
    assert_refused(by_assertion(estate, token), "invalid_client", 401)


def test_an_assertion_serves_once_also_for_twenty_callers_at_once(estate: Estate) -> None:
    token = assertion(estate)
    statuses = at_once(20, lambda _: by_assertion(estate, token).status)
    assert sorted(statuses) == [200] + [401] * 19
    assert by_assertion(estate, assertion(estate, jti="jti-2")).status == 200


def test_a_used_assertion_stays_used_until_it_has_expired(estate: Estate) -> None:
    token = assertion(estate, exp=int(estate.clock()) + 3600)
    assert by_assertion(estate, token).status == 200
    for seconds in (3599, 59, 1):
        estate.clock.advance(seconds)
        assert_refused(by_assertion(estate, token), "invalid_client", 401)


def test_an_assertion_by_another_key_or_algorithm_proves_nothing(estate: Estate) -> None:
    public = {name: value for name, value in private_key(estate).items() if name != "d"}
    claims = jwt.decode(assertion(estate), options={"verify_signature": False})
    kid = {"kid": public["kid"]}
    foreign = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers=kid)
    # The public key as the secret of an HMAC: whoever lets the token choose the algorithm falls for it.
    head = urlsafe_b64encode(json.dumps({"alg": "HS256", **kid}).encode()).rstrip(b"=")
    signed = head + b"." + assertion(estate).split(".")[1].encode()
    mac = hmac.digest(json.dumps(public).encode(), signed, "sha256")
    by_hmac = (signed + b"." + urlsafe_b64encode(mac).rstrip(b"=")).decode()
    unsigned = jwt.encode(claims, None, algorithm="none", headers=kid)
    embedded = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers={"jwk": public})
    for token in (foreign, by_hmac, unsigned, embedded):
        assert_refused(by_assertion(estate, token), "invalid_client", 401)


@pytest.mark.parametrize(
    "token",
    ["x", "..", "a.b.c", "é.é.é", "e30.e30.", "x" * 60_000, f"{urlsafe_b64encode(b'[' * 9000).decode()}.e30.x"],
)
def test_an_assertion_that_is_none_proves_nothing(estate: Estate, token: str) -> None:
    assert_refused(by_assertion(estate, token), "invalid_client", 401)


def test_an_assertion_with_claims_nested_without_end_proves_nothing(estate: Estate) -> None:
    token = "e30." + urlsafe_b64encode(b'{"a":' * 5000).decode() + ".x"
    assert_refused(by_assertion(estate, token), "invalid_client", 401)


def test_an_assertion_of_another_type_or_client_id_is_refused(estate: Estate) -> None:
    other = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    assert_refused(by_assertion(estate, assertion(estate), client_assertion_type=other), "invalid_client", 401)
    assert_refused(by_assertion(estate, assertion(estate), client_id="tijdmeting"), "invalid_request")
    assert by_assertion(estate, assertion(estate), client_id="nachtverwerking").status == 200


# Refreshing.


def offline(browser: Browser, person: str = "dirk", client_id: str = "hinderpremie", **options: Any) -> Tokens:
    scope = browser.estate.client(client_id)["scope"]
    tokens = sign_in(browser, client_id, person, scope=scope, **options)
    assert "refresh_token" in tokens.body
    return tokens


def test_no_refresh_token_is_given_without_offline_access(browser: Browser) -> None:
    assert "refresh_token" not in sign_in(browser, "hinderpremie", "dirk").body


def test_a_client_without_the_grant_cannot_ask_offline_access(browser: Browser) -> None:
    assert error_of(browser.ask("statistiek", scope="openid offline_access")) == "invalid_scope"


def test_a_refresh_tells_the_same_sign_in_without_nonce(estate: Estate, browser: Browser) -> None:
    first = offline(browser)
    estate.clock.advance(1000)
    again = refresh(estate, "hinderpremie", first.body["refresh_token"])
    old, new = first.claims, estate.verified(again, "hinderpremie")
    for name in ("sub", "aud", "auth_time", "acr", "amr", "sid", "vo_orgcode", "hinderpremie_rol_3d"):
        assert new[name] == old[name]
    assert "nonce" not in new
    assert new["iat"] == old["iat"] + 1000
    assert again.body["refresh_token"] != first.body["refresh_token"]
    assert estate.userinfo(again.body["access_token"]).status_code == 200


def test_a_client_without_rotation_keeps_its_token(estate: Estate, browser: Browser) -> None:
    token = offline(browser, "elif", "subsidieloket").body["refresh_token"]
    for _ in range(3):
        again = refresh(estate, "subsidieloket", token)
        assert (again.status, again.body["refresh_token"]) == (200, token)


def test_a_refresh_may_ask_less_and_later_all_of_it_again(estate: Estate, browser: Browser) -> None:
    token = offline(browser, "elif", "subsidieloket").body["refresh_token"]
    narrow = refresh(estate, "subsidieloket", token, scope="openid profile")
    assert narrow.body["scope"] == "openid profile"
    told_now = estate.userinfo(narrow.body["access_token"]).json
    assert told_now is not None
    assert "rrn" not in told_now
    assert "rrn" not in narrow.claims
    assert "given_name" in narrow.claims
    without = refresh(estate, "subsidieloket", token, scope="profile")
    assert "id_token" not in without.body
    assert "rrn" in refresh(estate, "subsidieloket", token).claims


def test_a_refresh_may_not_ask_more_and_keeps_its_token(estate: Estate, browser: Browser) -> None:
    arrived = arrive(browser, "hinderpremie", "dirk", scope="openid offline_access")
    token = estate.redeem("hinderpremie", arrived).body["refresh_token"]
    for scope in ("openid profile", "rrn", "unknown"):
        assert_refused(refresh(estate, "hinderpremie", token, scope=scope), "invalid_scope")
    assert refresh(estate, "hinderpremie", token).status == 200


def test_a_refresh_token_of_another_client_is_refused_and_lives(estate: Estate, browser: Browser) -> None:
    token = offline(browser).body["refresh_token"]
    assert_refused(refresh(estate, "subsidieloket", token), "invalid_grant")
    assert refresh(estate, "hinderpremie", token).status == 200


@pytest.mark.parametrize("token", ["unknown", "\0", "é", "x" * 50_000])
def test_a_refresh_token_that_never_was_is_refused(estate: Estate, token: str) -> None:
    assert_refused(refresh(estate, "hinderpremie", token), "invalid_grant")


def test_a_missing_refresh_token_is_a_faulty_request(estate: Estate) -> None:
    assert_refused(estate.call(TOKEN, "hinderpremie", {"grant_type": "refresh_token"}), "invalid_request")


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(estate: Estate, browser: Browser) -> None:
    tokens = offline(browser)
    assert_refused(refresh(estate, "hinderpremie", tokens.body["access_token"]), "invalid_grant")
    assert estate.userinfo(tokens.body["refresh_token"]).status_code == 401


def test_a_refresh_token_ends_after_its_time(estate: Estate, browser: Browser) -> None:
    token = offline(browser).body["refresh_token"]
    estate.clock.advance(estate.settings.refresh_token_seconds - 1)
    token = refresh(estate, "hinderpremie", token).body["refresh_token"]
    estate.clock.advance(1)
    assert_refused(refresh(estate, "hinderpremie", token), "invalid_grant")


def test_an_access_token_does_not_promise_more_than_its_refresh_token_has_left(
    estate: Estate, browser: Browser
) -> None:
    token = offline(browser).body["refresh_token"]
    estate.clock.advance(estate.settings.refresh_token_seconds - 60)
    again = refresh(estate, "hinderpremie", token)
    assert again.body["expires_in"] == 60
    estate.clock.advance(59)
    assert estate.userinfo(again.body["access_token"]).status_code == 200


# What IDM says today.


def relation_of(estate: Estate, given_name: str, organisation_code: str) -> Any:
    """The condition that names a person's work relation."""
    relations = (
        select(model.WorkRelation.id)
        .join(model.Person, model.Person.id == model.WorkRelation.person_id)
        .join(model.Organisation, model.Organisation.id == model.WorkRelation.organisation_id)
        .where(model.Person.given_name == given_name, model.Organisation.code == organisation_code)
    )
    with estate.facts() as facts:
        return facts.scalars(relations).one()


def yesterday(estate: Estate) -> date:
    return day_of(estate.clock()) - timedelta(days=1)


def test_a_right_that_ended_meanwhile_ends_the_refresh(estate: Estate, browser: Browser) -> None:
    tokens = offline(browser)
    relation = relation_of(estate, "Dirk", "0999910147")
    with estate.facts() as facts:
        mine = model.RightGrant.work_relation_id == relation
        facts.execute(update(model.RightGrant).where(mine).values(end_on=yesterday(estate)))
    assert_refused(refresh(estate, "hinderpremie", tokens.body["refresh_token"]), "invalid_grant")
    assert estate.userinfo(tokens.body["access_token"]).status_code == 401


def test_a_right_that_ended_between_code_and_token_gives_no_token(estate: Estate, browser: Browser) -> None:
    arrived = arrive(browser, "hinderpremie", "dirk")
    relation = relation_of(estate, "Dirk", "0999910147")
    with estate.facts() as facts:
        mine = model.RightGrant.work_relation_id == relation
        facts.execute(update(model.RightGrant).where(mine).values(voided=True))
    assert_refused(estate.redeem("hinderpremie", arrived), "invalid_grant")


def test_a_role_that_changed_meanwhile_is_told_as_it_is_now(estate: Estate, browser: Browser) -> None:
    tokens = offline(browser)
    relation = relation_of(estate, "Dirk", "0999910147")
    with estate.facts() as facts:
        mine = model.RightGrant.work_relation_id == relation
        facts.execute(update(model.RightGrant).where(mine).values(contexts=["Medewerker"]))
    roles = ["HinderpremieGebruiker-Medewerker:0999910147"]
    told_now = estate.userinfo(tokens.body["access_token"]).json
    assert told_now is not None
    assert told_now["hinderpremie_rol_3d"] == roles
    assert introspect(estate, "hinderpremie", tokens.body["access_token"])["hinderpremie_rol_3d"] == roles
    assert refresh(estate, "hinderpremie", tokens.body["refresh_token"]).claims["hinderpremie_rol_3d"] == roles


def test_an_ended_work_relation_kills_every_token_at_once(estate: Estate, browser: Browser) -> None:
    tokens = offline(browser)
    relation = relation_of(estate, "Dirk", "0999910147")
    with estate.facts() as facts:
        mine = model.WorkRelation.id == relation
        facts.execute(update(model.WorkRelation).where(mine).values(end_on=yesterday(estate)))
    assert estate.userinfo(tokens.body["access_token"]).status_code == 401
    assert introspect(estate, "hinderpremie", tokens.body["access_token"]) == {"active": False}
    assert introspect(estate, "rapport-api", tokens.body["access_token"]) == {"active": False}
    assert introspect(estate, "hinderpremie", tokens.body["refresh_token"]) == {"active": False}
    assert_refused(refresh(estate, "hinderpremie", tokens.body["refresh_token"]), "invalid_grant")
    assert error_of(browser.ask("hinderpremie", prompt="none")) == "access_denied"


def test_no_token_outlives_the_right_that_it_tells_of(estate: Estate, browser: Browser) -> None:
    # Marc's grant has twenty days and fourteen and a half hours to go, and then half an hour more.
    estate.clock.advance(20 * 86400 + 14 * 3600)
    tokens = offline(browser, "marc", key="sms")
    estate.clock.advance(1800)
    again = refresh(estate, "hinderpremie", tokens.body["refresh_token"])
    assert (again.body["expires_in"], again.claims["exp"] - again.claims["iat"]) == (1800, 1800)
    assert introspect(estate, "hinderpremie", again.body["access_token"])["exp"] == again.claims["exp"]
    estate.clock.advance(1800)
    assert estate.userinfo(again.body["access_token"]).status_code == 401
    assert_refused(refresh(estate, "hinderpremie", again.body["refresh_token"]), "invalid_grant")


# Signatures.


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_a_client_reads_its_tokens_by_the_algorithm_it_is_registered_with(estate: Estate, alg: str) -> None:
    estate.register("hinderpremie", id_token_signed_response_alg=alg)
    tokens = sign_in(estate.browser(), "hinderpremie", "dirk")
    claims = estate.verified(tokens, "hinderpremie", alg=alg)
    digest = (sha512 if alg == "EdDSA" else sha256)(tokens.body["access_token"].encode()).digest()
    assert claims["at_hash"] == urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    assert jwt.get_unverified_header(tokens.body["id_token"])["alg"] == alg
    with pytest.raises(jwt.InvalidAudienceError):
        estate.verified(tokens, "statistiek", alg=alg)
