"""The ports of one demo: those of `world.json`, all shifted alike, so that two demos run side by side.

Promises: only an address on this machine is moved, and only its port. Must not know: who listens there.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PROVIDER_PORT = 8000
"""Where the provider of an unshifted demo listens."""
ITSME_PORT = 8007
"""Where its simulated itsme listens."""
ITSME_CLIENT_ID, ITSME_SERVICE = "toegang-demo", "TOEGANG_AANMELDEN"
"""As what the provider is registered there."""
HERE = ("localhost", "127.0.0.1")


def shift_address(address: str, by: int) -> str:
    """The address with its port moved, if it is one of this machine; else as it was."""
    parts = urlsplit(address)
    if parts.hostname not in HERE or parts.port is None:
        return address
    return parts._replace(netloc=f"{parts.hostname}:{parts.port + by}").geturl()


def visited_clients(world: Path) -> list[dict[str, Any]]:
    """The demo's clients that people visit on this machine, as the file has them."""
    clients: list[dict[str, Any]] = json.loads(world.read_text(encoding="utf-8"))["clients"]
    return [client for client in clients if port_of(client)]


def port_of(client: dict[str, Any]) -> int | None:
    """The port of the client's first redirect address; None if it has none on this machine."""
    parts = urlsplit(next(iter(client.get("redirect_uris", [])), ""))
    return parts.port if parts.hostname in HERE else None


def ports_of_demo(world: Path, by: int) -> list[int]:
    """Every port that the demo listens on, the provider's first."""
    visited = (port + by for client in visited_clients(world) if (port := port_of(client)))
    return [PROVIDER_PORT + by, *visited, ITSME_PORT + by]


def itsme_issuer(by: int) -> str:
    """The issuer of the simulated itsme."""
    return f"http://localhost:{ITSME_PORT + by}/v2"
