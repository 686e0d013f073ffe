"""A demo that runs while a test needs it: the real one, on free ports of its own, with a state that is thrown away.

Promises: whoever enters finds every server answering; on leaving, all of them have ended and the state is gone.
"""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from demo.plan import ROOT, WORLD
from demo.ports import PROVIDER_PORT, ports_of_demo
from demo.state import discard_state, state_folder
from tests.browser.vocabulary import Demo

ATTEMPTS = 5
PATIENCE = 10
# Below the ports that the system hands out by itself, so that only another demo can get in between.
LOWEST, HIGHEST = 20_000, 32_000


class PortTaken(Exception):
    """Another program was faster: choose again."""


@contextmanager
def running_demo() -> Iterator[Demo]:
    """A demo of one's own, fresh; AssertionError, with all that it said, if it does not start."""
    for _ in range(ATTEMPTS):
        with suppress(PortTaken), running_at(free_port()) as demo:
            yield demo
            return
    raise AssertionError("no free ports for a demo")


@contextmanager
def running_at(port: int) -> Iterator[Demo]:
    """The demo on this port; PortTaken if one of its ports is in use."""
    folder = state_folder(ROOT, port, usual=PROVIDER_PORT)
    command = [sys.executable, "-m", "demo", "--port", str(port), "--fresh"]
    # A setting of the caller's would make it another demo.
    own = {name: value for name, value in os.environ.items() if not name.startswith("TOEGANG_")}
    with (
        TemporaryFile() as said,
        subprocess.Popen(command, cwd=ROOT, env=own, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        try:
            await_ready(process)
            yield Demo(port)
        except EOFError:
            said.seek(0)
            words = said.read().decode()
            if "is in use" in words:
                raise PortTaken from None
            raise AssertionError(f"the demo did not start:\n{words}") from None
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
            forget(folder)


def await_ready(process: subprocess.Popen[str]) -> None:
    """Read until the demo says that all answer; EOFError if it ends before (it does so itself after two minutes)."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith("ready "):
            return
    raise EOFError


def forget(folder: Path) -> None:
    """Throw away what the demo wrote."""
    discard_state(folder)
    if folder.exists():
        folder.rmdir()


def free_port() -> int:
    """A port at which a whole demo finds its ports free."""
    while True:
        port = random.randrange(LOWEST, HIGHEST, 10)
        if all(is_free(each) for each in ports_of_demo(WORLD, port - PROVIDER_PORT)):
            return port


def is_free(port: int) -> bool:
    """Whether nobody listens there now."""
    with closing(socket.socket()) as probe, suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False
