"""The contract of `idp.store`, held by every backend: each verb on each way for a record to be gone, and raced."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Barrier
from typing import Any

import msgspec
import pytest

from idp import store_sql
from idp.database import open_database
from idp.store import TOMBSTONE_SECONDS, Absent, AlreadyTaken, Clock, Store, Ticket
from idp.store_memory import MemoryStore
from idp.store_redis import RedisStore
from idp.store_sql import SqlStore
from tests import servers
from tests.clock import FakeClock

CALLERS = 20


class Code(Ticket, frozen=True):
    """A ticket with one member of its own."""

    text: str = ""


class Nonce(Ticket, frozen=True):
    """A ticket of another kind."""


class Device(msgspec.Struct, frozen=True):
    name: str
    numbers: tuple[int, ...]


class Full(Ticket, frozen=True):
    """A ticket with a member of every sort that a record may have."""

    text: str = ""
    count: int = 0
    share: float = 0.0
    is_final: bool = False
    maybe: str | None = None
    raw: bytes = b""
    words: tuple[str, ...] = ()
    names: dict[str, str] = msgspec.field(default_factory=dict)
    nested: dict[str, tuple[Device, ...]] = msgspec.field(default_factory=dict)
    device: Device | None = None


@dataclass(frozen=True)
class Backend:
    """A store, and how another process opens the same one (memory has no other process)."""

    store: Store
    name: str
    url: str


@contextmanager
def opened(name: str, url: str, clock: Clock) -> Iterator[Store]:
    """The store of that name at that address."""
    with ExitStack() as ended:
        if name == "memory":
            yield MemoryStore(clock)
        elif name.startswith("redis"):
            redis_store = RedisStore(url, clock)
            ended.callback(redis_store.close)
            yield redis_store
        else:
            engine = open_database(url)
            ended.callback(engine.dispose)
            store_sql.metadata.create_all(engine)
            yield SqlStore(engine, clock)


@pytest.fixture(scope="module")
def cluster_url() -> Iterator[str]:
    with servers.redis_cluster() as url:
        yield url


@pytest.fixture(scope="module")
def sentinel_url() -> Iterator[str]:
    with servers.redis_sentinel() as url:
        yield url


ADDRESSES = {
    "sqlite": "sqlite_url",
    "postgresql": "postgres_url",
    "redis": "redis_url",
    "redis-cluster": "cluster_url",
    "redis-sentinel": "sentinel_url",
}


@pytest.fixture(params=["memory", *ADDRESSES])
def backend(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Backend]:
    name: str = request.param
    url = request.getfixturevalue(ADDRESSES[name]) if name in ADDRESSES else ""
    with opened(name, url, clock) as store:
        yield Backend(store, name, url)


@pytest.fixture
def store(backend: Backend) -> Store:
    return backend.store


@pytest.fixture
def id(request: pytest.FixtureRequest) -> str:
    """An id of this test alone: the servers of several backends outlive a test."""
    return f"{request.node.name}-{time.monotonic_ns()}"


def code(id: str, clock: FakeClock, *, seconds: int = 30, **members: Any) -> Code:
    return Code(id=id, expires_at=int(clock()) + seconds, **members)


# The ways for a record to be gone.


def absent(store: Store, id: str, clock: FakeClock) -> None:
    """Never added."""


def expired(store: Store, id: str, clock: FakeClock) -> None:
    assert store.repository(Code).add(code(id, clock, grant_id="grant-1"))
    clock.advance(30)


def taken(store: Store, id: str, clock: FakeClock) -> None:
    assert store.repository(Code).add(code(id, clock, grant_id="grant-1"))
    store.repository(Code).take(id)


def taken_and_past_its_end(store: Store, id: str, clock: FakeClock) -> None:
    taken(store, id, clock)
    clock.advance(31)


def discarded(store: Store, id: str, clock: FakeClock) -> None:
    assert store.repository(Code).add(code(id, clock, grant_id="grant-1"))
    store.repository(Code).discard(id)


def taken_then_discarded(store: Store, id: str, clock: FakeClock) -> None:
    taken(store, id, clock)
    store.repository(Code).discard(id)


def expired_then_discarded(store: Store, id: str, clock: FakeClock) -> None:
    expired(store, id, clock)
    store.repository(Code).discard(id)


def forgotten(store: Store, id: str, clock: FakeClock) -> None:
    taken(store, id, clock)
    clock.advance(TOMBSTONE_SECONDS)


def discarded_and_forgotten(store: Store, id: str, clock: FakeClock) -> None:
    discarded(store, id, clock)
    clock.advance(TOMBSTONE_SECONDS)


Gone = Callable[[Store, str, FakeClock], None]
FREE = [absent, expired, expired_then_discarded, forgotten, discarded_and_forgotten]
TAKEN = [taken, taken_and_past_its_end, taken_then_discarded]
DISCARDED = [discarded]
EVERY = [*FREE, *TAKEN, *DISCARDED]


def test_add_keeps_a_record_and_get_gives_it(store: Store, id: str, clock: FakeClock) -> None:
    record = code(id, clock, text="één", grant_id="grant-1")
    assert store.repository(Code).add(record)
    assert store.repository(Code).get(id) == record


def test_add_refuses_an_id_that_is_present_and_changes_nothing(store: Store, id: str, clock: FakeClock) -> None:
    codes = store.repository(Code)
    codes.add(code(id, clock, text="first"))
    assert not codes.add(code(id, clock, text="second"))
    assert codes.take(id).text == "first"


@pytest.mark.parametrize("gone", FREE)
def test_add_takes_a_free_id(store: Store, id: str, clock: FakeClock, gone: Gone) -> None:
    gone(store, id, clock)
    record = code(id, clock, text="new", grant_id="grant-2")
    assert store.repository(Code).add(record)
    assert store.repository(Code).get(id) == record
    assert store.repository(Code).take(id) == record


@pytest.mark.parametrize("gone", [*TAKEN, *DISCARDED])
def test_add_refuses_an_id_with_a_tombstone(store: Store, id: str, clock: FakeClock, gone: Gone) -> None:
    gone(store, id, clock)
    assert not store.repository(Code).add(code(id, clock))
    assert store.repository(Code).get(id) is None


@pytest.mark.parametrize("gone", EVERY)
def test_get_gives_nothing_when_the_record_is_gone(store: Store, id: str, clock: FakeClock, gone: Gone) -> None:
    gone(store, id, clock)
    assert store.repository(Code).get(id) is None


@pytest.mark.parametrize("gone", EVERY)
def test_replace_refuses_when_the_record_is_gone(store: Store, id: str, clock: FakeClock, gone: Gone) -> None:
    gone(store, id, clock)
    assert not store.repository(Code).replace(code(id, clock, text="late"))
    assert store.repository(Code).get(id) is None


@pytest.mark.parametrize("gone", [*FREE, *DISCARDED])
def test_take_of_what_was_not_taken_is_absent(store: Store, id: str, clock: FakeClock, gone: Gone) -> None:
    gone(store, id, clock)
    with pytest.raises(Absent):
        store.repository(Code).take(id)


@pytest.mark.parametrize("gone", TAKEN)
def test_take_of_what_was_taken_names_its_grant(store: Store, id: str, clock: FakeClock, gone: Gone) -> None:
    gone(store, id, clock)
    for _ in range(2):
        with pytest.raises(AlreadyTaken) as caught:
            store.repository(Code).take(id)
        assert caught.value.grant_id == "grant-1"


@pytest.mark.parametrize("gone", EVERY)
def test_discard_of_what_is_gone_changes_nothing(store: Store, id: str, clock: FakeClock, gone: Gone) -> None:
    gone(store, id, clock)
    store.repository(Code).discard(id)
    assert store.repository(Code).get(id) is None
    assert store.repository(Code).add(code(id, clock)) == (gone in FREE)


def test_a_discarded_record_cannot_be_had_again(store: Store, id: str, clock: FakeClock) -> None:
    discarded(store, id, clock)
    clock.advance(TOMBSTONE_SECONDS - 1)
    assert not store.repository(Code).add(code(id, clock))
    with pytest.raises(Absent):
        store.repository(Code).take(id)


def test_a_failed_take_leaves_no_tombstone(store: Store, id: str, clock: FakeClock) -> None:
    with pytest.raises(Absent):
        store.repository(Code).take(id)
    assert store.repository(Code).add(code(id, clock))


def test_replace_changes_the_record_its_end_and_its_grant(store: Store, id: str, clock: FakeClock) -> None:
    codes = store.repository(Code)
    codes.add(code(id, clock, text="first", grant_id="grant-1"))
    assert codes.replace(code(id, clock, seconds=90, text="second", grant_id="grant-2"))
    clock.advance(60)
    assert codes.take(id) == code(id, clock, text="second", grant_id="grant-2")
    with pytest.raises(AlreadyTaken) as caught:
        codes.take(id)
    assert caught.value.grant_id == "grant-2"


def test_replace_may_bring_the_end_nearer(store: Store, id: str, clock: FakeClock) -> None:
    codes = store.repository(Code)
    codes.add(code(id, clock, seconds=90))
    codes.replace(code(id, clock, seconds=30))
    clock.advance(30)
    assert codes.get(id) is None


def test_a_record_without_a_grant_leaves_a_tombstone_without_one(store: Store, id: str, clock: FakeClock) -> None:
    store.repository(Code).add(code(id, clock))
    store.repository(Code).take(id)
    with pytest.raises(AlreadyTaken) as caught:
        store.repository(Code).take(id)
    assert caught.value.grant_id == ""


def test_kinds_are_namespaces_of_their_own(store: Store, id: str, clock: FakeClock) -> None:
    codes, nonces = store.repository(Code), store.repository(Nonce)
    nonce = Nonce(id=id, expires_at=int(clock()) + 30)
    assert codes.add(code(id, clock))
    assert nonces.get(id) is None
    assert nonces.add(nonce)
    codes.take(id)
    assert nonces.get(id) == nonce
    nonces.discard(id)
    with pytest.raises(AlreadyTaken):
        codes.take(id)


def test_two_repositories_of_one_kind_are_one(store: Store, id: str, clock: FakeClock) -> None:
    store.repository(Code).add(code(id, clock))
    assert store.repository(Code).take(id) == code(id, clock)


def test_every_member_survives(store: Store, id: str, clock: FakeClock) -> None:
    device = Device("kaartlezer «ß»", (1, -(2**53)))
    record = Full(
        id=id,
        expires_at=int(clock()) + 3_000_000_000,
        grant_id="grant ✓",
        text="naïef \x00 \\ \" ' \n 🔑",
        count=2**62,
        share=0.1,
        is_final=True,
        maybe="",
        raw=bytes(range(256)),
        words=("", "a:b", "{c}"),
        names={"nl": "Sleutel", "": "💶"},
        nested={"x": (device, device)},
        device=device,
    )
    defaults = Full(id="", expires_at=0)
    assert all(getattr(record, name) != getattr(defaults, name) for name in Full.__struct_fields__)
    fulls = store.repository(Full)
    fulls.add(record)
    assert fulls.get(id) == record
    fulls.replace(record)
    assert fulls.take(id) == record
    with pytest.raises(AlreadyTaken) as caught:
        fulls.take(id)
    assert caught.value.grant_id == "grant ✓"


def test_a_record_that_was_given_out_is_not_the_one_that_is_kept(store: Store, id: str, clock: FakeClock) -> None:
    fulls = store.repository(Full)
    record = Full(id=id, expires_at=int(clock()) + 30, names={"nl": "Sleutel"})
    fulls.add(record)
    record.names["nl"] = "changed"
    found = fulls.get(id)
    assert found is not None
    assert found.names == {"nl": "Sleutel"}


@pytest.mark.parametrize("odd", ["", "\x00", "\ud800", "é", "a:b", "{a}", "\\x00", "x" * 100_000, "%' OR 1=1"])
def test_an_id_that_nobody_was_given_is_absent(store: Store, odd: str, clock: FakeClock) -> None:
    codes = store.repository(Code)
    codes.discard(odd)
    assert codes.get(odd) is None
    with pytest.raises(Absent):
        codes.take(odd)


def test_ids_that_look_alike_are_not_the_same(store: Store, id: str, clock: FakeClock) -> None:
    codes = store.repository(Code)
    alike = [id + end for end in ("", " ", "a", "A", "\x00", "\\x00", "é", "e\u0301", ":", "}")]
    assert [codes.add(code(one, clock, text=one)) for one in alike] == [True] * len(alike)
    assert [codes.take(one).text for one in alike] == alike


def test_a_record_lives_until_its_last_second(store: Store, id: str, clock: FakeClock) -> None:
    store.repository(Code).add(code(id, clock))
    clock.advance(29.99)
    assert store.repository(Code).get(id)
    clock.advance(0.01)
    assert store.repository(Code).get(id) is None


def test_a_tombstone_lives_from_the_taking(store: Store, id: str, clock: FakeClock) -> None:
    codes = store.repository(Code)
    codes.add(code(id, clock))
    clock.advance(29)
    codes.take(id)
    clock.advance(TOMBSTONE_SECONDS - 1)
    assert not codes.add(code(id, clock))
    with pytest.raises(AlreadyTaken):
        codes.take(id)
    clock.advance(1)
    with pytest.raises(Absent):
        codes.take(id)
    assert codes.add(code(id, clock))


def test_a_second_take_does_not_prolong_the_tombstone(store: Store, id: str, clock: FakeClock) -> None:
    codes = store.repository(Code)
    taken(store, id, clock)
    clock.advance(TOMBSTONE_SECONDS - 1)
    with pytest.raises(AlreadyTaken):
        codes.take(id)
    codes.discard(id)
    clock.advance(1)
    assert codes.add(code(id, clock))


def test_a_clock_that_jumps_a_month_ends_every_record(store: Store, id: str, clock: FakeClock) -> None:
    store.repository(Code).add(code(id, clock, seconds=600))
    clock.advance(31 * 86_400)
    with pytest.raises(Absent):
        store.repository(Code).take(id)
    assert store.repository(Code).add(code(id, clock))


def test_much_garbage_does_not_hurt_what_lives(store: Store, id: str, clock: FakeClock) -> None:
    codes = store.repository(Code)
    codes.add(code(id, clock, seconds=1000, text="lives"))
    for number in range(300):
        codes.add(code(f"{id}-{number}", clock, seconds=number % 3))
    clock.advance(100)
    for number in range(300):
        assert codes.add(code(f"{id}-{number}", clock, seconds=5, text="again"))
    assert [codes.take(f"{id}-{number}").text for number in range(300)] == ["again"] * 300
    assert codes.take(id).text == "lives"


# Races: many callers start at one moment; whoever comes second must see it.


def outcome(verb: Callable[[], object]) -> object:
    """What the verb gives: its value, or the name of its refusal with the Grant."""
    try:
        return verb()
    except Absent:
        return "absent"
    except AlreadyTaken as refusal:
        return f"already taken: {refusal.grant_id}"


def raced(verbs: list[Callable[[], object]]) -> list[object]:
    """The outcomes of verbs that start together, each in a thread of its own."""
    start = Barrier(len(verbs))

    def run(verb: Callable[[], object]) -> object:
        start.wait()
        return outcome(verb)

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


def test_one_of_many_threads_takes(store: Store, id: str, clock: FakeClock) -> None:
    codes, record = store.repository(Code), code(id, clock, grant_id="grant-1")
    codes.add(record)
    outcomes = raced([lambda: codes.take(id)] * CALLERS)
    assert outcomes.count(record) == 1
    assert outcomes.count("already taken: grant-1") == CALLERS - 1


def test_one_of_many_threads_adds(store: Store, id: str, clock: FakeClock) -> None:
    codes = store.repository(Code)
    records = [code(id, clock, text=str(number)) for number in range(CALLERS)]
    outcomes = raced([partial(codes.add, record) for record in records])
    assert outcomes.count(True) == 1
    assert codes.get(id) == records[outcomes.index(True)]


def test_one_of_many_threads_adds_over_an_expired_record(store: Store, id: str, clock: FakeClock) -> None:
    expired(store, id, clock)
    codes = store.repository(Code)
    assert raced([lambda: codes.add(code(id, clock))] * CALLERS).count(True) == 1


def test_what_is_taken_is_what_was_replaced_last(store: Store, id: str, clock: FakeClock) -> None:
    codes = store.repository(Code)
    for name in (f"{id}-{turn}" for turn in range(10)):
        codes.add(code(name, clock, text="old", grant_id="old"))
        new = code(name, clock, text="new", grant_id="new")
        was_replaced, record = raced([partial(codes.replace, new), partial(codes.take, name)])
        assert isinstance(record, Code)
        assert record.text == ("new" if was_replaced else "old")
        assert outcome(partial(codes.take, name)) == f"already taken: {record.grant_id}"
        assert codes.get(name) is None


def test_take_and_discard_do_not_both_win(store: Store, id: str, clock: FakeClock) -> None:
    codes = store.repository(Code)
    for name in (f"{id}-{turn}" for turn in range(10)):
        codes.add(code(name, clock))
        record, _ = raced([partial(codes.take, name), partial(codes.discard, name)])
        second = "absent" if record == "absent" else "already taken: "
        assert outcome(partial(codes.take, name)) == second


PROCESSES, RACES = 3, 25


def race_from_here(name: str, url: str, ids: list[str], clock: FakeClock, number: int) -> list[tuple[object, ...]]:
    """What one process of several got: for each id, its `add`, and its `take` of another record."""
    with opened(name, url, clock) as store:
        codes = store.repository(Code)
        start[0].wait()
        return [
            (codes.add(code(f"added-{id}", clock, text=str(number))), outcome(partial(codes.take, id))) for id in ids
        ]


start: list[Any] = []
"""In a process of the race: the barrier at which all of them start."""


def await_the_others(barrier: object) -> None:
    start.append(barrier)


@pytest.mark.parametrize("backend", ADDRESSES, indirect=True)
def test_one_of_several_processes_wins(backend: Backend, id: str, clock: FakeClock) -> None:
    ids = [f"{id}-{turn}" for turn in range(RACES)]
    codes = backend.store.repository(Code)
    for one in ids:
        codes.add(code(one, clock, grant_id="grant-1"))
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    race = partial(race_from_here, backend.name, backend.url, ids, clock)
    with ProcessPoolExecutor(PROCESSES, context, await_the_others, (barrier,)) as pool:
        by_process = list(pool.map(race, range(PROCESSES)))
    for one, outcomes in zip(ids, zip(*by_process, strict=True), strict=True):
        added, took = zip(*outcomes, strict=True)
        assert added.count(True) == 1
        assert codes.take(f"added-{one}").text == str(added.index(True))
        assert took.count(code(one, clock, grant_id="grant-1")) == 1
        assert took.count("already taken: grant-1") == PROCESSES - 1
