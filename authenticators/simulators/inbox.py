"""The inbox of the simulated phones: what was sent to a number, newest first.

Promises: it is a `Sender`, so that a key sends to it as to the network; it forgets the oldest rather than grow.
Must not know: which key sends, or whose number it is.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from threading import Lock

from idp.store import Clock

MESSAGES_KEPT = 100
ADDRESSES_KEPT = 1000


@dataclass(frozen=True)
class Message:
    """One message: when (seconds since the epoch), to whom, its text, and the code in it (empty if none)."""

    at: int
    to: str
    text: str
    code: str


class Inbox:
    """The messages of every address, in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._messages: OrderedDict[str, deque[Message]] = OrderedDict()

    def send(self, to: str, text: str, *, code: str = "") -> None:
        """Put a message in; the address that got none for the longest time makes room for a new one."""
        message = Message(int(self._clock()), to, text, code)
        with self._lock:
            box = self._messages.setdefault(to, deque(maxlen=MESSAGES_KEPT))
            box.appendleft(message)
            self._messages.move_to_end(to)
            if len(self._messages) > ADDRESSES_KEPT:
                self._messages.popitem(last=False)

    def addresses(self) -> list[str]:
        """Who was sent anything, the last one first."""
        with self._lock:
            return list(reversed(self._messages))

    def messages(self, address: str) -> list[Message]:
        """What was sent to this address, newest first."""
        with self._lock:
            return list(self._messages.get(address, ()))
