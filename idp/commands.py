"""The words of the `toegang` command line: what may be typed, and the help that each command gives.

Promises: every command has `--help` with an example; words that it does not know end in one sentence and status 2.
Must not know: what a command does.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Asked = Namespace
"""What was typed: `command`, and the arguments of that command by name."""


class CommandFailed(Exception):
    """A command cannot do what was asked; the message is one sentence for the person who typed it."""


@dataclass(frozen=True)
class Command:
    """A command: its full name, what it is for, an example, and its arguments as argparse takes them."""

    name: str
    purpose: str
    example: str
    arguments: tuple[tuple[str, dict[str, Any]], ...] = ()


STATE = ("--state", {"type": Path, "help": "folder in which the private key of a machine client is written"})
SHIFT = ("--shift-ports", {"type": int, "default": 0, "help": "move every localhost port by so much"})
CLIENT_ID = ("client_id", {"help": "the client's id"})
ITSME = ("--itsme", {"action": "store_true", "help": "the keys by which itsme knows us (RS256, RSA-OAEP)"})

COMMANDS = (
    Command(
        "serve",
        "serve the provider",
        "toegang serve",
        (("--prepare", {"type": Path, "metavar": "WORLD", "help": "first migrate, and load this world"}), STATE, SHIFT),
    ),
    Command("migrate", "bring the database to the newest version", "toegang migrate"),
    Command(
        "world load",
        "load a world of invented persons, organisations, rights and clients",
        "toegang world load demo/world.json",
        (("file", {"type": Path, "help": "the world file"}), STATE, SHIFT),
    ),
    Command(
        "client add",
        "register a client, or replace the one of its id",
        "toegang client add client.json",
        (("file", {"type": Path, "help": "its metadata as JSON, by the names of RFC 7591 (see docs/integrate.md)"}),),
    ),
    Command("client list", "list the clients", "toegang client list"),
    Command(
        "client show", "show a client's metadata, without secrets", "toegang client show hinderpremie", (CLIENT_ID,)
    ),
    Command(
        "client rotate-secret",
        "make a new secret; the one before it stays good until the next rotation",
        "toegang client rotate-secret hinderpremie",
        (CLIENT_ID,),
    ),
    Command(
        "client token",
        "make an initial access token, with which an application can register itself",
        "toegang client token --uses 1 --days 7",
        (
            ("--uses", {"type": int, "default": 1, "help": "how many registrations it is good for (default: 1)"}),
            ("--days", {"type": int, "default": 7, "help": "how long it is good (default: 7)"}),
        ),
    ),
    Command(
        "check",
        "say, client by client, what the configuration fails of OAuth 2.1 (RFC 9700) and of FAPI 2.0",
        "toegang check",
    ),
    Command("keys list", "list the signing keys and when each signs", "toegang keys list", (ITSME,)),
    Command(
        "keys rotate",
        "announce the next key of an algorithm",
        "toegang keys rotate RS256",
        (("alg", {"help": "RS256, ES256, EdDSA; to decrypt RSA-OAEP, ECDH-ES"}), ITSME),
    ),
)

GROUPS = {"world": "demo worlds", "client": "registered clients", "keys": "signing keys"}


def parse(arguments: Sequence[str]) -> Asked:
    """Read a command line; ends the process with a sentence where it makes no sense."""
    parser = ArgumentParser(prog="toegang", description="Sign-in, and who may do what for whom.")
    top = parser.add_subparsers(metavar="COMMAND", required=True)
    groups = {
        name: top.add_parser(name, help=purpose).add_subparsers(metavar="COMMAND", required=True)
        for name, purpose in GROUPS.items()
    }
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        added = (groups[group] if group else top).add_parser(
            name, help=command.purpose, description=command.purpose, epilog=f"example: {command.example}"
        )
        added.set_defaults(command=command.name)
        for argument, options in command.arguments:
            added.add_argument(argument, **options)
    return parser.parse_args(arguments)
