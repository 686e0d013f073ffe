"""Tickets: records that live briefly and are used once (requests, codes, one-time codes, nonces, `jti`).

Promises, for every backend: a record is one of a kind (`kind` and `id`), frozen, and absent once it has expired;
`take` is single use as one atomic verb, and leaves a tombstone that names the Grant, so that a second use can end what
the first one got. Losing all tickets costs a person a new sign-in, nothing more.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

Clock = Callable[[], float]
"""Seconds since the epoch. Whoever needs the time is handed one."""

TOMBSTONE_SECONDS = 3600
"""How long the store remembers that a record was taken, counted from the taking."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What every ticket has: an unguessable `id`, its end (whole seconds since the epoch), and maybe its Grant."""

    id: str
    expires_at: int
    grant_id: str = ""


class Absent(Exception):
    """There is no such record: never added, expired, or discarded."""


class AlreadyTaken(Exception):
    """The record was taken before; `grant_id` names what its first use led to (empty if nothing)."""

    def __init__(self, grant_id: str) -> None:
        super().__init__("already taken")
        self.grant_id = grant_id


T = TypeVar("T", bound=Ticket)


class Repository(Protocol[T]):
    """The tickets of one kind. Five verbs; each is atomic, also between processes."""

    def add(self, record: T) -> bool:
        """Keep a new record. False, and nothing changes, if its id is present or was taken."""
        ...

    def get(self, id: str) -> T | None:
        """The record; None if it is absent, taken, discarded or expired."""
        ...

    def replace(self, record: T) -> bool:
        """Keep this record in place of the present one of its id. False if there is none."""
        ...

    def take(self, id: str) -> T:
        """The record, for one caller only. Raises Absent or AlreadyTaken."""
        ...

    def discard(self, id: str) -> None:
        """Forget the record, if it is there; a tombstone stays. Never fails."""
        ...


class Store(Protocol):
    """Where tickets are kept: in memory, in the database or in Redis."""

    def repository(self, kind: type[T]) -> Repository[T]:
        """The repository of one kind of ticket; the kind's class name is its namespace."""
        ...
