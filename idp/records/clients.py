"""The registered clients: kept in the database, held in memory as far as they are in use (`held_clients.py`).

Promises: a change counts up, in its own transaction, what every process looks at; who registers itself is counted and
bounded; a client that is removed takes with it all that it was given. Must not know: requests.
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, delete, exists, func, insert, select, update

from idp.clients import Client
from idp.records.grants import end_grants_to
from idp.records.held_clients import KIND, LIVE, HeldClients, read_client
from idp.records.registration_tokens import use_up
from idp.records.tables import client, client_origin, consent, grant, last_choice, revision
from idp.store import Clock

LONGEST_ORIGIN = 300
"""No host has a longer name."""


class ClientsFull(Exception):
    """As many clients have registered themselves as may."""


class ClientRecords:
    """All clients, by id; `own` are those of the house itself, which nobody registers."""

    def __init__(self, engine: Engine, clock: Clock, *, own: tuple[Client, ...] = ()) -> None:
        self._own = {one.client_id: one for one in own}
        self._engine = engine
        self._clock = clock
        self._held = HeldClients(engine, clock)
        self._resources: tuple[Mapping[str, Client], dict[str, tuple[Client, ...]]] = ({}, {})
        self._origins: tuple[Mapping[str, Client], frozenset[str]] = ({}, frozenset())

    def get(self, client_id: str) -> Client | None:
        """The client; None if it is not registered, and none of our own."""
        found = self._own.get(client_id) or self._held.get(client_id)
        return found if found and not (found.expires_at and found.expires_at <= self._clock()) else None

    def vouched(self) -> Mapping[str, Client]:
        """Every client that an administrator made, by its id."""
        return self._held.vouched()

    def all(self) -> dict[str, Client]:
        """Every client by its id, read from the database: for the command line."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(client.c.client_id, client.c.body).where(LIVE)).all()
        return {row.client_id: one for row in rows if (one := read_client(row.client_id, row.body))}

    def of_resource(self, resource: str) -> tuple[Client, ...]:
        """The clients that are the API of this resource (RFC 8707); empty if there is none. None registers itself."""
        clients, (indexed, resources) = self.vouched(), self._resources
        if indexed is not clients:
            resources = by_resource(clients)
            self._resources = (clients, resources)
        return resources.get(resource, ())

    def has_origin(self, origin: str) -> bool:
        """Whether scripts of this origin may call for one of the clients."""
        clients, (indexed, origins) = self.vouched(), self._origins
        if indexed is not clients:
            origins = frozenset(one for client in clients.values() for one in client.script_origins)
            self._origins = (clients, origins)
        return origin in origins or (is_origin(origin) and self._held.has_origin(origin))

    def put(self, new: Client) -> None:
        """Register a client, or replace the one of its id."""
        with self._engine.begin() as connection:
            number = next_number(connection)
            connection.execute(delete(client).where(client.c.client_id == new.client_id))
            keep(connection, new, number=number)
        self._held.look_again()

    def register(self, new: Client, *, token_hash: str = "", most: int = 0) -> bool:
        """Keep a client that registers itself. False, if it needs an initial access token that has no use left;

        ClientsFull, if there are `most` already (0: no bound).
        """
        with self._engine.begin() as connection:
            now = int(self._clock())
            if token_hash and not use_up(connection, token_hash, now=now):
                return False
            number = next_number(connection)  # from here on, one after the other: the count is true
            if most and count_strangers(connection, now=now) >= most:
                raise ClientsFull
            keep(connection, new, number=number)
        self._held.look_again()
        return True

    def replace(self, known: Client, changed: Client) -> bool:
        """Change a client; False if it is not as it was known any more: what an administrator decided in the second

        before this process looked is not undone, and what was removed does not come back.
        """
        mine = (client.c.client_id == known.client_id, LIVE)
        with self._engine.begin() as connection:
            number = next_number(connection)  # from here on nobody else changes it
            body = connection.scalar(select(client.c.body).where(*mine))
            is_same = body is not None and read_client(known.client_id, body) == known
            if is_same:
                connection.execute(delete(client).where(*mine))
                keep(connection, changed, number=number)
            if is_same and changed.face != known.face:  # what people allowed, they allowed to what they were shown
                end_grants_to(connection, known.client_id, now=int(self._clock()))
        self._held.look_again()
        return is_same

    def remove(self, client_id: str) -> None:
        """Take a client out, and end all that it was given."""
        with self._engine.begin() as connection:
            take_out(connection, client_id, now=int(self._clock()))
        self._held.look_again()

    def sweep(self, *, unused_seconds: int, limit: int) -> Sequence[str]:
        """Remove some clients that registered themselves and have expired, or that nobody used in so long (0: never).

        A client is used once a person has allowed it something. Answers which were removed.
        """
        now = int(self._clock())
        swept = (LIVE, client.c.is_self_registered, is_over(now) | is_unused(now, unused_seconds))
        with self._engine.begin() as connection:
            found = connection.scalars(select(client.c.client_id).where(*swept).limit(limit)).all()
            for client_id in found:
                take_out(connection, client_id, now=now)
        if found:
            self._held.look_again()
        return found


