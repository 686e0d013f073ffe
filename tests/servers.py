"""The servers that tests need: PostgreSQL and Redis, on free ports, in folders of their own that go with them.

As a program, `python -m tests.servers COMMAND…` starts both, runs the command with their addresses in its
environment, ends them, and exits as the command did.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import redis

POSTGRES_VARIABLE = "TOEGANG_TEST_POSTGRES_URL"
REDIS_VARIABLE = "TOEGANG_TEST_REDIS_URL"
START_SECONDS = 30
PORT_TRIES = 5

POSTGRES_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
)
INITDB_OPTIONS = ("--username=toegang", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
APACHE_SETTINGS = (
    "ServerRoot /usr/lib/apache2",
    *(
        f"LoadModule {name}_module modules/mod_{name}.so"
        for name in ("mpm_event", "authn_core", "authz_core", "authz_user")
    ),
    *(f"LoadModule {name}_module modules/mod_{name}.so" for name in ("dir", "headers", "auth_openidc")),
    "LogLevel warn",
)
PACKAGES = "postgresql, redis-server, apache2-bin and libapache2-mod-auth-openidc"
REDIS_SETTINGS = ("bind 127.0.0.1", 'save ""', "appendonly no")

Spawn = Callable[[int], subprocess.Popen[bytes]]
Greet = Callable[[int], None]


class ServerMissing(Exception):
    """A server's program is not installed, or does not start; the message says what to do."""


@contextmanager
def postgres() -> Iterator[str]:
    """The address, for SQLAlchemy, of a new PostgreSQL server."""
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    secret = secrets.token_hex(16)
    with _folder(user) as folder, ExitStack() as ended:
        _write(folder / "secret", secret, user=user)
        place = ("-D", str(folder / "data"))
        _spawn(
            (_postgres_program("initdb"), *place, f"--pwfile={folder / 'secret'}", *INITDB_OPTIONS), folder, user=user
        ).wait()

        def spawn(port: int) -> subprocess.Popen[bytes]:
            options = [word for setting in (*POSTGRES_SETTINGS, f"port={port}") for word in ("-c", setting)]
            return _spawn((_postgres_program("postgres"), *place, *options), folder, user=user)

        def greet(port: int) -> None:
            psycopg.connect(f"postgresql://toegang:{secret}@127.0.0.1:{port}/postgres", connect_timeout=2).close()

        port = _start(ended, folder, spawn, greet, signal.SIGQUIT)
        yield f"postgresql+psycopg://toegang:{secret}@127.0.0.1:{port}/postgres"


@contextmanager
def redis_single(*settings: str) -> Iterator[str]:
    """The address of a new Redis server; `settings` are further lines of its configuration."""
    secret = secrets.token_hex(16)
    with _folder() as folder, ExitStack() as ended:

        def spawn(port: int) -> subprocess.Popen[bytes]:
            lines = (*REDIS_SETTINGS, *settings, f'dir "{folder}"', f"port {port}", f"requirepass {secret}", "")
            _write(folder / "redis.conf", "\n".join(lines))
            return _spawn((_program("redis-server"), str(folder / "redis.conf")), folder)

        def greet(port: int) -> None:
            with redis.Redis(port=port, password=secret) as client:
                client.ping()

        port = _start(ended, folder, spawn, greet, signal.SIGTERM)
        yield f"redis://:{secret}@127.0.0.1:{port}"


@contextmanager
def redis_cluster() -> Iterator[str]:
    """The address of a new Redis Cluster, of one node that has all slots."""
    with redis_single("cluster-enabled yes", f"cluster-port {free_port()}") as url:
        with redis.Redis.from_url(url) as node:
            node.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
            if not _wait(lambda: bool(node.execute_command("CLUSTER INFO")["cluster_state"] == "ok")):
                raise ServerMissing("the Redis Cluster does not come up")
        yield url.replace("redis:", "redis+cluster:")


@contextmanager
def redis_sentinel() -> Iterator[str]:
    """The address of a new Redis server behind a new Sentinel."""
    with redis_single() as url, _folder() as folder, ExitStack() as ended:
        secret, _, address = url.removeprefix("redis://:").partition("@")
        watch = f"sentinel monitor toegang {address.replace(':', ' ')} 1\nsentinel auth-pass toegang {secret}\n"

        def spawn(port: int) -> subprocess.Popen[bytes]:
            _write(folder / "sentinel.conf", f"bind 127.0.0.1\nport {port}\n{watch}")
            return _spawn((_program("redis-server"), str(folder / "sentinel.conf"), "--sentinel"), folder)

        def greet(port: int) -> None:
            with redis.Redis(port=port) as sentinel:
                sentinel.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", "toegang")

        port = _start(ended, folder, spawn, greet, signal.SIGTERM)
        yield f"redis+sentinel://:{secret}@127.0.0.1:{port}/toegang/0"


