"""Dynamic registration: RFC 7591, RFC 7592 and OpenID Connect Dynamic Client Registration 1.0."""

import json
from typing import Any

import msgspec
import pytest
from werkzeug.test import TestResponse

from idp.client_registry import add, make_token
from idp.clients import Client
from idp.commands import CommandFailed, parse
from idp.composition import House
from tests.flow.estate import Arrival, Estate
from tests.flow.journeys import arrive, at_once
from tests.flow.listener import listening
from tests.flow.reading import Page

PATH = "/op/v1/register"
CALLBACK = "https://rp.example.be/cb"


@pytest.fixture
def estate(estate: Estate) -> Estate:
    """The estate, in which anyone may register."""
    return estate.configured(registration="open")


def register(estate: Estate, token: str = "", /, **metadata: Any) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    sent = {"redirect_uris": [CALLBACK]} | metadata
    return estate.http().post(PATH, json=sent, headers=headers, base_url=estate.origin)


def registered(estate: Estate, **metadata: Any) -> dict[str, Any]:
    """What a successful registration tells; known to the estate from then on."""
    answer = register(estate, **metadata)
    assert answer.status_code == 201, answer.text
    assert answer.json
    estate.registered[answer.json["client_id"]] = answer.json
    return dict(answer.json)


def manage(
    estate: Estate, method: str, client: dict[str, Any], metadata: Any = None, *, token: str = ""
) -> TestResponse:
    """Call the address that the client was given, with its token."""
    headers = {"Authorization": f"Bearer {token or client['registration_access_token']}"}
    address = client["registration_client_uri"].removeprefix(estate.origin)
    return estate.http().open(address, method=method, json=metadata, headers=headers, base_url=estate.origin)


def error_of(answer: TestResponse) -> tuple[int, str]:
    assert answer.json
    return answer.status_code, answer.json["error"]


def changeable(client: dict[str, Any]) -> dict[str, Any]:
    """What an update may send back of what was told."""
    ours = {"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"}
    return {name: value for name, value in client.items() if name not in ours}


def test_the_least_that_can_be_said_makes_a_client_with_the_defaults(estate: Estate) -> None:
    answer = register(estate)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    told = answer.json
    assert told
    assert len(told["client_id"]) == 36
    assert len(told["client_secret"]) >= 43
    assert told["client_secret_expires_at"] == 0
    assert told["client_id_issued_at"] == int(estate.clock())
    assert told["registration_client_uri"] == f"{estate.settings.issuer}/v1/register/{told['client_id']}"
    assert told["redirect_uris"] == [CALLBACK]
    assert told["token_endpoint_auth_method"] == "client_secret_basic"
    assert (told["grant_types"], told["response_types"]) == (["authorization_code"], ["code"])
    assert (told["application_type"], told["id_token_signed_response_alg"]) == ("web", "RS256")
    assert told["scope"].split() == ["openid", "profile", "email", "phone", "offline_access"]


def test_a_registered_client_signs_people_in_and_reads_their_claims_from_userinfo_alone(estate: Estate) -> None:
    client_id = registered(estate, client_name="Kaartclub")["client_id"]
    arrived = arrive(estate.browser(), client_id, "dirk", scope="openid profile email")
    tokens = estate.redeem(client_id, arrived)
    assert tokens.status == 200
    claims = estate.verified(tokens, client_id)
    assert {"sub", "acr", "amr", "auth_time", "nonce", "at_hash", "sid"} <= claims.keys()
    assert not {"name", "given_name", "family_name", "email", "locale"} & claims.keys()
    asked = {"Authorization": f"Bearer {tokens.body['access_token']}"}
    told = estate.get("/op/v1/userinfo", headers=asked).json
    assert told
    assert (told["sub"], told["name"], told["email"]) == (claims["sub"], "Dirk Maes", estate.person("dirk").email)


