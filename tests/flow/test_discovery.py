"""Discovery and the key set: what is said is there, and no token meets a key that nobody could have fetched."""

from typing import Any

import jwt
import pytest

from idp.composition import House
from tests.flow.estate import Browser, Estate
from tests.flow.journeys import arrive, sign_in
from tests.flow.reading import Page

DOCUMENT = "/op/.well-known/openid-configuration"


def document(estate: Estate) -> dict[str, Any]:
    found = estate.get(DOCUMENT).json
    assert found is not None
    return dict(found)


def kids(estate: Estate, alg: str = "RS256") -> set[str]:
    found = estate.get("/op/v1/keys").json
    assert found is not None
    return {key["kid"] for key in found["keys"] if key.get("alg") == alg}


def rotate(estate: Estate, alg: str = "RS256") -> str:
    """Announce the next key, as an operator does; its name."""
    house = House(estate.settings, estate.clock)
    kid = house.keyring.rotate(alg).kid
    house.engine.dispose()
    estate.clock.advance(1)
    return kid


def test_both_documents_are_one_and_may_be_read_from_anywhere(estate: Estate) -> None:
    first, second = estate.get(DOCUMENT), estate.get("/.well-known/oauth-authorization-server/op")
    assert first.data == second.data
    for answer in (first, second, estate.get("/op/v1/keys")):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_issuer_is_the_address_that_it_is_found_at(estate: Estate) -> None:
    said = document(estate)
    assert said["issuer"] == estate.settings.issuer
    for name, value in said.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(said["issuer"] + "/v1/"), name


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("authorization_endpoint", (400, 400)),
        ("token_endpoint", (405, 401)),
        ("pushed_authorization_request_endpoint", (405, 401)),
        ("userinfo_endpoint", (401, 401)),
        ("jwks_uri", (200, 405)),
        ("introspection_endpoint", (405, 401)),
        ("revocation_endpoint", (405, 401)),
        ("device_authorization_endpoint", (405, 401)),
        ("backchannel_authentication_endpoint", (405, 401)),
        ("end_session_endpoint", (200, 303)),
    ],
)
def test_every_endpoint_that_is_said_to_be_there_answers(estate: Estate, name: str, statuses: tuple[int, int]) -> None:
    path = document(estate)[name].removeprefix(estate.origin)
    assert (estate.get(path).status_code, estate.post(path, {"a": "b"}).status_code) == statuses


def test_what_is_said_to_be_supported_is(estate: Estate, browser: Browser) -> None:
    said = document(estate)
    assert said["response_types_supported"] == ["code"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["authorization_response_iss_parameter_supported"] is True
    assert set(said["id_token_signing_alg_values_supported"]) == {"RS256", "ES256", "EdDSA"}
    assert "none" not in said["token_endpoint_auth_signing_alg_values_supported"]
    assert "HS256" not in said["token_endpoint_auth_signing_alg_values_supported"]
    assert "none" not in said["introspection_endpoint_auth_methods_supported"]
    page = browser.ask("burgerprofiel", acr_values=" ".join(said["acr_values_supported"]))
    assert isinstance(page, Page)
    assert len(page.keys) == len(said["acr_values_supported"])
    # Names of applications are a matter between an application and its owner.
    assert not {"hinderpremie", "statistiek", "abb_loketLB"} & set(said["scopes_supported"])


def test_an_estate_may_keep_silent_about_iss(estate: Estate) -> None:
    silent = estate.configured(iss_parameter=False)
    assert "authorization_response_iss_parameter_supported" not in document(silent)
    assert "iss" not in arrive(silent.browser(), "hinderpremie", "dirk").parameters


def test_the_key_set_holds_public_halves_alone(estate: Estate) -> None:
    found = estate.get("/op/v1/keys").json
    assert found is not None
    assert {key.get("alg") for key in found["keys"] if key["use"] == "sig"} == {"RS256", "ES256", "EdDSA"}
    # What encrypts serves several algorithms, and names none.
    assert {(key["kty"], "alg" in key) for key in found["keys"] if key["use"] == "enc"} == {
        ("RSA", False),
        ("EC", False),
    }
    for key in found["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k", "oth"} & key.keys()
        assert key["use"] in ("sig", "enc")
    assert len({key["kid"] for key in found["keys"]}) == len(found["keys"])


def test_head_tells_what_get_would(estate: Estate) -> None:
    head = estate.http().head(DOCUMENT, base_url=estate.origin)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(estate.get(DOCUMENT).data))


def test_an_announced_key_is_published_a_day_before_it_signs(estate: Estate, browser: Browser) -> None:
    (old,) = kids(estate)
    new = rotate(estate)
    assert kids(estate) == {old, new}
    assert signed_by(estate, browser) == old
    estate.clock.advance(24 * 3600 - 3)
    assert signed_by(estate, estate.browser()) == old
    estate.clock.advance(3)
    assert signed_by(estate, estate.browser()) == new


def signed_by(estate: Estate, browser: Browser) -> str:
    """The name of the key that signs now; the token verifies by the published set."""
    tokens = sign_in(browser, "hinderpremie", "dirk")
    estate.verified(tokens, "hinderpremie")
    return str(jwt.get_unverified_header(tokens.body["id_token"])["kid"])


def test_a_retired_key_stays_published_while_its_tokens_live(estate: Estate, browser: Browser) -> None:
    (old,) = kids(estate)
    new = rotate(estate)
    estate.clock.advance(24 * 3600 - 10)
    tokens = sign_in(browser, "hinderpremie", "dirk")
    estate.clock.advance(3600)
    assert kids(estate) == {old, new}
    assert estate.verified(tokens, "hinderpremie")["sub"]
    estate.clock.advance(60)
    assert kids(estate) == {new}


def test_the_hint_of_a_key_that_is_no_longer_published_still_tells(estate: Estate, browser: Browser) -> None:
    (old,) = kids(estate)
    rotate(estate)
    estate.clock.advance(24 * 3600 - 10)
    hint = sign_in(browser, "hinderpremie", "dirk").body["id_token"]
    estate.clock.advance(2 * 3600)
    assert old not in kids(estate)
    assert arrive(browser, "hinderpremie", "dirk", id_token_hint=hint, prompt="none").code
    page = browser.open(f"/op/v1/logout?id_token_hint={hint}")
    assert isinstance(page, Page)
    assert page.name == "logged-out"


def test_each_algorithm_turns_by_itself(estate: Estate) -> None:
    before = kids(estate, "RS256"), kids(estate, "EdDSA")
    rotate(estate, "ES256")
    assert (kids(estate, "RS256"), kids(estate, "EdDSA")) == before
    assert len(kids(estate, "ES256")) == 2
