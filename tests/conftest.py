"""What any test may ask for: a clock, a database that is empty, a Redis that is empty."""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import Engine, make_url

from idp.database import open_database
from tests import servers
from tests.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until it is moved."""
    return FakeClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of the PostgreSQL server that scripts/test started, else of one for this run."""
    with ExitStack() as ended:
        yield os.environ.get(servers.POSTGRES_VARIABLE) or ended.enter_context(servers.postgres())


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The address of the Redis server that scripts/test started, else of one for this run."""
    with ExitStack() as ended:
        yield os.environ.get(servers.REDIS_VARIABLE) or ended.enter_context(servers.redis_single())


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[str]:
    """The address of a PostgreSQL database of this worker alone: making one for each test takes 0.3 s."""
    name = f"toegang_{secrets.token_hex(8)}"
    with psycopg.connect(postgres_server.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def postgres_url(postgres_database: str) -> str:
    """The address of an empty PostgreSQL database; what an earlier test left in it, connections too, is gone."""
    with psycopg.connect(postgres_database.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgres_database


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a new, empty SQLite database."""
    return f"sqlite:///{tmp_path / 'toegang.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database_url(request: pytest.FixtureRequest) -> str:
    """The address of a new, empty database; the test runs once for each kind."""
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    return url


@pytest.fixture
def engine(any_database_url: str) -> Iterator[Engine]:
    """An engine on a new, empty database; the test runs once for each kind."""
    engine = open_database(any_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """An engine on a new, empty SQLite database, where one kind is enough."""
    engine = open_database(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The address of an empty Redis database, of this worker alone."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{redis_server}/{number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url
