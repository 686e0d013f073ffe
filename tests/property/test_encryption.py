"""Envelopes that hostile senders make up, keys that hostile clients register, and what they say of both: each is read,
or refused by name, in bounded time.
"""

import json
import time
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.client_rules import client_faults
from idp.clients import ENCRYPTED_ANSWERS, Client
from idp.keys.encryption import (
    CONTENT_ALGORITHMS,
    ENCRYPTION_ALGORITHMS,
    KEY_KINDS,
    MAXIMUM_ENCRYPTED,
    EncryptionKey,
    decrypt,
    encrypt,
    import_encryption_key,
    key_for,
    new_encryption_key,
)
from idp.keys.jwt import TokenRejected, sign
from tests.clock import FakeClock
from tests.flow.estate import Estate, prepare
from tests.flow.sealing import encrypted, segment
from tests.flow.test_encryption import our_key
from tests.property.test_http import KEY, json_values, tokens, words
from tests.property.test_registration import keys as odd_keys
from tests.property.test_requests import CLIENT, open_address, push

OURS = tuple(import_encryption_key(kind, new_encryption_key(kind), active_at=0) for kind in KEY_KINDS)
SECONDS = 2.0
"""No answer takes longer, on a busy machine too; the usual is a few milliseconds."""

algs = st.sampled_from([*ENCRYPTION_ALGORITHMS, "RSA1_5", "dir", "none", "A128KW", "PBES2-HS256+A128KW"])
encs = st.sampled_from([*CONTENT_ALGORITHMS, "A128CTR", "none"])
epks = st.fixed_dictionaries(
    {},
    optional={
        "kty": st.sampled_from(["EC", "OKP", "RSA", "oct"]),
        "crv": st.sampled_from(["P-256", "P-384", "P-521", "X25519", "X448", "Ed25519", "secp256k1"]),
        "x": st.binary(max_size=66).map(lambda raw: urlsafe_b64encode(raw).rstrip(b"=").decode()),
        "y": st.binary(max_size=66).map(lambda raw: urlsafe_b64encode(raw).rstrip(b"=").decode()),
    },
)
headers = st.fixed_dictionaries(
    {"alg": algs | json_values, "enc": encs | json_values},
    optional={
        "kid": st.sampled_from([key.kid for key in OURS]) | json_values,
        "epk": epks | json_values | st.just(dict(OURS[1].public_jwk)),
        **dict.fromkeys(
            ("zip", "crit", "b64", "apu", "apv", "p2c", "p2s", "cty", "typ", "jwk", "x5c", "jku"), json_values
        ),
    },
)
parts = st.binary(max_size=300).map(lambda raw: urlsafe_b64encode(raw).rstrip(b"=").decode())
envelopes = st.tuples(headers.map(segment), parts, parts, parts, parts).map(".".join)


def decrypted(text: str, keys: tuple[EncryptionKey, ...] = OURS) -> str | None:
    """What is inside; None if it is refused as it should be."""
    try:
        return decrypt(text, keys)
    except TokenRejected:
        return None


@given(st.text() | tokens)
def test_text_is_no_envelope(text: str) -> None:
    assert decrypted(text) is None


@given(envelopes)
def test_what_was_not_encrypted_to_us_does_not_open(text: str) -> None:
    assert decrypted(text) is None


@given(st.sampled_from(ENCRYPTION_ALGORITHMS), st.sampled_from(CONTENT_ALGORITHMS), words.filter(str.isascii))
def test_what_was_encrypted_to_us_opens_by_its_key_alone(alg: str, enc: str, content: str) -> None:
    mine, other = (OURS[0], OURS[1]) if alg.startswith("RSA") else (OURS[1], OURS[0])
    text = encrypt(content, mine.public_jwk, alg=alg, enc=enc)
    assert decrypted(text) == (content or None)
    assert decrypted(text, (other,)) is None
    assert decrypted(text, ()) is None


@given(st.sampled_from(ENCRYPTION_ALGORITHMS), headers, st.integers(0, 4), parts)
def test_a_changed_envelope_does_not_open(alg: str, header: dict[str, Any], index: int, part: str) -> None:
    mine = OURS[0] if alg.startswith("RSA") else OURS[1]
    whole = encrypted("content", dict(mine.public_jwk), alg=alg, enc="A128CBC-HS256").split(".")
    replaced = segment(header) if index == 0 else part
    if replaced != whole[index]:
        assert decrypted(".".join((*whole[:index], replaced, *whole[index + 1 :]))) is None


@given(st.lists(odd_keys, max_size=5), algs)
def test_a_key_that_is_found_serves_or_says_that_it_does_not(keys: list[dict[str, Any]], alg: str) -> None:
    key = key_for(keys, alg)
    if key is not None and alg in ENCRYPTION_ALGORITHMS:
        try:
            assert encrypt("content", key, alg=alg, enc="A128GCM").count(".") == 4
        except TokenRejected:
            return


