"""The registered clients as they are kept and held: what a look-up costs, who hears of a change, what is bounded."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import msgspec
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, event, func, insert, select, text

from idp.clients import Client
from idp.migrations import history
from idp.records import held_clients, tables
from idp.records.clients import ClientRecords, ClientsFull
from idp.records.consents import Consent, ConsentRecords
from idp.records.endings import KEPT_SECONDS, Endings
from idp.records.grants import Grant, GrantRecords
from idp.records.registration_tokens import RegistrationTokens
from tests.clock import FakeClock

DAY = 86400


@pytest.fixture
def records(engine: Engine, clock: FakeClock) -> ClientRecords:
    """The clients as one process holds them."""
    tables.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(tables.revision).values(kind="client", number=0))
    return ClientRecords(engine, clock)


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    told: list[str] = []

    def hear(*values: Any) -> None:
        told.append(values[2])

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield told
    finally:
        event.remove(engine, "before_cursor_execute", hear)


def stranger(number: int | str, **more: Any) -> Client:
    usual = {"redirect_uris": (f"https://s{number}.example/cb",), "issued_at": 1_795_420_800}
    return Client(client_id=f"stranger-{number}", is_self_registered=True, **(usual | more))


def name_of(records: ClientRecords, client_id: str) -> str:
    found = records.get(client_id)
    return found.client_name if found else ""


def test_a_client_in_use_costs_no_trip_to_the_database(engine: Engine, records: ClientRecords) -> None:
    records.put(Client(client_id="vouched"))
    records.register(stranger(1))
    wanted = ("vouched", "stranger-1", "unknown")
    first = [records.get(client_id) for client_id in wanted]
    assert [bool(found) for found in first] == [True, True, False]
    with statements(engine) as asked:
        assert [records.get(client_id) for client_id in wanted] == first
    assert asked == []


def test_a_change_reads_what_changed_and_no_more(engine: Engine, clock: FakeClock, records: ClientRecords) -> None:
    for number in range(20):
        records.put(Client(client_id=f"vouched-{number}"))
    assert records.get("vouched-0")
    read: list[str] = []
    decode = held_clients.read_client

    def counting(client_id: str, body: bytes) -> Client | None:
        read.append(client_id)
        return decode(client_id, body)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_clients, "read_client", counting)
        ClientRecords(engine, clock).put(Client(client_id="vouched-7", client_name="other"))
        ClientRecords(engine, clock).register(stranger(1))
        clock.advance(1)
        assert name_of(records, "vouched-7") == "other"
    assert read == ["vouched-7"]


def test_every_process_hears_of_a_change_within_a_second(
    engine: Engine, clock: FakeClock, records: ClientRecords
) -> None:
    other = ClientRecords(engine, clock)
    for client in (Client(client_id="vouched"), stranger(1)):
        assert other.get(client.client_id) is None
        other.put(client)
        assert other.get(client.client_id) == client
        assert records.get(client.client_id) in (None, client)
        clock.advance(1)
        assert records.get(client.client_id) == client
        assert other.replace(client, Client(client_id=client.client_id, client_name="n", is_self_registered=True))
        assert not other.replace(client, client)
        assert name_of(other, client.client_id) == "n"
        clock.advance(1)
        assert name_of(records, client.client_id) == "n"
        other.remove(client.client_id)
        assert other.get(client.client_id) is None
        clock.advance(1)
        assert records.get(client.client_id) is None
        assert not records.replace(client, client)
        assert records.get(client.client_id) is None


def test_who_slept_through_a_removal_hears_of_it_all_the_same(
    engine: Engine, clock: FakeClock, records: ClientRecords
) -> None:
    records.put(Client(client_id="vouched"))
    assert records.get("vouched")
    other = ClientRecords(engine, clock)
    other.remove("vouched")
    clock.advance(KEPT_SECONDS + 2)
    Endings(engine, clock).purge()
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.client)) == 0
    assert records.get("vouched") is None


def test_an_id_that_was_removed_may_be_registered_again(records: ClientRecords) -> None:
    records.put(Client(client_id="vouched"))
    records.remove("vouched")
    records.put(Client(client_id="vouched", client_name="again"))
    assert name_of(records, "vouched") == "again"


def test_one_that_registers_itself_after_it_was_asked_for_is_found(records: ClientRecords) -> None:
    assert records.get("stranger-1") is None
    records.register(stranger(1))
    assert records.get("stranger-1")


def test_who_asks_for_clients_that_are_not_there_pushes_out_none_that_are(
    engine: Engine, records: ClientRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.register(stranger(1))
    assert records.get("stranger-1")
    for number in range(held_clients.MOST_UNKNOWN + 10):
        assert records.get(f"unknown-{number}") is None
    with statements(engine) as asked:
        assert records.get("stranger-1")
    assert asked == []


@pytest.mark.parametrize("client_id", ["", "\0", "a\0b", "\ud800", "a" * 201, "a\nb", "🔑"])
def test_an_id_that_no_client_has_is_unknown_and_breaks_nothing(records: ClientRecords, client_id: str) -> None:
    assert records.get(client_id) is None


def test_a_client_that_cannot_be_read_is_left_out_and_takes_no_other_with_it(
    engine: Engine, records: ClientRecords
) -> None:
    records.put(Client(client_id="good"))
    row = {"number": 0, "issued_at": 0, "expires_at": 0, "body": b"garbage"}
    with engine.begin() as connection:
        connection.execute(insert(tables.client).values(client_id="bad", is_self_registered=False, **row))
        connection.execute(insert(tables.client).values(client_id="worse", is_self_registered=True, **row))
    assert [records.get(client_id) for client_id in ("bad", "worse")] == [None, None]
    assert records.get("good")
    assert list(records.all()) == ["good"]


def test_scripts_may_call_from_the_origins_of_public_clients_alone(
    engine: Engine, clock: FakeClock, records: ClientRecords
) -> None:
    records.put(Client(client_id="a", token_endpoint_auth_method="none", redirect_uris=("https://A.example:443/cb",)))
    records.put(Client(client_id="b", redirect_uris=("https://confidential.example/cb",)))
    assert records.has_origin("https://a.example")
    assert not records.has_origin("https://confidential.example")
    assert not records.has_origin("https://s1.example")
    other = ClientRecords(engine, clock)
    other.register(stranger(1, token_endpoint_auth_method="none"))
    other.register(stranger(2))
    clock.advance(1)
    assert records.has_origin("https://s1.example")
    assert not records.has_origin("https://s2.example")
    with statements(engine) as asked:
        assert records.has_origin("https://s1.example")
        for text in ("null", "\0", "https://\0", "https://é.example", "https://a\nb", "https://" + "a" * 400):
            assert not records.has_origin(text)
    assert asked == []
    other.remove("stranger-1")
    clock.advance(1)
    assert not records.has_origin("https://s1.example")


def test_only_so_many_register_themselves_also_when_all_come_at_once(
    engine: Engine, clock: FakeClock, records: ClientRecords
) -> None:
    records.put(Client(client_id="vouched"))
    barrier = Barrier(20)

    def register(number: int) -> bool:
        barrier.wait(10)
        try:
            return ClientRecords(engine, clock).register(stranger(number), most=5)
        except ClientsFull:
            return False

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(register, range(20))) == 5
    assert len(records.all()) == 6


def test_what_is_gone_makes_room(clock: FakeClock, records: ClientRecords) -> None:
    records.register(stranger(1), most=1)
    with pytest.raises(ClientsFull):
        records.register(stranger(2), most=1)
    records.remove("stranger-1")
    records.register(stranger(2, expires_at=int(clock()) + 10), most=1)
    clock.advance(10)
    assert records.register(stranger(3), most=1)


def test_a_token_is_not_used_up_by_a_registration_that_found_no_room(
    engine: Engine, clock: FakeClock, records: ClientRecords
) -> None:
    tokens = RegistrationTokens(engine, clock)
    tokens.add("hash", uses=1, seconds=60)
    records.register(stranger(1))
    with pytest.raises(ClientsFull):
        records.register(stranger(2), token_hash="hash", most=1)
    assert tokens.is_good("hash")


def allow(engine: Engine, clock: FakeClock, client_id: str) -> None:
    ConsentRecords(engine, clock).allow(Consent(person_id="p", client_id=client_id))


def test_what_was_never_used_is_swept_after_its_days_and_nothing_else(
    engine: Engine, clock: FakeClock, records: ClientRecords
) -> None:
    records.put(Client(client_id="vouched"))
    for number in ("used", "granted", "unused", "again"):
        records.register(stranger(number, issued_at=int(clock())))
    allow(engine, clock, "stranger-used")
    usual: dict[str, Any] = {"person_id": "p", "sid": "s", "identity": "BUR:", "scope": (), "acr": "", "level": 0}
    given = Grant(id="g", client_id="stranger-granted", methods=(), auth_time=0, expires_at=2**40, **usual)
    GrantRecords(engine, clock).add(given)
    clock.advance(30 * DAY)
    records.register(stranger("young", issued_at=int(clock())))
    clock.advance(1)
    assert records.sweep(unused_seconds=0, limit=10) == []
    assert len(records.sweep(unused_seconds=30 * DAY, limit=1)) == 1
    assert len(records.sweep(unused_seconds=30 * DAY, limit=10)) == 1
    assert sorted(records.all()) == ["stranger-granted", "stranger-used", "stranger-young", "vouched"]
    assert records.get("stranger-unused") is None


def test_what_has_expired_is_swept_with_all_that_it_was_given(
    engine: Engine, clock: FakeClock, records: ClientRecords
) -> None:
    records.register(stranger(1, expires_at=int(clock()) + 10))
    allow(engine, clock, "stranger-1")
    assert records.sweep(unused_seconds=0, limit=10) == []
    clock.advance(10)
    assert records.sweep(unused_seconds=0, limit=10) == ["stranger-1"]
    assert ConsentRecords(engine, clock).get("p", "stranger-1") is None


def test_what_registered_itself_before_there_was_a_column_for_it_is_told_apart(
    engine: Engine, clock: FakeClock
) -> None:
    config = Config(attributes={"metadata": []})
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(Path(history.__file__).parent))
    before = [
        {"client_id": "vouched", "is_self_registered": False},
        {"client_id": "old", "is_self_registered": True, "issued_at": 5, "expires_at": 2**40}
        | {"token_endpoint_auth_method": "none"}
        | {"redirect_uris": ["https://Old.example:443/cb", "be.old:/cb", f"https://{'long' * 100}.example/cb"]},
    ]
    kept = text("INSERT INTO client (client_id, body) VALUES (:client_id, :body)")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        for body in before:
            row = {"client_id": body["client_id"], "body": msgspec.json.encode(body)}
            connection.execute(kept, row)
        for number, unreadable in enumerate((b"", b"\xff", b"[]", b"[" * 10_000)):
            connection.execute(kept, {"client_id": f"broken {number}", "body": unreadable})
        command.upgrade(config, "head")
    records = ClientRecords(engine, clock)
    assert list(records.vouched()) == ["vouched"]
    assert records.get("old")
    assert records.has_origin("https://old.example")
    with engine.connect() as connection:
        columns = (tables.client.c.is_self_registered, tables.client.c.issued_at, tables.client.c.expires_at)
        found = select(*columns).where(tables.client.c.client_id == "old")
        assert tuple(connection.execute(found).one()) == (True, 5, 2**40)
