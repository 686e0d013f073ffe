"""The demo as one process to start and to end: prepares its state, then runs the provider and the relying parties.

Promises: `ready <address>` on a line of its own once all of them answer; ending this process ends all of them; whatever
goes wrong is said in one sentence. Must not know: how the provider works; it only runs its commands.
"""

import http.client
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from demo.plan import ROOT, WORLD, DemoEnded, Plan, prepare_state, read_plan, require_free_ports
from demo.ports import ports_of_demo
from demo.processes import Child, end_all, rest, start_child

MOST_LOOKS = 4000
"""Looks at whether all answer before the demo gives up (two minutes)."""


class DemoStopped(Exception):
    """The person, or the system, asked the demo to end."""


@dataclass
class Wish:
    """Whether the demo was asked to end. A signal only notes it, so that no child is forgotten half-way its start."""

    is_stop: bool = False

    def note(self, *_: object) -> None:
        """Take note of a signal."""
        self.is_stop = True


class Demo:
    """The running processes of a plan."""

    def __init__(self, plan: Plan, ports: Sequence[int], *, wish: Wish) -> None:
        self.plan, self.ports, self.wish = plan, ports, wish
        self.children: list[Child] = []

    def run(self) -> None:
        """Start all, say when ready, and watch; DemoEnded or DemoStopped ends it."""
        shift, state = ["--shift-ports", str(self.plan.shift)], str(self.plan.state)
        # At once, since they ask the provider nothing before somebody visits them.
        self.start("the relying parties", "demo.relying_parties", str(WORLD), "--issuer", self.plan.issuer, *shift)
        self.start("the simulated itsme", "demo.itsme", str(WORLD), "--issuer", self.plan.issuer, *shift)
        # One process for all three (migrate, load, serve): each start of Python costs a second.
        self.start("the provider", "idp", "serve", "--prepare", str(WORLD), "--state", state, *shift)
        self.await_answers()
        sys.stdout.write(f"ready http://localhost:{self.plan.port}\n")
        sys.stdout.flush()
        while True:
            self.look()

    def start(self, name: str, *arguments: str, is_lasting: bool = True) -> Child:
        """Start one process and watch it from now on."""
        environment = self.plan.environment
        self.children.append(start_child(name, arguments, environment=environment, is_lasting=is_lasting))
        return self.children[-1]

    def finish(self, name: str, *arguments: str) -> None:
        """Run one step to its end; DemoEnded if it fails."""
        step = self.start(name, *arguments, is_lasting=False)
        while not step.has_ended or step.has_failed:
            self.look()
        self.children.remove(step)

    def look(self) -> None:
        """Wait a moment; DemoStopped if asked to end, DemoEnded if a process ended by itself."""
        rest()
        if self.wish.is_stop:
            raise DemoStopped
        for child in self.children:
            if child.has_failed:
                raise DemoEnded(f"{child.name} ended ({child.ending}); what it said stands above.")

    def await_answers(self) -> None:
        """Watch until the provider is ready and every relying party answers; DemoEnded after two minutes."""
        waiting = [(port, "/" if at else "/health/ready") for at, port in enumerate(self.ports[:-1])]
        waiting.append((self.ports[-1], "/v2/.well-known/openid-configuration"))
        for _ in range(MOST_LOOKS):
            waiting = [(port, path) for port, path in waiting if not has_answer(port, path)]
            if not waiting:
                return
            self.look()
        raise DemoEnded(f"nothing answers at http://localhost:{waiting[0][0]}{waiting[0][1]} after two minutes.")


def has_answer(port: int, path: str) -> bool:
    """Whether a page of this machine answers that all is well."""
    with closing(http.client.HTTPConnection("localhost", port, timeout=5)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the demo until it is asked to end: the exit code is 0 then, and 1 if it ended by itself."""
    os.chdir(ROOT)
    wish = Wish()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, wish.note)
    demo = None
    try:
        plan, is_fresh = read_plan(arguments, environment)
        ports = ports_of_demo(WORLD, plan.shift)
        require_free_ports(ports)
        prepare_state(plan, is_fresh=is_fresh)
        demo = Demo(plan, ports, wish=wish)
        demo.run()
    except DemoStopped:
        return 0
    except DemoEnded as ending:
        sys.stderr.write(f"demo: {ending}\n")
        return 1
    finally:
        end_all(demo.children if demo else [])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