def test_nobody_registers_itself_any_authority(estate: Estate) -> None:
    told = registered(
        estate,
        scope="openid rrn vo hinderpremie vo_info email wettelijkvertegenwoordiger",
        client_id="hinderpremie",
        application="hinderpremie",
        organisation="korenaar",
        choice="organisation",
        target_groups=["EA", "LB"],
        role_claim="hinderpremie_rol_3d",
        may_introspect=True,
        may_know_scopes="rrn",
        resource="https://api.example.be",
        logout_without_question=True,
        owner_name="Agentschap Voorbeeld",
        secret_hashes=["0" * 64],
        is_self_registered=False,
        registration_token_hash="0" * 64,
        expires_at=1,
    )
    assert told["client_id"] != "hinderpremie"
    client = estate.application.provider.clients.get(told["client_id"])
    assert client
    assert client.scopes == {"openid", "email"}
    assert client.target_groups == ("BUR",)
    assert client.is_self_registered
    texts = (client.application, client.organisation, client.role_claim, client.resource, client.owner_name)
    assert {*texts, client.may_know_scopes} == {""}
    assert {client.may_introspect, client.logout_without_question, bool(client.expires_at)} == {False}
    assert client.choice == "none"
    for scope in ("openid rrn", "openid vo", "openid hinderpremie"):
        refused = estate.browser().ask(told["client_id"], scope=scope)
        assert isinstance(refused, Arrival)
        assert refused.parameters["error"] == "invalid_scope"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": []},
        {"redirect_uris": None},
        {"redirect_uris": "https://rp.example.be/cb"},
        {"redirect_uris": [1]},
        {"redirect_uris": ["https://rp.example.be/cb#fragment"]},
        {"redirect_uris": ["/cb"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["http://rp.example.be/cb"]},
        {"redirect_uris": ["https://rp.example.be/a b"]},
        {"redirect_uris": ["http://localhost:1/cb"], "application_type": "web"},
        {"redirect_uris": ["be.example.app:/cb"], "application_type": "web"},
        {"redirect_uris": ["myapp:/cb"], "application_type": "native"},
        {"redirect_uris": ["http://rp.example.be/cb"], "application_type": "native"},
    ],
    ids=str,
)
def test_an_address_that_may_not_be_registered_is_refused_by_its_own_error(
    estate: Estate, changes: dict[str, Any]
) -> None:
    assert error_of(register(estate, **changes)) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"token_endpoint_auth_method": "magic"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": 7}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
        ({"grant_types": ["implicit"]}, "grant_types"),
        ({"grant_types": ["authorization_code", "client_credentials"]}, "grant_types"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"response_types": ["token"]}, "response_types"),
        ({"response_types": ["code", "id_token"]}, "response_types"),
        ({"response_types": ["code"], "grant_types": ["refresh_token"]}, "response_types"),
        ({"application_type": "desktop"}, "application_type"),
        ({"subject_type": "secret"}, "subject_type"),
        ({"id_token_signed_response_alg": "none"}, "signing"),
        ({"id_token_signed_response_alg": "HS256"}, "signing"),
        ({"logo_uri": "javascript:alert(1)"}, "logo_uri"),
        ({"policy_uri": "http://rp.example.be/"}, "policy_uri"),
        ({"initiate_login_uri": "http://rp.example.be/login"}, "initiate_login_uri"),
        ({"backchannel_logout_uri": "http://rp.example.be/out"}, "backchannel_logout_uri"),
        ({"post_logout_redirect_uris": ["nowhere"]}, "address"),
        ({"jwks": {"keys": []}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}}, "jwks"),
        ({"jwks": {"keys": [{"kty": ["RSA"]}]}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "RSA", "n": "A" * 9000, "e": "AQAB"}]}}, "jwks"),
        ({"jwks": "https://rp.example.be/keys"}, "jwks"),
        ({"default_max_age": -1}, "default_max_age"),
        ({"default_max_age": "soon"}, "default_max_age"),
        ({"client_name": "a\u202egood.be"}, "printable"),
        ({"client_name": "a" * 5000}, "long"),
        ({"contacts": ["x"] * 51}, "50"),
        ({"scope": ["openid"]}, "scope"),
    ],
    ids=str,
)
def test_a_member_that_is_wrong_is_named(estate: Estate, changes: dict[str, Any], named: str) -> None:
    answer = register(estate, **changes)
    assert error_of(answer) == (400, "invalid_client_metadata")
    assert answer.json
    assert named in answer.json["error_description"]
    assert "rp.example.be" not in answer.text


