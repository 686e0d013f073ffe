"""The demo's processes: none outlives its end, and one that ends by itself is noticed."""

import os
from pathlib import Path

from demo.processes import end_all, rest, send_signal, start_child

ASLEEP = ["timeit", "-n1", "-r1", "import time; time.sleep(60)"]


def test_a_lasting_process_fails_when_it_ends_and_a_step_only_when_it_ends_badly() -> None:
    well, badly = ["timeit", "-n1", "-r1", "pass"], ["no_such_module"]
    lasting, step, failing = (
        start_child("a", arguments, environment=os.environ, is_lasting=is_lasting)
        for arguments, is_lasting in ((well, True), (well, False), (badly, False))
    )
    while not (lasting.has_ended and step.has_ended and failing.has_ended):
        rest()
    assert (lasting.has_failed, step.has_failed, failing.has_failed) == (True, False, True)
    assert failing.ending == "exit code 1"


def test_every_process_of_a_group_ends(tmp_path: Path) -> None:
    mark = tmp_path / "started"
    parent = (
        "import subprocess, pathlib; sleeper = subprocess.Popen(['sleep', '60']); "
        f"pathlib.Path({str(mark)!r}).touch(); sleeper.wait()"
    )
    children = [
        start_child("parent", ["timeit", "-n1", "-r1", parent], environment=os.environ, is_lasting=True),
        start_child("sleeper", ASLEEP, environment=os.environ, is_lasting=True),
    ]
    while not mark.exists():
        rest()
    end_all(children)
    assert all(child.has_ended for child in children)
    assert not any(send_signal(child.process.pid, 0) for child in children)


def test_a_process_that_will_not_end_is_killed(tmp_path: Path) -> None:
    mark = tmp_path / "deaf"
    deaf = f"import signal, time, pathlib; signal.signal(15, signal.SIG_IGN); pathlib.Path({str(mark)!r}).touch()"
    child = start_child(
        "deaf", ["timeit", "-n1", "-r1", "-s", deaf, "time.sleep(60)"], environment=os.environ, is_lasting=True
    )
    while not mark.exists():
        rest()
    end_all([child])
    assert child.ending == "signal 9"
