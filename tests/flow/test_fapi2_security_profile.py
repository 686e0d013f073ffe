"""FAPI 2.0 Security Profile (final), requirement by requirement: what the public conformance plan tries, and more.

Each is tried with private_key_jwt and DPoP, with certificates, and with the two combinations of them.
"""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed448

from idp.client_registry import add
from idp.commands import CommandFailed
from idp.composition import House
from idp.profiles import unserved
from idp.tickets import challenge_of
from tests.flow.estate import VERIFIER, Arrival, Estate, Tokens
from tests.flow.fapi import SCOPE, URI, WAYS, Party
from tests.flow.journeys import assert_error_page, at_once
from tests.flow.proving import Prover
from tests.flow.reading import Page
from tests.flow.test_mtls import issue

PAR, TOKEN = "/op/v1/par", "/op/v1/token"


@pytest.fixture
def behind(estate: Estate) -> Iterator[Estate]:
    """The estate behind a proxy that hands on certificates."""
    made = estate.configured(trusted_proxies=(ip_network("10.1.0.0/16"),), mtls_host="mtls.localhost:8443")
    yield made
    made.application.close()


@pytest.fixture(params=WAYS)
def combination(behind: Estate, request: pytest.FixtureRequest) -> Party:
    """A client of each way to prove itself with each way to bind its tokens."""
    return Party(behind, request.param)


@pytest.fixture(params=WAYS[:2])
def party(behind: Estate, request: pytest.FixtureRequest) -> Party:
    """A client of each way to prove itself."""
    return Party(behind, request.param)


@pytest.fixture
def prover(behind: Estate) -> Party:
    """A client with private_key_jwt and DPoP."""
    return Party(behind)


def told(answer: Tokens) -> tuple[int, str]:
    """The status and the error."""
    return answer.status, answer.body.get("error", "")


def error(asked: Page | Arrival) -> str:
    """The error that came back, with our name."""
    assert isinstance(asked, Arrival), asked.words
    assert asked.parameters["iss"].endswith("/op")
    assert "code" not in asked.parameters
    return asked.parameters["error"]


# The usual way


def test_a_sign_in_from_end_to_end(combination: Party) -> None:
    arrived = combination.arrive()
    assert (arrived.address, arrived.parameters["state"]) == (URI, "the-state")
    assert arrived.parameters["iss"] == combination.estate.settings.issuer
    answer = combination.redeem(arrived)
    assert answer.body["token_type"] == ("DPoP" if combination.has_proofs else "Bearer")
    claims = combination.estate.verified(answer, combination.client_id, alg="ES256")
    assert claims["nonce"] == "the-nonce"
    userinfo = combination.userinfo(answer.body["access_token"])
    assert (userinfo.status_code, (userinfo.json or {})["sub"]) == (200, claims["sub"])


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_a_client_signs_by_what_the_profile_admits(behind: Estate, alg: str) -> None:
    assert Party(behind, alg=alg).tokens()


@pytest.mark.parametrize("left_out", ["state", "nonce"])
def test_state_and_nonce_may_be_left_out(party: Party, left_out: str) -> None:
    arrived = party.arrive(**{left_out: None})
    assert ("state" in arrived.parameters) is (left_out != "state")
    assert ("nonce" in party.redeem(arrived).claims) is (left_out != "nonce")


@pytest.mark.parametrize("length", [64, 384, 1000])
def test_a_long_state_and_nonce_come_back_whole(prover: Party, length: int) -> None:
    arrived = prover.arrive(state="s" * length, nonce="n" * length)
    assert arrived.parameters["state"] == "s" * length
    assert prover.redeem(arrived).claims["nonce"] == "n" * length


def test_without_openid_it_is_plain_oauth(party: Party) -> None:
    tokens = party.tokens(scope="profile")
    assert tokens["token_type"] == ("DPoP" if party.has_proofs else "Bearer")
    assert "id_token" not in tokens


def test_a_machine_is_held_to_it_too(behind: Estate) -> None:
    for way in WAYS:
        changes = {"grant_types": ["client_credentials"], "redirect_uris": [], "scope": "vo_info", "organisation": ""}
        machine = Party(behind, way, client_id=way.replace(" ", "-"), changes=changes)
        asked = {"grant_type": "client_credentials"}
        assert machine.post(TOKEN, asked).body["token_type"] == ("DPoP" if machine.has_proofs else "Bearer")
        if machine.has_assertions:
            assert told(machine.post(TOKEN, asked, is_bound=False)) == (400, "invalid_request")


