"""The registered clients: kept in the database, held in memory, read again when they have changed.

Promises: `get` costs no database trip while nothing changed. Must not know: requests.
"""

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select

from idp.clients import Client
from idp.records.held import Held
from idp.records.tables import client
from idp.store import Clock


class ClientRecords:
    """All clients, by id."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._held = Held(engine, "client", clock=clock, load=load_clients)

    def get(self, client_id: str) -> Client | None:
        """The client; None if it is not registered."""
        return self.all().get(client_id)

    def all(self) -> dict[str, Client]:
        """Every client by its id."""
        return self._held.value()

    def put(self, new: Client) -> None:
        """Register a client, or replace the one of its id."""
        with self._engine.begin() as connection:
            connection.execute(delete(client).where(client.c.client_id == new.client_id))
            connection.execute(insert(client).values(client_id=new.client_id, body=msgspec.json.encode(new)))
            self._held.advance(connection)


def load_clients(connection: Connection) -> dict[str, Client]:
    """Every client of the database."""
    rows = connection.execute(select(client.c.client_id, client.c.body)).all()
    return {row.client_id: msgspec.json.decode(row.body, type=Client) for row in rows}
