"""Prepared statements give what SQLAlchemy gives, on SQLite and PostgreSQL, and outlive a lost connection."""

from datetime import date

import psycopg
import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    literal,
    select,
    update,
)

from idm.lines import lines_of
from idm.prepared import Prepared
from idp.database import open_database

metadata = MetaData()
thing = Table(
    "thing",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("at", BigInteger),
    Column("begin_on", Date),
    Column("is_here", Boolean),
    Column("body", LargeBinary),
    Column("contexts", JSON),
)
ROW = {"id": "a", "at": 2**40, "begin_on": date(2026, 2, 28), "is_here": True, "body": b"\x00\xff", "contexts": ["x"]}
NAMED = select(thing).where(thing.c.id == bindparam("_id"))


@pytest.fixture(autouse=True)
def table(engine: Engine) -> None:
    """The table, in a database of each kind."""
    metadata.create_all(engine)


def test_rows_come_back_as_sqlalchemy_reads_them(engine: Engine) -> None:
    Prepared(engine, insert(thing), columns=tuple(ROW)).run(ROW)
    with engine.connect() as connection:
        expected = connection.execute(select(thing)).one()
    found = Prepared(engine, NAMED).first({"_id": "a"})
    assert found == tuple(expected)
    assert found._asdict() == ROW
    assert [type(value) for value in found] == [type(value) for value in expected]


def test_null_stays_null(engine: Engine) -> None:
    empty = dict.fromkeys(ROW) | {"id": "b"}
    Prepared(engine, insert(thing), columns=tuple(ROW)).run(empty)
    assert Prepared(engine, NAMED).first({"_id": "b"}) == tuple(empty.values())


def test_what_is_not_there_is_not_found(engine: Engine) -> None:
    assert Prepared(engine, NAMED).first({"_id": "z"}) is None


def test_a_fixed_value_of_a_statement_needs_not_be_given(engine: Engine) -> None:
    prepared = Prepared(engine, select(literal("fixed").label("word"), bindparam("_id", type_=String).label("id")))
    assert prepared.first({"_id": "a"}) == ("fixed", "a")


def test_a_change_tells_how_many_rows_it_touched(engine: Engine) -> None:
    Prepared(engine, insert(thing), columns=("id", "at")).run({"id": "a", "at": 1})
    change = Prepared(engine, update(thing).where(thing.c.id == bindparam("_id")).values(at=bindparam("_at")))
    assert [change.run({"_id": id, "_at": 5}) for id in ("a", "z")] == [1, 0]
    assert Prepared(engine, select(thing.c.at)).all({}) == [(5,)]


def test_a_lost_connection_costs_one_failure_and_no_more(postgres_url: str) -> None:
    engine = open_database(postgres_url)
    ask = Prepared(engine, select(literal(1).label("one")))
    with lines_of(engine).line(), lines_of(engine).line():  # two lines, idle from here on
        pass
    lose_connections(postgres_url)
    with pytest.raises(psycopg.OperationalError):
        ask.first({})
    assert [ask.first({}) for _ in range(3)] == [(1,)] * 3
    engine.dispose()


def lose_connections(url: str) -> None:
    """End every other connection to the database, as a restart of the server does."""
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_statement_that_fails_leaves_nothing_behind(engine: Engine) -> None:
    add = Prepared(engine, insert(thing), columns=("id",))
    add.run({"id": "a"})
    with pytest.raises(Exception, match=r"(?i)unique"):
        add.run({"id": "a"})
    add.run({"id": "b"})
    assert sorted(Prepared(engine, select(thing.c.id)).all({})) == [("a",), ("b",)]
