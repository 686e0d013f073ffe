"""Attacks on what applications say of themselves, on profiles and on envelopes: each stays tried."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from threading import Event
from typing import Any

import jwt
import pytest

from idp.delivery import DeliveryFailed
from idp.flows.backchannel_logout import BackchannelLogout
from idp.keys.jwt import new_key_pair
from idp.outbound import Outbound
from idp.records.outbox import Letter
from idp.resolving import MOST_AT_ONCE
from tests.flow import devices
from tests.flow.estate import Arrival, Estate
from tests.flow.journeys import arrive
from tests.flow.listener import listening
from tests.flow.sealing import Recipient
from tests.flow.test_introspection_jwt import SIGNED
from tests.flow.test_registration import (
    CALLBACK,
    amend,
    changeable,
    error_of,
    kept_of,
    manage,
    register,
    registered,
)

VICTIM = "https://victim.example/cb"
DEVICE = ["authorization_code", devices.GRANT]
LASTING = "openid profile offline_access"


@pytest.fixture
def estate(estate: Estate) -> Estate:
    """The estate, in which anyone may register."""
    return estate.configured(registration="open")


def decide_unseen(estate: Estate, client: dict[str, Any], **decided: Any) -> None:
    """An administrator's decision by another process, in the second before this one looks."""
    assert manage(estate, "GET", client).status_code == 200
    amend(estate, client, **decided)
    estate.clock.advance(-1)
    assert kept_of(estate, client).pinned == ()


@pytest.mark.parametrize(("decided", "status"), [({"scope": "openid"}, 200), ({"is_self_registered": False}, 401)])
def test_a_change_sent_in_the_second_after_a_decision_does_not_undo_it(
    estate: Estate, decided: dict[str, Any], status: int
) -> None:
    client = registered(estate)
    decide_unseen(estate, client, **decided)
    assert manage(estate, "PUT", client, changeable(client)).status_code == status
    estate.clock.advance(2)
    assert {name: getattr(kept_of(estate, client), name) for name in decided} == decided


def test_what_people_allowed_ends_when_the_client_shows_them_another_face(estate: Estate) -> None:
    client = registered(estate, grant_types=["authorization_code", "refresh_token"], client_name="Kaartclub")
    tokens = estate.redeem(client["client_id"], arrive(estate.browser(), client["client_id"], "dirk", scope=LASTING))
    form = {"grant_type": "refresh_token", "refresh_token": tokens.body["refresh_token"]}
    for changes, status in (({"contacts": ["a@b.be"]}, 200), ({"client_name": "Schaakclub"}, 400)):
        assert manage(estate, "PUT", client, changeable(client) | changes).status_code == 200
        assert estate.call("/op/v1/token", client["client_id"], form).status == status
    assert estate.userinfo(tokens.body["access_token"]).status_code == 401


def test_a_code_is_worth_nothing_once_the_client_shows_another_face(estate: Estate) -> None:
    client = registered(estate, client_name="Kaartclub")
    arrived = arrive(estate.browser(), client["client_id"], "dirk", scope="openid")
    changed = changeable(client) | {"client_name": "Schaakclub"}
    assert manage(estate, "PUT", client, changed).status_code == 200
    assert estate.redeem(client["client_id"], arrived).body["error"] == "invalid_grant"


def test_nobody_learns_the_subject_of_a_sector_by_moving_there(estate: Estate) -> None:
    for begun in ({}, {"subject_type": "pairwise"}):
        asked = {"grant_types": ["authorization_code", "refresh_token"], "redirect_uris": [CALLBACK]}
        client = registered(estate, **asked, **begun)
        moved = changeable(client) | {"redirect_uris": [VICTIM], "subject_type": "pairwise"}
        assert error_of(manage(estate, "PUT", client, moved)) == (400, "invalid_client_metadata")


def test_nobody_learns_the_subject_of_a_sector_by_a_device(estate: Estate) -> None:
    asked = {"redirect_uris": [VICTIM], "subject_type": "pairwise", "grant_types": DEVICE}
    assert error_of(register(estate, **asked)) == (400, "invalid_client_metadata")


def test_a_device_has_a_sector_of_its_own(estate: Estate) -> None:
    asked = {"redirect_uris": [], "subject_type": "pairwise", "grant_types": [devices.GRANT]}
    first, other = (registered(estate, **asked, scope="openid") for _ in range(2))
    assert kept_of(estate, first).sector != kept_of(estate, other).sector


