"""Measures what the README says of a running provider: a full eID sign-in, silent sign-on, and memory.

Run by `scripts/measure`. The server has the first core, this client the second; SQLite, RS256, one worker, no TLS.
Every answer is checked; a wrong one ends the measurement.
"""

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[1]
WORLD = ROOT / "demo" / "world.json"
CLIENT, SECRET = "hinderpremie", "hinderpremie-demo-secret-0123456789abcdef"
CALLBACK = "http://localhost:8001/callback"
DIRK = {"card": "89661799748", "pin": "1234"}
ROUNDS, WARM_UP = 200, 20


@contextmanager
def provider(state: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A provider with the demo world on the first core."""
    settings = {
        "TOEGANG_PORT": str(port),
        "TOEGANG_DATABASE_URL": f"sqlite:///{state}/toegang.sqlite",
        "TOEGANG_MASTER_KEY_FILE": f"{state}/master.key",
        "TOEGANG_SIMULATORS": "on",
        "TOEGANG_LOG_LEVEL": "warning",
    }
    command = ["taskset", "-c", "0", sys.executable, "-m", "idp", "serve", "--prepare", str(WORLD)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | settings) as server:
        try:
            await_ready(f"http://localhost:{port}/health/ready")
            yield server
        finally:
            server.send_signal(signal.SIGTERM)


def await_ready(address: str) -> None:
    """Wait until the provider answers; ends after half a minute."""
    for _ in range(600):
        try:
            if requests.get(address, timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise SystemExit("the provider does not answer")


class Person:
    """A browser that can be signed in, and the application that it goes to."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.browser = requests.Session()
        self.application = requests.Session()

    def ask(self, prompt: str = "") -> requests.Response:
        """The application sends the browser to the provider; where the browser comes to rest."""
        asked = {
            "client_id": CLIENT,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile vo hinderpremie",
            "state": "s",
            "nonce": "n",
            **({"prompt": prompt} if prompt else {}),
        }
        return self.rest(self.browser.get(f"{self.base}/op/v1/auth", params=asked, allow_redirects=False))

    def rest(self, answer: requests.Response) -> requests.Response:
        """Follow redirects until a page, or the application's address."""
        while answer.status_code == 303 and not answer.headers["Location"].startswith(CALLBACK):
            answer = self.browser.get(self.base + answer.headers["Location"], allow_redirects=False)
        return answer

    def submit(self, page: requests.Response, **fields: str) -> requests.Response:
        """Send the first form of a page with its hidden fields."""
        action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert action, page.text[:500]
        assert csrf, page.text[:500]
        fields["csrf"] = csrf.group(1)
        sent = self.browser.post(self.base + action.group(1).replace("&amp;", "&"), data=fields, allow_redirects=False)
        return self.rest(sent)

    def redeem(self, answer: requests.Response) -> None:
        """The application exchanges the code."""
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        tokens = self.application.post(f"{self.base}/op/v1/token", data=form, auth=(CLIENT, SECRET))
        assert "id_token" in tokens.json(), tokens.text

    def sign_in(self) -> None:
        """A whole sign-in with a card, from an empty browser to the application's tokens: five pages and a token."""
        self.browser.cookies.clear()
        page = self.submit(self.ask(), key="eid")
        self.redeem(self.submit(page, **DIRK))

    def sign_on(self) -> None:
        """A silent sign-on in a browser that is signed in."""
        self.redeem(self.ask("none"))


def measure(name: str, act: Callable[[], None]) -> None:
    """Do it many times; print the median, the slowest in a hundred, and the rate."""
    for _ in range(WARM_UP):
        act()
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        act()
        times.append((time.perf_counter() - begun) * 1000)
    p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    print(f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, {1000 / statistics.mean(times):.0f} per s, one at a time")


def memory_of(pid: int) -> float:
    """The resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def main() -> None:
    """Start, measure, print."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, provider(Path(folder), port) as server:
        workers = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        print("idle memory:", ", ".join(f"{memory_of(int(pid)):.0f} MB" for pid in [str(server.pid), *workers]))
        os.sched_setaffinity(0, {1})
        person = Person(f"http://localhost:{port}")
        measure("full eID sign-in", person.sign_in)
        measure("silent sign-on", person.sign_on)


if __name__ == "__main__":
    main()