@pytest.mark.parametrize(
    "uri", ["http://localhost:5000/cb", "http://127.0.0.1/cb", "http://[::1]:9/cb", "be.example.app:/cb", CALLBACK]
)
def test_a_native_application_may_have_addresses_of_its_machine(estate: Estate, uri: str) -> None:
    assert registered(estate, redirect_uris=[uri], application_type="native")["redirect_uris"] == [uri]


def test_what_kind_it_is_follows_from_its_addresses_where_it_does_not_say(estate: Estate) -> None:
    assert registered(estate, redirect_uris=["http://127.0.0.1/cb"])["application_type"] == "native"
    assert registered(estate)["application_type"] == "web"


def test_a_public_client_gets_no_secret(estate: Estate) -> None:
    told = registered(estate, token_endpoint_auth_method="none")
    assert not {"client_secret", "client_secret_expires_at"} & told.keys()


def test_what_is_not_known_and_null_are_left_out(estate: Estate) -> None:
    told = registered(estate, **{"favourite_colour": "blue", "client_name#fr": "Club", "client_name": None})
    assert not {"favourite_colour", "client_name#fr", "client_name"} & told.keys()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b"{}", "text/plain"),
        (b"[" * 20000, "application/json"),
        (b"\xff", "application/json"),
        (b'"a"', "application/json"),
    ],
    ids=str,
)
def test_a_body_that_is_no_json_object_is_refused(estate: Estate, body: bytes, content_type: str) -> None:
    answer = estate.http().post(PATH, data=body, content_type=content_type, base_url=estate.origin)
    assert error_of(answer) == (400, "invalid_client_metadata")


def test_the_start_page_does_not_list_it(estate: Estate) -> None:
    registered(estate, client_name="Ziekenfonds Nep", client_uri="https://nep.example.be/")
    text = estate.get("/").text
    assert "Hinderpremie" in text
    assert "Nep" not in text
    assert "nep.example.be" not in text


def test_it_reads_itself_without_its_secret(estate: Estate) -> None:
    client = registered(estate, client_name="Kaartclub", contacts=["a@b.be"])
    answer = manage(estate, "GET", client)
    assert answer.status_code == 200
    assert answer.json == {name: value for name, value in client.items() if name != "client_secret"}


def test_it_changes_itself_and_what_it_leaves_out_is_gone(estate: Estate) -> None:
    client = registered(estate, client_name="Kaartclub", logo_uri="https://rp.example.be/logo.png")
    changed = {name: value for name, value in changeable(client).items() if name != "logo_uri"}
    changed |= {"client_name": "Schaakclub", "redirect_uris": ["https://rp.example.be/other"]}
    answer = manage(estate, "PUT", client, changed)
    assert answer.status_code == 200
    assert answer.json
    assert (answer.json["client_name"], answer.json["redirect_uris"]) == ("Schaakclub", ["https://rp.example.be/other"])
    assert "logo_uri" not in answer.json
    estate.registered[client["client_id"]] = client | changed
    assert isinstance(estate.browser().ask(client["client_id"]), Page)
    arrived = arrive(estate.browser(), client["client_id"], "dirk")
    assert estate.redeem(client["client_id"], arrived).status == 200


