"""Token exchange: RFC 8693, requirement by requirement, and only between clients that trust each other."""

from typing import Any

import jwt
import pytest

from idp.client_registry import read_client
from idp.commands import CommandFailed
from idp.composition import House
from tests.flow.estate import Browser, Estate, Tokens
from tests.flow.journeys import arrive, introspect, sign_in
from tests.flow.proving import Prover

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
APPLICATION = "hinderpremie"
MIDDLE = "dossier-api"
LAST = "rapport-api"
NOBODY = "statistiek"


@pytest.fixture(autouse=True)
def apis(estate: Estate) -> None:
    """An API that is called by an application, and may call a further one on behalf of its people."""
    estate.registered[MIDDLE] = {
        "client_id": MIDDLE,
        "client_secret": "dossier-api-secret",
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": [GRANT, "client_credentials"],
        "scope": "openid profile vo hinderpremie vo_info",
        "resource": "https://dossier.example.be/",
        "may_know_scopes": "openid profile vo hinderpremie",
        "may_exchange_from": [APPLICATION],
        "may_exchange_for": [LAST],
    }
    estate.register(MIDDLE)


def trust(estate: Estate, client_id: str, **changes: Any) -> None:
    """Change a client's registration, and let every process see it."""
    estate.register(client_id, **changes)
    estate.clock.advance(1)


def exchange(estate: Estate, token: str, client_id: str = MIDDLE, **form: str) -> Tokens:
    """Exchange a token as this client."""
    usual = {"grant_type": GRANT, "subject_token": token, "subject_token_type": ACCESS_TOKEN, "audience": LAST}
    sent = {name: value for name, value in (usual | form).items() if value}
    return estate.call("/op/v1/token", client_id, sent)


def exchanged(estate: Estate, token: str, client_id: str = MIDDLE, **form: str) -> str:
    """Exchange a token that may be exchanged; the new one."""
    answer = exchange(estate, token, client_id, **form)
    assert answer.status == 200, answer.body
    return str(answer.body["access_token"])


def refused(answer: Tokens) -> str:
    """The error of a refusal that says why."""
    assert answer.status == 400, answer.body
    assert answer.body["error_description"]
    return str(answer.body["error"])


def held(browser: Browser, **asked: Any) -> str:
    """A token that the application sends to the API."""
    asked = {"audience": MIDDLE} | asked
    return str(sign_in(browser, APPLICATION, "dirk", **asked).body["access_token"])


def test_an_api_gets_a_token_for_the_next_on_behalf_of_the_person(estate: Estate, browser: Browser) -> None:
    subject = held(browser)
    answer = exchange(estate, subject)
    assert answer.status == 200, answer.body
    assert set(answer.body) == {"access_token", "token_type", "expires_in", "scope", "issued_token_type"}
    assert (answer.body["issued_token_type"], answer.body["token_type"]) == (ACCESS_TOKEN, "Bearer")
    told = introspect(estate, LAST, answer.body["access_token"])
    of_subject = introspect(estate, MIDDLE, subject)
    assert told["client_id"] == MIDDLE
    assert told["aud"] == [LAST]
    assert told["act"] == {"sub": MIDDLE}
    assert "act" not in of_subject
    for claim in ("sub", "vo_orgcode", "hinderpremie_rol_3d", "acr", "auth_time"):
        assert told[claim] == of_subject[claim]


def test_a_jwt_tells_the_same(estate: Estate, browser: Browser) -> None:
    trust(estate, LAST, access_token_format="jwt", may_know_scopes="openid profile vo hinderpremie")
    token = exchanged(estate, held(browser), scope="openid vo")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["act"], claims["client_id"], claims["aud"]) == ({"sub": MIDDLE}, MIDDLE, LAST)
    assert claims["vo_orgcode"] == "0999910147"
    assert introspect(estate, LAST, token)["act"] == {"sub": MIDDLE}


