"""A demo world is loaded: its facts into IDM, its people's digital keys, its clients.

Promises: loading again changes nothing. Part of the composition. Must not know: any rule.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authenticators.credentials import Credentials
from authenticators.password import hash_password
from demo.world import Persona, World, load_facts, read_world
from idm.days import day_of
from idp.client_registry import read_client
from idp.commands import Asked
from idp.composition import House
from idp.keys.jwt import new_key_pair


@dataclass(frozen=True)
class Wish:
    """Which world to load, where the private keys of its machines go, and how far its ports move."""

    file: Path
    state: Path | None
    shift_ports: int


def load_world(house: House, wish: Wish) -> str:
    """Load a world; what is there stays as it is. Says how much was new."""
    world = read_world(wish.file, today=day_of(house.clock()), shift_ports=wish.shift_ports)
    loaded = load_facts(world, house.engine, sealer=house.master_key)
    for person in world.people:
        enrol_keys(person, house.credentials)
    for client in world.clients:
        if house.clients.get(client["client_id"]) is None:
            organisations = loaded.organisations
            add_client(house, metadata_of(client, world, organisations=organisations), state=wish.state)
    return f"{sum(loaded.added.values())} facts loaded, {sum(loaded.present.values())} were there"


def wish_of(asked: Asked, file: Path) -> Wish:
    """The wish that a command line states."""
    return Wish(file, asked.state, asked.shift_ports)


def enrol_keys(person: Persona, credentials: Credentials) -> None:
    """Give a person the keys that the world says, but those that they have."""
    missing = set(person.keys) - credentials.kinds(person.national_number)
    for kind in sorted(missing):
        credentials.enrol(
            person.national_number, kind, secret=secret_of(person, kind), destination=place_of(person, kind)
        )


def secret_of(person: Persona, kind: str) -> str:
    """The secret that belongs to a kind of key: the hash of a password, the seed of an app; empty for others."""
    if kind == "password":
        return hash_password(person.password or "")
    return person.totp_secret or "" if kind == "totp" else ""


def place_of(person: Persona, kind: str) -> str:
    """Where codes of a kind of key go; empty for others."""
    return {"sms": person.phone, "email": person.email}.get(kind, "")


def metadata_of(client: Mapping[str, Any], world: World, *, organisations: Mapping[str, str]) -> dict[str, Any]:
    """A client's metadata as we register it: with the id of its organisation in IDM, and the name of its owner."""
    owners = {application.id: application.owner for application in world.applications}
    names = {organisation.id: organisation.name for organisation in world.organisations}
    owner = owners.get(client.get("application", ""), "")
    own = {"owner_name": names.get(owner, "")}
    if "organisation" in client:
        own["organisation"] = organisations[client["organisation"]]
    return {**client, **own}


def add_client(house: House, metadata: dict[str, Any], *, state: Path | None) -> None:
    """Register a client; one that signs its assertions is given a key pair, whose private half goes to `state`."""
    if metadata.get("token_endpoint_auth_method") == "private_key_jwt" and "jwks" not in metadata:
        private, public = new_key_pair("ES256")
        metadata["jwks"] = {"keys": [public]}
        if state:
            write_private(state / f"{metadata['client_id']}.jwk", json.dumps(private))
    house.clients.put(read_client(metadata, house.master_key))


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
