"""Whatever an application says of itself: it is registered or refused by a named error, and never gains authority."""

from base64 import urlsafe_b64encode
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.client_rules import client_faults
from idp.clients import Client
from idp.flows.registration import metadata_of
from idp.http import Request
from idp.registration import (
    REGISTRABLE,
    SCOPES,
    InvalidClientMetadata,
    InvalidRedirectUri,
    own_members,
    read_registration,
    told,
)

KEPT = Client(
    client_id="1",
    secret_hashes=("a",),
    is_self_registered=True,
    registration_token_hash="b",
    issued_at=1,
    target_groups=("BUR",),
)
OURS = set(Client.__struct_fields__) - REGISTRABLE - own_members(KEPT).keys()
"""The members that only an administrator can set."""

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60)
addresses = st.sampled_from(
    ["https://a.be/cb", "http://localhost/cb", "http://127.0.0.1:1/", "be.a:/x", "https://[", "https://a.be:99999/"]
)
words = st.sampled_from(
    ["openid rrn vo", "code", "none", "RS256", "web", "native", "authorization_code", "implicit", ""]
)
keys = st.fixed_dictionaries(
    {"kty": st.sampled_from(["RSA", "EC", "OKP", "oct"]) | scalars},
    optional={
        name: scalars | st.binary(max_size=64).map(lambda raw: urlsafe_b64encode(raw).decode())
        for name in ("n", "e", "x", "y", "d", "k", "crv", "alg", "use", "kid", "key_ops")
    },
)
values = st.recursive(
    scalars | addresses | words | keys,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10) | st.just("keys"), inner, max_size=3)
    ),
    max_leaves=8,
)
likely = st.fixed_dictionaries({"redirect_uris": st.lists(addresses, min_size=1, max_size=3)})
anything = st.dictionaries(
    st.sampled_from([*Client.__struct_fields__, "response_types", "jwks_uri"]), values, max_size=8
)


@settings(deadline=None, max_examples=400)
@given(anything | st.builds(lambda a, b: a | b, anything, likely))
def test_metadata_make_a_client_without_authority_or_a_named_error(metadata: dict[str, Any]) -> None:
    try:
        client = read_registration(metadata, kept=KEPT)
    except (InvalidClientMetadata, InvalidRedirectUri):
        return
    assert client_faults(client) == []
    assert client.scopes <= set(SCOPES)
    assert own_members(client) == own_members(KEPT)
    usual = Client(client_id="1", target_groups=("BUR",))
    assert {name: getattr(client, name) for name in OURS} == {name: getattr(usual, name) for name in OURS}


@settings(deadline=None, max_examples=200)
@given(anything, likely)
def test_what_was_told_registers_the_same_again(metadata: dict[str, Any], addressed: dict[str, Any]) -> None:
    try:
        client = read_registration(metadata | addressed, kept=KEPT)
    except (InvalidClientMetadata, InvalidRedirectUri):
        return
    assert read_registration(msgspec.json.decode(msgspec.json.encode(told(client))), kept=KEPT) == client


@given(st.binary(max_size=300) | st.integers(1, 60_000).map(lambda depth: b'{"a":' * depth))
def test_any_body_is_an_object_or_refused(body: bytes) -> None:
    request = Request("POST", "/op/v1/register", body=body, content_type="application/json")
    try:
        assert isinstance(metadata_of(request), dict)
    except InvalidClientMetadata:
        return


def test_the_members_that_only_an_administrator_can_set_are_those_that_give_authority() -> None:
    given = {"application", "organisation", "choice", "target_groups", "role_claim", "may_introspect", "resource"}
    assert given | {"may_know_scopes", "logout_without_question", "owner_name", "minimum_acr"} <= OURS