@contextmanager
def apache(configuration: Callable[[str, Path], str]) -> Iterator[str]:
    """The origin of a new Apache; `configuration` is told its origin and its folder, of which `public` is served."""
    user = "www-data" if os.geteuid() == 0 else None
    with _folder(user) as folder, ExitStack() as ended:
        (folder / "public").mkdir()

        def spawn(port: int) -> subprocess.Popen[bytes]:
            lines = [
                f"ServerName localhost:{port}",
                f"Listen 127.0.0.1:{port}",
                f"PidFile {folder}/pid",
                *APACHE_SETTINGS,
            ]
            lines += [f"ErrorLog {folder}/log", f"DocumentRoot {folder}/public", f"Mutex file:{folder} default"]
            lines += [f"User {user}", f"Group {user}"] if user else []
            _write(folder / "apache.conf", "\n".join((*lines, configuration(f"http://localhost:{port}", folder), "")))
            return _spawn(
                (_program("apache2", also="/usr/sbin/apache2"), "-X", "-f", str(folder / "apache.conf")), folder
            )

        def greet(port: int) -> None:
            socket.create_connection(("127.0.0.1", port), 2).close()

        yield f"http://localhost:{_start(ended, folder, spawn, greet, signal.SIGTERM)}"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _start(ended: ExitStack, folder: Path, spawn: Spawn, greet: Greet, end_signal: int) -> int:
    # Between finding a free port and listening on it another program may take it: then once more.
    for _ in range(PORT_TRIES):
        port = free_port()
        process = spawn(port)
        ended.callback(_end, process, end_signal)
        if _wait(partial(_answers, partial(greet, port)), process):
            return port
    raise ServerMissing(f"{process.args!r} does not start:\n{(folder / 'log').read_text()[-2000:]}")


def _answers(greet: Callable[[], None]) -> bool:
    try:
        greet()
    except (OSError, psycopg.OperationalError, redis.RedisError):
        return False
    return True


def _wait(is_so: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while not is_so():
        if time.monotonic() > deadline or (process and process.poll() is not None):
            return False
        time.sleep(0.02)
    return True


def _spawn(command: Sequence[str], folder: Path, *, user: str | None = None) -> subprocess.Popen[bytes]:
    identity: dict[str, Any] = {}
    if user:
        identity = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    with (folder / "log").open("ab") as log:
        # A session of its own: Ctrl-C is for the tests, which still need the server to end well.
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True, **identity)


def _end(process: subprocess.Popen[bytes], end_signal: int) -> None:
    process.send_signal(end_signal)
    process.wait(START_SECONDS)


@contextmanager
def _folder(user: str | None = None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="toegang-", dir=_place(user) if user else None) as name:
        if user:
            shutil.chown(name, user)
        yield Path(name)


def _place(user: str) -> Path:
    # TMPDIR may name a folder that shuts this user out.
    usual = Path(tempfile.gettempdir())
    is_open = all(folder.stat().st_mode & 0o001 for folder in (usual, *usual.parents))
    return usual if is_open else Path(pwd.getpwnam(user).pw_dir)


def _write(file: Path, text: str, *, user: str | None = None) -> None:
    file.touch(mode=0o600)
    file.write_text(text)
    if user:
        shutil.chown(file, user)


def _postgres_program(name: str) -> str:
    # Debian keeps these out of PATH, a folder for each version.
    found = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(found, key=lambda file: float(file.parts[-3]), default=None)
    return str(newest) if newest else _program(name)


def _program(name: str, *, also: str = "") -> str:
    # Debian keeps Apache among the programs of an administrator, which are not in everybody's PATH.
    found = shutil.which(name) or (also if Path(also).is_file() else "")
    if not found:
        raise ServerMissing(f"{name} is not installed: Debian has it in the packages {PACKAGES}")
    return found


def main(command: Sequence[str]) -> int:
    """Run the command beside both servers; its exit code."""
    # Who was started in the background was told to ignore Ctrl-C, and would hand that on to the command.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with postgres() as postgres_url, redis_single() as redis_url:
        addresses = {POSTGRES_VARIABLE: postgres_url, REDIS_VARIABLE: redis_url}
        with subprocess.Popen(command, env=os.environ | addresses) as child:
            # The terminal sends Ctrl-C to the command too; whoever ends only us means the command as well.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
            return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
