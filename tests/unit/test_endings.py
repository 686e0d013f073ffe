"""What has ended long ago is deleted, in batches; what may still be asked for stays."""

from typing import Any

import pytest
from sqlalchemy import Engine, Table, func, insert, select

from idp.housekeeping import PAUSE_SECONDS, Housekeeping
from idp.records import endings, tables
from idp.records.clients import ClientRecords
from idp.records.endings import KEPT_SECONDS, Endings
from idp.records.grants import GrantRecords
from idp.records.registration_tokens import RegistrationTokens
from idp.settings import Settings
from tests.clock import FakeClock
from tests.unit.test_client_records import stranger


@pytest.fixture
def purging(engine: Engine, clock: FakeClock) -> Endings:
    """What deletes, on an empty database."""
    tables.metadata.create_all(engine)
    return Endings(engine, clock)


def session_row(number: int, expires_at: int) -> dict[str, Any]:
    named = {"sid": f"s{number}", "cookie_hash": f"c{number}", "person_id": "p", "browser_id": "b"}
    return {**named, "version": 0, "expires_at": expires_at, "body": b"{}"}


def keep_sessions(engine: Engine, count: int, *, expires_at: int) -> None:
    with engine.begin() as connection:
        connection.execute(insert(tables.session), [session_row(number, expires_at) for number in range(count)])


def left(engine: Engine, table: Table) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_a_session_goes_a_day_after_its_end(engine: Engine, clock: FakeClock, purging: Endings) -> None:
    keep_sessions(engine, 1, expires_at=int(clock()))
    clock.advance(KEPT_SECONDS)
    assert not purging.purge()
    assert left(engine, tables.session) == 1
    clock.advance(1)
    purging.purge()
    assert left(engine, tables.session) == 0


def test_a_barred_grant_stays_as_long_as_it_matters(engine: Engine, clock: FakeClock, purging: Endings) -> None:
    GrantRecords(engine, clock).end("barred")
    purging.purge()
    assert left(engine, tables.grant) == 1
    clock.advance(KEPT_SECONDS + 1)
    purging.purge()
    assert left(engine, tables.grant) == 0


def test_initial_access_tokens_go_when_they_are_used_up_or_over(
    engine: Engine, clock: FakeClock, purging: Endings
) -> None:
    tokens, clients = RegistrationTokens(engine, clock), ClientRecords(engine, clock)
    for name, uses in (("used up", 1), ("half used", 2), ("over", 1)):
        tokens.add(name, uses=uses, seconds=60 if name == "over" else 10 * 86400)
    assert clients.register(stranger(1), token_hash="used up")
    assert clients.register(stranger(2), token_hash="half used")
    clock.advance(KEPT_SECONDS + 61)
    purging.purge()
    assert left(engine, tables.initial_access_token) == 1
    assert tokens.is_good("half used")


def test_batches_are_bounded_and_the_next_turn_goes_on(
    engine: Engine, clock: FakeClock, purging: Endings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "BATCH", 4)
    keep_sessions(engine, 10, expires_at=int(clock()) - KEPT_SECONDS - 1)
    assert [purging.purge() for _ in range(3)] == [True, True, False]
    assert left(engine, tables.session) == 0


def housekeeping(engine: Engine, clock: FakeClock, **settings: Any) -> Housekeeping:
    chosen = Settings(**({"registration": "open"} | settings))
    return Housekeeping(Endings(engine, clock), ClientRecords(engine, clock), settings=chosen, clock=clock)


def test_it_is_done_once_an_hour(engine: Engine, clock: FakeClock, purging: Endings) -> None:
    keeper = housekeeping(engine, clock)
    keeper.look()
    keep_sessions(engine, 1, expires_at=int(clock()) - KEPT_SECONDS - 1)
    clock.advance(PAUSE_SECONDS - 1)
    keeper.look()
    assert left(engine, tables.session) == 1
    clock.advance(1)
    keeper.look()
    assert left(engine, tables.session) == 0


@pytest.mark.parametrize(
    ("settings", "is_swept"),
    [
        ({}, True),
        ({"unused_days": 0}, False),
        ({"registration": "token"}, False),
        ({"simulators": True}, False),
    ],
    ids=str,
)
def test_what_nobody_used_is_swept_where_anyone_may_register(
    engine: Engine, clock: FakeClock, purging: Endings, settings: dict[str, Any], is_swept: bool
) -> None:
    clients = ClientRecords(engine, clock)
    clients.register(stranger(1, issued_at=int(clock())))
    clock.advance(31 * 86400)
    housekeeping(engine, clock, **settings).look()
    clock.advance(1)
    assert (clients.get("stranger-1") is None) is is_swept
