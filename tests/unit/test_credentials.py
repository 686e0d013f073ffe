"""The room of what people have enrolled: sealed, found by a keyed hash, enrolled once."""

import pytest
from sqlalchemy import Engine, event, select, update

from authenticators.credentials import credential
from tests.clock import FakeClock
from tests.unit.keys import ELIF, HASH, MARC, OLGA, PASSWORD, SEED, enrolled


def rows(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(credential))]


def test_each_person_has_the_keys_that_were_enrolled(sqlite_engine: Engine, clock: FakeClock) -> None:
    credentials = enrolled(sqlite_engine, clock)
    assert credentials.kinds(ELIF) == {"password", "totp", "sms"}
    assert credentials.kinds(OLGA) == {"password"}
    assert credentials.kinds("00000000000") == frozenset()


def test_what_was_enrolled_is_read_back(sqlite_engine: Engine, clock: FakeClock) -> None:
    credentials = enrolled(sqlite_engine, clock)
    assert credentials.password_hash(ELIF) == HASH
    assert credentials.totp_secret(ELIF) == SEED
    assert credentials.phone(MARC) == "+32470000013"
    assert credentials.totp_secret(MARC) is None


def test_the_table_tells_neither_who_nor_what(sqlite_engine: Engine, clock: FakeClock) -> None:
    enrolled(sqlite_engine, clock)
    kept = repr(rows(sqlite_engine))
    assert len(rows(sqlite_engine)) == 6
    for secret in (ELIF, MARC, SEED, PASSWORD, "argon2id", "32470000013"):
        assert secret not in kept


def test_to_enrol_twice_is_to_enrol_once_and_the_last_word_holds(sqlite_engine: Engine, clock: FakeClock) -> None:
    credentials = enrolled(sqlite_engine, clock)
    credentials.enrol(MARC, "sms", destination="+32470999999")
    assert credentials.phone(MARC) == "+32470999999"
    assert len(rows(sqlite_engine)) == 6


def test_to_enrol_without_a_secret_keeps_the_one_there_is(sqlite_engine: Engine, clock: FakeClock) -> None:
    credentials = enrolled(sqlite_engine, clock)
    credentials.enrol(ELIF, "totp")
    credentials.enrol(OLGA, "eid")
    assert credentials.totp_secret(ELIF) == SEED
    assert credentials.kinds(OLGA) == {"password", "eid"}


def test_of_two_who_enrol_the_same_key_at_once_the_later_one_has_the_last_word(
    sqlite_engine: Engine, clock: FakeClock
) -> None:
    credentials = enrolled(sqlite_engine, clock)
    others: list[str] = []

    def come_between(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT") and not others:
            others.append("+32470000001")
            credentials.enrol(OLGA, "sms", destination=others[0])

    event.listen(sqlite_engine, "before_cursor_execute", come_between)
    credentials.enrol(OLGA, "sms", destination="+32470000002")
    assert others
    assert credentials.phone(OLGA) == "+32470000002"
    assert len(rows(sqlite_engine)) == 7


def test_a_password_is_never_enrolled_in_the_clear(sqlite_engine: Engine, clock: FakeClock) -> None:
    credentials = enrolled(sqlite_engine, clock)
    with pytest.raises(ValueError, match="argon2id") as refusal:
        credentials.enrol(OLGA, "password", secret=PASSWORD)
    assert PASSWORD not in str(refusal.value)


def test_a_secret_moved_to_another_person_is_no_secret(sqlite_engine: Engine, clock: FakeClock) -> None:
    credentials = enrolled(sqlite_engine, clock)
    credentials.enrol(OLGA, "totp", secret="A" * 32)
    his = credential.c.person_key == credentials.person_key(OLGA)
    hers = credential.c.person_key == credentials.person_key(ELIF)
    with sqlite_engine.begin() as connection:
        sealed = connection.execute(select(credential.c.secret).where(his, credential.c.kind == "totp")).scalar_one()
        connection.execute(update(credential).where(hers, credential.c.kind == "totp").values(secret=sealed))
    assert credentials.totp_secret(ELIF) is None


def test_the_last_use_is_remembered(sqlite_engine: Engine, clock: FakeClock) -> None:
    credentials = enrolled(sqlite_engine, clock)
    clock.advance(60)
    credentials.mark_used(ELIF, "sms")
    credentials.mark_used(OLGA, "sms")
    used = [row for row in rows(sqlite_engine) if row[5] is not None]
    assert [(row[1], row[5]) for row in used] == [("sms", int(clock.now))]
    assert used[0][4] == int(clock.now) - 60