def test_the_order_of_scopes_does_not_matter(party: Party) -> None:
    assert set(party.tokens(scope=" ".join(reversed(SCOPE.split())))["scope"].split()) == set(SCOPE.split())


def test_a_claim_can_be_asked_one_by_one(prover: Party) -> None:
    wanted = '{"id_token": {"given_name": {"essential": true}, "unknown": null}}'
    answer = prover.redeem(prover.arrive(scope="openid profile", claims=wanted))
    assert answer.claims["given_name"]


def test_the_address_is_good_for_less_than_ten_minutes(party: Party) -> None:
    assert 5 <= party.push().body["expires_in"] < 600


def test_the_person_may_stop(party: Party) -> None:
    browser = party.estate.browser()
    page = browser.open(party.address(party.pushed()))
    assert isinstance(page, Page)
    arrived = browser.open(page.address.rpartition("/")[0] + "/cancel")
    assert error(arrived) == "access_denied"


def test_the_browser_is_sent_on_by_303_alone(prover: Party) -> None:
    browser = prover.estate.browser()
    assert browser.get(prover.address(prover.pushed())).status_code == 303
    prover.arrive(browser)
    assert browser.get(prover.address(prover.pushed())).status_code == 303


# What the browser brings


def test_a_request_that_was_not_pushed_is_refused(party: Party) -> None:
    browser = party.estate.browser()
    assert error(browser.open("/op/v1/auth?" + urlencode(party.request()))) == "invalid_request"
    assert error(browser.ask(party.client_id, request=party.request_object())) == "invalid_request"


def test_a_request_object_at_an_address_of_the_client_is_no_pushed_one(behind: Estate) -> None:
    party = Party(behind, changes={"request_uris": ["https://rp.example.be/request.jwt"]})
    asked = party.estate.browser().ask(party.client_id, request_uri="https://rp.example.be/request.jwt")
    assert error(asked) in ("invalid_request", "invalid_request_uri")


def test_what_stands_beside_the_name_counts_for_nothing(party: Party) -> None:
    uri = party.pushed()
    others = {"state": "evil", "nonce": "evil", "redirect_uri": "https://evil.example/", "scope": "openid"}
    browser = party.estate.browser()
    page = browser.open(party.address(uri, **others))
    arrived = browser.sign_in(page, "dirk", "eid")
    assert isinstance(arrived, Arrival)
    assert (arrived.address, arrived.parameters["state"]) == (URI, "the-state")
    assert party.redeem(arrived).claims["nonce"] == "the-nonce"


def test_a_state_beside_the_name_alone_does_not_come_back(party: Party) -> None:
    browser = party.estate.browser()
    page = browser.open(party.address(party.pushed(state=None), state="outside"))
    arrived = browser.sign_in(page, "dirk", "eid")
    assert isinstance(arrived, Arrival)
    assert "state" not in arrived.parameters


def test_a_name_may_be_opened_again_until_its_code_is_issued_and_no_more(party: Party) -> None:
    uri, browser = party.pushed(), party.estate.browser()
    assert isinstance(browser.open(party.address(uri)), Page)
    assert party.arrive(browser, uri=uri).code
    assert_error_page(browser.open(party.address(uri)))


def test_a_name_ends(party: Party) -> None:
    uri = party.pushed()
    party.estate.clock.advance(91)
    assert_error_page(party.estate.browser().open(party.address(uri)))


def test_a_name_is_its_clients_alone(party: Party) -> None:
    other = Party(party.estate, party.way, client_id="other-bank")
    assert_error_page(party.estate.browser().open(other.address(party.pushed())))


# What is pushed


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://rp.example.be/callback/"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/callback"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"request_uri": "https://rp.example.be/request.jwt"}, "invalid_request"),
    ],
    ids=str,
)
def test_what_may_not_be_asked_is_refused_when_it_is_pushed(
    party: Party, changes: dict[str, str | None], expected: str
) -> None:
    assert told(party.push(**changes)) == (400, expected)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_post_pushes(prover: Party, method: str) -> None:
    answer = prover.estate.http().open(PAR, method=method, base_url=prover.estate.origin, data=prover.request())
    assert answer.status_code == 405


