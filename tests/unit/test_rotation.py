"""Timed rotation of signing keys, on each database: announced in time, by one of several workers."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine

from idp.keys.keyring import ANNOUNCE_SECONDS, Keyring
from idp.keys.master import MasterKey
from idp.keys.rotation import DAY, LOOK_SECONDS, Rotation
from idp.records import tables
from idp.records.keys import KeyRecords
from tests.clock import FakeClock

TOKEN_SECONDS = 3600


def keyring_of(engine: Engine, clock: FakeClock) -> Keyring:
    """The keyring as one more worker has it."""
    return Keyring(KeyRecords(engine, MasterKey([b"k" * 32]), clock=clock), clock, token_seconds=TOKEN_SECONDS)


@pytest.fixture
def keyring(engine: Engine, clock: FakeClock) -> Keyring:
    tables.metadata.create_all(engine)
    made = keyring_of(engine, clock)
    made.make_first()
    return made


def kids(keyring: Keyring, alg: str = "ES256") -> list[str]:
    return [key.kid for key in keyring.published() if key.alg == alg]


def test_a_key_is_announced_after_its_days_signs_a_day_later_and_the_old_one_goes_when_its_tokens_have(
    keyring: Keyring, clock: FakeClock
) -> None:
    rotation = Rotation(keyring, clock, days=90)
    (old,) = kids(keyring)
    clock.advance(90 * DAY - 1)
    rotation.look()
    assert kids(keyring) == [old]
    clock.advance(LOOK_SECONDS)
    rotation.look()
    first, new = kids(keyring)
    assert (first, keyring.signing_key("ES256").kid) == (old, old)
    clock.advance(ANNOUNCE_SECONDS)
    assert keyring.signing_key("ES256").kid == new
    assert kids(keyring) == [old, new]
    clock.advance(TOKEN_SECONDS)
    assert kids(keyring) == [new]


def test_every_algorithm_gets_its_successor_once(keyring: Keyring, clock: FakeClock) -> None:
    rotation = Rotation(keyring, clock, days=1)
    before = {key.kid for key in keyring.all()}
    clock.advance(DAY)
    for _ in range(3):
        rotation.look()
        clock.advance(LOOK_SECONDS)
    new = [key.alg for key in keyring.all() if key.kid not in before]
    assert sorted(new) == ["ES256", "EdDSA", "RS256"]


def test_it_looks_once_a_minute(keyring: Keyring, clock: FakeClock) -> None:
    rotation = Rotation(keyring, clock, days=1)
    clock.advance(DAY - 1)
    rotation.look()
    clock.advance(LOOK_SECONDS - 1)
    rotation.look()
    assert len(kids(keyring)) == 1
    clock.advance(1)
    rotation.look()
    assert len(kids(keyring)) == 2


def test_twenty_workers_make_one_successor(engine: Engine, keyring: Keyring, clock: FakeClock) -> None:
    workers = [keyring_of(engine, clock) for _ in range(20)]
    for worker in workers:
        assert len(kids(worker)) == 1
    clock.advance(DAY)
    barrier = Barrier(20)

    def work(worker: Keyring) -> None:
        barrier.wait(10)
        Rotation(worker, clock, days=1).look()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, workers))
    clock.advance(2)
    for worker in workers:
        assert sorted(key.alg for key in worker.all()) == sorted(["ES256", "EdDSA", "RS256"] * 2)


def test_a_worker_that_decided_on_old_keys_makes_none(engine: Engine, keyring: Keyring, clock: FakeClock) -> None:
    records = KeyRecords(engine, MasterKey([b"k" * 32]), clock=clock)

    def late(_: object) -> str:
        keyring.rotate("RS256")
        return "RS256"

    assert records.make_if(late, active_at=int(clock())) is None
    assert len(kids(keyring, "RS256")) == 2


def test_other_processes_publish_the_new_key_within_a_second(
    engine: Engine, keyring: Keyring, clock: FakeClock
) -> None:
    other = keyring_of(engine, clock)
    assert len(kids(other)) == 1
    clock.advance(DAY)
    Rotation(keyring, clock, days=1).look()
    clock.advance(1)
    assert len(kids(other)) == 2
