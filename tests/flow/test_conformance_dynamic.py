"""What the Config, Dynamic and third-party-initiated OP profiles of OpenID Connect demand, a test for each demand."""

import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from idp.composition import House
from tests.flow.estate import Estate
from tests.flow.journeys import assert_error_page
from tests.flow.listener import Listener, listening
from tests.flow.party import CALLBACK, Party, metadata_of, open_to_all, register, try_register
from tests.flow.proving import Prover
from tests.flow.test_conformance_basic import error_of, query

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
def estate(estate: Estate) -> Estate:
    return open_to_all(estate).configured(outbound_allow=frozenset({"127.0.0.1"}))


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server of the suite."""
    with listening() as made:
        yield made


def test_the_issuer_is_where_the_document_is_found(estate: Estate) -> None:
    said = metadata_of(estate)
    assert said["issuer"] == estate.settings.issuer
    assert not said["issuer"].endswith("/")
    tokens = register(estate).tokens()
    assert tokens["claims"]["iss"] == said["issuer"]


def test_the_document_says_what_a_client_has_to_know(estate: Estate) -> None:
    said = metadata_of(estate)
    for name in ("authorization", "token", "userinfo", "registration", "end_session", "introspection", "revocation"):
        assert said[f"{name}_endpoint"].startswith(estate.origin), name
    assert "code" in said["response_types_supported"]
    assert {"query", "fragment", "form_post"} <= set(said["response_modes_supported"])
    assert "authorization_code" in said["grant_types_supported"]
    assert {"public", "pairwise"} == set(said["subject_types_supported"])
    assert "RS256" in said["id_token_signing_alg_values_supported"]
    assert "openid" in said["scopes_supported"]
    assert {"sub", "name", "email"} <= set(said["claims_supported"])
    assert said["claims_parameter_supported"] is True
    assert said["request_uri_parameter_supported"] is True
    assert {"client_secret_basic", "private_key_jwt"} <= set(said["token_endpoint_auth_methods_supported"])
    assert "RS256" in said["request_object_signing_alg_values_supported"]


def test_the_keys_are_public_distinct_and_named(estate: Estate) -> None:
    keys = estate.get("/op/v1/keys").get_json()["keys"]
    assert {"RSA", "EC"} <= {key["kty"] for key in keys}
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()
        assert key["use"] in ("sig", "enc")
        jwt.PyJWK(key | {"alg": "ES256"} if key["use"] == "enc" and key["kty"] == "EC" else key)


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_an_id_token_is_signed_as_registered(estate: Estate, alg: str) -> None:
    party = register(estate, id_token_signed_response_alg=alg)
    assert party.client["id_token_signed_response_alg"] == alg
    assert party.tokens()["claims"]["sub"]


def test_an_unsigned_id_token_cannot_be_had(estate: Estate) -> None:
    answer = try_register(estate, id_token_signed_response_alg="none")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_userinfo_is_signed_as_registered(estate: Estate, alg: str) -> None:
    party = register(estate, userinfo_signed_response_alg=alg)
    tokens = party.tokens(scope="openid profile")
    answer = estate.userinfo(tokens["access_token"])
    assert answer.headers["Content-Type"].startswith("application/jwt")
    told = party.verified(answer.text, alg)
    assert told["sub"] == tokens["claims"]["sub"]
    assert told["name"] == "Hanne Willems"


def test_a_query_of_the_registered_address_is_kept(estate: Estate) -> None:
    address = f"{CALLBACK}?foo=bar"
    party = register(estate, redirect_uris=[address])
    answer = party.browser.sign_in(party.ask(redirect_uri=address), "hanne", "eid")
    arrived = party.through(answer)
    assert arrived.parameters["foo"] == "bar"
    assert party.redeem(arrived).status_code == 200


@pytest.mark.parametrize(
    ("registered", "asked"),
    [("?foo=bar", "?foo=baz"), ("?foo=bar", ""), ("", "?foo=bar"), ("", "/"), ("", "/../callback"), ("", "#x")],
)
def test_an_address_that_differs_is_refused(estate: Estate, registered: str, asked: str) -> None:
    party = register(estate, redirect_uris=[CALLBACK + registered])
    asked = (CALLBACK + asked).replace("?", "%3F").replace("=", "%3D").replace("#", "%23")
    assert_error_page(party.browser.open("/op/v1/auth?" + query(party, redirect_uri=asked)))


def test_an_address_with_a_fragment_is_not_registered(estate: Estate) -> None:
    answer = try_register(estate, redirect_uris=[f"{CALLBACK}#foobar"])
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_redirect_uri")


def test_without_addresses_nothing_is_registered(estate: Estate) -> None:
    assert try_register(estate, redirect_uris=None).get_json()["error"] == "invalid_redirect_uri"


def test_logo_policy_and_terms_are_shown_where_the_person_signs_in(estate: Estate) -> None:
    shown = {name: f"https://suite.example/{name}" for name in ("logo_uri", "policy_uri", "tos_uri")}
    party = register(estate, **shown)
    page = party.browser.submit(party.ask(), ("key", "password"))
    for address in shown.values():
        assert f'"{address}"' in page.html
    policy = party.browser.get(page.address).headers["Content-Security-Policy"]
    assert "img-src 'self' https://suite.example;" in policy


def jwks_of(*provers: Prover) -> bytes:
    return json.dumps({"keys": [prover.jwk | {"kid": prover.thumbprint} for prover in provers]}).encode()


def assertion(party: Party, prover: Prover, **changes: Any) -> dict[str, str]:
    """What proves the client."""
    now = int(party.estate.clock())
    claims = {"iss": party.client_id, "sub": party.client_id, "iat": now, "exp": now + 60, "jti": prover.proof()[-20:]}
    sent = claims | {"aud": party.estate.settings.issuer} | changes
    token = jwt.encode(sent, prover.key, algorithm=prover.alg, headers={"kid": prover.thumbprint})
    return {"client_assertion_type": ASSERTION, "client_assertion": token}


def test_keys_may_stand_at_an_address_and_change_there(estate: Estate, listener: Listener) -> None:
    old, new = Prover(estate), Prover(estate)
    listener.pages["/jwks"] = jwks_of(old)
    address = f"{listener.address}/jwks"
    party = register(estate, token_endpoint_auth_method="private_key_jwt", jwks_uri=address)
    assert party.redeem(party.arrive(), **assertion(party, old)).status_code == 200
    listener.pages["/jwks"] = jwks_of(new)
    estate.clock.advance(61)
    assert party.redeem(party.arrive(), **assertion(party, new)).status_code == 200
    estate.clock.advance(61)
    assert party.redeem(party.arrive(), **assertion(party, old)).status_code == 401


@pytest.mark.parametrize("audience", ["issuer", "token", "both"])
def test_an_assertion_may_name_the_issuer_the_endpoint_or_both(estate: Estate, audience: str) -> None:
    prover = Prover(estate)
    party = register(estate, token_endpoint_auth_method="private_key_jwt", jwks=json.loads(jwks_of(prover)))
    issuer = estate.settings.issuer
    named = {"issuer": issuer, "token": f"{issuer}/v1/token", "both": [issuer, f"{issuer}/v1/token"]}[audience]
    assert party.redeem(party.arrive(), **assertion(party, prover, aud=named)).status_code == 200


def test_a_sector_that_lists_every_address_makes_one_subject(estate: Estate, listener: Listener) -> None:
    other = "https://other.example/callback"
    listener.pages["/sector"] = json.dumps([CALLBACK, other]).encode()
    sector = {"subject_type": "pairwise", "sector_identifier_uri": f"{listener.address}/sector"}
    parties = [register(estate, redirect_uris=[CALLBACK, other], **sector) for _ in range(2)]
    subjects = {party.tokens()["claims"]["sub"] for party in parties}
    assert len(subjects) == 1
    assert register(estate).tokens()["claims"]["sub"] not in subjects


def test_a_sector_that_does_not_list_the_address_is_refused(estate: Estate, listener: Listener) -> None:
    listener.pages["/sector"] = json.dumps(["https://other.example/callback"]).encode()
    answer = try_register(estate, subject_type="pairwise", sector_identifier_uri=f"{listener.address}/sector")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")


def test_keys_of_ours_change_and_tokens_of_both_can_be_read(estate: Estate) -> None:
    party = register(estate)
    before = party.tokens()
    house = House(estate.settings, estate.clock)
    house.keyring.rotate("RS256")
    house.engine.dispose()
    estate.clock.advance(24 * 3600)
    after = party.tokens()
    first, second = (jwt.get_unverified_header(tokens["id_token"])["kid"] for tokens in (before, after))
    assert first != second
    assert {first, second} <= {key["kid"] for key in estate.get("/op/v1/keys").get_json()["keys"]}


def request_object(party: Party, prover: Prover, **changes: Any) -> str:
    claims = party.request(**changes) | {"iss": party.client_id, "aud": party.estate.settings.issuer}
    return jwt.encode(claims, prover.key, algorithm=prover.alg, headers={"kid": prover.thumbprint})


@pytest.mark.parametrize("way", ["value", "reference"])
def test_a_signed_request_is_read_and_what_stands_in_it_counts(estate: Estate, listener: Listener, way: str) -> None:
    prover, address = Prover(estate, "RS256"), f"{listener.address}/request.jwt"
    keys = {"jwks": json.loads(jwks_of(prover)), "request_object_signing_alg": "RS256", "request_uris": [address]}
    party = register(estate, **keys)
    sent = request_object(party, prover, state="of the object", nonce="of the object")
    listener.pages["/request.jwt"] = sent.encode()
    by = {"request": sent} if way == "value" else {"request_uri": address}
    page = party.ask(state="outside", nonce="outside", **by)
    party.asked |= {"state": "of the object", "nonce": "of the object"}
    tokens = party.redeem(party.through(page)).get_json()
    assert party.checked(tokens)["nonce"] == "of the object"


def test_an_unsigned_request_at_an_address_is_refused_as_such(estate: Estate, listener: Listener) -> None:
    address = f"{listener.address}/request.jwt"
    party = register(estate, request_uris=[address])
    listener.pages["/request.jwt"] = jwt.encode(party.request(), None, algorithm="none").encode()
    assert error_of(party.ask(request_uri=address)) == "invalid_request_object"


def test_an_address_of_a_request_that_is_not_registered_is_not_fetched(estate: Estate, listener: Listener) -> None:
    listener.pages["/request.jwt"] = b"x"
    party = register(estate)
    assert error_of(party.ask(request_uri=f"{listener.address}/request.jwt")) == "invalid_request_uri"


def test_a_refresh_survives_a_change_of_the_clients_keys(estate: Estate, listener: Listener) -> None:
    old, new = Prover(estate), Prover(estate)
    listener.pages["/jwks"] = jwks_of(old)
    party = register(
        estate,
        token_endpoint_auth_method="private_key_jwt",
        jwks_uri=f"{listener.address}/jwks",
        grant_types=["authorization_code", "refresh_token"],
    )
    arrived = party.arrive(scope="openid offline_access", prompt="consent")
    token = party.redeem(arrived, **assertion(party, old)).get_json()["refresh_token"]
    listener.pages["/jwks"] = jwks_of(new)
    estate.clock.advance(61)
    form = {"grant_type": "refresh_token", "refresh_token": token}
    assert party.token(form | assertion(party, new)).status_code == 200


def test_registering_answers_with_all_that_was_registered(estate: Estate) -> None:
    answer = try_register(estate)
    assert answer.status_code == 201
    assert "no-store" in answer.headers["Cache-Control"]
    told = answer.get_json()
    assert told["redirect_uris"] == [CALLBACK]
    assert told["client_secret_expires_at"] == 0
    assert len(told["client_secret"]) >= 43
    headers = {"Authorization": f"Bearer {told['registration_access_token']}"}
    read = estate.get(told["registration_client_uri"].removeprefix(estate.origin), headers=headers)
    assert read.get_json()["client_id"] == told["client_id"]


def test_where_a_sign_in_begins_can_be_registered_and_is_told_back(estate: Estate) -> None:
    party = register(estate, initiate_login_uri="https://suite.example/test/a/toegang/login")
    assert party.client["initiate_login_uri"] == "https://suite.example/test/a/toegang/login"
    party.tokens()
    page = party.browser.open("/op/v1/consents")
    issuer = estate.settings.issuer.replace(":", "%3A").replace("/", "%2F")
    assert f"https://suite.example/test/a/toegang/login?iss={issuer}" in page.html