def test_without_its_proof_no_client_pushes(party: Party) -> None:
    for path, form in ((PAR, party.request()), (TOKEN, {"grant_type": "client_credentials"})):
        answer = party.estate.post(path, form | {"client_id": party.client_id})
        assert (answer.status_code, (answer.json or {})["error"]) == (401, "invalid_client")


def test_a_secret_is_no_proof(party: Party) -> None:
    form = party.request() | {"client_id": party.client_id, "client_secret": "hinderpremie-geheim"}
    assert party.estate.post(PAR, form).status_code == 401


# How the client proves itself


def by(party: Party, path: str = PAR, **assertion: Any) -> Tokens:
    """Call with an assertion of another make."""
    form = party.request() if path == PAR else {"grant_type": "refresh_token", "refresh_token": "x"}
    proof = {"client_assertion": party.assertion(**assertion)}
    proof["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return party.post(path, form | proof, is_bound=path == TOKEN)


@pytest.mark.parametrize("path", [PAR, TOKEN])
@pytest.mark.parametrize(
    "aud",
    [
        "http://localhost:8000/op/v1/token",
        "http://localhost:8000/op/v1/par",
        ["http://localhost:8000/op"],
        ["http://localhost:8000/op", "http://localhost:8000/op/v1/token"],
        ["http://localhost:8000/op/v1/par"],
        "http://localhost:8000/op/",
        "https://evil.example/op",
        None,
    ],
    ids=str,
)
def test_an_assertion_is_for_the_issuer_alone_as_text(prover: Party, path: str, aud: Any) -> None:
    assert told(by(prover, path, aud=aud)) == (401, "invalid_client")


@pytest.mark.parametrize("path", [PAR, TOKEN])
@pytest.mark.parametrize(
    ("dates", "is_taken"),
    [
        ({"iat": 8, "nbf": 8}, True),
        ({"iat": 10, "nbf": 10}, True),
        ({"iat": 61}, False),
        ({"nbf": 61}, False),
        ({"iat": 70, "nbf": 70}, False),
        ({"exp": -300}, False),
        ({"exp": -61}, False),
        ({"exp": 3601}, False),
    ],
    ids=str,
)
def test_its_dates_count(prover: Party, path: str, dates: dict[str, int], is_taken: bool) -> None:
    now = int(prover.estate.clock())
    answer = by(prover, path, **{name: now + value for name, value in dates.items()})
    assert (answer.status != 401) is is_taken
    if not is_taken:
        assert told(answer) == (401, "invalid_client")


@pytest.mark.parametrize(
    "changes", [{"exp": None}, {"jti": None}, {"jti": ""}, {"iss": None}, {"iss": "other"}, {"sub": None}], ids=str
)
def test_it_says_all_that_it_must(prover: Party, changes: dict[str, Any]) -> None:
    assert by(prover, TOKEN, **changes).body["error"] in ("invalid_client", "invalid_request")


def test_it_serves_once(prover: Party) -> None:
    assert by(prover, jti="once").status == 201
    assert told(by(prover, jti="once")) == (401, "invalid_client")
    assert told(by(prover, TOKEN, jti="once")) == (401, "invalid_client")


def test_it_serves_once_also_for_twenty_at_once(prover: Party) -> None:
    form = prover.request() | {
        "client_assertion": prover.assertion(),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    statuses = at_once(20, lambda _: prover.post(PAR, form, is_bound=False).status)
    assert sorted(statuses) == [201] + [401] * 19


@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "dpop+jwt", "at+jwt"])
def test_a_token_of_another_kind_is_no_assertion(prover: Party, typ: str) -> None:
    assert told(by(prover, header={"typ": typ})) == (401, "invalid_client")


@pytest.mark.parametrize(("made", "alg"), [("PS256", "RS256"), ("PS256", "PS384"), ("ES384", "ES384")])
def test_an_assertion_signed_otherwise_is_none(behind: Estate, made: str, alg: str) -> None:
    party = Party(behind, alg="PS256" if made == "PS256" else "ES256")
    if made == "ES384":
        other = Prover(behind, "ES384")
        behind.register(party.client_id, jwks={"keys": [other.jwk]})
        behind.clock.advance(1)
        now = int(behind.clock())
        claims = {"iss": "bank", "sub": "bank", "aud": behind.settings.issuer, "exp": now + 60, "jti": "x"}
        form = party.request() | {"client_assertion": jwt.encode(claims, other.key, algorithm="ES384")}
        form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assert told(party.post(PAR, form, is_bound=False)) == (401, "invalid_client")
    else:
        assert by(party).status == 201
        assert told(by(party, alg=alg)) == (401, "invalid_client")


