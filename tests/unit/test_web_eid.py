"""The mechanism of Web eID: the published tokens pass, and whatever differs from what was asked does not."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from authenticators.card_certificate import (
    BELGIAN_AUTHENTICATION,
    SMALLEST_RSA_BITS,
    CardHolder,
    TrustedIssuers,
    read_issuers,
)
from authenticators.rejections import (
    Malformed,
    NoNumber,
    NotForSigningIn,
    NotValidNow,
    Rejected,
    Untrusted,
    WrongAlgorithm,
    WrongSignature,
)
from authenticators.web_eid import LONGEST_TOKEN, Challenge, verify
from tests.unit.cards import (
    BELGIAN_TRUST,
    CHALLENGE,
    NOW,
    P256,
    P384,
    P521,
    RSA,
    VECTORS,
    VECTORS_AT,
    Draft,
    Issuer,
    Key,
    answer,
    issuer,
)

AT = NOW.timestamp()
ELIF = CardHolder("95612899604", "Elif", "Yilmaz")
CA = issuer()
Vector = dict[str, dict[str, str]]


def challenge_of(vector: Vector) -> Challenge:
    return Challenge(str(vector["origin"]), str(vector["nonce"]))


def rejection(token: str, challenge: Challenge, trust: TrustedIssuers, *, at: float) -> type[Rejected]:
    with pytest.raises(Rejected) as rejected:
        verify(token, challenge, trust=trust, at=at)
    assert str(rejected.value) == ""
    return type(rejected.value)


def changed(vector: Vector, **members: str) -> type[Rejected]:
    token = json.dumps({**vector["token"], **members})
    return rejection(token, challenge_of(vector), BELGIAN_TRUST, at=VECTORS_AT)


def flipped(text: str, position: int) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[position] ^= 1
    return base64.b64encode(raw).decode()


both = pytest.mark.parametrize("vector", VECTORS, ids=["ES384", "RS256"])


@both
def test_the_token_of_a_belgian_test_card_names_its_holder(vector: Vector) -> None:
    holder = verify(json.dumps(vector["token"]), challenge_of(vector), trust=BELGIAN_TRUST, at=VECTORS_AT)
    assert holder == CardHolder("01050399864", "Nora Angèle", "Specimen")


@both
@pytest.mark.parametrize(
    "other",
    [
        {"origin": "https://elsewhere.test"},
        {"origin": "https://47f0-46-131-86-189.ngrok-free.app/"},
        {"nonce": "AAAAwP2cgUINY2XoO/lqEpOUn7z/ysHRqGXkGKC4VXE="},
        {"nonce": ""},
    ],
)
def test_another_challenge_was_not_signed(vector: Vector, other: dict[str, str]) -> None:
    challenge = replace(challenge_of(vector), **other)
    assert rejection(json.dumps(vector["token"]), challenge, BELGIAN_TRUST, at=VECTORS_AT) is WrongSignature


@both
@pytest.mark.parametrize("position", [0, 47, 48, -1])
def test_a_signature_with_one_bit_changed_is_no_signature(vector: Vector, position: int) -> None:
    assert changed(vector, signature=flipped(vector["token"]["signature"], position)) is WrongSignature


@both
@pytest.mark.parametrize("signature", ["", "AAAA", "A" * 128, "A" * 344])
def test_a_signature_of_nothing_is_no_signature(vector: Vector, signature: str) -> None:
    assert changed(vector, signature=signature) is WrongSignature


def test_a_signature_has_one_spelling() -> None:
    signature = base64.b64decode(VECTORS[0]["token"]["signature"])
    padded = signature[:48] + b"\0" + signature[48:]
    assert changed(VECTORS[0], signature=base64.b64encode(padded).decode()) is WrongSignature


@both
@pytest.mark.parametrize(
    "algorithm", ["", "none", "ES224", "es384", "HS256", "ES256", "ES512", "PS1", "EdDSA", "RS384 "]
)
def test_an_algorithm_that_is_not_of_the_cards_key_is_refused(vector: Vector, algorithm: str) -> None:
    assert changed(vector, algorithm=algorithm) is WrongAlgorithm


def test_an_algorithm_of_the_other_kind_of_key_is_refused() -> None:
    elliptic, rsa_card = VECTORS
    assert changed(elliptic, algorithm="RS256") is WrongAlgorithm
    assert changed(elliptic, algorithm="PS384") is WrongAlgorithm
    assert changed(rsa_card, algorithm="ES384") is WrongAlgorithm
    assert changed(rsa_card, algorithm="PS256") is WrongSignature
    assert changed(rsa_card, algorithm="RS384") is WrongSignature


@both
def test_the_certificate_of_another_card_does_not_fit_the_signature(vector: Vector) -> None:
    [other] = [v["token"]["unverifiedCertificate"] for v in VECTORS if v is not vector]
    assert changed(vector, unverifiedCertificate=other) is WrongAlgorithm


@both
def test_a_certificate_with_one_bit_changed_was_issued_by_nobody(vector: Vector) -> None:
    certificate = vector["token"]["unverifiedCertificate"]
    assert changed(vector, unverifiedCertificate=flipped(certificate, -1)) is Untrusted
    assert changed(vector, unverifiedCertificate=flipped(certificate, -200)) in (Untrusted, Malformed)


@both
def test_the_cards_of_an_issuer_whom_we_do_not_trust_are_refused(vector: Vector) -> None:
    token, challenge = json.dumps(vector["token"]), challenge_of(vector)
    assert rejection(token, challenge, CA.trust(), at=VECTORS_AT) is Untrusted
    assert rejection(token, challenge, TrustedIssuers(()), at=VECTORS_AT) is Untrusted


@both
@pytest.mark.parametrize("years", [-20, 20])
def test_a_card_before_and_after_its_time_is_refused(vector: Vector, years: int) -> None:
    at = VECTORS_AT + years * 365.25 * 86_400
    token = json.dumps(vector["token"])
    assert rejection(token, challenge_of(vector), BELGIAN_TRUST, at=at) is NotValidNow


@both
@pytest.mark.parametrize("version", ["", "web-eid", "web-eid:2.0", "web-eid:10.0", "web-eid:1.", "xweb-eid:1.0"])
def test_another_format_is_not_read(vector: Vector, version: str) -> None:
    assert changed(vector, format=version) is Malformed


def test_a_later_minor_version_of_the_format_is_read() -> None:
    token = json.dumps({**VECTORS[0]["token"], "format": "web-eid:1.2", "new": [1]})
    assert verify(token, challenge_of(VECTORS[0]), trust=BELGIAN_TRUST, at=VECTORS_AT)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "null",
        "[]",
        "{}",
        "{",
        '{"format": "web-eid:1.0"}',
        '{"x": ' + "[" * 8000 + "]" * 8000 + "}",
        json.dumps({**VECTORS[0]["token"], "padding": "x" * LONGEST_TOKEN}),
        json.dumps({**VECTORS[0]["token"], "algorithm": 384}),
        json.dumps({**VECTORS[0]["token"], "unverifiedCertificate": "not base64!"}),
        json.dumps({**VECTORS[0]["token"], "unverifiedCertificate": ""}),
        json.dumps({**VECTORS[0]["token"], "unverifiedCertificate": "MIID"}),
        json.dumps({**VECTORS[0]["token"], "signature": "é"}),
        json.dumps(VECTORS[0]["token"]).replace("ES384", "\udcff"),
    ],
)
def test_what_is_no_token_is_refused_before_anything_else(token: str) -> None:
    assert rejection(token, challenge_of(VECTORS[0]), BELGIAN_TRUST, at=VECTORS_AT) is Malformed


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (P256, "ES256"),
        (P384, "ES384"),
        (P521, "ES512"),
        *[(RSA, f"{kind}{bits}") for kind in ("RS", "PS") for bits in (256, 384, 512)],
    ],
)
def test_each_algorithm_of_the_protocol_is_read(key: Key, algorithm: str) -> None:
    token = answer(CA.issue(Draft(key=key)), key, algorithm)
    assert verify(token, CHALLENGE, trust=CA.trust(BELGIAN_AUTHENTICATION), at=AT) == ELIF


@pytest.mark.parametrize("number", ["95612899604", "PNOBE-95612899604"])
def test_the_number_is_read_in_both_its_forms(number: str) -> None:
    token = answer(CA.issue(Draft(serial_number=number)), P384, "ES384")
    assert verify(token, CHALLENGE, trust=CA.trust(), at=AT) == ELIF


@pytest.mark.parametrize("number", ["", "9561289960", "956128996040", "PNOEE-95612899604", "95612899604 ", "IDCBE-59"])
def test_a_certificate_without_a_national_number_names_nobody(number: str) -> None:
    token = answer(CA.issue(Draft(serial_number=number)), P384, "ES384")
    assert rejection(token, CHALLENGE, CA.trust(), at=AT) is NoNumber


REFUSED = {
    "of a CA": Draft(is_ca=True),
    "without key usage": Draft(has_usage=False),
    "for another key usage": Draft(may_sign=False),
    "without purpose": Draft(purposes=()),
    "for servers": Draft(purposes=(ExtendedKeyUsageOID.SERVER_AUTH,)),
    "for any purpose": Draft(purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)),
    "of another policy": Draft(policies=("2.16.56.12.1.1.7.1",)),
    "without policy": Draft(policies=()),
    "with an extension that must be understood": Draft(critical=ObjectIdentifier("1.3.6.1.4.1.99999.1")),
}


@pytest.mark.parametrize("draft", REFUSED.values(), ids=REFUSED.keys())
def test_a_certificate_for_something_else_is_refused(draft: Draft) -> None:
    token = answer(CA.issue(draft), P384, "ES384")
    assert rejection(token, CHALLENGE, CA.trust(BELGIAN_AUTHENTICATION), at=AT) is NotForSigningIn


def test_without_a_policy_asked_any_will_do() -> None:
    token = answer(CA.issue(Draft(policies=())), P384, "ES384")
    assert verify(token, CHALLENGE, trust=CA.trust(), at=AT) == ELIF


def test_a_short_key_is_refused() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=SMALLEST_RSA_BITS // 2)
    token = answer(CA.issue(Draft(key=key)), key, "RS256")
    assert rejection(token, CHALLENGE, CA.trust(), at=AT) is NotForSigningIn


def test_a_kind_of_key_that_the_protocol_does_not_know_is_refused() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    token = answer(CA.issue(Draft(key=key)), key, "ES256")
    assert rejection(token, CHALLENGE, CA.trust(), at=AT) is WrongAlgorithm


def test_a_certificate_signed_with_a_short_digest_is_issued_by_nobody() -> None:
    token = answer(CA.issue(Draft(digest=hashes.SHA224())), P384, "ES384")
    assert rejection(token, CHALLENGE, CA.trust(), at=AT) is Untrusted


def test_an_issuer_of_the_same_name_with_another_key_has_not_issued_it() -> None:
    token = answer(CA.issue(Draft()), P384, "ES384")
    assert rejection(token, CHALLENGE, issuer().trust(), at=AT) is Untrusted


def test_a_card_may_not_issue_cards() -> None:
    card = Issuer(CA.issue(Draft()), P384)
    token = answer(card.issue(Draft(key=P256)), P256, "ES256")
    assert rejection(token, CHALLENGE, CA.trust(), at=AT) is Untrusted
    assert rejection(token, CHALLENGE, card.trust(), at=AT) is Untrusted


@pytest.mark.parametrize(
    "draft",
    [
        Draft(is_ca=True, may_sign=True, may_issue=False),
        Draft(is_ca=False, may_sign=False, may_issue=False),
        Draft(is_ca=None, may_sign=False, may_issue=True),
        Draft(is_ca=True, has_usage=False),
        Draft(is_ca=True, may_sign=False, may_issue=True, critical=ObjectIdentifier("1.3.6.1.4.1.99999.1")),
    ],
)
def test_an_anchor_that_may_not_issue_is_no_anchor(draft: Draft) -> None:
    poor = issuer(draft)
    token = answer(poor.issue(Draft()), P384, "ES384")
    assert rejection(token, CHALLENGE, poor.trust(), at=AT) is Untrusted


@pytest.mark.parametrize("days", [-10, 10])
def test_an_issuer_before_and_after_its_time_vouches_for_nobody(days: int) -> None:
    begins_at, ends_at = NOW + timedelta(days=days - 1), NOW + timedelta(days=days + 1)
    draft = Draft(is_ca=True, may_sign=False, may_issue=True, begins_at=begins_at, ends_at=ends_at)
    other = issuer(draft)
    token = answer(other.issue(Draft()), P384, "ES384")
    assert rejection(token, CHALLENGE, other.trust(), at=AT) is NotValidNow


def test_a_file_of_issuers_may_hold_several() -> None:
    pem = b"".join(c.public_bytes(Encoding.PEM) for c in (CA.certificate, *BELGIAN_TRUST.certificates))
    assert read_issuers(pem) == (CA.certificate, *BELGIAN_TRUST.certificates)
    with pytest.raises(ValueError, match="PEM"):
        read_issuers(b"nothing")
