"""FAPI 2.0 Message Signing (final), requirement by requirement: requests signed by the client, answers signed by us,
and signed introspection; tried with private_key_jwt and DPoP, and with certificates.
"""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import jwt
import pytest

from idp.commands import CommandFailed
from tests.flow.estate import Arrival, Estate, Tokens
from tests.flow.fapi import URI, WAYS, Party
from tests.flow.journeys import assert_error_page
from tests.flow.proving import Prover
from tests.flow.reading import Page
from tests.flow.sealing import Recipient, encrypted
from tests.flow.test_encryption import our_key

PAR = "/op/v1/par"
SIGNED = "application/token-introspection+jwt"


@pytest.fixture
def behind(estate: Estate) -> Iterator[Estate]:
    """The estate behind a proxy that hands on certificates."""
    made = estate.configured(trusted_proxies=(ip_network("10.1.0.0/16"),), mtls_host="mtls.localhost:8443")
    yield made
    made.application.close()


@pytest.fixture(params=WAYS)
def combination(behind: Estate, request: pytest.FixtureRequest) -> Party:
    """A client of each way to prove itself with each way to bind its tokens."""
    return Party(behind, request.param, profile="fapi2-message-signing")


@pytest.fixture(params=WAYS[:2])
def party(behind: Estate, request: pytest.FixtureRequest) -> Party:
    """A client of each way to prove itself."""
    return Party(behind, request.param, profile="fapi2-message-signing")


@pytest.fixture
def prover(behind: Estate) -> Party:
    """A client with private_key_jwt and DPoP."""
    return Party(behind, profile="fapi2-message-signing")


def told(answer: Tokens) -> tuple[int, str]:
    """The status and the error."""
    return answer.status, answer.body.get("error", "")


def push(party: Party, request: str, **beside: str) -> Tokens:
    """Push this object."""
    return party.post(PAR, {"request": request, **beside}, is_bound=False)


# The usual way


def test_a_sign_in_from_end_to_end(combination: Party) -> None:
    arrived = combination.arrive()
    assert arrived.parameters["state"] == "the-state"
    answer = combination.redeem(arrived)
    assert combination.estate.verified(answer, combination.client_id, alg="ES256")["nonce"] == "the-nonce"
    assert combination.userinfo(answer.body["access_token"]).status_code == 200


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_requests_are_signed_by_what_the_profile_admits(behind: Estate, alg: str) -> None:
    assert Party(behind, alg=alg, profile="fapi2-message-signing").tokens()


def test_the_answer_is_one_signed_parameter(party: Party) -> None:
    browser = party.estate.browser()
    page = browser.sign_in(browser.open(party.address(party.pushed())), "dirk", "eid")
    assert isinstance(page, Arrival)
    assert set(page.parameters) == {"response"}
    assert party.read(page).parameters["iss"] == party.estate.settings.issuer


@pytest.mark.parametrize("mode", ["query.jwt", "fragment.jwt"])
def test_it_may_travel_otherwise(prover: Party, mode: str) -> None:
    assert prover.arrive(response_mode=mode).code


def test_a_refusal_is_signed_too(party: Party) -> None:
    browser = party.estate.browser()
    page = browser.open(party.address(party.pushed()))
    assert isinstance(page, Page)
    arrived = browser.open(page.address.rpartition("/")[0] + "/cancel")
    assert isinstance(arrived, Arrival)
    assert set(arrived.parameters) == {"response"}
    assert party.read(arrived).parameters["error"] == "access_denied"


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


@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "JWT", "application/oauth-authz-req+jwt"])
def test_the_type_of_a_request_is_known(prover: Party, typ: str) -> None:
    assert push(prover, prover.request_object(header={"typ": typ})).status == 201


def test_the_issuer_may_be_one_audience_of_several(party: Party) -> None:
    aud = [party.estate.settings.issuer, "https://another.example/op"]
    assert push(party, party.request_object(aud=aud)).status == 201


@pytest.mark.parametrize("alg", ["RSA-OAEP-256", "ECDH-ES"])
def test_a_signed_request_may_be_encrypted_to_us(party: Party, alg: str) -> None:
    sealed = encrypted(party.request_object(), our_key(party.estate, alg), alg=alg, enc="A256GCM")
    assert party.arrive(uri=push(party, sealed).body["request_uri"]).code


