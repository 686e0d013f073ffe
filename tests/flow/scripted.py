"""A relying party in JavaScript, made with a library of others: its script runs, and the test is its browser.

Promises: one script for one scenario, which says line by line what it wants and how it ended; a failure of the library
is told as it is. Must not know: what a scenario does.
"""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.flow.estate import Arrival, Browser
from tests.flow.reading import Page
from tests.node import NODE, installed

FOLDER = Path(__file__).parents[1] / "relying_parties"
PATIENCE = 60

Answerer = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class Script:
    """A script of the folder, and the browser of whoever signs in."""

    name: str
    browser: Browser
    person: str = "hanne"
    key: str = "eid"

    def run(self, scenario: str, *, answer: Answerer | None = None, **options: Any) -> dict[str, Any]:
        """The result of a scenario; AssertionError with what the library said, if it failed."""
        given = {"issuer": self.browser.estate.settings.issuer, **options}
        command = [str(NODE), str(installed(FOLDER) / self.name), scenario, json.dumps(given)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                return self._converse(process, answer or self._browse)
            finally:
                process.kill()

    def _converse(self, process: subprocess.Popen[str], answer: Answerer) -> dict[str, Any]:
        assert process.stdin
        assert process.stdout
        for line in process.stdout:
            said = json.loads(line)
            assert "failure" not in said, said["failure"]
            if "result" in said:
                return dict(said["result"])
            heard = self._browse(said) if "go" in said else answer(said)
            process.stdin.write(json.dumps(heard) + "\n")
            process.stdin.flush()
        raise AssertionError("the script ended without a word")

    def _browse(self, said: dict[str, Any]) -> dict[str, Any]:
        arrived = go(self.browser, said["go"], person=self.person, key=self.key)
        return {"url": f"{arrived.address}?{urlencode(arrived.parameters)}"}


def go(browser: Browser, url: str, *, person: str, key: str = "eid") -> Arrival:
    """Go there, sign in and say yes as far as that is asked, and arrive at the application."""
    page = browser.open(url)
    if isinstance(page, Page) and page.name == "login":
        page = browser.sign_in(page, person, key)
    if isinstance(page, Page) and page.name == "consent":
        page = browser.submit(page, ("answer", "allow"))
    assert isinstance(page, Arrival), page.words
    return page
