"""The registry of clients, as an administrator keeps it: metadata in, a checked client out, secrets made and rotated.

Promises: wrong metadata is refused with every fault at once; a secret is shown once and kept as a keyed hash; during a
rotation the old secret stays good. Must not know: the database (records are handed in), or dynamic registration.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from idp.client_authentication import SECRET_PURPOSE
from idp.client_rules import client_faults
from idp.clients import Client
from idp.commands import Asked, CommandFailed
from idp.fapi_rules import profile_defaults
from idp.profiles import unserved
from idp.provider import Hasher
from idp.settings import Settings
from idp.tickets import hash_of, new_secret

SECRETS_KEPT = 2
MOST_USES = 100_000
MOST_DAYS = 3650
OURS = frozenset({"client_secret", "note"})


class ClientRecords(Protocol):
    """Where clients are kept."""

    def get(self, client_id: str) -> Client | None:
        """The client of an id."""
        ...

    def all(self) -> dict[str, Client]:
        """Every client by its id."""
        ...

    def put(self, new: Client) -> None:
        """Keep a client, in place of the one of its id."""
        ...


class RegistrationTokens(Protocol):
    """Where initial access tokens are kept."""

    def add(self, token_hash: str, *, uses: int, seconds: int) -> None:
        """Keep a new token."""
        ...


def read_client(metadata: Mapping[str, Any], hasher: Hasher) -> Client:
    """The client that metadata describes; CommandFailed names every fault. A `client_secret` becomes a keyed hash."""
    members = profile_defaults(metadata) | {name: value for name, value in metadata.items() if name not in OURS}
    if "client_secret" in metadata:
        members["secret_hashes"] = [hasher.keyed_hash(str(metadata["client_secret"]), purpose=SECRET_PURPOSE)]
    if "client_id" not in members:
        raise CommandFailed("client_id is missing.")
    unknown = members.keys() - set(Client.__struct_fields__)
    if unknown:
        raise CommandFailed(f"Not known as client metadata: {', '.join(sorted(unknown))}.")
    try:
        client = msgspec.convert(members, Client)
    except msgspec.ValidationError as fault:
        raise CommandFailed(f"The client's metadata is wrong: {fault}.") from None
    faults = client_faults(client)
    if faults:
        raise CommandFailed(f"{client.client_id}: " + " ".join(faults))
    return client


def run_client_command(asked: Asked, records: ClientRecords, *, hasher: Hasher, settings: Settings) -> str:
    """Run `client add|list|show|rotate-secret`; what it prints, or CommandFailed."""
    if asked.command == "client add":
        return add(msgspec.json.decode(asked.file.read_bytes()), records, hasher=hasher, settings=settings)
    if asked.command == "client list":
        return "\n".join(f"{client.client_id}  {client.name}" for _, client in sorted(records.all().items()))
    client = records.get(asked.client_id)
    if client is None:
        raise CommandFailed(f"There is no client {asked.client_id}; `toegang client list` shows all.")
    return show(client) if asked.command == "client show" else rotate_secret(client, records, hasher=hasher)


def add(metadata: Any, records: ClientRecords, *, hasher: Hasher, settings: Settings) -> str:
    """Register a client; one that needs a secret and brings none is given one."""
    if not isinstance(metadata, dict):
        raise CommandFailed("The file must hold one JSON object: the client's metadata.")
    known = records.get(str(metadata.get("client_id", "")))
    is_stranger = known is not None and known.is_self_registered
    method = str(metadata.get("token_endpoint_auth_method", Client.token_endpoint_auth_method))
    needs_secret = not is_stranger and method.startswith("client_secret") and "client_secret" not in metadata
    made = new_secret() if needs_secret else ""
    members = amended(known, metadata) if known and is_stranger else metadata
    client = read_client(members | ({"client_secret": made} if made else {}), hasher)
    if fault := unserved([client], settings):
        raise CommandFailed(fault)
    records.put(client)
    done = "changed" if is_stranger else "registered"
    return f"client {client.client_id} {done}" + (f"\nclient_secret {made}" if made else "")


def amended(known: Client, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a client that registered itself, with those that an administrator sets: it keeps all others, and

    cannot change these any more. With `is_self_registered` false it becomes one of ours, and manages itself no longer.
    """
    pinned = {*known.pinned, *metadata} & set(Client.__struct_fields__) - {"client_id", "is_self_registered"}
    members = msgspec.structs.asdict(known) | dict(metadata) | {"pinned": sorted(pinned)}
    is_ours = not members["is_self_registered"]
    return members | ({"registration_token_hash": "", "pinned": []} if is_ours else {})


def make_token(asked: Asked, tokens: RegistrationTokens) -> str:
    """A new initial access token, shown once."""
    if not (0 < asked.uses <= MOST_USES and 0 < asked.days <= MOST_DAYS):
        raise CommandFailed(f"--uses must be from 1 to {MOST_USES}, --days from 1 to {MOST_DAYS}.")
    secret = new_secret()
    tokens.add(hash_of(secret), uses=asked.uses, seconds=asked.days * 86400)
    return f"initial_access_token {secret}"


def show(client: Client) -> str:
    """A client's metadata as JSON, without what belongs to its secrets."""
    shown = msgspec.structs.asdict(client) | {"secret_hashes": len(client.secret_hashes)}
    shown.pop("registration_token_hash")
    return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()


def rotate_secret(client: Client, records: ClientRecords, *, hasher: Hasher) -> str:
    """A new secret beside the newest old one, so that an application can change over without a stop."""
    if not client.token_endpoint_auth_method.startswith("client_secret"):
        raise CommandFailed(f"{client.client_id} has no secret: it uses {client.token_endpoint_auth_method}.")
    secret = new_secret()
    hashes = (hasher.keyed_hash(secret, purpose=SECRET_PURPOSE), *client.secret_hashes)[:SECRETS_KEPT]
    records.put(msgspec.structs.replace(client, secret_hashes=hashes))
    return f"client_secret {secret}"
