"""The relying party of itsme without a network: what it holds and asks again, and that nothing sent to it breaks it."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select

from authenticators.itsme import Itsme, Registration
from authenticators.itsme_claims import NATIONAL_NUMBER, Expected, check_id_token, identification_of
from authenticators.upstream import FRESH_SECONDS, LOOK_SECONDS, STALE_SECONDS, Upstream, UpstreamFailed
from demo.itsme.tokens import Tokens
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Redirect
from idp.commands import CommandFailed, parse
from idp.keys.encryption import EncryptionKey, import_encryption_key, new_encryption_key
from idp.keys.jwt import import_key, new_private_key
from idp.keys.keyring import ANNOUNCE_SECONDS, DECRYPTING_SECONDS, Key, Keyring
from idp.keys.listing import run_keys_command
from idp.keys.master import MasterKey, SealBroken
from idp.keys.rotation import DAY, Rotation
from idp.keys.upstream import UPSTREAM_ALGORITHMS, UpstreamJose
from idp.records import tables
from idp.records.keys import KeyRecords
from idp.settings import SettingsInvalid, read_settings
from idp.store_memory import MemoryStore
from tests.clock import FakeClock

COLUMNS = ["kid", "alg", "private_key", "active_at"]
ISSUER = "https://itsme.example.be/v2"
EXPECTED = Expected(ISSUER, "toegang", "the-nonce")
NOW = FakeClock().now
SOUND = {
    "iss": ISSUER,
    "aud": "toegang",
    "sub": "e3xad7upx64grm14ttpnx4c586ve8gy0gp38",
    "nonce": "the-nonce",
    "iat": NOW,
    "exp": NOW + 300,
    NATIONAL_NUMBER: "89661799748",
    "given_name": "Dirk",
    "family_name": "Maes",
}
ATTEMPT = Attempt("an-unguessable-id", "https://toegang.test")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@cache
def their_tokens() -> Tokens:
    """The keys of the other side, made once."""
    return Tokens()


@cache
def our_keys() -> tuple[Key, ...]:
    """Our keys towards it, made once."""
    return (
        import_key("RS256", new_private_key("RS256"), active_at=0),
        import_encryption_key("RSA-OAEP", new_encryption_key("RSA-OAEP"), active_at=0),
    )


class Kept:
    """Key records that hold those."""

    def all(self) -> tuple[Key, ...]:
        return our_keys()

    def make(self, alg: str, *, active_at: int) -> Key:
        raise AssertionError(f"{alg} is there since {active_at}")

    def make_if(self, is_due: Callable[..., str], *, active_at: int) -> Key | None:
        raise AssertionError(f"nobody asks {is_due} for {active_at}")


@dataclass
class Network:
    """What stands at each address; None is a failure. Notes what was asked."""

    token_answer: tuple[int, bytes] | None = (200, b"{}")
    userinfo: bytes | None = b""
    pages: dict[str, bytes | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forms: list[Mapping[str, str]] = field(default_factory=list)

    def get(self, uri: str, *, bearer: str = "") -> bytes:
        self.asked.append(uri)
        page = self.userinfo if bearer else self.pages.get(uri)
        if page is None:
            raise ConnectionError("nobody answers")
        return page

    def post(self, uri: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        self.asked.append(uri)
        self.forms.append(form)
        if self.token_answer is None:
            raise ConnectionError("nobody answers")
        return self.token_answer


DOCUMENT = f"{ISSUER}/.well-known/openid-configuration"


def network() -> Network:
    """A provider that says who it is, and whose keys are there."""
    document = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorization",
        "token_endpoint": f"{ISSUER}/token",
        "userinfo_endpoint": f"{ISSUER}/userinfo",
        "jwks_uri": f"{ISSUER}/keys",
    }
    keys = json.dumps(their_tokens().key_set()).encode()
    return Network(pages={DOCUMENT: json.dumps(document).encode(), f"{ISSUER}/keys": keys})


def upstream(calls: Network, clock: FakeClock) -> Upstream:
    """The provider, as we know it."""
    keyring = Keyring(Kept(), clock, token_seconds=60, algorithms=UPSTREAM_ALGORITHMS)
    return Upstream(ISSUER, calls, jose=UpstreamJose(keyring), clock=clock)


def itsme(calls: Network, clock: FakeClock) -> Itsme:
    """The key."""
    registration = Registration("toegang", "SERVICE", redirect_uri="https://toegang.test/callback")
    return Itsme(registration, upstream(calls, clock), store=MemoryStore(clock), clock=clock)


def nested(claims: Mapping[str, Any]) -> str:
    """A token of theirs to us."""
    return their_tokens().nested(claims, our_keys()[1].public_jwk)


def answered(id_token: str) -> tuple[int, bytes]:
    """A token answer with this ID token."""
    return 200, json.dumps({"id_token": id_token, "access_token": "token"}).encode()


# What is held.


def test_document_and_keys_are_read_once_an_hour(clock: FakeClock) -> None:
    calls = network()
    peer = upstream(calls, clock)
    for _ in range(3):
        assert peer.open(nested(SOUND), "token")["sub"] == SOUND["sub"]
    assert calls.asked == [DOCUMENT, f"{ISSUER}/keys"]
    clock.advance(FRESH_SECONDS)
    peer.open(nested(SOUND), "token")
    assert len(calls.asked) == 4


def test_what_was_read_serves_for_a_day_while_nobody_answers(clock: FakeClock) -> None:
    calls = network()
    peer = upstream(calls, clock)
    peer.open(nested(SOUND), "token")
    calls.pages = {}
    for hours in (1, 23):
        clock.advance((hours * 3600) - 60)
        assert peer.open(nested(SOUND), "token")
    clock.advance(STALE_SECONDS)
    with pytest.raises(UpstreamFailed, match="cannot be read"):
        peer.open(nested(SOUND), "token")
    calls.pages = network().pages
    clock.advance(LOOK_SECONDS)
    assert peer.open(nested(SOUND), "token")


def test_while_nobody_answers_nobody_is_asked_more_than_once_a_minute(clock: FakeClock) -> None:
    calls = Network()
    peer = upstream(calls, clock)
    for _ in range(5):
        with pytest.raises(UpstreamFailed):
            peer.metadata()
    assert calls.asked == [DOCUMENT]
    clock.advance(LOOK_SECONDS)
    with pytest.raises(UpstreamFailed):
        peer.metadata()
    assert calls.asked == [DOCUMENT] * 2


def test_garbage_makes_us_ask_for_keys_once_a_minute_at_most(clock: FakeClock) -> None:
    calls = network()
    peer = upstream(calls, clock)
    forged = Tokens().nested(SOUND, our_keys()[1].public_jwk)
    for _ in range(5):
        with pytest.raises(UpstreamFailed, match="signed by no key"):
            peer.open(forged, "token")
    assert calls.asked.count(f"{ISSUER}/keys") == 1
    clock.advance(LOOK_SECONDS)
    with pytest.raises(UpstreamFailed, match="signed by no key"):
        peer.open(forged, "token")
    assert calls.asked.count(f"{ISSUER}/keys") == 2


def test_a_clock_that_is_set_back_makes_us_read_again(clock: FakeClock) -> None:
    calls = network()
    peer = upstream(calls, clock)
    peer.metadata()
    clock.advance(-86400)
    peer.metadata()
    assert calls.asked == [DOCUMENT] * 2


def test_a_slow_provider_holds_one_thread_and_no_other(clock: FakeClock) -> None:
    calls, begun, released = network(), threading.Event(), threading.Event()

    class Slow(Network):
        def get(self, uri: str, *, bearer: str = "") -> bytes:
            begun.set()
            released.wait(10)
            return calls.get(uri, bearer=bearer)

    peer = upstream(Slow(), clock)
    first = threading.Thread(target=peer.metadata)
    first.start()
    begun.wait(10)
    with pytest.raises(UpstreamFailed, match="it is being asked already"):
        peer.metadata()
    released.set()
    first.join()
    assert peer.metadata().issuer == ISSUER


def test_a_key_that_is_not_for_signatures_verifies_nothing(clock: FakeClock) -> None:
    calls = network()
    (key,) = their_tokens().key_set()["keys"]
    calls.pages[f"{ISSUER}/keys"] = json.dumps({"keys": [{**key, "use": "enc"}, 7, "text", {"kty": "oct"}]}).encode()
    with pytest.raises(UpstreamFailed, match="signed by no key"):
        upstream(calls, clock).open(nested(SOUND), "token")


# What may come back.


def sign_in(calls: Network, clock: FakeClock, answer: Mapping[str, str]) -> Identification:
    """Go and come back with this answer; the nonce of the request is put into the ID token by `calls` before."""
    key = itsme(calls, clock)
    assert isinstance(key.begin(ATTEMPT), Redirect)
    return key.finish(ATTEMPT, answer)


@given(st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()), st.integers(100, 599))
def test_whatever_the_token_endpoint_answers_fails_with_a_reason(body: bytes, status: int) -> None:
    calls = network()
    calls.token_answer = (status, body)
    with pytest.raises(AuthenticationFailed) as failure:
        sign_in(calls, FakeClock(), {"code": "code"})
    assert failure.value.page.name == "itsme-failed"
    assert len(failure.value.reason) < 200
    assert failure.value.reason.isprintable()


@given(st.dictionaries(st.sampled_from(["code", "state", "error", "iss", "csrf"]), st.text(max_size=600)))
def test_whatever_the_browser_brings_fails_with_a_reason(answer: dict[str, str]) -> None:
    with pytest.raises(AuthenticationFailed) as failure:
        sign_in(network(), FakeClock(), answer)
    assert len(failure.value.reason) < 200
    assert failure.value.reason.isprintable()


@given(st.text(max_size=300) | st.lists(st.text("AZaz09-_", max_size=40), min_size=3, max_size=6).map(".".join))
def test_whatever_stands_in_place_of_a_token_is_not_opened(token: str) -> None:
    with pytest.raises(UpstreamFailed):
        upstream(network(), FakeClock()).open(token, "ID token")


@given(st.integers(0, 4), st.data())
def test_a_real_token_with_a_part_exchanged_is_not_opened(part: int, data: st.DataObject) -> None:
    parts = real_token().split(".")
    changed = data.draw(st.text("AZaz09-_", max_size=len(parts[part])).filter(lambda text: text != parts[part]))
    token = ".".join((*parts[:part], changed, *parts[part + 1 :]))
    with pytest.raises(UpstreamFailed):
        upstream(network(), FakeClock()).open(token, "ID token")


@cache
def real_token() -> str:
    """A token that opens."""
    return nested(SOUND)


@given(st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()))
def test_whatever_stands_in_place_of_document_or_keys_is_believed_by_nobody(body: bytes) -> None:
    for address in (DOCUMENT, f"{ISSUER}/keys"):
        calls = network()
        calls.pages[address] = body
        with pytest.raises(UpstreamFailed):
            upstream(calls, FakeClock()).open(real_token(), "ID token")


@given(st.dictionaries(st.sampled_from([*sorted(SOUND), "acr", "azp", "nbf"]), anything))
def test_claims_pass_as_they_should_be_or_fail_with_a_reason(changes: dict[str, Any]) -> None:
    claims = SOUND | changes
    found, reason = None, ""
    try:
        check_id_token(claims, EXPECTED, now=NOW)
        found = identification_of(claims)
    except UpstreamFailed as failure:
        reason = str(failure)
    if found is None:
        assert reason.startswith("ID token: ")
        return
    assert (claims["iss"], claims["nonce"]) == (ISSUER, "the-nonce")
    assert found.national_number == claims[NATIONAL_NUMBER]
    assert len(found.given_name) <= 200


def test_names_are_shown_as_names() -> None:
    claims = SOUND | {"given_name": "  Jan \n Piet ", "family_name": None}
    assert identification_of(claims) == Identification("89661799748", "Jan Piet", "")


def test_a_key_that_is_asked_twice_for_one_attempt_refuses(clock: FakeClock) -> None:
    key = itsme(network(), clock)
    key.begin(ATTEMPT)
    with pytest.raises(AuthenticationFailed, match="the attempt was begun before"):
        key.begin(ATTEMPT)


def test_an_assertion_is_new_each_time_and_lives_a_minute(clock: FakeClock) -> None:
    calls = network()
    told = []
    for _ in range(2):
        with pytest.raises(AuthenticationFailed):
            sign_in(calls, clock, {"code": "code"})
        told.append(claims_in(calls.forms[-1]["client_assertion"]))
    assert told[0]["jti"] != told[1]["jti"]
    assert {one["exp"] - one["iat"] for one in told} == {60}
    assert {(one["iss"], one["sub"], one["aud"]) for one in told} == {("toegang", "toegang", f"{ISSUER}/token")}


def claims_in(token: str) -> dict[str, Any]:
    """The claims of a token of ours, verified by our own public key."""
    key, unchecked = jwt.PyJWK(dict(our_keys()[0].public_jwk)), {"verify_exp": False, "verify_iat": False}
    return dict(jwt.decode(token, key, algorithms=["RS256"], audience=f"{ISSUER}/token", options=unchecked))


# Settings.

REAL = {
    "TOEGANG_ITSME_ISSUER": "https://idp.prd.itsme.services/v2",
    "TOEGANG_ITSME_CLIENT_ID": "WXw9DMqkEv",
    "TOEGANG_ITSME_SERVICE": "TOEGANG_LOGIN",
}


def test_the_real_itsme_needs_three_settings() -> None:
    read = read_settings(REAL | {"TOEGANG_ITSME_ACR": "advanced"})
    assert (read.itsme_issuer, read.itsme_client_id) == ("https://idp.prd.itsme.services/v2", "WXw9DMqkEv")
    assert (read.itsme_service, read.itsme_acr) == ("TOEGANG_LOGIN", "advanced")
    assert read_settings({}).itsme_issuer == ""
    assert read_settings(REAL).itsme_acr == "basic"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"TOEGANG_ITSME_CLIENT_ID": ""}, "TOEGANG_ITSME_CLIENT_ID and TOEGANG_ITSME_SERVICE must be set together"),
        ({"TOEGANG_ITSME_ISSUER": ""}, "must be set together"),
        ({"TOEGANG_ITSME_ISSUER": "http://idp.prd.itsme.services/v2"}, "TOEGANG_ITSME_ISSUER must be an https address"),
        ({"TOEGANG_ITSME_ISSUER": "https://idp.prd.itsme.services/v2/"}, "TOEGANG_ITSME_ISSUER must be"),
        ({"TOEGANG_ITSME_ISSUER": "https://a@idp.prd.itsme.services/v2"}, "TOEGANG_ITSME_ISSUER must be"),
        ({"TOEGANG_ITSME_ISSUER": "https://idp.prd.itsme.services/v2?x"}, "TOEGANG_ITSME_ISSUER must be"),
        ({"TOEGANG_ITSME_ISSUER": "https:///v2"}, "TOEGANG_ITSME_ISSUER must be"),
        ({"TOEGANG_ITSME_SERVICE": "A B"}, "TOEGANG_ITSME_SERVICE must be a service code"),
        ({"TOEGANG_ITSME_ACR": "secured"}, "TOEGANG_ITSME_ACR must be one of"),
        ({"TOEGANG_SIMULATORS": "on"}, "TOEGANG_ITSME_ISSUER must be on this machine while TOEGANG_SIMULATORS is on"),
    ],
)
def test_a_fault_is_named_by_its_variable(changes: dict[str, str], fault: str) -> None:
    with pytest.raises(SettingsInvalid, match=fault):
        read_settings(REAL | changes)


def test_an_issuer_on_this_machine_may_do_without_tls() -> None:
    here = {"TOEGANG_ITSME_ISSUER": "http://localhost:8007/v2", "TOEGANG_SIMULATORS": "on"}
    assert read_settings(REAL | here).itsme_issuer == "http://localhost:8007/v2"


# Our keys.


def test_our_keys_towards_others_are_a_keyring_of_their_own(sqlite_engine: Engine, clock: FakeClock) -> None:
    tables.metadata.create_all(sqlite_engine)
    master = MasterKey([b"k" * 32])
    records = KeyRecords(sqlite_engine, master, clock=clock, table=tables.upstream_key)
    keyring = Keyring(records, clock, token_seconds=60, algorithms=UPSTREAM_ALGORITHMS)
    keyring.make_first()
    keyring.make_first()
    assert [key.alg for key in keyring.published()] == ["RS256", "RSA-OAEP"]
    assert KeyRecords(sqlite_engine, master, clock=clock).all() == ()
    sealed = token_of(keyring, keyring.decrypting()[0])
    clock.advance(90 * DAY)
    Rotation(keyring, clock, days=90).look()
    assert len(keyring.published()) == 4
    clock.advance(ANNOUNCE_SECONDS)
    assert [key.alg for key in keyring.published()] == ["RS256", "RS256", "RSA-OAEP"]
    clock.advance(60)
    assert [key.alg for key in keyring.published()] == ["RS256", "RSA-OAEP"]
    # A week long it opens what they encrypted to the key that they still held.
    assert UpstreamJose(keyring).open(sealed, their_tokens().key_set()["keys"])["nonce"] == "the-nonce"
    clock.advance(DECRYPTING_SECONDS)
    with pytest.raises(ValueError, match="cannot be decrypted"):
        UpstreamJose(keyring).open(sealed, their_tokens().key_set()["keys"])


def token_of(keyring: Keyring, key: EncryptionKey) -> str:
    """A token of theirs to this key of the keyring."""
    assert key in keyring.published()
    return their_tokens().nested(SOUND, key.public_jwk)


def test_a_key_that_was_moved_to_the_other_table_opens_no_more(sqlite_engine: Engine, clock: FakeClock) -> None:
    tables.metadata.create_all(sqlite_engine)
    master = MasterKey([b"k" * 32])
    KeyRecords(sqlite_engine, master, clock=clock, table=tables.upstream_key).make("RS256", active_at=0)
    with sqlite_engine.begin() as connection:
        connection.execute(insert(tables.signing_key).from_select(COLUMNS, select(tables.upstream_key)))
    with pytest.raises(SealBroken):
        KeyRecords(sqlite_engine, master, clock=clock).all()


def test_the_command_line_shows_and_rotates_them(sqlite_engine: Engine, clock: FakeClock) -> None:
    tables.metadata.create_all(sqlite_engine)
    records = KeyRecords(sqlite_engine, MasterKey([b"k" * 32]), clock=clock, table=tables.upstream_key)
    keyring = Keyring(records, clock, token_seconds=60, algorithms=UPSTREAM_ALGORITHMS)
    keyring.make_first()
    listed = run_keys_command(parse(["keys", "list", "--itsme"]), keyring)
    assert [line.split()[1] for line in listed.splitlines()] == ["RS256", "RSA-OAEP"]
    assert "announced" in run_keys_command(parse(["keys", "rotate", "RS256", "--itsme"]), keyring)
    with pytest.raises(CommandFailed, match="RS256, RSA-OAEP"):
        run_keys_command(parse(["keys", "rotate", "ES256", "--itsme"]), keyring)


def test_while_it_is_slow_the_others_go_on_with_what_is_held(clock: FakeClock) -> None:
    calls, begun, released = network(), threading.Event(), threading.Event()

    class Slow(Network):
        def get(self, uri: str, *, bearer: str = "") -> bytes:
            if len(self.asked) > 1:
                begun.set()
                released.wait(10)
            self.asked.append(uri)
            return calls.get(uri, bearer=bearer)

    peer = upstream(Slow(), clock)
    peer.open(real_token(), "token")
    clock.advance(FRESH_SECONDS)
    first = threading.Thread(target=peer.metadata)
    first.start()
    begun.wait(10)
    assert peer.open(real_token(), "token")["sub"] == SOUND["sub"]
    released.set()
    first.join()
