"""What reads hostile text: it gives what it promises, or fails as it promises, and in no other way."""

import re
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.clients import Client
from idp.errors import InvalidClient, InvalidRequest, ProtocolError
from idp.flows.checks import ADDRESSEE, REQUEST, Asked, hinted_identity
from idp.http import MAXIMUM_PARAMETERS, ParameterRepeated, Request, parse_cookies, parse_parameters, with_query
from idp.keys.jwt import (
    ASYMMETRIC_ALGORITHMS,
    TokenRejected,
    import_key,
    new_private_key,
    sign,
    unverified_claims,
    verify,
)

KEY = import_key("ES256", new_private_key("ES256"), active_at=0)
CLIENT = Client(client_id="a", redirect_uris=("https://a.example/cb", "http://127.0.0.1/cb"))

words = st.text(st.characters(codec="utf-8"), max_size=30)
# What a header or an address can hold by the time that it reaches us: bytes, each as a character (PEP 3333).
header_text = st.text(st.characters(max_codepoint=255))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
base64_like = st.text("ABab01+/-_=.\n é[{", max_size=80)
segments = st.one_of(
    st.text(max_size=30),
    base64_like,
    json_values.map(lambda value: urlsafe_b64encode(msgspec.json.encode(value)).decode()),
    st.integers(1, 9000).map(lambda depth: urlsafe_b64encode(b"[" * depth).decode()),
)
tokens = st.text() | st.lists(segments, min_size=2, max_size=5).map(".".join)
names = (
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "prompt", "max_age", "request"),
    *("code_challenge", "code_challenge_method"),
)
requests = st.dictionaries(
    st.sampled_from(names),
    st.text() | st.sampled_from(["code", "openid", "none", "S256", "query", "https://a.example/cb"]),
)
loopback_like = st.text("http://127.0.0.1[]@:\\/?#\n\t 80cb", max_size=40).map("http://127.0.0.1{}".format)


@given(st.text() | st.text("a=&%;+0fFé\0", max_size=60))
def test_parameters_are_read_or_refused(raw: str) -> None:
    try:
        found = parse_parameters(raw)
    except InvalidRequest:
        return
    assert len(found) <= MAXIMUM_PARAMETERS
    assert all(value for value in found.values())


@given(st.dictionaries(words, words.filter(bool), max_size=20))
def test_what_was_encoded_is_read_back(parameters: dict[str, str]) -> None:
    assert parse_parameters(urlencode(parameters)) == parameters
    added = with_query("https://a.example/b?c=d", parameters.items() - {("c", parameters.get("c", ""))})
    assert added.startswith("https://a.example/b?c=d")


@given(words.filter(lambda name: name != "resource"), words.filter(bool), words.filter(bool))
def test_a_parameter_that_stands_twice_is_never_read(name: str, first: str, second: str) -> None:
    with pytest.raises(ParameterRepeated) as refused:
        parse_parameters(urlencode([(name, first), (f"other {name}", "x"), (name, second)]))
    assert refused.value.others == {f"other {name}": "x"}


@given(header_text | base64_like)
def test_basic_credentials_are_read_or_refused(value: str) -> None:
    request = Request("POST", "/", headers={"authorization": f"Basic {value}"})
    try:
        found = request.basic_credentials()
    except InvalidClient:
        return
    assert found is not None
    assert len(found) == 2


@given(words, words)
def test_basic_credentials_are_read_back(user: str, password: str) -> None:
    encoded = [urlencode({"": text})[1:] for text in (user, password)]
    sent = b64encode(":".join(encoded).encode()).decode()
    assert Request("POST", "/", headers={"authorization": f"Basic {sent}"}).basic_credentials() == (user, password)


@given(header_text)
def test_any_other_authorization_header_is_no_basic_and_maybe_a_bearer(value: str) -> None:
    request = Request("POST", "/", headers={"authorization": value})
    if value.partition(" ")[0].lower() != "basic":
        assert request.basic_credentials() is None
    assert request.bearer_token() in value


@given(header_text | st.text('ab=; "\\,', max_size=60))
def test_cookies_are_always_read(header: str) -> None:
    cookies = parse_cookies(header)
    assert all(";" not in text for pair in cookies.items() for text in pair)


@given(st.text() | segments | json_values.map(lambda value: b64encode(msgspec.json.encode(value)).decode()))
def test_a_login_hint_is_an_identity_or_none_and_can_be_kept(hint: str) -> None:
    found = hinted_identity(hint)
    assert found == "" or ":" in found
    assert msgspec.json.decode(msgspec.json.encode(found)) == found


@given(tokens, st.sampled_from([KEY.public_jwk, {}, {"kty": "EC"}, {"kty": "oct", "k": "A" * 43}, {"kty": []}]))
def test_a_token_that_we_did_not_sign_is_rejected(token: str, key: dict[str, str]) -> None:
    with pytest.raises(TokenRejected):
        verify(token, [key], algorithms=ASYMMETRIC_ALGORITHMS)


@given(tokens)
def test_claims_that_nothing_proves_are_read_or_refused(token: str) -> None:
    try:
        claims = unverified_claims(token)
    except TokenRejected:
        return
    assert isinstance(claims, dict)


@given(st.dictionaries(words, json_values, max_size=4), st.integers(0, 2000), st.integers(1, 255))
def test_a_token_of_ours_is_verified_and_no_change_of_it_is_believed(
    claims: dict[str, object], place: int, change: int
) -> None:
    token = sign(claims, KEY)
    verified = verify(token, [KEY.public_jwk], algorithms=["ES256"])
    assert verified == msgspec.json.decode(msgspec.json.encode(claims))
    place %= len(token)
    changed = token[:place] + chr(ord(token[place]) ^ change) + token[place + 1 :]
    try:
        found = verify(changed, [KEY.public_jwk], algorithms=["ES256"])
    except TokenRejected:
        return
    # The last character of base64 may hold bits that count for nothing: then the same claims were signed.
    assert found == verified


@given(requests)
def test_a_check_passes_or_names_a_fault_and_never_repeats_what_was_sent(parameters: dict[str, str]) -> None:
    told = []
    for check in (*ADDRESSEE, *REQUEST):
        try:
            check(Asked(parameters, CLIENT))
        except ProtocolError as error:
            told.append(error.description)
    assert all(told)
    for sent in parameters.values():
        if len(sent) > 20:
            assert not [sentence for sentence in told if sent in sentence]


@given(st.text() | loopback_like)
def test_only_the_port_of_a_loopback_address_is_free(uri: str) -> None:
    if CLIENT.has_redirect_uri(uri) and uri != "https://a.example/cb":
        port = uri.removeprefix("http://127.0.0.1").removesuffix("/cb")
        assert uri == f"http://127.0.0.1{port}/cb"
        assert re.fullmatch("(:[0-9]{1,5})?", port, re.ASCII)