def is_origin(text: str) -> bool:
    """Whether this can be an origin that was kept: anybody can send anything as one."""
    return (
        text.startswith(("https://", "http://"))
        and len(text) <= LONGEST_ORIGIN
        and text.isascii()
        and text.isprintable()
    )


def next_number(connection: Connection) -> int:
    """Count a change of the clients; whoever changes one too waits until this transaction has ended."""
    counted = update(revision).where(revision.c.kind == KIND).values(number=revision.c.number + 1)
    number = connection.scalar(counted.returning(revision.c.number))
    if number is None:
        connection.execute(insert(revision).values(kind=KIND, number=1))
    return number or 1


def keep(connection: Connection, new: Client, *, number: int) -> None:
    """Write a client whose id is free, and the origins by which it is looked for."""
    columns = ("client_id", "is_self_registered", "issued_at", "expires_at")
    row = {name: getattr(new, name) for name in columns} | {"number": number, "body": msgspec.json.encode(new)}
    connection.execute(insert(client).values(**row))
    connection.execute(delete(client_origin).where(client_origin.c.client_id == new.client_id))
    origins = [one for one in sorted(new.script_origins) if len(one) <= LONGEST_ORIGIN]
    if new.is_self_registered and origins:
        connection.execute(insert(client_origin), [{"client_id": new.client_id, "origin": one} for one in origins])


def take_out(connection: Connection, client_id: str, *, now: int) -> None:
    """Remove a client with all that it was given; its row stays for a while, for other processes to hear of it."""
    gone = update(client).where(client.c.client_id == client_id, LIVE)
    connection.execute(gone.values(removed_at=now, body=b"", number=next_number(connection)))
    for table in (client_origin, consent, last_choice):
        connection.execute(delete(table).where(table.c.client_id == client_id))
    end_grants_to(connection, client_id, now=now)


def count_strangers(connection: Connection, *, now: int) -> int:
    """How many clients registered themselves and are not gone."""
    theirs = (LIVE, client.c.is_self_registered, ~is_over(now))
    return connection.scalar(select(func.count()).select_from(client).where(*theirs)) or 0


def is_over(now: int) -> ColumnElement[bool]:
    """That it has expired."""
    return (client.c.expires_at > 0) & (client.c.expires_at <= now)


def is_unused(now: int, seconds: int) -> ColumnElement[bool]:
    """That it was registered so long ago, and nobody has allowed it anything; of none, if seconds is 0."""
    used = [exists().where(table.c.client_id == client.c.client_id) for table in (consent, grant)]
    return (client.c.issued_at < (now - seconds if seconds else 0)) & ~used[0] & ~used[1]


def by_resource(clients: Mapping[str, Client]) -> dict[str, tuple[Client, ...]]:
    """The clients by the resource that each is the API of."""
    found: dict[str, tuple[Client, ...]] = {}
    for one in clients.values():
        if one.resource:
            found[one.resource] = (*found.get(one.resource, ()), one)
    return found