@given(
    st.dictionaries(
        st.sampled_from(
            [f"{answer}_encrypted_response_{part}" for answer in ENCRYPTED_ANSWERS for part in ("alg", "enc")]
            + ["userinfo_signed_response_alg", "request_object_encryption_alg", "request_object_encryption_enc"]
        ),
        words | algs | encs,
    ),
    st.none() | st.lists(odd_keys, max_size=3),
)
def test_whatever_is_registered_is_kept_only_if_it_can_be(members: dict[str, str], keys: list[dict[str, Any]]) -> None:
    jwks = None if keys is None else {"keys": keys}
    client = Client(client_id="a", secret_hashes=("b",), redirect_uris=("https://a.be/cb",), jwks=jwks, **members)
    if not client_faults(client):
        for answer in ENCRYPTED_ANSWERS:
            alg, enc = client.encryption_of(answer)
            assert (alg in ENCRYPTION_ALGORITHMS and enc in CONTENT_ALGORITHMS) or (alg, enc) == ("", "")


# At the endpoints


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """The provider, with a client that signs its requests."""
    clock = FakeClock()
    made = Estate(prepare(tmp_path_factory.mktemp("estate"), clock), clock)
    made.register(CLIENT, jwks={"keys": [dict(KEY.public_jwk)]})
    made.get("/op/v1/keys")  # what only the first request costs counts for none
    yield made
    made.application.close()


@settings(deadline=SECONDS * 1000)
@given(envelopes)
def test_whatever_comes_in_an_envelope_is_refused_by_name(estate: Estate, text: str) -> None:
    assert push(estate, {"request": text}) in ("invalid_request_object", "invalid_request")
    open_address(estate, {"client_id": CLIENT, "request": text, "id_token_hint": text})


@settings(deadline=SECONDS * 1000)
@given(st.sampled_from(["RSA-OAEP", "ECDH-ES"]), st.text(max_size=200) | tokens)
def test_whatever_is_inside_one_is_refused_by_name(estate: Estate, alg: str, content: str) -> None:
    text = encrypted(content, our_key(estate, alg), alg=alg)
    assert push(estate, {"request": text}) == "invalid_request_object"


@settings(deadline=SECONDS * 1000)
@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "scope", "claims", "exp", "nbf", "redirect_uri", "max_age", "client_id"]),
        json_values,
    )
)
def test_whatever_is_signed_inside_is_taken_or_refused_by_name(estate: Estate, inside: dict[str, Any]) -> None:
    usual = {**estate.browser().request(CLIENT), "iss": CLIENT, "aud": estate.settings.issuer}
    text = encrypted(sign(usual | inside, KEY), our_key(estate, "ECDH-ES"), alg="ECDH-ES")
    push(estate, {"request": text})
    if not inside:
        assert push(estate, {"request": text}) == ""


def bombs(estate: Estate) -> Iterator[tuple[str, str]]:
    """Envelopes that would cost much if they were opened without care."""
    key = our_key(estate, "ECDH-ES")
    signed = sign({**estate.browser().request(CLIENT), "iss": CLIENT, "aud": estate.settings.issuer}, KEY)
    squeezed = zlib.compressobj(wbits=-15)
    bomb = squeezed.compress(b"A" * 20_000_000) + squeezed.flush()
    assert len(bomb) < MAXIMUM_ENCRYPTED
    yield "compressed", encrypted(bomb.decode("latin-1"), key, alg="ECDH-ES", zip="DEF")
    yield (
        "many rounds of a password",
        segment({"alg": "PBES2-HS512+A256KW", "p2c": 2**31, "p2s": "AA"}) + ".AA.AA.AA.AA",
    )
    nested = encrypted(signed, key, alg="ECDH-ES")
    for _ in range(20):
        nested = encrypted(nested, key, alg="ECDH-ES")
        if len(nested) < 30_000:
            yield "nested", nested
    yield "a huge header", encrypted(signed, key, alg="ECDH-ES", x="A" * 40_000)
    yield "a deep header", urlsafe_b64encode(b'{"alg":' + b"[" * 2000).decode() + ".AA.AA.AA.AA"
    yield (
        "a huge number",
        segment({"alg": "ECDH-ES", "enc": "A128GCM", "epk": {"kty": "EC", "x": "A" * 2000}}) + ".AA" * 4,
    )
    yield "many keys", encrypted(signed, key, alg="ECDH-ES", x5c=["A"] * 900)
    yield "a huge content", encrypted("A" * 22_000, key, alg="ECDH-ES")
    yield "a deep content", encrypted("[" * 20_000, key, alg="ECDH-ES")
    deep = sign({"iss": CLIENT, "claims": json.loads("[" * 400 + "]" * 400)}, KEY)
    yield "deep claims", encrypted(deep, key, alg="ECDH-ES")
    yield "many dots", "." * 20_000
    yield "a long key", segment({"alg": "RSA-OAEP", "enc": "A128GCM"}) + "." + "A" * 20_000 + ".AA.AA.AA"


def test_no_envelope_costs_much(estate: Estate) -> None:
    for name, text in bombs(estate):
        began = time.perf_counter()
        assert push(estate, {"request": text}) in ("invalid_request_object", "invalid_request"), name
        assert time.perf_counter() - began < SECONDS, name
        open_address(estate, {"client_id": CLIENT, "request": text})
