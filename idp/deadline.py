"""A deadline: when its time is up, it stops whatever is being waited for just then.

Promises: the time runs from the beginning to the end of the `with`, whatever happens in between; what is told to it
when the time is up already is stopped at once. Must not know: what is waited for.
"""

from collections.abc import Callable
from threading import Lock, Timer

Stop = Callable[[], None]


def nothing() -> None:
    """Stop nothing: there is nothing to be stopped."""


class Deadline:
    """So many seconds, from entering it on."""

    def __init__(self, seconds: float) -> None:
        self._lock = Lock()
        self._is_over = False
        self._stop: Stop = nothing
        self._timer = Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        """The time begins."""
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is waited for any more."""
        self._timer.cancel()
        self._timer.join()

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self._is_over

    def stops_by(self, stop: Stop) -> None:
        """What ends the waiting that begins now; once this returns, what was told before is called no more."""
        with self._lock:
            self._stop = stop
            if self._is_over:
                stop()

    def _expire(self) -> None:
        with self._lock:
            self._is_over = True
            self._stop()
