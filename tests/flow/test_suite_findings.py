"""What the public OpenID conformance suite found, each time it was run (docs/measured/conformance.md), a test for each.

Promises: no finding comes back unseen. Must not know: the suite, which is not needed here.
"""

from ipaddress import ip_network
from uuid import UUID

import jwt
import pytest

from tests.flow.estate import Estate
from tests.flow.party import Party, open_to_all, register, try_register
from tests.flow.proving import Prover
from tests.flow.reading import Page

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SHOWN = {name: f"https://suite.example/{name}" for name in ("logo_uri", "policy_uri", "tos_uri")}


@pytest.mark.parametrize(
    ("audience", "status"),
    [
        ("https://mtls.localhost:8443/op/v1/token", 200),
        ("https://mtls.localhost:8443/op/v1/par", 200),
        ("https://mtls.localhost:8443/op", 401),
        ("https://mtls.localhost/op/v1/token", 401),
    ],
)
def test_an_assertion_may_name_the_address_for_certificates_that_it_is_sent_to(
    estate: Estate, audience: str, status: int
) -> None:
    behind = open_to_all(estate).configured(
        trusted_proxies=(ip_network("10.1.0.0/16"),), mtls_host="mtls.localhost:8443"
    )
    prover = Prover(behind)
    party = register(behind, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [prover.jwk]})
    answer = party.redeem(
        party.arrive(), client_assertion_type=ASSERTION, client_assertion=sign(party, prover, audience)
    )
    assert answer.status_code == status, answer.text


def test_without_an_address_for_certificates_an_assertion_names_ours(estate: Estate) -> None:
    prover = Prover(open_to_all(estate))
    party = register(prover.estate, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [prover.jwk]})
    elsewhere = sign(party, prover, "https://mtls.localhost:8443/op/v1/token")
    answer = party.redeem(party.arrive(), client_assertion_type=ASSERTION, client_assertion=elsewhere)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_what_the_application_registered_is_shown_before_a_key_is_chosen_and_before_the_yes(estate: Estate) -> None:
    party = register(open_to_all(estate), **SHOWN)
    login = party.ask()
    assert isinstance(login, Page)
    consent = party.browser.sign_in(login, "hanne", "eid")
    assert isinstance(consent, Page)
    assert [page.name for page in (login, consent)] == ["login", "consent"]
    for page in (login, consent):
        assert [address for address in SHOWN.values() if f'"{address}"' not in page.html] == []
        policy = party.browser.get(page.address).headers["Content-Security-Policy"]
        assert "img-src 'self' https://suite.example;" in policy


@pytest.mark.parametrize("sent", ["03b8D6c1-134E-4fC4-9b3B-e1B7e54E07b7", "", "no number", "0" * 36, "a" * 5000])
def test_userinfo_names_the_call_as_the_client_did_or_by_a_new_number(estate: Estate, sent: str) -> None:
    party = register(open_to_all(estate))
    token = party.tokens()["access_token"]
    asked = {"Authorization": f"Bearer {token}"} | ({"x-fapi-interaction-id": sent} if sent else {})
    named = party.estate.get("/op/v1/userinfo", headers=asked).headers.getlist("x-fapi-interaction-id")
    assert len(named) == 1
    UUID(named[0])
    assert (named == [sent]) is sent.startswith("03b8")


def test_where_a_sign_in_begins_elsewhere_is_https_even_on_the_own_machine(estate: Estate) -> None:
    answer = try_register(open_to_all(estate), initiate_login_uri="http://localhost:8743/test/a/initiate_login")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")


def sign(party: Party, prover: Prover, audience: str) -> str:
    """An assertion of the party for this audience alone."""
    now = int(party.estate.clock())
    claims = {"iss": party.client_id, "sub": party.client_id, "aud": audience, "iat": now, "exp": now + 60}
    return jwt.encode(claims | {"jti": "an assertion"}, prover.key, algorithm=prover.alg)