def test_an_edwards_key_of_the_larger_curve_signs_nothing(behind: Estate) -> None:
    large = ed448.Ed448PrivateKey.generate()
    jwk = jwt.get_algorithm_by_name("EdDSA").to_jwk(large.public_key(), as_dict=True)
    party = Party(behind, alg="EdDSA")
    behind.register("bank", jwks={"keys": [party.keys[1], jwk]})
    behind.clock.advance(1)
    now = int(behind.clock())
    claims = {"iss": "bank", "sub": "bank", "aud": behind.settings.issuer, "exp": now + 60, "jti": "x"}
    form = party.request() | {"client_assertion": jwt.encode(claims, large, algorithm="EdDSA")}
    form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert told(party.post(PAR, form, is_bound=False)) == (401, "invalid_client")
    assert by(party).status == 201


@pytest.mark.parametrize("key", ["short", "private", "symmetric"])
def test_a_key_that_is_too_weak_or_not_public_is_not_registered(behind: Estate, key: str) -> None:
    keys = {
        "short": {"kty": "RSA", "n": "s" + "A" * 170, "e": "AQAB"},  # 1024 bits
        "private": Party(behind).keys[0],
        "symmetric": {"kty": "oct", "k": "A" * 43},
    }
    with pytest.raises(CommandFailed, match="profile fapi2: jwks"):
        Party(behind, changes={"jwks": {"keys": [keys[key]]}})


def test_an_unsigned_assertion_is_none(prover: Party) -> None:
    now = int(prover.estate.clock())
    claims = {"iss": "bank", "sub": "bank", "aud": prover.estate.settings.issuer, "exp": now + 60, "jti": "x"}
    form = prover.request() | {"client_assertion": jwt.encode(claims, "", algorithm="none")}
    form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert told(prover.post(PAR, form, is_bound=False)) == (401, "invalid_client")


def test_another_clients_assertion_is_none(prover: Party) -> None:
    other = Party(prover.estate, client_id="other-bank")
    form = prover.request() | {"client_assertion": other.assertion()}
    form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert prover.post(PAR, form, is_bound=False).body["error"] in ("invalid_client", "invalid_request")


def test_another_certificate_is_no_proof(behind: Estate) -> None:
    party = Party(behind, "mtls")
    party.card = issue(behind, subject="CN=bank,C=BE")
    assert told(party.push()) == (401, "invalid_client")


# The token endpoint


