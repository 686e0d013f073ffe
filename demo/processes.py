"""The processes of the demo: each in a group of its own, so that none outlives its end.

Promises: `end_all` ends every process of every group within four seconds. Must not know: what the processes do.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

STANDARD_ERROR = 2
STEP = 0.03
PATIENCE = 100
"""Steps that a group gets to end by itself (three seconds) before it is killed."""


@dataclass(frozen=True)
class Child:
    """A process with a name for people. A lasting one should never end by itself; a step should end well."""

    name: str
    process: subprocess.Popen[bytes]
    is_lasting: bool

    @property
    def has_ended(self) -> bool:
        """Whether it ran to its end, however."""
        return self.process.poll() is not None

    @property
    def has_failed(self) -> bool:
        """Whether it ended otherwise than it should."""
        return self.has_ended and (self.is_lasting or self.process.returncode != 0)

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        code = self.process.poll()
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def start_child(name: str, arguments: Sequence[str], *, environment: Mapping[str, str], is_lasting: bool) -> Child:
    """Run a module of ours here. What it prints goes to standard error: standard output is for the line `ready`."""
    process = subprocess.Popen(  # the arguments are our own words, paths and numbers, and no shell reads them
        [sys.executable, "-m", *arguments],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=STANDARD_ERROR,
        process_group=0,
    )
    return Child(name, process, is_lasting)


def rest() -> None:
    """Wait a moment before looking again."""
    time.sleep(STEP)


def end_all(children: Sequence[Child]) -> None:
    """Ask every group to end, and kill what is left of it after three seconds."""
    groups = [child.process.pid for child in children]
    for group in groups:
        send_signal(group, signal.SIGTERM)
    for _ in range(PATIENCE):
        if all(child.has_ended and not send_signal(child.process.pid, 0) for child in children):
            return
        rest()
    for group in groups:
        send_signal(group, signal.SIGKILL)
    for child in children:
        child.process.wait()


def send_signal(group: int, number: int) -> bool:
    """Send it to every process of the group; False if none is left."""
    with suppress(ProcessLookupError):
        os.killpg(group, number)
        return True
    return False