def test_introspection_is_never_told_in_the_clear_to_whom_registered_encryption(estate: Estate) -> None:
    recipient = Recipient("ECDH-ES")
    keys = {"jwks": {"keys": [recipient.jwk]}, "introspection_encrypted_response_alg": "ECDH-ES"}
    estate.register("rapport-api", **keys)
    token = estate.redeem("hinderpremie", arrive(estate.browser(), "hinderpremie", "dirk")).body["access_token"]
    api = estate.client("rapport-api")
    answer = estate.post("/op/v1/introspect", {"token": token}, auth=("rapport-api", api["client_secret"]))
    assert answer.headers["Content-Type"] == SIGNED
    assert answer.text.count(".") == 4


def test_what_failed_a_moment_ago_is_not_fetched_again_under_another_fragment(estate: Estate) -> None:
    with ExitStack() as ended:
        deaf = ended.enter_context(socket.create_server(("127.0.0.1", 0)))
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/request.jwt"
        allowed = estate.configured(outbound_allow=frozenset({"127.0.0.1"}))
        allowed.register("hinderpremie", request_uris=[address], jwks={"keys": [new_key_pair("ES256")[1]]})
        deaf.settimeout(10)
        # Whoever is called hangs up at once.
        hanging_up = ended.enter_context(ThreadPoolExecutor(1)).submit(lambda: deaf.accept()[0].close())
        for number in range(3):
            arrived = allowed.browser().ask("hinderpremie", request_uri=f"{address}#{number}")
            assert isinstance(arrived, Arrival)
            assert arrived.parameters["error"] == "invalid_request_uri"
        hanging_up.result(10)
        deaf.settimeout(0.2)
        with pytest.raises(TimeoutError):
            deaf.accept()


def test_names_of_strangers_that_hang_keep_no_other_from_hearing_of_a_logout(estate: Estate) -> None:
    released = Event()

    def resolve(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host != "hangs.example" or released.wait(20) else []

    client_id = registered(estate, backchannel_logout_uri="https://hangs.example/out")["client_id"]
    estate.register("hinderpremie", backchannel_logout_uri="https://honest.example/out")
    provider = replace(estate.application.provider, outbound=Outbound(resolve=resolve, total=0.05))
    logout = BackchannelLogout(provider)
    for _ in range(MOST_AT_ONCE + 1):
        with pytest.raises(DeliveryFailed, match="TimeoutError"):
            logout.send(Letter(kind="", client_id=client_id, body={}))
    with pytest.raises(DeliveryFailed, match="private network"):
        logout.send(Letter(kind="", client_id="hinderpremie", body={}))
    released.set()


def test_a_logout_token_is_encrypted_where_id_tokens_are(estate: Estate) -> None:
    recipient = Recipient("ECDH-ES")
    with listening() as listener:
        allowed = estate.configured(outbound_allow=frozenset({"127.0.0.1"}))
        keys = {"jwks": {"keys": [recipient.jwk]}, "id_token_encrypted_response_alg": "ECDH-ES"}
        allowed.register("hinderpremie", backchannel_logout_uri=f"{listener.address}/out", **keys)
        BackchannelLogout(allowed.application.provider).send(
            Letter(kind="", client_id="hinderpremie", body={"sid": "s"})
        )
        header, content = recipient.open(listener.received[0][1]["logout_token"])
    assert header["cty"] == "JWT"
    assert jwt.get_unverified_header(content)["typ"] == "logout+jwt"


def test_without_a_key_no_logout_token_goes_out_in_the_clear(estate: Estate) -> None:
    changes = {"jwks_uri": "https://rp.example.be/keys", "id_token_encrypted_response_alg": "ECDH-ES"}
    estate.register("hinderpremie", backchannel_logout_uri="https://rp.example.be/out", **changes)
    with pytest.raises(DeliveryFailed, match="use enc"):
        BackchannelLogout(estate.application.provider).send(Letter(kind="", client_id="hinderpremie", body={}))


@pytest.mark.parametrize("host", ["toegang.test", "TOEGANG.test:443"])
def test_nobody_has_people_told_that_the_answer_goes_to_us(estate: Estate, host: str) -> None:
    behind = estate.configured(issuer="https://toegang.test/op")
    through = (
        f"https://{host}/op/v1/auth?client_id=other&redirect_uri=https%3A%2F%2Fevil.example%2Fcb&response_type=code"
    )
    assert error_of(register(behind, redirect_uris=[through])) == (400, "invalid_redirect_uri")
    client = registered(behind)
    moved = changeable(client) | {"redirect_uris": [CALLBACK, through]}
    assert error_of(manage(behind, "PUT", client, moved)) == (400, "invalid_redirect_uri")