def test_a_change_raises_no_authority_either(estate: Estate) -> None:
    client = registered(estate)
    more = changeable(client) | {"scope": "openid rrn", "target_groups": ["EA"], "may_introspect": True}
    assert manage(estate, "PUT", client, more).status_code == 200
    kept = estate.application.provider.clients.get(client["client_id"])
    assert kept
    assert (kept.scopes, kept.target_groups, kept.may_introspect) == ({"openid"}, ("BUR",), False)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "hinderpremie"}, "invalid_client_metadata"),
        ({"client_id": None}, "invalid_client_metadata"),
        ({"client_secret": "my own choice"}, "invalid_client_metadata"),
        ({"client_id_issued_at": 1}, "invalid_client_metadata"),
        ({"registration_access_token": "mine"}, "invalid_client_metadata"),
        ({"redirect_uris": ["http://a.be/"]}, "invalid_redirect_uri"),
    ],
    ids=str,
)
def test_a_change_that_is_not_allowed_changes_nothing(estate: Estate, changes: dict[str, Any], error: str) -> None:
    client = registered(estate)
    assert error_of(manage(estate, "PUT", client, changeable(client) | changes)) == (400, error)
    read = manage(estate, "GET", client).json
    assert read
    assert read["redirect_uris"] == [CALLBACK]


def test_one_that_begins_to_keep_a_secret_gets_one(estate: Estate) -> None:
    client = registered(estate, token_endpoint_auth_method="none")
    answer = manage(estate, "PUT", client, changeable(client) | {"token_endpoint_auth_method": "client_secret_post"})
    assert answer.json
    estate.registered[client["client_id"]] = answer.json
    arrived = arrive(estate.browser(), client["client_id"], "dirk")
    assert estate.redeem(client["client_id"], arrived).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nobody_reaches_another_than_itself(estate: Estate, method: str) -> None:
    one, other = registered(estate), registered(estate)
    for token in (other["registration_access_token"], "wrong", one["client_secret"]):
        assert error_of(manage(estate, method, one, changeable(one), token=token)) == (401, "invalid_token")
    for client_id in ("hinderpremie", "unknown"):
        address = one["registration_client_uri"].replace(one["client_id"], client_id)
        reached = one | {"registration_client_uri": address}
        assert error_of(manage(estate, method, reached, changeable(one))) == (401, "invalid_token")
    bare = estate.http().open(f"{PATH}/{one['client_id']}", method=method, json={}, base_url=estate.origin)
    assert (bare.status_code, bare.headers["WWW-Authenticate"]) == (401, 'Bearer realm="toegang"')
    assert manage(estate, "GET", one).status_code == 200


def test_one_that_is_deleted_is_gone_at_once_with_its_tokens(estate: Estate) -> None:
    client = registered(estate, grant_types=["authorization_code", "refresh_token"])
    client_id = client["client_id"]
    tokens = estate.redeem(client_id, arrive(estate.browser(), client_id, "dirk", scope="openid offline_access"))
    waiting = estate.browser()
    page = waiting.ask(client_id)
    answer = manage(estate, "DELETE", client)
    assert (answer.status_code, answer.data) == (204, b"")
    asked = {"Authorization": f"Bearer {tokens.body['access_token']}"}
    assert estate.get("/op/v1/userinfo", headers=asked).status_code == 401
    grant = {"grant_type": "refresh_token", "refresh_token": tokens.body["refresh_token"]}
    assert estate.call("/op/v1/token", client_id, grant).body["error"] == "invalid_client"
    assert isinstance(page, Page)
    gone = waiting.open(page.address)
    assert isinstance(gone, Page)
    assert (gone.name, gone.status) == ("error", 400)
    assert error_of(manage(estate, "GET", client)) == (401, "invalid_token")
    put_back = manage(estate, "PUT", client, changeable(client))
    assert error_of(put_back) == (401, "invalid_token")