def test_a_chain_names_everyone_who_acts(estate: Estate, browser: Browser) -> None:
    trust(
        estate,
        LAST,
        grant_types=[GRANT],
        scope="openid vo",
        may_exchange_from=[MIDDLE],
        may_exchange_for=["archief"],
        access_token_format="jwt",
    )
    archive = {**estate.client(MIDDLE), "client_id": "archief", "grant_types": [], "resource": ""}
    estate.registered["archief"] = archive
    trust(estate, "archief", may_introspect=True)
    second = exchanged(estate, held(browser))
    third = exchanged(estate, second, LAST, audience="archief")
    act = {"sub": LAST, "act": {"sub": MIDDLE}}
    told = introspect(estate, "archief", third)
    assert (told["act"], told["client_id"], told["scope"]) == (act, LAST, "openid vo")
    trust(estate, MIDDLE, may_exchange_from=["somebody-else"])
    assert introspect(estate, "archief", third) == {"active": False}
    assert introspect(estate, LAST, second) == {"active": False}


def test_no_chain_has_no_end(estate: Estate, browser: Browser) -> None:
    both = {"grant_types": [GRANT], "scope": "openid vo"}
    trust(estate, LAST, **both, may_exchange_from=[MIDDLE], may_exchange_for=[MIDDLE])
    trust(estate, MIDDLE, may_exchange_from=[APPLICATION, LAST])
    token = exchanged(estate, held(browser))
    for client_id, audience in ((LAST, MIDDLE), (MIDDLE, LAST)) * 2:
        token = exchanged(estate, token, client_id, audience=audience)
    assert refused(exchange(estate, token, LAST, audience=MIDDLE)) == "invalid_request"


def test_an_application_exchanges_its_own_tokens_for_an_api_that_trusts_it(estate: Estate, browser: Browser) -> None:
    own = {"grant_types": ["authorization_code", GRANT], "may_exchange_for": [LAST]}
    trust(estate, APPLICATION, **own)
    token = sign_in(browser, APPLICATION, "dirk").body["access_token"]
    told = introspect(estate, LAST, exchanged(estate, token, APPLICATION))
    assert (told["client_id"], told["aud"]) == (APPLICATION, [LAST])
    assert "act" not in told
    assert refused(exchange(estate, token, APPLICATION, audience="")) == "invalid_request"
    assert refused(exchange(estate, token, APPLICATION, audience=MIDDLE)) == "invalid_target"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"may_exchange_from": [NOBODY]}, "invalid_request"),
        ({"may_exchange_from": []}, "invalid_request"),
        ({"may_exchange_for": []}, "invalid_target"),
        ({"may_exchange_for": [APPLICATION]}, "invalid_target"),
        ({"grant_types": ["client_credentials"]}, "unauthorized_client"),
        ({"scope": "vo_info"}, "invalid_scope"),
    ],
)
def test_without_trust_nothing_is_exchanged(
    estate: Estate, browser: Browser, changes: dict[str, Any], error: str
) -> None:
    subject = held(browser)
    trust(estate, MIDDLE, **changes)
    assert refused(exchange(estate, subject)) == error


def test_a_token_for_another_api_cannot_be_exchanged(estate: Estate, browser: Browser) -> None:
    for audience in (LAST, APPLICATION, None):
        assert refused(exchange(estate, held(browser, audience=audience))) == "invalid_request"
    by_address = held(browser, audience=None, resource="https://dossier.example.be/")
    assert exchange(estate, by_address).status == 200


def test_an_api_may_also_be_named_by_its_address(estate: Estate, browser: Browser) -> None:
    subject = held(browser)
    token = exchanged(estate, subject, audience="", resource="https://rapport.example.be/")
    assert introspect(estate, LAST, token)["aud"] == ["https://rapport.example.be/"]
    unknown = exchange(estate, subject, resource="https://nobody.example.be/")
    assert refused(unknown) == "invalid_target"


def test_scope_is_only_narrowed(estate: Estate, browser: Browser) -> None:
    subject = held(browser, scope="openid vo")
    assert exchange(estate, subject).body["scope"] == "openid vo"
    assert exchange(estate, subject, scope="vo").body["scope"] == "vo"
    assert refused(exchange(estate, subject, scope="openid profile")) == "invalid_scope"
    assert refused(exchange(estate, subject, scope="vo vo_info")) == "invalid_scope"
    trust(estate, MIDDLE, scope="vo")
    assert exchange(estate, subject).body["scope"] == "vo"
    trust(estate, APPLICATION, scope="openid profile")
    assert refused(exchange(estate, subject)) == "invalid_scope"


