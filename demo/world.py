"""The demo world: reads a world file, and loads what it says of persons, organisations and rights into IDM.

Promises: a bad file is refused with every fault by name and nothing loaded; relative days are resolved from the day
given. Must not know: the provider; clients and keys are handed on as the file has them.
"""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec

from demo.agreement import disagreements
from demo.entries import Persona, World
from demo.facts import LoadedWorld, add_facts
from demo.ports import shift_address
from idm.directory import Sealer
from idm.loading import Database, loading

__all__ = ["LoadedWorld", "Persona", "World", "WorldInvalid", "load_facts", "read_world"]

_RELATIVE_DAY = re.compile(r"([+-][0-9]{1,6})d")
_NAME_ANOTHER = "Name a world file, such as demo/world.json."
_DATED = ("kbo_functions", "btb_appointments", "work_relations", "grants")


class WorldInvalid(ValueError):
    """The file is no world; the message says which entries are wrong, how, and what to do."""


def read_world(path: str | Path, *, today: date, shift_ports: int = 0) -> World:
    """The world in that file on that day, with the ports of its localhost addresses shifted. Raises WorldInvalid."""
    raw = _json_object(Path(path))
    try:
        world = msgspec.convert(_resolved(raw, today=today, shift_ports=shift_ports), World)
    except (msgspec.ValidationError, WorldInvalid) as invalid:
        raise WorldInvalid(f"{path}: {invalid}. Correct that entry; demo/world.json shows how it looks.") from None
    faults = disagreements(world)
    if faults:
        raise WorldInvalid("\n".join(f"{path}: {fault}" for fault in faults))
    return world


def load_facts(world: World, database: Database, *, sealer: Sealer) -> LoadedWorld:
    """Add what the world says and IDM does not know yet, in one transaction; a second load changes nothing."""
    with loading(database, sealer) as load:
        return add_facts(world, load)


def _json_object(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise WorldInvalid(f"{path}: cannot be read ({fault.strerror}). {_NAME_ANOTHER}") from None
    except ValueError:
        raise WorldInvalid(f"{path}: is not JSON in UTF-8. {_NAME_ANOTHER}") from None
    if not isinstance(raw, dict):
        raise WorldInvalid(f"{path}: is not a JSON object. {_NAME_ANOTHER}")
    return raw


def _resolved(raw: dict[str, Any], *, today: date, shift_ports: int) -> dict[str, Any]:
    dated = {name: list(_with_days(name, raw[name], today=today)) for name in _DATED if isinstance(raw.get(name), list)}
    clients = raw.get("clients")
    shifted = [_shifted(client, shift_ports) for client in clients] if isinstance(clients, list) else clients
    return {**raw, **dated, "clients": shifted, "today": today}


def _with_days(name: str, entries: list[Any], *, today: date) -> Iterator[Any]:
    for position, entry in enumerate(entries):
        if isinstance(entry, dict):
            days = {m: _day(entry[m], today, place=f"{name}[{position}]: {m}") for m in ("start", "end") if m in entry}
            yield {**entry, **days}
        else:
            yield entry


def _day(text: object, today: date, *, place: str) -> date | None:
    if text is None:
        return None
    try:
        relative = _RELATIVE_DAY.fullmatch(text) if isinstance(text, str) else None
        return today + timedelta(days=int(relative[1])) if relative else date.fromisoformat(str(text))
    except (ValueError, OverflowError):
        raise WorldInvalid(f"{place}: not a day such as -10d, +30d, 2026-01-31 or null") from None


def _shifted(client: Any, by: int) -> Any:
    if not isinstance(client, dict):
        return client
    return {name: _moved(value, by) if name.endswith(("_uri", "_uris")) else value for name, value in client.items()}


def _moved(value: Any, by: int) -> Any:
    if isinstance(value, list):
        return [_moved(each, by) for each in value]
    return shift_address(value, by) if isinstance(value, str) else value
