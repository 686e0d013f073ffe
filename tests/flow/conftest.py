"""An estate for each test, from one that is prepared once."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from idp import composition
from idp.pages import Pages
from idp.settings import Settings
from tests.clock import FakeClock
from tests.flow.estate import Browser, Estate, copy, prepare


@pytest.fixture(scope="session", autouse=True)
def pages_read_once() -> Iterator[None]:
    """Every estate of a run shows the same pages: reading and compiling them anew takes longer than a test."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(composition, "Pages", cache(Pages))
        yield


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated database that holds the demo world."""
    folder = tmp_path_factory.mktemp("estate")
    prepare(folder, FakeClock())
    return folder


@pytest.fixture
def estate(prepared: Path, tmp_path: Path) -> Iterator[Estate]:
    """The provider with the demo world."""
    made = Estate(copy(prepared, tmp_path), FakeClock())
    yield made
    made.application.close()


@pytest.fixture(scope="session")
def prepared_postgres(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A PostgreSQL database that holds the demo world, to make others like: loading it for each test takes longer."""
    with a_database(postgres_server, like="template0") as url:
        yield prepare(tmp_path_factory.mktemp("estate"), FakeClock(), database_url=url)


@contextmanager
def a_database(server: str, *, like: str) -> Iterator[str]:
    """The address of a new database of this server, made like another."""
    name = f"toegang_{secrets.token_hex(8)}"
    with psycopg.connect(server.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {like}".encode())
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def on_postgres(postgres_server: str, prepared_postgres: Settings) -> Iterator[Settings]:
    """The demo world on a PostgreSQL database of this test alone."""
    known = make_url(prepared_postgres.database_url)
    with a_database(postgres_server, like=str(known.database)) as url:
        yield replace(prepared_postgres, database_url=url)


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def anywhere(request: pytest.FixtureRequest, prepared: Path, tmp_path: Path) -> Iterator[Estate]:
    """The estate on SQLite, on PostgreSQL, or with its tickets in Redis."""
    if request.param == "postgresql":
        made = Estate(request.getfixturevalue("on_postgres"), FakeClock())
    else:
        made = Estate(copy(prepared, tmp_path), FakeClock())
    if request.param == "redis":
        made = made.configured(redis_url=request.getfixturevalue("redis_url"))
    yield made
    made.application.close()


@pytest.fixture
def browser(estate: Estate) -> Browser:
    """A browser without cookies."""
    return estate.browser()
