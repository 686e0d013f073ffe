"""What the simulators answer over HTTP, as plain values; whoever mounts them makes answers of these.

Promises: the members and formats of the contract, and bounded input. Must not know: requests, answers, templates.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from authenticators.simulators.clock import SimulatedClock
from authenticators.simulators.inbox import Inbox
from authenticators.simulators.personas import DemoPerson

LONGEST_ADDRESS = 254


def inbox_messages(inbox: Inbox, address: str) -> list[dict[str, str | None]]:
    """The messages to this number or address, newest first; `code` is None where a message carries none."""
    return [
        {"at": _iso(message.at), "to": message.to, "text": message.text, "code": message.code or None}
        for message in inbox.messages(address[:LONGEST_ADDRESS].strip())
    ]


def inbox_addresses(inbox: Inbox, people: Iterable[DemoPerson]) -> list[dict[str, str]]:
    """Every inbox there is to look into, with its owner's name: those of the people, then what else got messages."""
    names = {person.phone: person.name for person in people if person.phone}
    addresses = [*names, *(address for address in inbox.addresses() if address not in names)]
    return [{"address": address, "name": names.get(address, "")} for address in addresses]


def clock_reading(clock: SimulatedClock) -> dict[str, str | int]:
    """The time (ISO 8601, UTC) and the offset."""
    return {"now": _iso(int(clock())), "offset_days": clock.offset_days}


def set_clock(clock: SimulatedClock, offset_days: str) -> dict[str, str | int]:
    """Move the clock as the form field says, and read it; ValueError if that is no whole number in bounds."""
    if not re.fullmatch("[+-]?[0-9]{1,4}", offset_days.strip(), re.ASCII):
        raise ValueError("a whole number of days")
    clock.set_offset_days(int(offset_days))
    return clock_reading(clock)


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
