"""npm's openid-client (certified for Basic and FAPI 2.0) and jose sign in here, used as their documentation says."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from idp.composition import chores
from idp.keys.jwt import new_key_pair
from tests.flow.asking import GRANT, approve, subject
from tests.flow.estate import Estate
from tests.flow.listener import listening
from tests.flow.reading import Page
from tests.flow.scripted import Script
from tests.flow.serving import prepare_served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """An estate for all tests here, at which anybody may register an application."""
    with serving(prepare_served(tmp_path_factory.mktemp("served"), registration="open")) as estate:
        yield estate


@pytest.fixture
def script(served: Estate) -> Script:
    """The relying party, and a new browser."""
    return Script("openid.mjs", served.browser())


@pytest.mark.parametrize(
    ("method", "alg"), [("client_secret_basic", "RS256"), ("client_secret_post", "ES256"), ("none", "EdDSA")]
)
def test_it_registers_signs_in_refreshes_introspects_revokes_and_logs_out(
    served: Estate, script: Script, method: str, alg: str
) -> None:
    found = script.run("plain", method=method, alg=alg)
    assert found["claims"]["iss"] == served.settings.issuer
    assert found["person"]["given_name"] == "Hanne"
    assert found["renewed"]["sub"] == found["claims"]["sub"] == found["person"]["sub"]
    assert found["renewed"]["auth_time"] == found["claims"]["auth_time"]
    assert found["left"] == "https://rp.example.be/?state=left"
    assert found["revoked"] == "invalid_grant"
    if method != "none":
        assert found["introspected"]["active"] is True


@pytest.mark.parametrize(
    ("alg", "requests", "answers", "dpop", "tokens_alg"),
    [
        ("ES256", ["pushed"], "plain", None, "RS256"),
        ("PS256", ["signed"], "plain", None, "ES256"),
        ("Ed25519", ["signed", "pushed"], "signed", "ES256", "ES256"),
        ("ES256", ["signed", "pushed"], "signed", "Ed25519", "EdDSA"),
        ("RS256", [], "signed", "RS256", "RS256"),
        ("ES512", ["pushed"], "plain", "PS256", "RS256"),
    ],
)
def test_it_pushes_and_signs_requests_reads_signed_answers_and_proves_its_key(
    script: Script, alg: str, requests: list[str], answers: str, dpop: str | None, tokens_alg: str
) -> None:
    options = {"requests": requests, "answers": answers, "dpop": dpop, "tokensAlg": tokens_alg}
    found = script.run("strict", alg=alg, **options)
    assert found["type"] == ("dpop" if dpop else "bearer")
    assert found["person"]["family_name"] == "Willems"
    assert found["renewed"]["sub"] == found["claims"]["sub"]
    assert ("cnf" in found["introspected"]) is bool(dpop)
    if "pushed" in requests:
        assert sorted(found["sent"]) == ["client_id", "request_uri"]
    if answers == "signed":
        assert found["answered"] == ["response"]


@pytest.mark.parametrize("profile", ["fapi2", "fapi2-message-signing"])
@pytest.mark.parametrize(("alg", "dpop"), [("PS256", "ES256"), ("ES256", "Ed25519"), ("Ed25519", "PS256")])
def test_it_signs_in_under_a_fapi_profile(script: Script, profile: str, alg: str, dpop: str) -> None:
    signs = profile == "fapi2-message-signing"
    requests, answers = (["signed", "pushed"], "signed") if signs else (["pushed"], "plain")
    options = {"requests": requests, "answers": answers, "dpop": dpop, "tokensAlg": "ES256"}
    found = script.run("strict", alg=alg, profile=profile, **options)
    assert found["type"] == "dpop"
    assert found["introspected"]["cnf"]["jkt"]
    assert found["renewed"]["sub"] == found["claims"]["sub"]


@pytest.mark.parametrize(("alg", "enc"), [("RSA-OAEP-256", "A256GCM"), ("ECDH-ES+A256KW", "A128CBC-HS256")])
def test_it_reads_what_is_encrypted_for_it(script: Script, alg: str, enc: str) -> None:
    found = script.run("sealed", alg=alg, enc=enc)
    assert found["parts"] == 5
    assert found["person"]["given_name"] == "Hanne"


def test_jose_believes_our_logout_token(served: Estate, script: Script) -> None:
    with listening() as listener:
        address = listener.address.replace("127.0.0.1", "localhost") + "/told"

        def leave(said: dict[str, Any]) -> dict[str, Any]:
            script.browser.open(said["leave"])
            for chore in chores(served.application.provider):
                chore()
            ((path, form),) = listener.received
            assert path == "/told"
            return {"token": form["logout_token"]}

        found = script.run("logout", listener=address, answer=leave)
    assert found["payload"]["sid"] == found["claims"]["sid"]
    assert found["payload"]["sub"] == found["claims"]["sub"]
    assert list(found["payload"]["events"]) == ["http://schemas.openid.net/event/backchannel-logout"]
    assert "nonce" not in found["payload"]


def test_a_machine_gets_a_token_that_hangs_on_its_key(served: Estate, script: Script) -> None:
    secret = served.client("tijdmeting")["client_secret"]
    found = script.run("machine", client_id="tijdmeting", client_secret=secret)
    assert found["type"] == "dpop"
    assert found["introspected"]["cnf"]["jkt"]
    assert found["introspected"]["sub"] == "tijdmeting"


def test_the_lock_names_no_registry() -> None:
    for lock in Path(__file__).parents[1].rglob("package-lock.json"):
        assert '"resolved"' not in lock.read_text(), urlsplit(str(lock)).path


def test_it_gets_tokens_for_a_device(script: Script) -> None:
    def allow(said: dict[str, Any]) -> dict[str, Any]:
        browser = script.browser
        page = browser.submit(browser.open(said["complete"]), ("answer", "allow"))
        page = browser.sign_in(page, script.person, script.key)
        if isinstance(page, Page) and page.name == "consent":
            page = browser.submit(page, ("answer", "allow"))
        assert isinstance(page, Page), page
        return {}

    found = script.run("device", answer=allow)
    assert found["person"]["given_name"] == "Hanne"
    assert found["renewed"]["sub"] == found["claims"]["sub"]


def test_it_asks_for_a_person_by_the_back_channel(served: Estate, script: Script) -> None:
    private, public = new_key_pair("ES256")
    metadata = {
        "client_id": "balie",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [public]},
        "grant_types": ["authorization_code", GRANT],
        "backchannel_token_delivery_mode": "poll",
    }
    served.register("hinderpremie", **metadata)
    time.sleep(1)  # until every process has seen it

    def allow(_: dict[str, Any]) -> dict[str, Any]:
        approve(script.browser)
        return {}

    asked = {"client_id": "balie", "jwk": private, "login_hint": subject(served), "scope": "openid profile vo"}
    found = script.run("backchannel", answer=allow, **asked)
    assert found["person"]["given_name"] == "Dirk"
    assert found["person"]["vo_orgcode"] == "0999910147"
