"""The registered clients: kept in the database, held in memory, read again when they have changed.

Promises: `get` costs no database trip while nothing changed. Must not know: requests.
"""

import logging

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select, update

from idp.clients import Client
from idp.records.grants import end_grants_to
from idp.records.held import Held
from idp.records.registration_tokens import use_up
from idp.records.tables import client
from idp.store import Clock

log = logging.getLogger(__name__)


class ClientRecords:
    """All clients, by id."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._held = Held(engine, "client", clock=clock, load=load_clients)
        self._resources: tuple[dict[str, Client], dict[str, tuple[Client, ...]]] = ({}, {})

    def get(self, client_id: str) -> Client | None:
        """The client; None if it is not registered."""
        found = self.all().get(client_id)
        return found if found and not (found.expires_at and found.expires_at <= self._clock()) else None

    def all(self) -> dict[str, Client]:
        """Every client by its id."""
        return self._held.value()

    def of_resource(self, resource: str) -> tuple[Client, ...]:
        """The clients that are the API of this resource (RFC 8707); empty if there is none."""
        clients, (indexed, resources) = self.all(), self._resources
        if indexed is not clients:
            resources = by_resource(clients)
            self._resources = (clients, resources)
        return resources.get(resource, ())

    def put(self, new: Client) -> None:
        """Register a client, or replace the one of its id."""
        with self._engine.begin() as connection:
            connection.execute(delete(client).where(client.c.client_id == new.client_id))
            connection.execute(insert(client).values(client_id=new.client_id, body=msgspec.json.encode(new)))
            self._held.advance(connection)

    def register(self, new: Client, *, token_hash: str = "") -> bool:
        """Keep a client that registers itself. False, if it needs an initial access token that has no use left."""
        with self._engine.begin() as connection:
            if token_hash and not use_up(connection, token_hash, now=int(self._clock())):
                return False
            connection.execute(insert(client).values(client_id=new.client_id, body=msgspec.json.encode(new)))
            self._held.advance(connection)
        return True

    def replace(self, changed: Client) -> bool:
        """Change a client; False if it was removed meanwhile: it does not come back."""
        mine = client.c.client_id == changed.client_id
        with self._engine.begin() as connection:
            change = update(client).where(mine).values(body=msgspec.json.encode(changed))
            if connection.execute(change).rowcount == 0:
                return False
            self._held.advance(connection)
        return True

    def remove(self, client_id: str) -> None:
        """Take a client out, and end all that it was given."""
        with self._engine.begin() as connection:
            connection.execute(delete(client).where(client.c.client_id == client_id))
            end_grants_to(connection, client_id, now=int(self._clock()))
            self._held.advance(connection)


def load_clients(connection: Connection) -> dict[str, Client]:
    """Every client of the database."""
    rows = connection.execute(select(client.c.client_id, client.c.body)).all()
    read = ((row.client_id, read_client(row.client_id, row.body)) for row in rows)
    return {client_id: one for client_id, one in read if one}


def read_client(client_id: str, body: bytes) -> Client | None:
    """A client as it was kept; None, and a line in the log, if it cannot be read: one must not take all with it."""
    try:
        return msgspec.json.decode(body, type=Client)
    except (msgspec.MsgspecError, RecursionError):
        log.error("a client cannot be read and is left out: %s", client_id)
        return None


def by_resource(clients: dict[str, Client]) -> dict[str, tuple[Client, ...]]:
    """The clients by the resource that each is the API of."""
    found: dict[str, tuple[Client, ...]] = {}
    for one in clients.values():
        if one.resource:
            found[one.resource] = (*found.get(one.resource, ()), one)
    return found
