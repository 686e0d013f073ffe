"""The two that are compared, running: our provider with the demo world, and the peer.

Promises: each has one core to itself, answers when it is handed out, and has ended with its state afterwards.
Must not know: what will be measured.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.bench.conditions import ROOT, Conditions, cores
from tests.bench.flows import Flow
from tests.node import NODE, installed
from tests.servers import free_port

WORLD = ROOT / "demo" / "world.json"
PEER = Path(__file__).parent / "peer"
CALLBACK = "http://127.0.0.1:9999/cb"
SECRET = "bench-secret-0123456789abcdef0123456789abcdef"
API = "http://api.test"
WITH_RIGHTS = {
    "choice": "organisation",
    "application": "hinderpremie",
    "target_groups": ["EA"],
    "role_claim": "bench_rol_3d",
}
PATIENCE = 60


@dataclass(frozen=True)
class Subject:
    """One that runs: its process, its issuer, and how it is to be asked, in the words of the load generator."""

    name: str
    pid: int
    issuer: str
    refresh_params: Mapping[str, str]

    def idle_memory(self) -> str:
        """The resident memory of its processes, in MB."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return " and ".join(f"{_resident(pid) / 1024:.0f} MB" for pid in (str(self.pid), *children))

    def configuration(self, flow: Flow, conditions: Conditions) -> dict[str, Any]:
        """What the load generator needs to ask this subject for this flow."""
        params = dict(flow.peer_params) if self.name == "oidc-provider" else {}
        return {
            "issuer": self.issuer,
            "client": {
                **{"id": "bench", "secret": SECRET, "redirect_uri": CALLBACK, "auth": "client_secret_basic"},
                "id_token_alg": conditions.alg,
            },
            "scope": "openid profile vo bench" if conditions.has_rights else "openid",
            "client_credentials": {"scope": "api"},
            "client_credentials_jwt": {"resource": API},
            "login": {"params": params, "fields": dict(flow.answers), "refresh_params": dict(self.refresh_params)},
        }


@contextmanager
def toegang(conditions: Conditions, redis_url: str, *, state: Path) -> Iterator[Subject]:
    """Our provider with one worker, and the demo world in a database of its own."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}/op"
    (state / "world.json").write_text(json.dumps(_world(conditions)))
    settings = {
        "TOEGANG_ISSUER": issuer,
        "TOEGANG_PORT": str(port),
        "TOEGANG_DATABASE_URL": f"sqlite:///{state}/toegang.sqlite",
        "TOEGANG_MASTER_KEY_FILE": f"{state}/master.key",
        "TOEGANG_SIMULATORS": "on",
        **({"TOEGANG_REDIS_URL": redis_url} if conditions.store == "redis" else {}),
    }
    own = {name: value for name, value in os.environ.items() if not name.startswith("TOEGANG_")}
    module = "tests.bench.profiled" if conditions.is_profiled else "idp"
    command = [sys.executable, "-m", module, "serve", "--prepare", str(state / "world.json")]
    with _running(command, own | settings, log=state / "toegang.log") as process:
        _await(process, f"{issuer}/.well-known/openid-configuration", log=state / "toegang.log")
        scope = "openid profile vo bench offline_access" if conditions.has_rights else "openid offline_access"
        yield Subject("toegang", process.pid, issuer, {"scope": scope})


@contextmanager
def peer(conditions: Conditions, redis_url: str, *, state: Path) -> Iterator[Subject]:
    """npm's oidc-provider, with refresh tokens rotated as ours are."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    settings = {"PORT": str(port), "ALG": conditions.alg, "ADAPTER": "redis", "REDIS_URL": redis_url, "ROTATE": "1"}
    command = [str(NODE), str(installed(PEER) / "op.mjs")]
    with _running(command, os.environ | settings | {"NODE_ENV": "production"}, log=state / "peer.log") as process:
        _await(process, f"{issuer}/.well-known/openid-configuration", log=state / "peer.log")
        yield Subject("oidc-provider", process.pid, issuer, {"scope": "openid offline_access", "prompt": "consent"})


def _world(conditions: Conditions) -> dict[str, Any]:
    # A client that is asked for what the peer can do too; with rights, one that is like an application of the demo.
    bench = {
        "client_id": "bench",
        "client_secret": SECRET,
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "openid profile vo bench offline_access api",
        **(WITH_RIGHTS if conditions.has_rights else {"target_groups": ["BUR"]}),
        "require_pkce": True,
        "refresh_token_rotation": True,
        "introspection_jwt": False,
        "id_token_signed_response_alg": conditions.alg,
    }
    api = {
        "client_id": "bench-api",
        "client_secret": SECRET,
        "grant_types": [],
        "scope": "",
        "resource": API,
        "access_token_format": "jwt",
        "may_know_scopes": "api",
        "id_token_signed_response_alg": conditions.alg,
    }
    world: dict[str, Any] = json.loads(WORLD.read_text())
    return world | {"clients": [*world["clients"], bench, api]}


def _resident(pid: str) -> int:
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])


@contextmanager
def _running(command: Sequence[str], settings: Mapping[str, str], *, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as said:
        pinned = ["taskset", "-c", cores()[0], *command]
        process = subprocess.Popen(
            pinned, cwd=ROOT, env=settings, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _await(process: subprocess.Popen[bytes], address: str, *, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(address, timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise SystemExit(f"It does not answer at {address}:\n{log.read_text()[-3000:]}")
