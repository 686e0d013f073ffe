"""Under what conditions is measured: what was asked for, and what machine and versions it ran on.

Promises: whoever reads a figure can make it again. Must not know: any flow.
"""

import json
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tests.node import NODE

ROOT = Path(__file__).resolve().parents[2]
PEER_LOCK = Path(__file__).parent / "peer" / "package-lock.json"


@dataclass(frozen=True)
class Conditions:
    """What was asked for: algorithm, ticket store, connections at once, and seconds of each flow.

    With rights, the person chooses an organisation and the application is told their rights, which the peer cannot do.
    """

    alg: str
    store: str
    connections: int
    duration: float
    warmup: float
    has_rights: bool = False
    is_profiled: bool = False


@cache
def cores() -> tuple[str, str]:
    """The core of the server and that of the load; SystemExit on a machine with one."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("The bench needs two cores: one for the server, one for the load.")
    return str(allowed[0]), str(allowed[1])


def described(conditions: Conditions) -> dict[str, str]:
    """The conditions in words, by name."""
    client = "an application with rights" if conditions.has_rights else "a client without rights"
    kept = "tickets in Redis, the rest in SQLite" if conditions.store == "redis" else "all in SQLite"
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores: one for the server, one for load and Redis",
        "toegang": f"{version('toegang')} ({_commit()}), one worker, simulators on, {kept}; "
        f"Python {platform.python_version()}, granian {version('granian')}",
        "oidc-provider": f"{_peer_version()}, all in Redis; Node {_said(NODE, '--version').removeprefix('v')}",
        "asked": f"{client}, {conditions.alg}, PKCE, no TLS, "
        f"{conditions.connections} connections with one request each, {conditions.duration:g} s a flow "
        f"after {conditions.warmup:g} s of warm-up; each id_token is verified",
    }


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1].strip() if found else platform.machine()


def _commit() -> str:
    return _said("git", "-C", ROOT, "describe", "--always", "--dirty")


def _peer_version() -> str:
    packages = json.loads(PEER_LOCK.read_text())["packages"]
    return str(packages["node_modules/oidc-provider"]["version"])


def _said(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
