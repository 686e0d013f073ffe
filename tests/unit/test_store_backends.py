"""What the ticket stores promise beside their contract: what has ended takes no room, and an address is read right."""

from typing import Any

import pytest
import redis
from sqlalchemy import Engine, func, select

from idp import store_sql
from idp.store import TOMBSTONE_SECONDS, Clock, Store, Ticket
from idp.store_memory import SWEEP_LIMIT, MemoryStore
from idp.store_redis import GRACE_SECONDS, RedisStore, connect
from idp.store_sql import PURGE_LIMIT, PURGE_SECONDS, SqlStore
from tests.clock import FakeClock


class Nonce(Ticket, frozen=True):
    """A ticket as small as can be."""


def fill(store: Store, clock: Clock, *, count: int) -> None:
    nonces = store.repository(Nonce)
    for number in range(count):
        nonces.add(Nonce(id=f"{clock()}-{number}", expires_at=int(clock()) + 1))


def rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(store_sql.ticket)).scalar_one()


def test_memory_does_not_grow_with_what_has_ended(clock: FakeClock) -> None:
    store = MemoryStore(clock)
    for _ in range(100):
        fill(store, clock, count=SWEEP_LIMIT)
        clock.advance(1)
    assert len(store._shelf._entries) <= 2 * SWEEP_LIMIT
    assert len(store._shelf._endings) == len(store._shelf._entries)


def test_a_record_replaced_often_waits_once_for_its_end(clock: FakeClock) -> None:
    store = MemoryStore(clock)
    nonces = store.repository(Nonce)
    nonces.add(Nonce(id="a", expires_at=int(clock()) + 1))
    for later in range(2, 50):
        nonces.replace(Nonce(id="a", expires_at=int(clock()) + later))
    assert len(store._shelf._endings) == 1
    clock.advance(10)
    fill(store, clock, count=1)
    assert nonces.get("a")


def test_the_table_does_not_grow_with_what_has_ended(engine: Engine, clock: FakeClock) -> None:
    store_sql.metadata.create_all(engine)
    store = SqlStore(engine, clock)
    fill(store, clock, count=20)
    clock.advance(PURGE_SECONDS)
    fill(store, clock, count=5)
    assert rows(engine) == 5


def test_the_table_is_purged_once_a_minute(engine: Engine, clock: FakeClock) -> None:
    store_sql.metadata.create_all(engine)
    store = SqlStore(engine, clock)
    fill(store, clock, count=20)
    clock.advance(PURGE_SECONDS - 1)
    fill(store, clock, count=5)
    assert rows(engine) == 25


def test_a_large_heap_is_removed_batch_by_batch(
    sqlite_engine: Engine, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_sql, "PURGE_LIMIT", PURGE_LIMIT // 100)
    store_sql.metadata.create_all(sqlite_engine)
    store = SqlStore(sqlite_engine, clock)
    fill(store, clock, count=25)
    clock.advance(PURGE_SECONDS)
    fill(store, clock, count=1)
    assert rows(sqlite_engine) == 16
    fill(store, clock, count=3)
    assert rows(sqlite_engine) == 3


def test_a_clock_that_is_set_back_does_not_stop_the_purge(sqlite_engine: Engine, clock: FakeClock) -> None:
    store_sql.metadata.create_all(sqlite_engine)
    store = SqlStore(sqlite_engine, clock)
    clock.advance(31 * 86_400)
    fill(store, clock, count=1)
    clock.advance(-31 * 86_400)
    fill(store, clock, count=20)
    clock.advance(PURGE_SECONDS)
    fill(store, clock, count=1)
    assert rows(sqlite_engine) == 2


def test_redis_drops_what_has_ended_by_itself(redis_url: str, clock: FakeClock) -> None:
    store = RedisStore(redis_url, clock)
    nonces = store.repository(Nonce)
    nonces.add(Nonce(id="a", expires_at=int(clock()) + 30))
    nonces.add(Nonce(id="b", expires_at=int(clock()) + 30))
    nonces.take("b")
    with redis.Redis.from_url(redis_url) as client:
        assert client.ttl("toegang:Nonce:a") == pytest.approx(30 + GRACE_SECONDS, abs=5)
        assert client.ttl("toegang:Nonce:b") == pytest.approx(TOMBSTONE_SECONDS + GRACE_SECONDS, abs=5)
        assert client.hget("toegang:Nonce:b", "body") is None
    store.close()


def test_a_redis_that_lost_its_scripts_gets_them_again(redis_url: str, clock: FakeClock) -> None:
    store = RedisStore(redis_url, clock)
    fill(store, clock, count=1)
    with redis.Redis.from_url(redis_url) as client:
        client.script_flush()
    assert store.repository(Nonce).add(Nonce(id="a", expires_at=int(clock()) + 30))
    store.close()


def test_several_addresses_and_a_password_are_read() -> None:
    client = connect("redis+sentinel://toegang:g%40heim@one:26379,[::1]:26380/main/3")
    assert isinstance(client, redis.Redis)
    pool: Any = client.connection_pool
    sentinels = [each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels]
    assert [(each["host"], each["port"]) for each in sentinels] == [("one", 26379), ("::1", 26380)]
    assert pool.service_name == "main"
    options = pool.connection_kwargs
    assert (options["username"], options["password"], options["db"]) == ("toegang", "g@heim", 3)


def test_an_address_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="a Redis address begins with"):
        connect("redis+socket://127.0.0.1:6379")
