"""private_key_jwt (RFC 7523): a client's keys here or at its own address, and what its assertions must say."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

import jwt
import pytest

from idp.client_keys import FRESH_SECONDS, LOOK_SECONDS, STALE_SECONDS
from idp.commands import CommandFailed
from idp.keys.jwt import new_key_pair
from tests.flow.estate import Estate, Tokens
from tests.flow.journeys import at_once
from tests.flow.proving import Prover

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NUMBERS = count()


def assertion(estate: Estate, prover: Prover, headers: dict[str, Any] | None = None, **changes: Any) -> str:
    now = int(estate.clock())
    claims = {"iss": "machine", "sub": "machine", "aud": estate.settings.issuer, "iat": now, "exp": now + 60}
    told = claims | {"jti": f"assertion-{next(NUMBERS)}"} | changes
    kept = {name: value for name, value in told.items() if value is not None}
    return jwt.encode(kept, prover.key, algorithm=prover.alg, headers=headers)


def ask(estate: Estate, assertion: str, path: str = "/op/v1/token", **form: str) -> Tokens:
    proof = {"client_assertion_type": TYPE, "client_assertion": assertion}
    answer = estate.post(path, {"grant_type": "client_credentials"} | proof | form)
    return Tokens(answer.status_code, json.loads(answer.data or b"{}"))


def register(estate: Estate, **changes: Any) -> None:
    estate.register(
        "tijdmeting",
        **{
            "client_id": "machine",
            "organisation": "",
            "client_secret": "not used but long enough to be one",
            "token_endpoint_auth_method": "private_key_jwt",
            **changes,
        },
    )


def jwks(*provers: Prover, **members: Any) -> dict[str, Any]:
    return {"keys": [prover.jwk | members for prover in provers]}


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_a_key_of_every_kind_proves_a_client(estate: Estate, alg: str) -> None:
    prover = Prover(estate, alg)
    register(estate, jwks=jwks(Prover(estate), prover))
    assert ask(estate, assertion(estate, prover)).status == 200
    assert ask(estate, assertion(estate, Prover(estate, alg))).status == 401


def test_a_registered_algorithm_is_the_only_one(estate: Estate) -> None:
    rsa = Prover(estate, "RS256")
    register(estate, jwks=jwks(rsa), token_endpoint_auth_signing_alg="PS256")
    assert ask(estate, assertion(estate, rsa)).status == 401
    rsa.alg = "PS256"
    assert ask(estate, assertion(estate, rsa)).status == 200


@pytest.mark.parametrize("alg", ["none", "HS256", "unknown"])
def test_no_other_algorithm_can_be_registered(estate: Estate, alg: str) -> None:
    with pytest.raises(CommandFailed, match="token_endpoint_auth_signing_alg"):
        register(estate, jwks=jwks(Prover(estate)), token_endpoint_auth_signing_alg=alg)


def test_a_key_for_encryption_proves_nothing(estate: Estate) -> None:
    prover = Prover(estate)
    register(estate, jwks=jwks(prover, use="enc"))
    assert ask(estate, assertion(estate, prover)).status == 401


@pytest.mark.parametrize("path", ["token", "introspect", "revoke", "par"])
def test_the_address_that_is_called_may_be_named(estate: Estate, path: str) -> None:
    prover = Prover(estate)
    register(estate, jwks=jwks(prover))
    for aud in (f"{estate.settings.issuer}/v1/{path}", [estate.settings.issuer, f"{estate.settings.issuer}/v1/token"]):
        assert ask(estate, assertion(estate, prover, aud=aud), f"/op/v1/{path}", token="x").status != 401


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "http://localhost:8000"},
        {"aud": "http://localhost:8000/op/"},
        {"aud": "http://localhost:8000/op/v1/auth"},
        {"aud": []},
        {"iss": None},
        {"sub": "tijdmeting"},
        {"jti": None},
        {"exp": None},
        {"exp": 0},
        {"exp": 10**30},
        {"iat": 10**15},
        {"nbf": 10**15},
    ],
)
def test_an_assertion_that_says_anything_else_proves_nothing(estate: Estate, changes: dict[str, Any]) -> None:
    prover = Prover(estate)
    register(estate, jwks=jwks(prover))
    refused = ask(estate, assertion(estate, prover, **changes))
    assert (refused.status, refused.body["error"]) == (401, "invalid_client")


def test_a_long_header_is_read_and_members_unknown_to_us_are_ignored(estate: Estate) -> None:
    prover = Prover(estate)
    register(estate, jwks=jwks(prover))
    headers = {"x5c": ["A" * 2000], "https://example.be/more": 1}
    assert ask(estate, assertion(estate, prover, headers=headers)).status == 200


def test_a_client_that_registered_keys_has_to_use_them(estate: Estate) -> None:
    register(estate, jwks=jwks(Prover(estate)))
    secret = "not used but long enough to be one"
    answer = estate.post("/op/v1/token", {"grant_type": "client_credentials"}, auth=("machine", secret))
    assert answer.status_code == 401


# Keys at an address of the client.


class KeyServer:
    """Serves a key set, and counts how often it was asked."""

    def __init__(self) -> None:
        self.body: bytes = b"{}"
        self.status = 200
        self.asked = 0
        self.address = ""

    def show(self, *provers: tuple[str, Prover]) -> None:
        """From now on these keys, each under its name."""
        self.body = json.dumps({"keys": [prover.jwk | {"kid": kid} for kid, prover in provers]}).encode()


@contextmanager
def serving() -> Iterator[KeyServer]:
    """A key server on a free port of this machine."""
    keys = KeyServer()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.asked += 1
            self.send_response(keys.status)
            self.end_headers()
            self.wfile.write(keys.body)

        def log_message(self, format: str, *values: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    keys.address = f"http://127.0.0.1:{server.server_port}/keys"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield keys
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    """The client's key server."""
    with serving() as keys:
        yield keys


