"""Timed rotation of signing keys, on each database: announced in time, by one of several workers."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, delete

from idp.clients import SIGNING_ALGORITHMS
from idp.commands import Asked, CommandFailed
from idp.keys.encryption import KEY_KINDS
from idp.keys.keyring import ANNOUNCE_SECONDS, DECRYPTING_SECONDS, Keyring
from idp.keys.listing import run_keys_command
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


def enc_kids(keyring: Keyring) -> set[str]:
    """What is published to encrypt to."""
    return {key.kid for key in keyring.published() if key.public_jwk["use"] == "enc"}


def test_keys_that_decrypt_turn_too_and_still_decrypt_for_a_while(keyring: Keyring, clock: FakeClock) -> None:
    rotation = Rotation(keyring, clock, days=90)
    first = enc_kids(keyring)
    assert len(first) == len(KEY_KINDS)
    clock.advance(90 * DAY)
    rotation.look()
    assert len(enc_kids(keyring)) == 2 * len(KEY_KINDS)
    clock.advance(ANNOUNCE_SECONDS)
    second = enc_kids(keyring)
    assert not first & second
    assert {key.kid for key in keyring.decrypting()} == first | second
    clock.advance(DECRYPTING_SECONDS)
    assert {key.kid for key in keyring.decrypting()} == second


def test_a_database_that_has_none_to_decrypt_with_gets_one_of_each_kind(
    engine: Engine, keyring: Keyring, clock: FakeClock
) -> None:
    with engine.begin() as connection:
        connection.execute(delete(tables.signing_key).where(tables.signing_key.c.alg.in_(KEY_KINDS)))
    later = keyring_of(engine, clock)
    assert later.decrypting() == ()
    Rotation(later, clock, days=90).look()
    assert {key.alg for key in later.decrypting()} == set(KEY_KINDS)
    assert len(enc_kids(later)) == len(KEY_KINDS)
    assert len(later.all()) == 3


def test_an_operator_lists_and_turns_every_key(keyring: Keyring) -> None:
    lines = run_keys_command(Asked(command="keys list"), keyring).splitlines()
    said = {tuple(line.split()[1:3]) for line in lines}
    assert said == {(alg, "signs") for alg in SIGNING_ALGORITHMS} | {(kind, "decrypts") for kind in KEY_KINDS}
    assert run_keys_command(Asked(command="keys rotate", alg="ECDH-ES"), keyring).startswith("announced ")
    assert len(enc_kids(keyring)) == len(KEY_KINDS) + 1
    with pytest.raises(CommandFailed, match="alg must be one of"):
        run_keys_command(Asked(command="keys rotate", alg="RSA1_5"), keyring)


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
