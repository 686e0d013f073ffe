"""An estate that is served: over real HTTP, in real time, for the libraries and programs of others.

Promises: the issuer is the address at which it answers; whatever is sent goes through the same application. Its clock
runs, and can still be moved.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.clock import FakeClock
from tests.flow.estate import Estate, prepare
from tests.servers import free_port


@dataclass
class RunningClock(FakeClock):
    """The time, moved by as much as a test says."""

    now: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.now


class Silent(WSGIRequestHandler):
    """Writes nothing."""

    def log(self, type: str, message: str, *values: Any) -> None:
        """Say nothing of a request."""


def prepare_served(folder: Path, **changes: Any) -> Estate:
    """An estate with the demo world, registered at a free port of this machine; nobody answers there yet."""
    clock, origin = RunningClock(), f"http://localhost:{free_port()}"
    settings = replace(prepare(folder, clock), issuer=f"{origin}/op", outbound_allow=frozenset({"localhost"}))
    return Estate(replace(settings, **changes), clock)


@contextmanager
def serving(estate: Estate) -> Iterator[Estate]:
    """The estate, answering; what has to be registered before stands there already."""
    port = int(estate.origin.rpartition(":")[2])
    server = make_server("localhost", port, estate.application, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield estate
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        estate.application.close()
