"""Cross-origin calls: a public client's pages may read tokens and claims, anyone the public documents, no more."""

import pytest

from tests.flow.estate import Estate
from tests.flow.journeys import sign_in

ORIGIN = "https://spa.example.be"
SHARED = ("/op/v1/token", "/op/v1/userinfo", "/op/v1/revoke")
OPEN = ("/op/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/op", "/op/v1/keys")
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture
def estate(estate: Estate) -> Estate:
    """The estate, with an application that runs in browsers, and one with a server."""
    estate.register(
        "burgerprofiel",
        client_id="spa",
        redirect_uris=[f"{ORIGIN}/cb", "https://Other.example.be:443/cb", "be.example.app:/cb"],
        token_endpoint_auth_method="none",
    )
    estate.register("hinderpremie", redirect_uris=["https://server.example.be/cb"])
    return estate


def preflight(estate: Estate, path: str, origin: str, method: str = "POST") -> dict[str, str]:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "dpop"}
    answer = estate.http().options(path, headers=asked, base_url=estate.origin)
    assert answer.status_code in (204, 405)
    return dict(answer.headers)


@pytest.mark.parametrize("path", SHARED)
@pytest.mark.parametrize("origin", [ORIGIN, "https://other.example.be"])
def test_a_public_clients_page_may_call(estate: Estate, path: str, origin: str) -> None:
    headers = preflight(estate, path, origin)
    assert headers[ALLOW] == origin
    assert "POST" in headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "Content-Type", "DPoP"} == set(headers["Access-Control-Allow-Headers"].split(", "))
    assert headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize("path", SHARED)
@pytest.mark.parametrize(
    "origin",
    ["https://server.example.be", "https://spa.example.be.evil.be", "http://spa.example.be", "null", "be.example.app:"],
)
def test_no_other_page_may(estate: Estate, path: str, origin: str) -> None:
    assert [name for name in preflight(estate, path, origin) if name.startswith("Access-Control")] == []
    answer = estate.post(path, {"a": "b"}, headers={"Origin": origin})
    assert ALLOW not in answer.headers


def test_a_page_reads_answers_and_refusals(estate: Estate) -> None:
    tokens = sign_in(estate.browser(), "burgerprofiel", "dirk")
    asked = {"Origin": ORIGIN, "Authorization": f"Bearer {tokens.body['access_token']}"}
    told = estate.get("/op/v1/userinfo", headers=asked)
    refused = estate.get("/op/v1/userinfo", headers=asked | {"Authorization": "Bearer wrong"})
    failed = estate.post("/op/v1/token", {"grant_type": "x"}, headers={"Origin": ORIGIN})
    assert (told.status_code, refused.status_code, failed.status_code) == (200, 401, 401)
    for answer in (told, refused, failed):
        assert answer.headers[ALLOW] == ORIGIN
        assert "WWW-Authenticate" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("path", OPEN)
def test_the_public_documents_are_for_all(estate: Estate, path: str) -> None:
    assert estate.get(path, headers={"Origin": "https://anyone.be"}).headers[ALLOW] == "*"


@pytest.mark.parametrize(
    "path", ["/op/v1/auth", "/op/v1/logout", "/op/v1/session", "/op/v1/introspect", "/op/v1/register", "/", "/op/v1/x"]
)
def test_nothing_else_is_shared(estate: Estate, path: str) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    for answer in (
        estate.get(path, headers=asked),
        estate.post(path, {}, headers=asked),
        estate.http().options(path, headers=asked, base_url=estate.origin),
    ):
        assert [name for name, _ in answer.headers if name.startswith("Access-Control")] == []


def test_a_client_that_was_just_registered_may_at_once(estate: Estate) -> None:
    opened = estate.configured(registration="open")
    assert ALLOW not in preflight(opened, "/op/v1/token", "https://new.example.be")
    new = {"redirect_uris": ["https://new.example.be/cb"], "token_endpoint_auth_method": "none"}
    assert opened.http().post("/op/v1/register", json=new, base_url=opened.origin).status_code == 201
    assert preflight(opened, "/op/v1/token", "https://new.example.be")[ALLOW] == "https://new.example.be"