def test_a_signed_answer_may_be_encrypted_to_the_client(behind: Estate) -> None:
    recipient = Recipient("ECDH-ES+A256KW")
    party = Party(behind, profile="fapi2-message-signing")
    keys = {"keys": [party.keys[1], recipient.jwk]}
    behind.register("bank", jwks=keys, authorization_encrypted_response_alg="ECDH-ES+A256KW")
    behind.clock.advance(1)
    browser = behind.browser()
    page = browser.sign_in(browser.open(party.address(party.pushed())), "dirk", "eid")
    assert isinstance(page, Arrival)
    _, content = recipient.open(page.parameters["response"])
    assert party.read(Arrival(URI, {"response": content.decode()})).code


# What is beside


def test_what_is_beside_the_object_counts_for_nothing(party: Party) -> None:
    beside = {"state": "evil", "nonce": "evil", "redirect_uri": "https://evil.example/", "scope": "openid"}
    arrived = party.arrive(uri=push(party, party.request_object(), **beside).body["request_uri"])
    assert (arrived.address, arrived.parameters["state"]) == (URI, "the-state")
    assert party.redeem(arrived).claims["nonce"] == "the-nonce"


def test_a_state_outside_alone_does_not_come_back(party: Party) -> None:
    uri = push(party, party.request_object(state=None), state="outside").body["request_uri"]
    browser = party.estate.browser()
    page = browser.sign_in(browser.open(party.address(uri, state="outside")), "dirk", "eid")
    assert isinstance(page, Arrival)
    assert "state" not in party.read(page).parameters


# What is refused


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"nbf": None},
        {"aud": "https://another.example/op"},
        {"aud": None},
        {"aud": "http://localhost:8000/op/v1/par"},
        {"iss": "another"},
        {"iss": None},
        {"client_id": "another"},
        {"sub": "bank"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
        {"request": "x"},
    ],
    ids=str,
)
def test_an_object_without_what_it_must_say_is_refused(party: Party, changes: dict[str, Any]) -> None:
    assert told(push(party, party.request_object(**changes))) == (400, "invalid_request_object")


@pytest.mark.parametrize(
    ("dates", "is_taken"),
    [
        ({"iat": 8, "nbf": 8}, True),
        ({"iat": 10, "nbf": 10}, True),
        ({"nbf": 61}, False),
        ({"iat": 61}, False),
        ({"exp": 3600}, True),
        ({"exp": 3601}, False),
        ({"exp": 4200}, False),
        ({"nbf": -3500, "exp": 60}, True),
        ({"nbf": -3601, "exp": -1}, False),
        ({"nbf": -4200, "exp": 60}, False),
        ({"exp": -10}, False),
        ({"exp": -300}, False),
    ],
    ids=str,
)
def test_its_dates_count(party: Party, dates: dict[str, int], is_taken: bool) -> None:
    now = int(party.estate.clock())
    answer = push(party, party.request_object(**{name: now + value for name, value in dates.items()}))
    assert told(answer) == ((201, "") if is_taken else (400, "invalid_request_object"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_mode": None}, "invalid_request"),
        ({"response_mode": "query"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
    ],
    ids=str,
)
def test_what_it_asks_is_checked_as_any_request(party: Party, changes: dict[str, Any], expected: str) -> None:
    assert told(push(party, party.request_object(**changes))) == (400, expected)


def test_an_unsigned_request_is_refused(party: Party) -> None:
    assert told(party.post(PAR, party.request(), is_bound=False)) == (400, "invalid_request")


def test_an_object_that_says_none_is_unsigned(party: Party) -> None:
    claims = jwt.decode(party.request_object(), options={"verify_signature": False})
    assert told(push(party, jwt.encode(claims, "", algorithm="none"))) == (400, "invalid_request_object")


def test_a_wrong_signature_and_another_clients_key_are_refused(party: Party) -> None:
    whole = party.request_object()
    assert told(push(party, whole[:-8] + "AAAAAAAA")) == (400, "invalid_request_object")
    claims = jwt.decode(whole, options={"verify_signature": False})
    other = Party(party.estate, party.way, client_id="other-bank", profile="fapi2-message-signing")
    assert told(push(party, other.sign(claims))) == (400, "invalid_request_object")
    assert told(push(party, jwt.encode(claims, Prover(party.estate).key, algorithm="ES256")))[0] == 400


@pytest.mark.parametrize("alg", ["RS256", "PS384", "RS512"])
def test_what_the_profile_does_not_admit_signs_nothing(behind: Estate, alg: str) -> None:
    party = Party(behind, alg="PS256", profile="fapi2-message-signing")
    assert told(push(party, party.request_object(alg=alg))) == (400, "invalid_request_object")
    assert push(party, party.request_object()).status == 201


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "client-authentication+jwt"])
def test_a_token_of_another_kind_is_no_request(prover: Party, typ: str) -> None:
    assert told(push(prover, prover.request_object(header={"typ": typ}))) == (400, "invalid_request_object")


