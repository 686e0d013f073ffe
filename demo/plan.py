"""What one demo is: its ports, its folder, the settings of its processes; and whether all of that is to be had.

Promises: every setting of the caller is honoured, the rest is the demo's own choice, and whatever stands in the way is
said in one sentence. Must not know: processes, and what the provider does with the settings.
"""

import argparse
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from demo.ports import ITSME_CLIENT_ID, ITSME_SERVICE, PROVIDER_PORT, itsme_issuer
from demo.state import DATABASE, MASTER_KEY, ForeignState, discard_state, state_folder

ROOT = Path(__file__).resolve().parent.parent
WORLD = ROOT / "demo" / "world.json"


class DemoEnded(Exception):
    """The demo cannot start or go on; the message is for the person who started it."""


@dataclass(frozen=True)
class Plan:
    """What this demo listens on, where it keeps its state, and with which settings its processes run."""

    port: int
    state: Path
    environment: Mapping[str, str]

    @property
    def shift(self) -> int:
        """How far all ports are moved."""
        return self.port - PROVIDER_PORT

    @property
    def has_own_database(self) -> bool:
        """Whether the database lies with this demo's state, so that both may be thrown away together."""
        return self.environment["TOEGANG_DATABASE_URL"] == f"sqlite:///{self.state / DATABASE}"

    @property
    def issuer(self) -> str:
        """The issuer that the relying parties trust."""
        return self.environment["TOEGANG_ISSUER"]


def read_plan(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[Plan, bool]:
    """The plan, and whether to start afresh; argparse ends the process with a sentence on bad input."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo", description="Run the demo of Toegang.", epilog="example: scripts/demo --port 8100 --fresh"
    )
    usual = environment.get("TOEGANG_PORT") or str(PROVIDER_PORT)
    parser.add_argument(
        "--port", default=usual, help="the provider's port; the others shift alike (default: %(default)s)"
    )
    parser.add_argument("--fresh", action="store_true", help="throw this demo's state away first")
    given = parser.parse_args(arguments)
    if not (given.port.isascii() and given.port.isdecimal() and 1024 <= int(given.port) <= 65000):
        parser.error(f"--port must be a number from 1024 to 65000, not {given.port!r}")
    port = int(given.port)
    state = state_folder(ROOT, port, usual=PROVIDER_PORT)
    return Plan(port, state, settle_environment(environment, port, state=state)), given.fresh


def settle_environment(caller: Mapping[str, str], port: int, *, state: Path) -> dict[str, str]:
    """The caller's environment, and the demo's own choice for each setting that it leaves open."""
    defaults = {
        "TOEGANG_ISSUER": f"http://localhost:{port}/op",
        "TOEGANG_DATABASE_URL": f"sqlite:///{state / DATABASE}",
        "TOEGANG_MASTER_KEY_FILE": str(state / MASTER_KEY),
        "TOEGANG_SIMULATORS": "on",
        "TOEGANG_REGISTRATION": "open",
        "TOEGANG_OUTBOUND_ALLOW": "localhost",
        "TOEGANG_ITSME_ISSUER": itsme_issuer(port - PROVIDER_PORT),
        "TOEGANG_ITSME_CLIENT_ID": ITSME_CLIENT_ID,
        "TOEGANG_ITSME_SERVICE": ITSME_SERVICE,
    }
    chosen = {name: value for name, value in caller.items() if value}
    settled = defaults | chosen | {"TOEGANG_PORT": str(port)}
    # What runs on this machine is never asked through a proxy.
    near = ["localhost", "127.0.0.1", urlsplit(settled["TOEGANG_ISSUER"]).hostname or ""]
    settled["NO_PROXY"] = settled["no_proxy"] = ",".join([*near, chosen.get("NO_PROXY", chosen.get("no_proxy", ""))])
    # The relying parties read the published keys with the standard library, which knows the authorities by this name.
    if "REQUESTS_CA_BUNDLE" in chosen:
        settled["SSL_CERT_FILE"] = chosen["REQUESTS_CA_BUNDLE"]
    return settled


def require_free_ports(ports: Sequence[int]) -> None:
    """DemoEnded if another program listens on one of them."""
    for port in ports:
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as failure:
                raise DemoEnded(
                    f"port {port} is in use; end what listens there, or choose other ports with --port."
                ) from failure


def prepare_state(plan: Plan, *, is_fresh: bool) -> None:
    """A folder for this demo's state, empty if asked; DemoEnded if that cannot be."""
    if is_fresh and not plan.has_own_database:
        # Its master key and the keys of its clients lie in the folder: without them it could not be used any more.
        sys.stderr.write("demo: --fresh leaves all as it is, since TOEGANG_DATABASE_URL names a database of yours.\n")
    try:
        if is_fresh and plan.has_own_database:
            discard_state(plan.state)
        plan.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except ForeignState as failure:
        raise DemoEnded(f"--fresh stops: {failure}; move that away first.") from failure
    except OSError as failure:
        raise DemoEnded(f"the demo's state cannot be kept in {plan.state}: {failure.strerror}.") from failure