def test_without_a_key_to_bind_it_to_there_is_no_token(combination: Party) -> None:
    answer = combination.redeem(combination.arrive(), is_bound=False)
    if combination.has_assertions:
        assert told(answer) == (400, "invalid_request")
    else:  # the certificate that proves it was shown, and binds; without one it is nobody
        assert answer.body["token_type"] == "Bearer"
        assert combination.estate.userinfo(answer.body["access_token"]).status_code == 401
        nobody = combination.estate.post(TOKEN, {"client_id": "bank", "grant_type": "authorization_code"})
        assert (nobody.status_code, (nobody.json or {})["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("way", ["private_key_jwt", "mtls and dpop"])
def test_a_client_registered_for_proofs_has_no_other_way(behind: Estate, way: str) -> None:
    party = Party(behind, way, changes={"dpop_bound_access_tokens": True})
    arrived = party.arrive()
    assert told(party.redeem(arrived, is_bound=False)) == (400, "invalid_request")
    assert told(party.redeem(arrived)) == (400, "use_dpop_nonce")


@pytest.mark.parametrize("verifier", ["", "another-verifier-of-at-least-forty-three-characters"])
def test_the_code_needs_its_verifier(party: Party, verifier: str) -> None:
    assert told(party.redeem(party.arrive(), code_verifier=verifier)) == (400, "invalid_grant")


def test_a_code_serves_once_and_a_second_use_ends_what_the_first_got(party: Party) -> None:
    arrived = party.arrive()
    tokens = party.redeem(arrived).body
    party.estate.clock.advance(1)
    assert told(party.redeem(arrived)) == (400, "invalid_grant")
    assert party.userinfo(tokens["access_token"]).status_code == 401


def test_a_code_ends_within_a_minute(party: Party) -> None:
    arrived = party.arrive()
    party.estate.clock.advance(60)
    assert told(party.redeem(arrived)) == (400, "invalid_grant")


def test_a_code_is_its_clients_alone(party: Party) -> None:
    other = Party(party.estate, party.way, client_id="other-bank")
    assert told(other.redeem(party.arrive())) == (400, "invalid_grant")


def test_the_code_is_bound_to_its_address(party: Party) -> None:
    assert told(party.redeem(party.arrive(), redirect_uri="https://rp.example.be/other")) == (400, "invalid_grant")


def test_client_id_may_be_left_out_where_the_proof_names_it(prover: Party) -> None:
    arrived = prover.arrive()
    form = {"grant_type": "authorization_code", "code": arrived.code, "code_verifier": VERIFIER, "redirect_uri": URI}
    form |= {"client_assertion": prover.assertion()}
    form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    answer = prover.estate.post(TOKEN, form, headers=prover.prover.sent(TOKEN))
    assert answer.status_code == 200


def refresh(party: Party, token: str, **options: Any) -> Tokens:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return party.post(TOKEN, form, **options)


def test_a_refresh_token_stays_and_is_its_clients_alone(combination: Party) -> None:
    token = combination.tokens()["refresh_token"]
    for _ in range(2):
        combination.estate.clock.advance(31)
        again = refresh(combination, token)
        assert (again.status, again.body["refresh_token"]) == (200, token)
        assert combination.userinfo(again.body["access_token"]).status_code == 200
    other = Party(combination.estate, combination.way, client_id="other-bank")
    assert told(refresh(other, token)) == (400, "invalid_grant")
    if combination.has_assertions:
        assert told(refresh(combination, token, is_bound=False)) == (400, "invalid_request")


def test_a_refresh_token_does_not_rotate_though_the_client_was_once_registered_so(behind: Estate) -> None:
    with pytest.raises(CommandFailed, match="refresh tokens do not rotate"):
        Party(behind, changes={"refresh_token_rotation": True})


# What holds the token


def test_a_token_serves_its_holder_alone(combination: Party) -> None:
    token = combination.tokens()["access_token"]
    assert combination.userinfo(token).status_code == 200
    assert combination.estate.userinfo(token).status_code == 401
    other = Party(combination.estate, combination.way, client_id="other-bank")
    assert other.userinfo(token).status_code == 401


def test_the_scheme_is_read_in_any_case(party: Party) -> None:
    token = party.tokens()["access_token"]
    for scheme in ("DPOP", "dpop", "dPoP") if party.has_proofs else ("BEARER", "bearer", "bEaReR"):
        sent = party.connection()
        if party.has_proofs:
            sent["headers"] |= party.prover.userinfo(token)
        sent["headers"]["Authorization"] = f"{scheme} {token}"
        assert party.estate.get("/op/v1/userinfo", **sent).status_code == 200


@pytest.mark.parametrize("seconds", [-10, 10])
def test_a_clock_may_be_ten_seconds_off(prover: Party, seconds: int) -> None:
    arrived = prover.arrive()
    form = {"grant_type": "authorization_code", "code": arrived.code, "code_verifier": VERIFIER, "redirect_uri": URI}
    at = int(prover.estate.clock()) + seconds
    answer = prover.post(TOKEN, form, is_bound=False, headers=prover.prover.sent(TOKEN, iat=at))
    assert answer.status == 200
    assert prover.userinfo(answer.body["access_token"], iat=at).status_code == 200


def test_dates_of_a_proof_that_nobody_asked_for_do_no_harm(prover: Party) -> None:
    token, now = prover.tokens()["access_token"], int(prover.estate.clock())
    assert prover.userinfo(token, nbf=now, exp=now + 300).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "PUT"},
        {"htm": None},
        {"htu": "https://evil.example/op/v1/userinfo"},
        {"htu": None},
        {"ath": "AAAA"},
        {"ath": None},
        {"iat": 3600},
        {"iat": -3600},
        {"iat": None},
        {"jti": None},
    ],
    ids=str,
)
def test_a_proof_of_another_request_is_none(prover: Party, changes: dict[str, Any]) -> None:
    token = prover.tokens()["access_token"]
    if isinstance(changes.get("iat"), int):
        changes = {"iat": int(prover.estate.clock()) + changes["iat"]}
    assert prover.userinfo(token, **changes).status_code == 401