def test_an_object_is_no_assertion_and_an_assertion_no_object(prover: Party) -> None:
    form = {"client_assertion": prover.request_object(sub="bank")}
    form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert told(prover.post(PAR, form | {"request": prover.request_object()}, is_bound=False)) == (
        401,
        "invalid_client",
    )
    assert told(push(prover, prover.assertion())) == (400, "invalid_request_object")


def test_an_object_and_an_address_do_not_go_together(prover: Party) -> None:
    beside = {"request_uri": "urn:ietf:params:oauth:request_uri:x"}
    assert told(push(prover, prover.request_object(), **beside)) == (400, "invalid_request")


def test_an_object_in_the_browsers_address_is_refused(party: Party) -> None:
    arrived = party.estate.browser().ask(party.client_id, request=party.request_object())
    assert isinstance(arrived, Arrival)
    assert party.read(arrived).parameters["error"] == "invalid_request"


def test_a_name_serves_once(party: Party) -> None:
    uri, browser = party.pushed(), party.estate.browser()
    assert party.arrive(browser, uri=uri).code
    assert_error_page(browser.open(party.address(uri)))


# A client of the Security Profile may do the same, and then by the same rules


def test_a_client_of_the_security_profile_may_sign_by_the_same_rules(behind: Estate) -> None:
    party = Party(behind)
    assert push(party, party.request_object()).status == 201
    assert told(push(party, party.request_object(nbf=None))) == (400, "invalid_request_object")
    assert party.arrive(response_mode="jwt").code
    behind.register("bank", require_signed_request_object=True)
    behind.clock.advance(1)
    assert told(party.post(PAR, party.request(), is_bound=False)) == (400, "invalid_request")


# Introspection


@pytest.mark.parametrize("accept", [SIGNED, "application/json", "*/*", ""])
def test_introspection_is_signed_whatever_is_accepted(party: Party, accept: str) -> None:
    token = party.tokens()["access_token"]
    form: dict[str, str] = {"token": token, "client_id": party.client_id}
    if party.has_assertions:
        form |= {"client_assertion": party.assertion()}
        form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    sent = party.connection()
    sent["headers"] |= {"Accept": accept}
    answer = party.estate.post("/op/v1/introspect", form, **sent)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, SIGNED)
    header = jwt.get_unverified_header(answer.text)
    assert (header["alg"], header["typ"]) == ("ES256", "token-introspection+jwt")
    key = jwt.PyJWKSet.from_dict(party.estate.get("/op/v1/keys").json or {})[header["kid"]]
    options: Any = {"verify_iat": False}
    issuer = party.estate.settings.issuer
    claims = jwt.decode(
        answer.text, key, algorithms=["ES256"], audience=party.client_id, issuer=issuer, options=options
    )
    said = claims["token_introspection"]
    assert said["active"] is True
    assert set(said["cnf"]) == ({"jkt"} if party.has_proofs else {"x5t#S256"})


def test_what_is_told_to_a_client_of_the_profile_is_signed_by_what_that_admits(behind: Estate) -> None:
    party = Party(behind)
    said = party.post("/op/v1/introspect", {"token": party.tokens()["access_token"]}, is_bound=False)
    assert jwt.get_unverified_header(said.body["jwt"])["alg"] == "ES256"


def test_who_signs_needs_keys(behind: Estate) -> None:
    changes = {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=bank", "jwks": None}
    with pytest.raises(CommandFailed, match="needs jwks or jwks_uri"):
        Party(behind, "mtls", profile="fapi2-message-signing", changes=changes)
