"""The demo's relying parties: one small application for each client that people visit, all in one process.

Promises: each answers on the port of its registered address, on this machine only. Must not know: the provider beyond
its issuer; it speaks HTTP to it like anyone.
"""

import argparse
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from werkzeug.serving import BaseWSGIServer, make_server

from demo.bare_eloket import BareEloket
from demo.eloket import Eloket, Registration, create_eloket
from demo.ports import port_of, shift_address, visited_clients
from demo.quiet import QuietRequests

DAY = 86400
LEEWAY = 10.0


def leeway_by_clock(issuer: str) -> Callable[[], float]:
    """The seconds to allow a token: ten, and in the demo as many days as the simulated clock stands off."""
    provider = urlsplit(issuer)
    address = f"{provider.scheme}://{provider.netloc}/simulators/clock"

    def leeway() -> float:
        try:
            answer = requests.get(address, timeout=5)
            return LEEWAY + abs(float(answer.json()["offset_days"])) * DAY if answer.ok else LEEWAY
        except (requests.RequestException, KeyError, TypeError, ValueError):
            return LEEWAY

    return leeway


def registration_of(client: dict[str, Any], *, issuer: str, by: int) -> Registration:
    """What the demo world says of the client, on this demo's ports."""
    return Registration(
        issuer=issuer,
        client_id=client["client_id"],
        client_name=client["client_name"],
        client_secret=client.get("client_secret", ""),
        token_endpoint_auth_method=client["token_endpoint_auth_method"],
        redirect_uri=shift_address(client["redirect_uris"][0], by),
        post_logout_redirect_uri=shift_address(client["post_logout_redirect_uris"][0], by),
        scope=client["scope"],
        role_claim=client.get("role_claim", ""),
        leeway=leeway_by_clock(issuer),
    )


def serve_client(client: dict[str, Any], *, issuer: str, by: int) -> BaseWSGIServer:
    """A server for one client, on its port; ends the process with a sentence if the port is taken."""
    # Only the client that the world registers as needing no PKCE is of the old kind.
    pages = BareEloket if client.get("require_pkce") is False else Eloket
    app = create_eloket(registration_of(client, issuer=issuer, by=by), pages)
    port = (port_of(client) or 0) + by
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=QuietRequests)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve all of them until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m demo.relying_parties", description=__doc__)
    parser.add_argument("world", type=Path)
    parser.add_argument("--issuer", required=True)
    parser.add_argument("--shift-ports", type=int, default=0)
    given = parser.parse_args(arguments)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    servers = [
        serve_client(client, issuer=given.issuer, by=given.shift_ports) for client in visited_clients(given.world)
    ]
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