@pytest.mark.parametrize("tail", ["?a=b#c", "#c", ""])
def test_query_and_fragment_of_its_address_count_for_nothing(prover: Party, tail: str) -> None:
    htu = prover.estate.origin + "/op/v1/userinfo" + tail
    assert prover.userinfo(prover.tokens()["access_token"], htu=htu).status_code == 200


def test_a_proof_serves_once(prover: Party) -> None:
    token = prover.tokens()["access_token"]
    assert prover.userinfo(token, jti="fixed").status_code == 200
    assert prover.userinfo(token, jti="fixed").status_code == 401


@pytest.mark.parametrize("header", [{"typ": None}, {"typ": "JWT"}, {"jwk": None}], ids=str)
def test_a_proof_of_another_make_is_none(prover: Party, header: dict[str, Any]) -> None:
    token = prover.tokens()["access_token"]
    prover.prover.header = header
    assert prover.userinfo(token).status_code == 401


def test_a_proof_may_say_more(prover: Party) -> None:
    token = prover.tokens()["access_token"]
    prover.prover.header = {"extra": "x", "kid": "y"}
    assert prover.userinfo(token, extra="z").status_code == 200


def test_two_proofs_a_broken_one_and_one_by_another_key_are_none(prover: Party) -> None:
    token = prover.tokens()["access_token"]
    sent = prover.prover.userinfo(token)
    for proof in (
        f"{sent['DPoP']}, {prover.prover.userinfo(token)['DPoP']}",
        "x",
        "a.b.c",
        sent["DPoP"][:-6] + "AAAAAA",
    ):
        assert prover.estate.get("/op/v1/userinfo", headers=sent | {"DPoP": proof}).status_code == 401
    assert prover.userinfo(token, prover=Prover(prover.estate)).status_code == 401


@pytest.mark.parametrize("alg", ["RS256", "ES384", "ES512"])
def test_a_proof_is_signed_by_what_the_profile_admits(prover: Party, alg: str) -> None:
    other = Prover(prover.estate, alg)
    arrived = prover.arrive()
    form = {"grant_type": "authorization_code", "code": arrived.code, "code_verifier": VERIFIER, "redirect_uri": URI}
    refused = prover.post(TOKEN, form, is_bound=False, headers=other.sent(TOKEN))
    assert told(refused) == (400, "invalid_dpop_proof")
    good = prover.post(TOKEN, form, is_bound=False, headers=Prover(prover.estate, "EdDSA").sent(TOKEN))
    assert good.status == 200


# The code, bound to the key of the proof (RFC 9449 §10)


def push_bound(party: Party, proving: Prover | None, **parameters: str) -> Tokens:
    headers = proving.sent(PAR) if proving else {}
    return party.post(PAR, party.request(**parameters), is_bound=False, headers=headers)


@pytest.mark.parametrize("has_jkt", [True, False])
@pytest.mark.parametrize("has_proof", [True, False])
def test_a_code_is_bound_to_the_key_that_was_named_or_proven(prover: Party, has_jkt: bool, has_proof: bool) -> None:
    own = prover.prover
    parameters = {"dpop_jkt": own.thumbprint} if has_jkt else {}
    uri = push_bound(prover, own if has_proof else None, **parameters).body["request_uri"]
    arrived = prover.arrive(uri=uri)
    form = {"grant_type": "authorization_code", "code": arrived.code, "code_verifier": VERIFIER, "redirect_uri": URI}
    other = prover.post(TOKEN, form, is_bound=False, headers=Prover(prover.estate).sent(TOKEN))
    assert (other.status == 200) is not (has_jkt or has_proof)
    again = prover.arrive(uri=push_bound(prover, own if has_proof else None, **parameters).body["request_uri"])
    assert prover.redeem(again).status == 200


