"""A demo and a Chromium for the whole run, and for each test a browser without a past."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

from tests.browser.running import running_demo
from tests.browser.vocabulary import Demo, Visitor

MILLISECONDS = 15_000
"""How long a page may take before a test fails: a machine that does much else is slow."""

NewVisitor = Callable[..., Visitor]


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """The demo; under xdist, of this worker alone."""
    with running_demo() as demo:
        yield demo


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives the browser."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=MILLISECONDS)
        yield playwright


@pytest.fixture(scope="session")
def launch_options() -> dict[str, Any]:
    """Debian's Chromium. As root it runs only without its sandbox; it visits nothing but this machine."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed: Debian has it in the package chromium"
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": chromium, "args": ["--disable-dev-shm-usage", *sandbox]}


@pytest.fixture(scope="session")
def chromium(playwright: Playwright, launch_options: dict[str, Any]) -> Iterator[Browser]:
    """One Chromium for all tests."""
    browser = playwright.chromium.launch(**launch_options)
    yield browser
    browser.close()


@pytest.fixture
def new_visitor(chromium: Browser, demo: Demo) -> Iterator[NewVisitor]:
    """Makes visitors, each in a browser of their own that reads Dutch; options go to the context."""
    contexts: list[BrowserContext] = []

    def make(at: Demo = demo, **options: Any) -> Visitor:
        context = chromium.new_context(**{"locale": "nl-BE", "viewport": {"width": 1280, "height": 900}} | options)
        context.set_default_timeout(MILLISECONDS)
        contexts.append(context)
        return Visitor(context.new_page(), at)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> Visitor:
    """Somebody whom this browser does not know yet."""
    return new_visitor()


@pytest.fixture
def visitor_without_cookies(
    playwright: Playwright, launch_options: dict[str, Any], demo: Demo, *, tmp_path: Path
) -> Iterator[Visitor]:
    """Somebody whose browser is set to keep no cookies at all."""
    (tmp_path / "Default").mkdir()
    block = '{"profile": {"default_content_setting_values": {"cookies": 2}}}'
    (tmp_path / "Default" / "Preferences").write_text(block)
    context = playwright.chromium.launch_persistent_context(str(tmp_path), locale="nl-BE", **launch_options)
    context.set_default_timeout(MILLISECONDS)
    yield Visitor(context.pages[0], demo)
    context.close()
