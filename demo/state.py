"""Where one demo keeps its state, and how it is thrown away.

Promises: only what a demo itself wrote is deleted, and nothing at all where something else lies beside it.
Must not know: processes, ports, what the files hold.
"""

from pathlib import Path

DATABASE = "toegang.sqlite"
MASTER_KEY = "master.key"
OWN_NAMES = frozenset(
    {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal", MASTER_KEY, "nachtverwerking.jwk"}
)


class ForeignState(Exception):
    """The folder holds something that no demo wrote; nothing was deleted."""


def state_folder(root: Path, port: int, *, usual: int) -> Path:
    """The folder of the demo on this port; the usual port has the outermost, the others lie in it by number."""
    outermost = root / "var" / "demo"
    return outermost if port == usual else outermost / str(port)


def discard_state(folder: Path) -> None:
    """Delete this demo's files, and leave the folders of demos on other ports; ForeignState names what is odd."""
    if not folder.exists():
        return
    if folder.is_symlink() or not folder.is_dir():
        raise ForeignState(f"{folder} is not a folder of its own")
    found = [entry for entry in folder.iterdir() if not is_other_demo(entry)]
    odd = sorted(entry.name for entry in found if entry.name not in OWN_NAMES or entry.is_dir())
    if odd:
        raise ForeignState(f"{folder} holds what no demo wrote ({', '.join(odd[:3])})")
    for entry in found:
        entry.unlink()


def is_other_demo(entry: Path) -> bool:
    """Whether this is the folder of a demo on another port."""
    return entry.name.isascii() and entry.name.isdecimal() and entry.is_dir() and not entry.is_symlink()