def test_a_proof_and_a_name_of_another_key_do_not_go_together(prover: Party) -> None:
    refused = push_bound(prover, prover.prover, dpop_jkt=Prover(prover.estate).thumbprint)
    assert told(refused) == (400, "invalid_dpop_proof")


# The switch itself


@pytest.mark.parametrize(
    "changes",
    [
        {"profile": "fapi1"},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "none"},
        {"redirect_uris": ["http://localhost:8001/callback"]},
        {"redirect_uris": [URI, "be.example.app:/cb"]},
        {"id_token_signed_response_alg": "RS256"},
        {"authorization_signed_response_alg": "RS256"},
        {"introspection_signed_response_alg": "RS256"},
        {"userinfo_signed_response_alg": "RS256"},
        {"token_endpoint_auth_signing_alg": "RS256"},
        {"request_object_signing_alg": "PS512"},
        {"grant_types": ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]},
    ],
    ids=str,
)
def test_what_the_profile_does_not_admit_is_not_registered(behind: Estate, changes: dict[str, Any]) -> None:
    with pytest.raises(CommandFailed, match="profile"):
        Party(behind, changes=changes)


def test_without_iss_in_answers_there_are_no_clients_of_the_profile(behind: Estate) -> None:
    party = Party(behind)
    silent = behind.configured(iss_parameter=False)
    house = House(silent.settings, silent.clock)
    assert "bank" in unserved(house.clients.all().values(), silent.settings)
    with pytest.raises(CommandFailed, match="TOEGANG_ISS_PARAMETER"):
        add(dict(behind.client("bank")), house.clients, hasher=house.master_key, settings=silent.settings)
    house.engine.dispose()
    party.estate = silent
    assert told(party.push()) == (400, "unauthorized_client")
    assert told(party.post(TOKEN, {"grant_type": "client_credentials"})) == (400, "unauthorized_client")
    silent.application.close()


def registration(party: Party, **changes: Any) -> dict[str, Any]:
    body = {
        "redirect_uris": [URI],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [party.keys[1]]},
        "profile": "fapi2",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def test_an_application_may_hold_itself_to_it_and_not_let_go(behind: Estate) -> None:
    party = Party(behind)
    home = behind.configured(registration="open")
    made = home.http().post("/op/v1/register", json=registration(party), base_url=home.origin)
    body = made.json or {}
    assert (made.status_code, body["profile"], body["id_token_signed_response_alg"]) == (201, "fapi2", "ES256")
    own = {"headers": {"Authorization": f"Bearer {body['registration_access_token']}"}, "base_url": home.origin}
    path = body["registration_client_uri"].removeprefix(home.origin)
    for profile, status in ((None, 400), ("", 400), (["fapi2"], 400), ("fapi2-message-signing", 200), ("fapi2", 400)):
        asked = registration(party, profile=profile) | {"client_id": body["client_id"]}
        answer = home.http().put(path, json=asked, **own)
        assert answer.status_code == status, (profile, answer.text)
    refused = registration(party, token_endpoint_auth_method="client_secret_basic")
    assert home.http().post("/op/v1/register", json=refused, base_url=home.origin).status_code == 400
    home.application.close()
    silent = home.configured(iss_parameter=False)
    answer = silent.http().post("/op/v1/register", json=registration(party), base_url=home.origin)
    assert (answer.status_code, (answer.json or {})["error"]) == (400, "invalid_client_metadata")
    silent.application.close()


def test_a_jwt_access_token_is_signed_by_what_the_profile_admits(behind: Estate) -> None:
    party = Party(behind, changes={"access_token_format": "jwt"})
    token = party.tokens()["access_token"]
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    assert party.userinfo(token).status_code == 200


def test_a_verifier_is_hashed_by_sha_256() -> None:
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_discovery_has_what_the_profile_needs(behind: Estate) -> None:
    said = behind.get("/op/.well-known/openid-configuration").json or {}
    admitted = {"PS256", "ES256", "EdDSA"}
    for name in (
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "dpop_signing_alg_values_supported",
        "request_object_signing_alg_values_supported",
        "authorization_signing_alg_values_supported",
    ):
        assert admitted & set(said[name]), name
    assert {"private_key_jwt", "self_signed_tls_client_auth"} <= set(said["token_endpoint_auth_methods_supported"])
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["authorization_response_iss_parameter_supported"] is True
    assert said["tls_client_certificate_bound_access_tokens"] is True