def test_one_that_expires_is_gone(estate: Estate) -> None:
    brief = estate.configured(registration_days=1)
    client = registered(brief)
    assert client["client_secret_expires_at"] == int(estate.clock()) + 86400
    tokens = brief.redeem(client["client_id"], arrive(brief.browser(), client["client_id"], "dirk"))
    assert tokens.status == 200
    estate.clock.advance(86400 - 1)
    assert isinstance(brief.browser().ask(client["client_id"]), Page)
    estate.clock.advance(1)
    page = brief.browser().ask(client["client_id"])
    assert isinstance(page, Page)
    assert page.name == "error"
    assert error_of(manage(brief, "GET", client)) == (401, "invalid_token")


def initial_token(estate: Estate, *options: str) -> str:
    house = House(estate.settings, estate.clock)
    said = make_token(parse(["client", "token", *options]), house.registration_tokens)
    house.engine.dispose()
    return said.removeprefix("initial_access_token ")


def test_by_default_an_initial_access_token_is_needed(estate: Estate) -> None:
    guarded = estate.configured(registration="token")
    answer = register(guarded)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="toegang"')
    assert error_of(register(guarded, "wrong")) == (401, "invalid_token")
    assert register(guarded, initial_token(guarded)).status_code == 201


def test_an_initial_access_token_serves_as_often_as_it_says_and_a_mistake_uses_up_none(estate: Estate) -> None:
    guarded = estate.configured(registration="token")
    token = initial_token(guarded, "--uses", "2")
    assert register(guarded, token, redirect_uris=[]).status_code == 400
    assert [register(guarded, token).status_code for _ in range(3)] == [201, 201, 401]


def test_an_initial_access_token_expires(estate: Estate) -> None:
    guarded = estate.configured(registration="token")
    token = initial_token(guarded, "--days", "1")
    estate.clock.advance(86400)
    assert register(guarded, token).status_code == 401


def test_an_initial_access_token_raced_by_twenty_serves_once(estate: Estate) -> None:
    guarded = estate.configured(registration="token")
    token = initial_token(guarded)
    assert guarded.application
    assert sorted(at_once(20, lambda _: register(guarded, token).status_code)) == [201] + [401] * 19


@pytest.mark.parametrize("options", [("--uses", "0"), ("--days", "0"), ("--uses", "1000000")])
def test_a_token_of_no_sense_is_not_made(estate: Estate, options: tuple[str, str]) -> None:
    with pytest.raises(CommandFailed, match="must be from 1"):
        initial_token(estate, *options)


def test_where_registration_is_off_there_is_none(estate: Estate) -> None:
    closed = estate.configured(registration="off")
    assert register(closed).status_code == 404
    said = closed.get("/op/.well-known/openid-configuration").json
    assert said
    assert "registration_endpoint" not in said


def test_the_secret_and_the_tokens_are_kept_as_hashes_alone(estate: Estate) -> None:
    client = registered(estate)
    kept = estate.application.provider.clients.get(client["client_id"])
    assert kept
    text = json.dumps({name: getattr(kept, name) for name in kept.__struct_fields__})
    assert client["client_secret"] not in text
    assert client["registration_access_token"] not in text


def subject_of(estate: Estate, client_id: str, person: str = "dirk") -> str:
    tokens = estate.redeem(client_id, arrive(estate.browser(), client_id, person, scope="openid"))
    assert tokens.status == 200, tokens.body
    told = estate.get("/op/v1/userinfo", headers={"Authorization": f"Bearer {tokens.body['access_token']}"}).json
    assert told
    assert told["sub"] == tokens.claims["sub"]
    return str(told["sub"])


def test_pairwise_subjects_are_the_same_within_a_host_and_no_other(estate: Estate) -> None:
    hosts = ("https://one.be/a", "https://one.be/b", "https://two.be/a")
    clients = [registered(estate, redirect_uris=[uri], subject_type="pairwise")["client_id"] for uri in hosts]
    public = registered(estate)["client_id"]
    first, same, other = (subject_of(estate, client_id) for client_id in clients)
    assert first == same
    assert len({first, other, subject_of(estate, public), subject_of(estate, clients[0], "an")}) == 4
    assert len(first) == 64


