"""The program of `scripts/bench`: reads what was asked, starts what is compared, measures, and prints.

Promises: standard output has one JSON object a line as it is measured, then the table; whatever was started has ended.
Exits with 1 where a measurement had errors. Must not know: how anything is measured.
"""

import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import redis

from tests.bench import subjects
from tests.bench.conditions import Conditions, cores, described
from tests.bench.flows import BY_NAME
from tests.bench.load import Load, Measurement
from tests.bench.report import markdown, table
from tests.servers import redis_single

SUBJECTS = {"toegang": subjects.toegang, "oidc-provider": subjects.peer}


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked; the exit status."""
    asked = read(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started ends with us
    conditions = Conditions(
        asked.alg,
        asked.store,
        asked.connections,
        asked.duration,
        asked.warmup,
        has_rights=asked.rights,
        is_profiled=bool(asked.profile),
    )
    os.sched_setaffinity(0, {int(cores()[1])})  # ours, and what we start beside the servers: Redis and the load
    with ExitStack() as ended:
        state = Path(ended.enter_context(TemporaryDirectory(prefix="toegang-bench-")))
        redis_url = ended.enter_context(redis_single())
        load = Load(conditions, state, redis_pid=pid_of_redis(redis_url))
        start = [partial(SUBJECTS[name], conditions, redis_url, state=state) for name in asked.subject]
        running = [ended.enter_context(subject()) for subject in start]
        if asked.profile:
            print(load.profile(running[0], BY_NAME[asked.profile]))
            return 0
        memory = {f"idle memory of {one.name}": one.idle_memory() for one in running}
        measured = [told(load.measure(one, BY_NAME[flow])) for flow in asked.flow for one in running]
    absent = set(SUBJECTS) - set(asked.subject)
    known = {name: words for name, words in described(conditions).items() if name not in absent} | memory
    print(f"\n{table(measured)}\n\n" + "\n".join(f"{name}: {words}" for name, words in known.items()))
    if asked.json:
        asked.json.write_text("".join(f"{one.line}\n" for one in measured))
    if asked.markdown:
        asked.markdown.write_text(markdown(measured, known))
    return int(any(one.errors for one in measured))


def read(arguments: Sequence[str]) -> Namespace:
    """What was typed; ends with a sentence where it makes no sense."""
    parser = ArgumentParser(prog="scripts/bench", description="Measure the provider beside npm's oidc-provider.")
    several = "may be given more than once"
    parser.add_argument("--flow", action="append", choices=BY_NAME, help=f"measure this flow alone; {several}")
    parser.add_argument("--subject", action="append", choices=SUBJECTS, help=f"measure this one alone; {several}")
    parser.add_argument("--duration", type=float, default=4, metavar="SECONDS", help="of each flow (default: 4)")
    parser.add_argument("--warmup", type=float, default=2, metavar="SECONDS", help="before it is measured (default: 2)")
    parser.add_argument("--connections", type=int, default=16, help="requests at the same time (default: 16)")
    parser.add_argument("--alg", default="ES256", choices=("ES256", "RS256"), help="what signs (default: ES256)")
    parser.add_argument("--store", default="redis", choices=("redis", "sqlite"), help="of tickets (default: redis)")
    parser.add_argument("--rights", action="store_true", help="as an application with rights in an organisation")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the lines here too")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table here, with the conditions")
    parser.add_argument("--profile", choices=BY_NAME, metavar="FLOW", help="show where our time goes in this flow")
    asked = parser.parse_args(arguments)
    # The peer knows no rights and keeps nothing in SQLite; what it does in memory says nothing of ours.
    alone = bool(asked.profile) or asked.rights or asked.store == "sqlite"
    if alone and asked.subject and "oidc-provider" in asked.subject:
        parser.error("--profile, --rights and --store sqlite are for toegang alone")
    asked.subject = asked.subject or (["toegang"] if alone else list(SUBJECTS))
    asked.flow = asked.flow or list(BY_NAME)
    return asked


def pid_of_redis(url: str) -> int:
    """The process that answers there."""
    with redis.Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])


def told(one: Measurement) -> Measurement:
    """Print a measurement as it comes; its first error goes to standard error."""
    print(one.line, flush=True)
    if one.fault:
        print(f"{one.flow}, {one.subject}: {one.fault}", file=sys.stderr)
    return one


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
