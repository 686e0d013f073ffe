"""The person in a run of the session management plan: a real browser, since that plan's pages need one.

Promises: every address that the suite wants visited is visited, in one browser for each test, and signed in or out
there. Must not know: what is being tested.

    python -m tests.conformance.browse FOLDER https://localhost:8743/ SECONDS
"""

import sys
import time
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Page, sync_playwright

STEPS = (
    "form:has(input[name=card][value='68641299833']) button",
    "#consent-allow",
    "#logout-confirm",
    "#back",
)
MOST_STEPS = 40


class Suite:
    """The suite, by its programming interface."""

    def __init__(self, address: str, *, authority: Path) -> None:
        self.address, self.session = address, requests.Session()
        self.session.verify, self.session.trust_env = str(authority), False

    def told_by(self, path: str) -> Any:
        """What it answers."""
        return self.session.get(self.address + path, timeout=10).json()

    def wanted(self) -> list[tuple[str, str]]:
        """The tests that run, and each address that one of them wants visited."""
        tests = self.told_by("api/runner/running")
        return [(test, url) for test in tests for url in self.told_by(f"api/runner/browser/{test}")["urls"]]

    def told(self, test: str, url: str) -> None:
        """Say that an address is being visited."""
        self.session.post(f"{self.address}api/runner/browser/{test}/visit", params={"url": url}, timeout=10)


def visit(page: Page, url: str) -> None:
    """Go there, and do what a person would until the suite's own page is reached."""
    page.goto(url)
    for _ in range(MOST_STEPS):
        step = next((one for one in STEPS if page.locator(one).count()), None)
        if step:
            page.locator(step).click()
            continue
        page.wait_for_timeout(300)
        if "/test/" in page.url:
            page.wait_for_timeout(1500)  # its scripts ask our frame
            return


def main(folder: Path, address: str, seconds: float) -> None:
    """Visit what is wanted for so many seconds."""
    suite, ends_at, last = Suite(address, authority=folder / "authority.pem"), time.monotonic() + seconds, ""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        while time.monotonic() < ends_at:
            for test, url in suite.wanted():
                if test != last:
                    context.clear_cookies()
                suite.told(test, url)
                visit(page, url)
                last = test
            time.sleep(0.5)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
