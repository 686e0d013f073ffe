"""The connections to Redis that are kept open: one that was lost is replaced without a failure, many serve at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from idp.store import AlreadyTaken, Ticket
from idp.store_redis import RedisStore
from tests.clock import FakeClock


class Note(Ticket, frozen=True, kw_only=True):
    """A ticket of this test."""


@pytest.fixture
def store(redis_url: str, clock: FakeClock) -> RedisStore:
    return RedisStore(redis_url, clock)


def lose_connections(redis_url: str) -> None:
    """End every other connection, as a restart of the server does."""
    with redis.Redis.from_url(redis_url) as client:
        client.client_kill_filter(_type="normal", skipme=True)


def test_a_lost_connection_costs_no_answer(store: RedisStore, redis_url: str, clock: FakeClock) -> None:
    notes = store.repository(Note)
    assert notes.add(Note(id="a", expires_at=int(clock()) + 60))
    lose_connections(redis_url)
    assert notes.get("a") is not None
    lose_connections(redis_url)
    assert notes.take("a").id == "a"
    lose_connections(redis_url)
    with pytest.raises(AlreadyTaken):
        notes.take("a")
    store.close()


def test_forgotten_scripts_are_sent_again(store: RedisStore, redis_url: str, clock: FakeClock) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.script_flush()
    assert store.repository(Note).add(Note(id="b", expires_at=int(clock()) + 60))
    store.close()


def test_many_ask_at_once_and_each_hears_its_own_answer(store: RedisStore, clock: FakeClock) -> None:
    notes = store.repository(Note)
    names = [str(number) for number in range(200)]

    def keep_and_read(name: str) -> str:
        notes.add(Note(id=name, expires_at=int(clock()) + 60, grant_id=f"grant of {name}"))
        found = notes.get(name)
        return found.grant_id if found else ""

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(keep_and_read, names)) == [f"grant of {name}" for name in names]
    store.close()