@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token": ""},
        {"subject_token": "nothing"},
        {"subject_token": "a.b.c"},
        {"subject_token_type": ""},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"actor_token": "x"},
        {"actor_token_type": ACCESS_TOKEN},
        {"actor_token": "x", "actor_token_type": ACCESS_TOKEN},
        {"actor_token": "x", "actor_token_type": "urn:ietf:params:oauth:token-type:jwt"},
    ],
)
def test_only_access_tokens_are_exchanged_for_access_tokens(
    estate: Estate, browser: Browser, changes: dict[str, str]
) -> None:
    assert refused(exchange(estate, held(browser), **changes)) == "invalid_request"


def test_other_tokens_of_ours_are_none(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, APPLICATION, "dirk", scope=estate.client(APPLICATION)["scope"], audience=MIDDLE)
    for name in ("refresh_token", "id_token"):
        assert refused(exchange(estate, tokens.body[name])) == "invalid_request"
    own = estate.call("/op/v1/token", MIDDLE, {"grant_type": "client_credentials", "scope": "vo_info"})
    assert refused(exchange(estate, own.body["access_token"])) == "invalid_request"


def test_the_actor_is_the_client_itself(estate: Estate, browser: Browser) -> None:
    subject = held(browser)
    own = estate.call("/op/v1/token", MIDDLE, {"grant_type": "client_credentials", "scope": "vo_info"})
    other = estate.call("/op/v1/token", "tijdmeting", {"grant_type": "client_credentials"})
    sent = {"actor_token_type": ACCESS_TOKEN}
    token = exchanged(estate, subject, actor_token=own.body["access_token"], **sent)
    assert introspect(estate, LAST, token)["act"] == {"sub": MIDDLE}
    for actor in (other.body["access_token"], subject):
        assert refused(exchange(estate, subject, actor_token=actor, **sent)) == "invalid_request"


def test_the_new_token_ends_with_the_old_one(estate: Estate, browser: Browser) -> None:
    subject = held(browser)
    ends_at = introspect(estate, MIDDLE, subject)["exp"]
    estate.clock.advance(3000)
    answer = exchange(estate, subject)
    assert answer.body["expires_in"] == 600
    assert introspect(estate, LAST, answer.body["access_token"])["exp"] == ends_at
    estate.clock.advance(600)
    assert introspect(estate, LAST, answer.body["access_token"]) == {"active": False}
    assert refused(exchange(estate, subject)) == "invalid_request"


@pytest.mark.parametrize("form", ["opaque", "jwt"])
def test_the_new_token_ends_with_the_grant(estate: Estate, browser: Browser, form: str) -> None:
    trust(estate, LAST, access_token_format=form)
    tokens = sign_in(browser, APPLICATION, "dirk", audience=MIDDLE)
    token = exchanged(estate, tokens.body["access_token"])
    assert introspect(estate, LAST, token)["active"] is True
    browser.open("/op/v1/logout?id_token_hint=" + tokens.body["id_token"])
    assert introspect(estate, LAST, token) == {"active": False}
    assert refused(exchange(estate, tokens.body["access_token"])) == "invalid_request"


@pytest.mark.parametrize("form", ["opaque", "jwt"])
def test_the_new_token_ends_with_the_trust(estate: Estate, browser: Browser, form: str) -> None:
    trust(estate, LAST, access_token_format=form)
    token = exchanged(estate, held(browser))
    trust(estate, MIDDLE, may_exchange_from=[NOBODY])
    assert introspect(estate, LAST, token) == {"active": False}


def test_the_new_token_can_be_given_back_by_itself(estate: Estate, browser: Browser) -> None:
    subject = held(browser)
    token = exchanged(estate, subject)
    assert estate.call("/op/v1/revoke", APPLICATION, {"token": token}).status == 400
    assert estate.call("/op/v1/revoke", MIDDLE, {"token": token}).status == 200
    assert introspect(estate, LAST, token) == {"active": False}
    assert introspect(estate, MIDDLE, subject)["active"] is True


