"""What was used lately: a bounded number of values by name; where it is full, the one that was used longest ago goes.

Promises: whoever fills it with names of their own pushes out what nobody uses, before what is in use. Safe between
threads. Must not know: what it holds.
"""

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """At most `most` values."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._values: OrderedDict[str, V] = OrderedDict()

    def get(self, name: str) -> V | None:
        """The value, which counts as used now; None if it is not there."""
        with self._lock:
            if name in self._values:
                self._values.move_to_end(name)
            return self._values.get(name)

    def put(self, name: str, value: V) -> None:
        """Keep a value under this name."""
        with self._lock:
            self._values[name] = value
            self._values.move_to_end(name)
            if len(self._values) > self._most:
                self._values.popitem(last=False)

    def drop(self, name: str) -> None:
        """Forget the value of this name, if it is there."""
        with self._lock:
            self._values.pop(name, None)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._values.clear()
