"""The `toegang` command line (also `python -m idp`): reads what was typed, and runs it.

Promises: exits with 0 when it did what was asked, else with 1 and one clear sentence. What a command does not need is
not imported, so that help and faults come at once. Must not know: how anything is made (`composition.py`).
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from idp.commands import Asked, CommandFailed, parse
from idp.settings import SettingsInvalid, read_settings

if TYPE_CHECKING:
    from idp.composition import House

THREADS = 8
"""Requests answered at once by a worker; they wait mostly for the database and for password hashes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    asked = parse(sys.argv[1:] if arguments is None else arguments)
    os.umask(0o077)  # the database holds names and hashes: what we make is the owner's alone
    try:
        settings = read_settings(os.environ)
        from idp.composition import House

        said = run(asked, House(settings))
    except (CommandFailed, SettingsInvalid, ValueError, OSError) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    sys.stdout.write(f"{said}\n" if said else "")
    return 0


def run(asked: Asked, house: "House") -> str:
    """Run one command; what it says."""
    from idp.client_registry import make_token, run_client_command
    from idp.keys.listing import run_keys_command
    from idp.profiles import report
    from idp.world import load_world, wish_of

    if asked.command == "migrate":
        migrate_where_due(house)
        return "the database is at the newest version"
    if asked.command == "serve":
        return serve(asked, house)
    if asked.command == "world load":
        return load_world(house, wish_of(asked, asked.file))
    if asked.command == "client token":
        return make_token(asked, house.registration_tokens)
    if asked.command == "check":
        return report(house.clients.all().values(), house.settings)
    if asked.command.startswith("client "):
        return run_client_command(asked, house.clients, hasher=house.master_key, settings=house.settings)
    return run_keys_command(asked, house.upstream_keyring if asked.itsme else house.keyring)


def migrate_where_due(house: "House") -> None:
    """Bring the database to the newest version; the machinery for that is imported only where there is work."""
    from idp.migrations import is_current

    if not is_current(house.engine):
        from idp.upgrading import migrate

        migrate(house)


def serve(asked: Asked, house: "House") -> str:
    """Serve until told to stop; workers are forked from here, so that they share what is imported."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from idp.migrations import is_current
    from idp.profiles import unserved
    from idp.world import load_world, wish_of

    if asked.prepare:
        migrate_where_due(house)
        load_world(house, wish_of(asked, asked.prepare))
    if not is_current(house.engine):
        raise CommandFailed("The database is not at the newest version: run `toegang migrate` first.")
    if fault := unserved(house.clients.all().values(), house.settings):
        raise CommandFailed(fault)
    if house.settings.itsme_issuer:  # before the workers are there, so that they all find the same keys
        house.upstream_keyring.make_first()
    # A connection must never be shared with a fork.
    house.engine.dispose()
    settings = house.settings
    Granian(
        "idp.composition:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=THREADS,
        log_level=LogLevels(settings.log_level),
        factory=True,
        respawn_failed_workers=True,
    ).serve()
    return ""


if __name__ == "__main__":
    sys.exit(main())
