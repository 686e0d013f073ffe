"""An estate for each test, from one that is prepared once."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from idp import composition
from idp.pages import Pages
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


@pytest.fixture
def browser(estate: Estate) -> Browser:
    """A browser without cookies."""
    return estate.browser()
