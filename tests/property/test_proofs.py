"""Proofs that hostile senders make up: each is read, or refused as such, and in no other way."""

import json
import math
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from idp.proofs import InvalidProof, Proof, normalised, read_proof

KEY = ec.generate_private_key(ec.SECP256R1())
JWK = json.loads(jwt.get_algorithm_by_name("ES256").to_jwk(KEY.public_key()))

words = st.text(max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
members = ("kty", "crv", "x", "y", "n", "e", "d", "k", "use", "key_ops", "alg", "kid", "x5c")
keys = st.dictionaries(st.sampled_from(members), values | st.sampled_from(["EC", "RSA", "OKP", "P-256", "AQAB", "AA"]))
headers = st.fixed_dictionaries(
    {},
    optional={
        "typ": st.just("dpop+jwt") | values,
        "alg": st.sampled_from(["ES256", "RS256", "EdDSA", "Ed25519", "ES512", "none", "HS256"]) | values,
        "jwk": keys | st.just(JWK) | values,
        "crit": values,
        "b64": values,
    },
)
claims = st.dictionaries(st.sampled_from(["jti", "htm", "htu", "iat", "nonce", "ath", "exp"]), values)


def segment(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def read_or_refuse(text: str) -> Proof | None:
    try:
        return read_proof(text)
    except InvalidProof:
        return None


@given(st.text() | st.lists(st.text("ABab01+/-_=é[{", max_size=60), max_size=5).map(".".join))
def test_text_is_no_proof(text: str) -> None:
    assert read_or_refuse(text) is None


@given(headers, claims, st.binary(max_size=100))
def test_an_unsigned_proof_is_no_proof(header: dict[str, Any], told: dict[str, Any], signature: bytes) -> None:
    signed = urlsafe_b64encode(signature).rstrip(b"=").decode()
    assert read_or_refuse(f"{segment(header)}.{segment(told)}.{signed}") is None


@given(claims)
def test_a_signed_proof_is_read_with_claims_of_the_right_kind_alone(told: dict[str, Any]) -> None:
    raw = msgspec.json.encode(told) if len(told) % 2 else json.dumps(told).encode()
    signed = jwt.api_jws.encode(raw, KEY, "ES256", headers={"typ": "dpop+jwt", "jwk": JWK})
    proof = read_or_refuse(signed)
    if proof is not None:
        assert proof.jti
        assert proof.method == told["htm"]
        assert proof.address == told["htu"]
        assert not isinstance(proof.issued_at, bool | str)


@given(st.text() | st.text("htp:/[]@?#.1aA%", max_size=40))
def test_query_and_fragment_never_count(address: str) -> None:
    bare = address.partition("#")[0].partition("?")[0]
    assert normalised(address) == normalised(bare)


def test_a_proof_by_a_key_that_takes_long_to_check_is_refused_unchecked() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    e = 2**521 - 1
    d = pow(e, -1, math.lcm(small.p - 1, small.q - 1))
    parts = (small.p, small.q, d, d % (small.p - 1), d % (small.q - 1), small.iqmp)
    key = rsa.RSAPrivateNumbers(*parts, rsa.RSAPublicNumbers(e, small.public_numbers.n)).private_key()
    jwk = json.loads(jwt.get_algorithm_by_name("RS256").to_jwk(key.public_key()))
    told = {"jti": "1", "htm": "POST", "htu": "https://a.example/", "iat": 1}
    usual = {name: jwk[name] for name in ("kty", "n", "e")}
    proof = jwt.encode(told, key, algorithm="RS256", headers={"typ": "dpop+jwt", "jwk": usual})
    with pytest.raises(InvalidProof):
        read_proof(proof)


@pytest.mark.parametrize("bits", [1024, 9216])
def test_a_proof_by_a_key_that_is_too_short_or_too_long_is_refused(bits: int) -> None:
    modulus = urlsafe_b64encode((2**bits - 1).to_bytes(bits // 8, "big")).rstrip(b"=").decode()
    header = {"typ": "dpop+jwt", "alg": "RS256", "jwk": {"kty": "RSA", "n": modulus, "e": "AQAB"}}
    with pytest.raises(InvalidProof) as refused:
        read_proof(f"{segment(header)}.{segment({'jti': '1'})}.AAAA")
    assert "too short, or too long" in str(refused.value)
