"""The outbox on each database: posted with its cause, claimed once, back again when a worker dies."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, insert

from idp.delivery import RETRY_SECONDS, Delivery, DeliveryFailed
from idp.dispatcher import Dispatcher
from idp.records import tables
from idp.records.outbox import LEASE_SECONDS, Letter, OutboxRecords, post
from tests.clock import FakeClock


@pytest.fixture
def outbox(engine: Engine, clock: FakeClock) -> OutboxRecords:
    tables.metadata.create_all(engine)
    return OutboxRecords(engine, clock)


def letters(engine: Engine, clock: FakeClock, *, count: int = 1) -> list[Letter]:
    made = [Letter(kind="greeting", client_id=f"client {n}", body={"sid": str(n)}) for n in range(count)]
    with engine.begin() as connection:
        post(connection, made, now=int(clock()))
    return made


def test_a_letter_is_claimed_as_it_was_posted(engine: Engine, outbox: OutboxRecords, clock: FakeClock) -> None:
    assert not outbox.has_due()
    (posted,) = letters(engine, clock)
    assert outbox.has_due()
    (claimed,) = outbox.claim(limit=10)
    assert (claimed.id, claimed.kind, claimed.client_id) == (posted.id, "greeting", "client 0")
    assert (claimed.body, claimed.attempts) == ({"sid": "0"}, 1)
    assert not outbox.has_due()
    assert outbox.claim(limit=10) == []


def test_a_cause_that_did_not_happen_posts_nothing(engine: Engine, outbox: OutboxRecords, clock: FakeClock) -> None:
    with engine.connect() as connection:
        post(connection, [Letter(kind="greeting", client_id="client", body={})], now=int(clock()))
        connection.rollback()
    assert not outbox.has_due()


def test_no_more_are_claimed_than_asked(engine: Engine, outbox: OutboxRecords, clock: FakeClock) -> None:
    letters(engine, clock, count=5)
    assert [len(outbox.claim(limit=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_letters_for_strangers_hold_up_no_others(engine: Engine, outbox: OutboxRecords, clock: FakeClock) -> None:
    row = {"number": 0, "issued_at": 0, "expires_at": 0, "body": b""}
    with engine.begin() as connection:
        for n in range(3):
            stranger = {"client_id": f"client {n}", "is_self_registered": True, **row}
            connection.execute(insert(tables.client).values(**stranger))
    letters(engine, clock, count=3)
    clock.advance(5)
    with engine.begin() as connection:
        post(connection, [Letter(kind="greeting", client_id="vouched", body={})], now=int(clock()))
    assert [letter.client_id for letter in outbox.claim(limit=1)] == ["vouched"]
    assert len(outbox.claim(limit=9)) == 3


def test_twenty_workers_claim_each_letter_once(engine: Engine, outbox: OutboxRecords, clock: FakeClock) -> None:
    posted = letters(engine, clock, count=40)
    barrier = Barrier(20)

    def work(_: int) -> list[str]:
        barrier.wait(10)
        found = []
        while claimed := outbox.claim(limit=3):
            found += [letter.id for letter in claimed]
        return found

    with ThreadPoolExecutor(20) as pool:
        claimed = [id for found in pool.map(work, range(20)) for id in found]
    assert sorted(claimed) == sorted(letter.id for letter in posted)


def test_the_letter_of_a_worker_that_died_comes_back(engine: Engine, outbox: OutboxRecords, clock: FakeClock) -> None:
    letters(engine, clock)
    outbox.claim(limit=1)
    clock.advance(LEASE_SECONDS - 1)
    assert outbox.claim(limit=1) == []
    clock.advance(1)
    (again,) = outbox.claim(limit=1)
    assert again.attempts == 2


def test_a_worker_that_was_too_slow_changes_nothing(engine: Engine, outbox: OutboxRecords, clock: FakeClock) -> None:
    letters(engine, clock)
    (slow,) = outbox.claim(limit=1)
    clock.advance(LEASE_SECONDS)
    outbox.claim(limit=1)
    outbox.postpone(slow, seconds=0)
    assert not outbox.has_due()


def test_each_failure_waits_longer_and_the_last_is_the_end(
    engine: Engine, outbox: OutboxRecords, clock: FakeClock
) -> None:
    letters(engine, clock)
    tried: list[int] = []

    def refuse(letter: Letter) -> None:
        tried.append(letter.attempts)
        raise DeliveryFailed("nobody there")

    delivery = Delivery(outbox, {"greeting": refuse})
    delivery.deliver_due()
    for seconds in RETRY_SECONDS:
        clock.advance(seconds - 1)
        delivery.deliver_due()
        clock.advance(1)
        delivery.deliver_due()
    clock.advance(10**6)
    delivery.deliver_due()
    assert tried == [1, 2, 3, 4, 5]


def test_an_unforeseen_failure_of_one_letter_holds_up_no_other(
    engine: Engine, outbox: OutboxRecords, clock: FakeClock
) -> None:
    letters(engine, clock, count=20)
    sent: list[str] = []

    def send(letter: Letter) -> None:
        sent.append(letter.id)
        if letter.client_id == "client 0":
            raise ZeroDivisionError

    delivery = Delivery(outbox, {"greeting": send})
    delivery.deliver_due()
    assert 0 < len(sent) < 20  # one batch a turn: other chores have their turn in between
    for _ in range(4):
        delivery.deliver_due()
    assert len(sent) == 20
    clock.advance(1)
    (left,) = outbox.claim(limit=20)
    assert left.client_id == "client 0"


def meet(barrier: Barrier) -> None:
    """Wait for the test to look."""
    barrier.wait(10)


def test_a_chore_that_fails_is_logged_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    done = Barrier(2)
    dispatcher = Dispatcher([lambda: {}["missing"], lambda: meet(done)], pause=0.001)
    dispatcher.start()
    done.wait(10)
    done.wait(10)
    done.abort()
    dispatcher.stop()
    assert [record.getMessage() for record in caplog.records][:2] == ["a chore failed", "a chore failed"]