def test_an_id_token_of_a_pairwise_client_is_a_hint(estate: Estate) -> None:
    client_id = registered(estate, subject_type="pairwise")["client_id"]
    browser = estate.browser()
    tokens = estate.redeem(client_id, arrive(browser, client_id, "dirk", scope="openid"))
    again = browser.ask(client_id, scope="openid", prompt="none", id_token_hint=tokens.body["id_token"])
    assert isinstance(again, Arrival)
    assert "code" in again.parameters, again.parameters


def test_several_hosts_are_one_sector_only_if_a_document_of_theirs_says_so(estate: Estate) -> None:
    both = ["https://one.be/a", "https://two.be/a"]
    with listening() as listener:
        allowed = estate.configured(outbound_allow=frozenset({"127.0.0.1"}))
        asked = {"redirect_uris": both, "subject_type": "pairwise"}
        listed = asked | {"sector_identifier_uri": f"{listener.address}/sector.json"}
        assert error_of(register(allowed, **asked)) == (400, "invalid_client_metadata")
        assert error_of(register(allowed, **listed)) == (400, "invalid_client_metadata")
        for wrong in (b"[]", b'["https://one.be/a"]', b"{}", b"\xff", b"[1]"):
            listener.pages["/sector.json"] = wrong
            assert error_of(register(allowed, **listed)) == (400, "invalid_client_metadata")
        listener.pages["/sector.json"] = json.dumps([*both, "https://three.be/"]).encode()
        one = registered(allowed, **listed)
        two = registered(allowed, **listed | {"redirect_uris": ["https://three.be/"]})
        assert subject_of(allowed, one["client_id"]) == subject_of(allowed, two["client_id"])
        changed = changeable(one) | {"redirect_uris": ["https://four.be/"]}
        assert error_of(manage(allowed, "PUT", one, changed)) == (400, "invalid_client_metadata")


def test_a_sector_document_on_a_private_network_is_not_read(estate: Estate) -> None:
    with listening() as listener:
        listener.pages["/sector.json"] = json.dumps([CALLBACK]).encode()
        asked = register(estate, sector_identifier_uri=f"{listener.address}/sector.json")
        assert error_of(asked) == (400, "invalid_client_metadata")


def nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


def test_metadata_that_is_nested_deep_or_very_large_is_refused_and_harms_nobody(estate: Estate) -> None:
    key = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "foo": nested(400)}
    assert error_of(register(estate, jwks={"keys": [key]})) == (400, "invalid_client_metadata")
    assert error_of(register(estate, client_name="x" * 17_000)) == (400, "invalid_client_metadata")
    assert error_of(register(estate, default_max_age=10**12)) == (400, "invalid_client_metadata")
    assert estate.call("/op/v1/token", "tijdmeting", {"grant_type": "client_credentials"}).status == 200


def test_a_client_that_registered_itself_gets_tokens_for_no_api(estate: Estate) -> None:
    client = registered(estate, scope="openid profile")
    asked = {
        "client_id": client["client_id"],
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
        "resource": "https://rapport.example.be/",
    }
    answer = estate.http().get("/op/v1/auth", query_string=asked, base_url=estate.origin)
    assert "error=invalid_target" in answer.headers["Location"]


def test_only_so_many_may_register_themselves_until_some_are_gone(estate: Estate) -> None:
    narrow = estate.configured(registration_limit=2)
    first, _ = registered(narrow), registered(narrow)
    answer = register(narrow)
    assert error_of(answer) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "3600"
    assert manage(narrow, "DELETE", first).status_code == 204
    assert register(narrow).status_code == 201


def test_who_was_given_a_token_is_not_kept_out_by_those_who_need_none(estate: Estate) -> None:
    narrow = estate.configured(registration_limit=1)
    registered(narrow)
    assert register(narrow).status_code == 503
    guarded = narrow.configured(registration="token")
    assert register(guarded, initial_token(guarded)).status_code == 201


