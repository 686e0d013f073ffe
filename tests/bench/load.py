"""The load generator at work: one flow, one subject, one measurement.

Promises: a measurement with errors says how many, and the first one in words. Must not know: what is compared.
"""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.bench.conditions import Conditions, cores
from tests.bench.flows import Flow
from tests.bench.profiled import PROFILE_PATH
from tests.bench.subjects import Subject
from tests.node import NODE

LOAD = Path(__file__).with_name("load.mjs")
SIGN_IN_SECONDS = 2


@dataclass(frozen=True)
class Measurement:
    """What one flow of one subject came to; `fault` is the first error, `foreign` the cores that others used."""

    flow: str
    subject: str
    store: str
    alg: str
    per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    cpu_s_per_request: float
    fault: str
    foreign: float

    @property
    def line(self) -> str:
        """As one JSON object; what could not be measured is null."""
        shown = {name: value for name, value in vars(self).items() if name not in ("fault", "foreign")}
        return json.dumps({name: None if value != value else value for name, value in shown.items()})


class Load:
    """Makes load from the second core; `redis_pid` is counted as part of what is measured, not as a disturbance."""

    def __init__(self, conditions: Conditions, state: Path, *, redis_pid: int) -> None:
        self._conditions = conditions
        self._state = state
        self._redis_pid = redis_pid

    def measure(self, subject: Subject, flow: Flow) -> Measurement:
        """Ask the subject for the flow as often as it answers."""
        result = self._state / "result.json"
        result.unlink(missing_ok=True)
        with self.start(subject, flow) as process:
            _, said = process.communicate()
        if not result.exists():
            return self._measured(subject, flow, {"failed": said.decode().strip() or "the load generator ended"})
        return self._measured(subject, flow, json.loads(result.read_text())[0])

    def profile(self, subject: Subject, flow: Flow) -> str:
        """Where the time of a subject goes that is profiled, once it is warm and everybody has signed in."""
        address = subject.issuer.removesuffix("/op") + PROFILE_PATH
        with self.start(subject, flow) as process:
            time.sleep(SIGN_IN_SECONDS + self._conditions.warmup)
            requests.get(address, timeout=30)
            process.communicate()
        return requests.get(address, timeout=30).text

    def start(self, subject: Subject, flow: Flow) -> subprocess.Popen[bytes]:
        """Begin asking; the result will be in the state's `result.json`."""
        config = self._state / "config.json"
        config.write_text(json.dumps(subject.configuration(flow, self._conditions)))
        options = {
            "config": config,
            "scenario": flow.scenario,
            "conns": self._conditions.connections,
            "duration": self._conditions.duration,
            "warmup": self._conditions.warmup,
            "pids": f"server:{subject.pid},redis:{self._redis_pid}",
            "json": self._state / "result.json",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = ["taskset", "-c", cores()[1], str(NODE), str(LOAD), *words]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def _measured(self, subject: Subject, flow: Flow, result: dict[str, Any]) -> Measurement:
        nothing = float("nan")
        has_failed = "failed" in result or not result.get("ops")
        return Measurement(
            flow=flow.name,
            subject=subject.name,
            store=self._conditions.store,
            alg=self._conditions.alg,
            per_s=nothing if has_failed else result["ops_s"],
            p50_ms=nothing if has_failed else result["p50_ms"],
            p99_ms=nothing if has_failed else result["p99_ms"],
            errors=result.get("errors", 0) or int(has_failed),
            cpu_s_per_request=nothing if has_failed else float(f"{result['cpu_s_per_op']:.3g}"),
            fault=result.get("failed") or result.get("firstError") or "",
            foreign=result.get("foreign_cpu", 0.0),
        )
