"""Tickets in the memory of one process: for tests, and for the simulators' own provider.

Promises the contract of `idp.store` to all threads of the process. Records are kept encoded, so that what
another backend could not keep fails here too, and no caller can change a record that was handed out. What has
ended is dropped as one goes, a bounded number a verb. Must not know: any kind of ticket.
"""

import heapq
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

import msgspec

from idp.store import TOMBSTONE_SECONDS, Absent, AlreadyTaken, Clock, Ticket

T = TypeVar("T", bound=Ticket)
Key = tuple[str, str]

SWEEP_LIMIT = 64
"""Ended entries dropped by one verb at most: more than it adds, so that garbage shrinks; and no verb stalls."""


class Entry(NamedTuple):
    """What is known of one id: a record, or the tombstone (no `body`) of one that was taken or discarded."""

    ends_at: float
    grant_id: str
    body: bytes | None = None
    was_taken: bool = False


class Shelf:
    """The entries of all kinds, and the order in which they end. Its callers hold the lock."""

    def __init__(self, clock: Clock) -> None:
        self.lock = Lock()
        self.clock = clock
        self._entries: dict[Key, Entry] = {}
        self._endings: list[tuple[float, Key]] = []

    def find(self, key: Key) -> Entry | None:
        """The entry, record or tombstone; None once it has ended."""
        entry = self._entries.get(key)
        return entry if entry and entry.ends_at > self.clock() else None

    def put(self, key: Key, entry: Entry) -> None:
        """Keep the entry in place of any that is there."""
        if key not in self._entries:
            heapq.heappush(self._endings, (entry.ends_at, key))
        self._entries[key] = entry
        self._sweep()

    def bury(self, key: Key, entry: Entry, *, was_taken: bool) -> None:
        """Put a tombstone in place of the record; it names the record's Grant."""
        until = self.clock() + TOMBSTONE_SECONDS
        self.put(key, Entry(until, entry.grant_id, was_taken=was_taken))

    def _sweep(self) -> None:
        now = self.clock()
        for _ in range(SWEEP_LIMIT):
            if not self._endings or self._endings[0][0] > now:
                return
            _, key = heapq.heappop(self._endings)
            self._drop_or_requeue(key, now)

    def _drop_or_requeue(self, key: Key, now: float) -> None:
        ends_at = self._entries[key].ends_at
        if ends_at <= now:
            del self._entries[key]
        else:
            heapq.heappush(self._endings, (ends_at, key))


class MemoryRepository(Generic[T]):
    """The tickets of one kind on the shelf."""

    def __init__(self, shelf: Shelf, kind: type[T]) -> None:
        self._shelf = shelf
        self._kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def add(self, record: T) -> bool:
        """Keep a new record. False, and nothing changes, if its id is present or was taken."""
        key, entry = self._key(record.id), self._entry(record)
        with self._shelf.lock:
            if self._shelf.find(key):
                return False
            self._shelf.put(key, entry)
            return True

    def get(self, id: str) -> T | None:
        """The record; None if it is absent, taken, discarded or expired."""
        with self._shelf.lock:
            entry = self._shelf.find(self._key(id))
        return self._decoder.decode(entry.body) if entry and entry.body else None

    def replace(self, record: T) -> bool:
        """Keep this record in place of the present one of its id. False if there is none."""
        key, entry = self._key(record.id), self._entry(record)
        with self._shelf.lock:
            present = self._shelf.find(key)
            if not (present and present.body):
                return False
            self._shelf.put(key, entry)
            return True

    def take(self, id: str) -> T:
        """The record, for one caller only. Raises Absent or AlreadyTaken."""
        key = self._key(id)
        with self._shelf.lock:
            entry = self._shelf.find(key)
            if entry and entry.body:
                self._shelf.bury(key, entry, was_taken=True)
        if entry and entry.body:
            return self._decoder.decode(entry.body)
        if entry and entry.was_taken:
            raise AlreadyTaken(entry.grant_id)
        raise Absent

    def discard(self, id: str) -> None:
        """Forget the record, if it is there; a tombstone stays. Never fails."""
        key = self._key(id)
        with self._shelf.lock:
            entry = self._shelf.find(key)
            if entry and entry.body:
                self._shelf.bury(key, entry, was_taken=False)

    def _key(self, id: str) -> Key:
        return self._kind.__name__, id

    def _entry(self, record: T) -> Entry:
        return Entry(record.expires_at, record.grant_id, msgspec.json.encode(record))


class MemoryStore:
    """A Store (`idp.store`) that ends with the process."""

    def __init__(self, clock: Clock) -> None:
        self._shelf = Shelf(clock)

    def repository(self, kind: type[T]) -> MemoryRepository[T]:
        """The repository of one kind of ticket; the kind's class name is its namespace."""
        return MemoryRepository(self._shelf, kind)
