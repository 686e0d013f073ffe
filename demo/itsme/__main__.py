"""The simulated itsme as a process, for the provider of one demo: `python -m demo.itsme WORLD --issuer ISSUER`.

Promises: answers on this machine alone; its time is that of the demo, whose clock may be moved. Must not know: the
provider beyond its issuer.
"""

import argparse
import json
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from werkzeug.serving import make_server

from demo.itsme.accounts import read_accounts
from demo.itsme.app import create_itsme
from demo.itsme.client import Client, KeySet
from demo.itsme.provider import Itsme
from demo.itsme.sign_ins import SignIns
from demo.ports import ITSME_CLIENT_ID, ITSME_SERVICE, itsme_issuer
from demo.quiet import QuietRequests

ROOT = Path(__file__).resolve().parents[2]
DAY = 86400
SECONDS_HELD = 1.0
SILENCE_SECONDS = 2.0
MAXIMUM_BODY = 64 * 1024


class DemoClock:
    """The time of the demo: the real one, moved as the provider's simulated clock is; looked up once a second."""

    def __init__(self, origin: str, real: Callable[[], float]) -> None:
        self._address = f"{origin}/simulators/clock"
        self._real = real
        self._looked_at = self._offset = 0.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        if not 0 <= self._real() - self._looked_at < SECONDS_HELD:
            self._looked_at, self._offset = self._real(), self._read()
        return self._real() + self._offset

    def _read(self) -> float:
        told = read_json(self._address)
        offset = told.get("offset_days")
        return offset * DAY if isinstance(offset, int) else self._offset


def key_set_at(address: str) -> Callable[[], KeySet]:
    """Reads the key set at this address."""

    def read() -> KeySet:
        found = read_json(address)
        return found if isinstance(found.get("keys"), list) else {"keys": []}

    return read


def read_json(address: str) -> dict[str, Any]:
    """The object that stands at an address; empty if none does."""
    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(kind(parts.netloc, timeout=SILENCE_SECONDS)) as connection:
        try:
            connection.request("GET", parts.path)
            answer = connection.getresponse()
            found = json.loads(answer.read(MAXIMUM_BODY)) if answer.status == 200 else {}
        except (OSError, HTTPException, ValueError):
            return {}
    return found if isinstance(found, dict) else {}


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m demo.itsme", description=__doc__)
    parser.add_argument("world", type=Path)
    parser.add_argument("--issuer", required=True, help="the provider that relies on this itsme")
    parser.add_argument("--shift-ports", type=int, default=0)
    given = parser.parse_args(arguments)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    client = Client(
        ITSME_CLIENT_ID,
        ITSME_SERVICE,
        redirect_uri=f"{given.issuer}/v1/auth/itsme/callback",
        fetch_keys=key_set_at(f"{given.issuer}/v1/keys/itsme"),
    )
    clock = DemoClock(given.issuer.removesuffix("/op"), time.time)
    issuer = itsme_issuer(given.shift_ports)
    itsme = Itsme(issuer, client, sign_ins=SignIns(read_accounts(given.world), clock), clock=clock)
    port = urlsplit(issuer).port or 0
    app = create_itsme(itsme, ROOT)
    make_server("127.0.0.1", port, app, threaded=True, request_handler=QuietRequests).serve_forever()


if __name__ == "__main__":
    main()
