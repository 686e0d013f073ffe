"""The provider as it is, but that it writes down the processor time of each function: `scripts/bench --profile`.

Promises: waiting counts for nothing, since each thread's own clock is read; reading that clock makes all slower, and
many small functions most, so trust the proportions. Must not know: what is asked of the provider.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable
from cProfile import Profile
from pathlib import Path
from pstats import Stats
from typing import Any

from idp import composition
from idp.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
PROFILE_PATH = "/bench/profile"
ROWS = 45

Respond = Callable[..., Any]
Times = tuple[str, float, float, float]
"""A function, and for each request its microseconds by itself and with what it calls, and how often it was called."""


class Profiled:
    """A WSGI application that profiles another, each thread by itself, and tells what it saw at an address."""

    def __init__(self, application: Callable[[dict[str, Any], Respond], Iterable[bytes]]) -> None:
        self._application = application
        self._begin()

    def __call__(self, environ: dict[str, Any], respond: Respond) -> Iterable[bytes]:
        """The application's answer, or the profile until now, which then begins anew."""
        if environ["PATH_INFO"] == PROFILE_PATH:
            respond("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
            said = self.report()
            self._begin()
            return [said.encode()]
        self._requests += 1
        profile = self._profile()
        profile.enable()
        try:
            return self._application(environ, respond)
        finally:
            profile.disable()

    def _begin(self) -> None:
        self._own = threading.local()
        self._profiles: list[Profile] = []
        self._requests = 0

    def report(self) -> str:
        """The functions that took most, by themselves and with what they call; empty if there was no request."""
        if not self._profiles:
            return ""
        merged: Any = Stats(*self._profiles)
        rows = [(_place(*where), own, whole, calls) for where, (_, calls, own, whole, _) in merged.stats.items()]
        return "\n\n".join((self._listed(rows, by=1), self._listed(rows, by=2)))

    def _listed(self, rows: list[Times], *, by: int) -> str:
        head = f"{self._requests} requests; for each of them, by {('', 'µs of its own', 'µs with what it calls')[by]}"
        scale = 1e6 / self._requests
        lines = [
            f"{own * scale:9.1f} {whole * scale:9.1f} {calls / self._requests:7.2f}  {place}"
            for place, own, whole, calls in sorted(rows, key=lambda row: -float(row[by]))[:ROWS]
        ]
        return "\n".join([head, "   own µs  whole µs   calls  function", *lines])

    def _profile(self) -> Profile:
        if not hasattr(self._own, "profile"):
            self._own.profile = Profile(time.thread_time)
            self._profiles.append(self._own.profile)
        own: Profile = self._own.profile
        return own


def _place(file: str, line: int, name: str) -> str:
    short = file.rpartition("site-packages/")[2].removeprefix(f"{ROOT}/")
    return f"{name}  {short}:{line}" if line else name


if __name__ == "__main__":
    make = composition.application
    # The worker is a fork of this process, and finds the application by this name.
    vars(composition)[make.__name__] = lambda: Profiled(make())
    sys.exit(main())
