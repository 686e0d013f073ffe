"""The dispatcher: a thread of each serving process that does chores beside the requests, such as to deliver letters.

Promises: a chore that fails is logged and tried at the next turn, and stops no other. Must not know: what a chore does;
several processes do the same chores, so each chore must bear that.
"""

import logging
from collections.abc import Callable, Sequence
from threading import Event, Thread

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5

Chore = Callable[[], None]


class Logged:
    """Around a chore: whatever goes wrong in it goes to the log, and no further."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, failure: BaseException | None, trace: object) -> bool:
        """Log a failure."""
        if failure is not None:
            log.error("a chore failed", exc_info=failure)
        return True


class Dispatcher:
    """Does the chores, turn after turn."""

    def __init__(self, chores: Sequence[Chore], *, pause: float = PAUSE_SECONDS) -> None:
        self._chores = chores
        self._pause = pause
        self._stopped = Event()
        # A daemon: a server that is told to end must not wait for a client that does not answer.
        self._thread = Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Do no further turn; returns when the present one is done."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause):
            for chore in self._chores:
                with Logged():
                    chore()
