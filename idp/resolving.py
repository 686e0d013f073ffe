"""Names to addresses, within a time: the system's own look-up can take half a minute, and cannot be stopped.

Promises: who asks waits no longer than the deadline; look-ups that are left behind are bounded, and while there are too
many of them a further one is refused at once. Must not know: who is to be called, or why.
"""

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from threading import BoundedSemaphore, Thread

from idp.deadline import Deadline

MOST_AT_ONCE = 16

Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system knows them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Resolving:
    """Looks names up, each in a thread of its own."""

    def __init__(self, resolve: Resolve = resolve, *, most: int = MOST_AT_ONCE) -> None:
        self._resolve = resolve
        self._free = BoundedSemaphore(most)

    def addresses(self, host: str, port: int, *, deadline: Deadline) -> Sequence[str]:
        """The addresses; OSError where there are none, TimeoutError when the time is up or too many look-ups hang."""
        if not self._free.acquire(blocking=False):
            raise TimeoutError("too many names are being looked up")
        found: Future[Sequence[str]] = Future()
        # A daemon: a server that is told to end must not wait for somebody's name server.
        look_up = partial(self._look_up, host, port, found=found)
        Thread(target=look_up, name="resolving", daemon=True).start()
        deadline.stops_by(lambda: settle(found, TimeoutError("the name was not found in time")))
        return found.result()

    def _look_up(self, host: str, port: int, *, found: Future[Sequence[str]]) -> None:
        try:
            settle(found, self._resolve(host, port))
        except (OSError, ValueError) as failure:  # ValueError: what is no name at all, such as a label of 64 letters
            settle(found, failure if isinstance(failure, OSError) else OSError("not a name"))
        finally:
            self._free.release()


def settle(found: "Future[Sequence[str]]", outcome: Sequence[str] | OSError) -> None:
    """Give the outcome to who waits for it; nothing if there was one before."""
    with suppress(InvalidStateError):
        if isinstance(outcome, OSError):
            found.set_exception(outcome)
        else:
            found.set_result(outcome)