@pytest.fixture
def home(estate: Estate, server: KeyServer) -> Iterator[Estate]:
    """An estate that may call this machine, with a client whose keys are at its own address."""
    register(estate, jwks_uri=server.address)
    allowed = estate.configured(outbound_allow=frozenset({"127.0.0.1"}))
    yield allowed
    allowed.application.close()


def named(estate: Estate, kid: str, prover: Prover) -> Tokens:
    return ask(estate, assertion(estate, prover, headers={"kid": kid}))


def test_keys_are_fetched_once_also_for_twenty_at_once(home: Estate, server: KeyServer) -> None:
    prover = Prover(home)
    server.show(("one", prover))
    sent = [assertion(home, prover, headers={"kid": "one"}) for _ in range(20)]
    assert set(at_once(20, lambda number: ask(home, sent[number]).status)) == {200}
    assert server.asked == 1


def test_a_new_key_is_found_by_its_new_name_and_an_old_one_forgotten(home: Estate, server: KeyServer) -> None:
    old, new = Prover(home), Prover(home, "EdDSA")
    server.show(("old", old))
    assert named(home, "old", old).status == 200
    server.show(("new", new))
    home.clock.advance(LOOK_SECONDS)
    assert named(home, "new", new).status == 200
    assert named(home, "old", old).status == 401
    assert server.asked == 2


def test_garbage_makes_us_fetch_once_a_minute_at_most(home: Estate, server: KeyServer) -> None:
    prover = Prover(home)
    server.show(("one", prover))
    for number in range(5):
        assert named(home, f"made-up-{number}", Prover(home)).status == 401
        assert ask(home, assertion(home, Prover(home))).status == 401
    assert server.asked == 1
    home.clock.advance(LOOK_SECONDS)
    assert named(home, "one", Prover(home)).status == 401
    assert server.asked == 1
    assert named(home, "made-up", Prover(home)).status == 401
    assert server.asked == 2


def test_keys_are_fetched_anew_every_hour_and_trusted_for_a_day_without(home: Estate, server: KeyServer) -> None:
    prover = Prover(home)
    server.show(("one", prover))
    assert named(home, "one", prover).status == 200
    server.status = 500
    home.clock.advance(FRESH_SECONDS)
    assert named(home, "one", prover).status == 200
    assert server.asked == 2
    home.clock.advance(STALE_SECONDS - FRESH_SECONDS)
    assert named(home, "one", prover).status == 401
    server.status = 200
    home.clock.advance(LOOK_SECONDS)
    assert named(home, "one", prover).status == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": [1, {}]}', b"[" * 9000, b"\xff"])
def test_what_is_no_key_set_holds_no_keys(home: Estate, server: KeyServer, body: bytes) -> None:
    server.body = body
    assert named(home, "one", Prover(home)).status == 401


def test_keys_that_we_cannot_read_are_passed_over(home: Estate, server: KeyServer) -> None:
    prover = Prover(home)
    strange = [{"kty": "AKP"}, {"kty": "oct", "k": "AAAA"}, "text", new_key_pair("ES256")[0]]
    server.body = json.dumps({"keys": [*strange, prover.jwk]}).encode()
    assert ask(home, assertion(home, prover)).status == 200


def test_a_private_network_is_not_called(estate: Estate, server: KeyServer) -> None:
    prover = Prover(estate)
    server.show(("one", prover))
    register(estate, jwks_uri=server.address)
    assert named(estate, "one", prover).status == 401
    assert server.asked == 0