def test_a_public_client_that_registered_itself_has_to_use_pkce_and_a_confidential_one_need_not(estate: Estate) -> None:
    public = registered(estate, token_endpoint_auth_method="none")["client_id"]
    refused = estate.browser().ask(public, code_challenge=None, code_challenge_method=None)
    assert isinstance(refused, Arrival)
    assert refused.parameters["error"] == "invalid_request"
    assert isinstance(estate.browser().ask(registered(estate)["client_id"]), Page)


# What an administrator decides on a client that registered itself


def amend(estate: Estate, client: dict[str, Any], **decided: Any) -> str:
    """Set members of the client by `toegang client add`."""
    house = House(estate.settings, estate.clock)
    metadata = {"client_id": client["client_id"], **decided}
    said = add(metadata, house.clients, hasher=house.master_key, settings=estate.settings)
    house.engine.dispose()
    estate.clock.advance(1)
    return said


def kept_of(estate: Estate, client: dict[str, Any]) -> Client:
    kept = estate.application.provider.clients.get(client["client_id"])
    assert kept
    return kept


DECIDED = {
    "minimum_acr": "urn:be:vlaanderen:authmech:eid",
    "consent": "always",
    "require_pkce": True,
    "scope": "openid",
    "dpop_bound_access_tokens": True,
    "require_pushed_authorization_requests": True,
    "redirect_uris": [CALLBACK, "https://rp.example.be/other"],
}


def test_what_an_administrator_set_a_client_does_not_undo(estate: Estate) -> None:
    client = registered(estate, client_name="Kaartclub")
    assert amend(estate, client, **DECIDED) == f"client {client['client_id']} changed"
    changes = {"client_name": "Schaakclub", "dpop_bound_access_tokens": False, "redirect_uris": ["https://evil.be/cb"]}
    for sent in (changeable(client) | changes, {"client_id": client["client_id"], "redirect_uris": [CALLBACK]}):
        answer = manage(estate, "PUT", client, sent)
        assert answer.status_code == 200, answer.text
        assert answer.json
        assert (answer.json["scope"], answer.json["redirect_uris"]) == ("openid", DECIDED["redirect_uris"])
        assert answer.json["dpop_bound_access_tokens"] is True
        kept = kept_of(estate, client)
        assert {name: getattr(kept, name) for name in DECIDED} == DECIDED | {"redirect_uris": (*kept.redirect_uris,)}
    assert kept_of(estate, client).client_name == ""


def test_a_change_by_an_administrator_takes_nothing_from_the_client(estate: Estate) -> None:
    client = registered(estate, client_name="Kaartclub")
    before = kept_of(estate, client)
    amend(estate, client, minimum_acr="urn:be:vlaanderen:authmech:eid")
    expected = msgspec.structs.replace(before, minimum_acr="urn:be:vlaanderen:authmech:eid", pinned=("minimum_acr",))
    assert kept_of(estate, client) == expected
    assert manage(estate, "GET", client).status_code == 200


def test_a_client_that_an_administrator_takes_over_manages_itself_no_longer(estate: Estate) -> None:
    client = registered(estate)
    amend(estate, client, is_self_registered=False)
    assert error_of(manage(estate, "GET", client)) == (401, "invalid_token")
    assert kept_of(estate, client).consent_rule == "none"
    assert client["client_id"] in estate.application.provider.clients.vouched()


def test_a_wrong_change_by_an_administrator_is_refused(estate: Estate) -> None:
    client = registered(estate)
    with pytest.raises(CommandFailed, match="redirect_uris"):
        amend(estate, client, redirect_uris=[])
    with pytest.raises(CommandFailed, match="Not known"):
        amend(estate, client, favourite_colour="blue")


def test_nobody_pins_or_unpins_by_registration(estate: Estate) -> None:
    client = registered(estate, pinned=["scope"])
    assert kept_of(estate, client).pinned == ()
    amend(estate, client, scope="openid")
    assert manage(estate, "PUT", client, changeable(client) | {"pinned": []}).status_code == 200
    assert kept_of(estate, client).pinned == ("scope",)
