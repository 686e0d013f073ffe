"""Whatever a browser sends in place of a passkey, nobody is signed in, nothing is enrolled, and nothing breaks."""

import json
from typing import Any

import cbor2
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.pool import StaticPool

from authenticators.credentials import metadata
from authenticators.passkey import PasskeySignIn
from authenticators.passkey_enrolment import PasskeyEnrolment
from authenticators.passkeys import Passkeys
from idp.authenticator import Applicant, Attempt, AuthenticationFailed, EnrolmentFailed, Identification, Page
from idp.keys.master import MasterKey
from idp.store_memory import MemoryStore
from tests.clock import FakeClock
from tests.security_key import SecurityKey, base64url, unbase64url

NUMBER = "68641299833"
ATTEMPT = Attempt("an-unguessable-id", "http://localhost:8000")
APPLICANT = Applicant("another-unguessable-id", "http://localhost:8000", NUMBER, "An Peeters")

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3)
)
MEMBERS = ("clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject", "transports")
odd = values | st.binary(max_size=80).map(base64url)


class House:
    """Both sides of a passkey, and a security key that An enrolled."""

    def __init__(self) -> None:
        engine = sa.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        metadata.create_all(engine)
        clock = FakeClock()
        self.passkeys = Passkeys(engine, MasterKey([b"k" * 32]), clock=clock)
        self.store = MemoryStore(clock)
        self.key = PasskeySignIn(self.passkeys, self.store, clock=clock)
        self.enrolment = PasskeyEnrolment(self.passkeys, self.store, clock=clock)
        self.device = SecurityKey()
        self.enrol(self.device.create(options(self.enrolment.begin(APPLICANT))))

    def enrol(self, sent: Any) -> str:
        """Send this to the page that adds one."""
        return self.enrolment.finish(APPLICANT, {"credential": json.dumps(sent)})

    def sign_in(self, sent: Any) -> Identification:
        """Send this to the page that signs in."""
        return self.key.finish(ATTEMPT, {"credential": json.dumps(sent)})


def options(page: Page) -> dict[str, Any]:
    """What a page asks."""
    return dict(json.loads(str(page.values["options"])))


HOUSE = House()


def refused(sent: Any) -> None:
    """Neither door opens."""
    before = HOUSE.passkeys.of_person(NUMBER)
    with pytest.raises(AuthenticationFailed):
        HOUSE.sign_in(sent)
    with pytest.raises(EnrolmentFailed):
        HOUSE.enrol(sent)
    assert HOUSE.passkeys.of_person(NUMBER) == before


def test_the_honest_answer_is_let_in() -> None:
    sent = HOUSE.device.get(options(HOUSE.key.begin(ATTEMPT)))
    assert HOUSE.sign_in(sent) == Identification(NUMBER, methods=("hwk", "user", "mfa"))


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    for answer in ({"credential": text}, {}):
        with pytest.raises(AuthenticationFailed):
            HOUSE.key.finish(ATTEMPT, answer)
        with pytest.raises(EnrolmentFailed):
            HOUSE.enrolment.finish(APPLICANT, answer)


@given(values)
def test_any_json(value: Any) -> None:
    refused(value)


@given(st.sampled_from([*MEMBERS[:4], "id", "rawId", "type", "response"]), odd)
def test_a_sign_in_with_one_member_exchanged(member: str, value: Any) -> None:
    sent = HOUSE.device.get(options(HOUSE.key.begin(ATTEMPT)))
    part = sent["response"] if member in sent["response"] else sent
    if part[member] == value:
        return
    part[member] = value
    refused(sent)


@given(st.sampled_from(["clientDataJSON", "attestationObject"]), odd)
def test_an_enrolment_with_one_member_exchanged(member: str, value: Any) -> None:
    sent = SecurityKey().create(options(HOUSE.enrolment.begin(APPLICANT)))
    sent["response"][member] = value
    refused(sent)


@given(st.integers(0, 36), st.integers(1, 255))
def test_a_sign_in_with_one_byte_of_what_was_signed_changed(place: int, change: int) -> None:
    sent = HOUSE.device.get(options(HOUSE.key.begin(ATTEMPT)))
    signed = bytearray(unbase64url(sent["response"]["authenticatorData"]))
    signed[place] ^= change
    sent["response"]["authenticatorData"] = base64url(bytes(signed))
    refused(sent)


@settings(max_examples=150)
@given(st.sampled_from(["packed", "fido-u2f", "tpm", "apple", "android-key", "android-safetynet"]), values)
def test_an_attestation_of_any_form(form: str, statement: Any) -> None:
    sent = SecurityKey().create(options(HOUSE.enrolment.begin(APPLICANT)))
    attestation = cbor2.loads(unbase64url(sent["response"]["attestationObject"]))
    changed = cbor2.dumps({**attestation, "fmt": form, "attStmt": statement})
    sent["response"]["attestationObject"] = base64url(changed)
    refused(sent)


@given(st.binary(max_size=200))
def test_authenticator_data_of_any_form(garbage: bytes) -> None:
    sent = SecurityKey().create(options(HOUSE.enrolment.begin(APPLICANT)))
    attestation = cbor2.loads(unbase64url(sent["response"]["attestationObject"]))
    head = attestation["authData"][:37]
    for data in (garbage, head + garbage):
        changed = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        sent["response"]["attestationObject"] = base64url(changed)
        refused(sent)


def test_what_is_nested_without_end_is_refused() -> None:
    for deep in ("[" * 9000 + "]" * 9000, '{"response":' * 2000 + "1" + "}" * 2000):
        with pytest.raises(AuthenticationFailed):
            HOUSE.key.finish(ATTEMPT, {"credential": deep})


def test_cbor_nested_without_end_is_refused() -> None:
    sent = SecurityKey().create(options(HOUSE.enrolment.begin(APPLICANT)))
    for deep in (b"\x81" * 20_000 + b"\x00", b"\xd8\x1c" * 5_000 + b"\x00", b"\xbf" * 5_000, b"\x9b" + b"\xff" * 8):
        sent["response"]["attestationObject"] = base64url(deep)
        refused(sent)


def test_an_attestation_in_a_loop_is_refused() -> None:
    # CBOR tags 28 and 29 let a value hold itself.
    sent = SecurityKey().create(options(HOUSE.enrolment.begin(APPLICANT)))
    sent["response"]["attestationObject"] = base64url(b"\xd8\x1c\xa1\x63fmt\xd8\x1d\x00")
    refused(sent)


def test_numbers_of_a_key_that_cannot_be_are_refused() -> None:
    sent = SecurityKey().create(options(HOUSE.enrolment.begin(APPLICANT)))
    attestation = cbor2.loads(unbase64url(sent["response"]["attestationObject"]))
    head = attestation["authData"][: 37 + 16 + 2 + 32]
    for key in (
        {1: 2, 3: -7, -1: 1, -2: b"\1" * 32, -3: b"\1" * 32},
        {1: 3, 3: -257, -1: b"", -2: b""},
        {1: 9, 3: -7},
        {},
    ):
        changed = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": head + cbor2.dumps(key)})
        sent["response"]["attestationObject"] = base64url(changed)
        refused(sent)