def test_each_client_knows_the_person_by_its_own_sub(estate: Estate, browser: Browser) -> None:
    trust(estate, APPLICATION, subject_type="pairwise")
    subject = held(browser)
    token = exchanged(estate, subject)
    assert introspect(estate, LAST, token)["sub"] != introspect(estate, MIDDLE, subject)["sub"]
    trust(estate, LAST, access_token_format="jwt")
    signed = jwt.decode(exchanged(estate, subject), options={"verify_signature": False})
    assert signed["sub"] == introspect(estate, LAST, token)["sub"]


def test_what_the_application_asked_claim_by_claim_is_not_told_to_the_next(estate: Estate, browser: Browser) -> None:
    trust(estate, APPLICATION, scope="openid profile vo hinderpremie rrn")
    subject = held(browser, scope="openid", claims='{"userinfo": {"rrn": null, "name": null}}')
    token = exchanged(estate, subject, audience="")
    told = estate.userinfo(token).json or {}
    assert told["sub"]
    assert not {"rrn", "name"} & set(told)


def test_a_bound_token_is_exchanged_by_the_holder_of_its_key(estate: Estate, browser: Browser) -> None:
    trust(estate, APPLICATION, grant_types=["authorization_code", GRANT], may_exchange_for=[LAST])
    arrived = arrive(browser, APPLICATION, "dirk")
    prover, secret = Prover(estate), estate.client(APPLICATION)["client_secret"]
    code = {"grant_type": "authorization_code", "code": arrived.code, "redirect_uri": arrived.address}
    auth = (APPLICATION, secret)
    token = (estate.post("/op/v1/token", code, headers=prover.sent(), auth=auth).json or {})["access_token"]
    form = {"grant_type": GRANT, "subject_token": token, "subject_token_type": ACCESS_TOKEN, "audience": LAST}
    assert estate.post("/op/v1/token", form, auth=auth).status_code == 400
    assert estate.post("/op/v1/token", form, headers=Prover(estate).sent(), auth=auth).status_code == 400
    answer = estate.post("/op/v1/token", form, headers=prover.sent(), auth=auth)
    assert (answer.json or {})["token_type"] == "DPoP"


def test_the_new_token_is_bound_to_the_key_of_who_exchanges(estate: Estate, browser: Browser) -> None:
    subject, prover = held(browser), Prover(estate)
    form = {"grant_type": GRANT, "subject_token": subject, "subject_token_type": ACCESS_TOKEN, "audience": LAST}
    auth = (MIDDLE, estate.client(MIDDLE)["client_secret"])
    said = estate.post("/op/v1/token", form, headers=prover.sent(), auth=auth).json or {}
    assert said["token_type"] == "DPoP"
    assert introspect(estate, LAST, said["access_token"])["cnf"] == {"jkt": prover.thumbprint}


def test_what_is_registered_has_to_make_sense(estate: Estate) -> None:
    house = House(estate.settings, estate.clock)
    usual = {**estate.client(MIDDLE)}
    read_client(usual, house.master_key)
    with pytest.raises(CommandFailed, match="may_exchange_from or may_exchange_for"):
        read_client({**usual, "may_exchange_from": [], "may_exchange_for": []}, house.master_key)
    with pytest.raises(CommandFailed, match="a public client cannot exchange tokens"):
        read_client({**usual, "token_endpoint_auth_method": "none"}, house.master_key)
    house.engine.dispose()


def test_nobody_registers_a_trust_for_itself(estate: Estate) -> None:
    open_to_all = estate.configured(registration="open")
    metadata = {
        "redirect_uris": ["https://rp.example.be/cb"],
        "may_exchange_from": [APPLICATION],
        "may_exchange_for": [LAST],
    }
    answer = open_to_all.http().post("/op/v1/register", json=metadata, base_url=estate.origin)
    assert answer.status_code == 201
    assert not {"may_exchange_from", "may_exchange_for"} & set(answer.json or {})
    for grants in ([GRANT], ["authorization_code", GRANT]):
        sent = metadata | {"grant_types": grants}
        answer = open_to_all.http().post("/op/v1/register", json=sent, base_url=estate.origin)
        assert (answer.json or {})["error"] == "invalid_client_metadata"
