"""On whose behalf a person may use an application: what IDM allows today, as the client's choice groups it.

Promises: the same answer for the page that asks, the code, the token, its refresh and its introspection, each time
looked up anew, so that an ended right is gone at once. Must not know: pages, tokens.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from idm.days import day_of
from idm.directory import Directory
from idm.entitlements import Identity, Missing, citizen, entitlements
from idp.clients import Client
from idp.levels import Levels
from idp.store import Clock

CITIZEN = "BUR"


@dataclass(frozen=True)
class Option:
    """One choice on the page: a single identity, or all of a target group together."""

    value: str
    identities: tuple[Identity, ...]

    @property
    def target_group(self) -> str:
        """The target group of the identities in it."""
        return self.identities[0].target_group

    @cached_property
    def until(self) -> date | None:
        """The last day on which all that a token would tell of it holds."""
        return min((identity.until for identity in self.identities if identity.until), default=None)

    @cached_property
    def lasts_until(self) -> date | None:
        """The last day on which anything of it holds; None if something has no end."""
        ends = [identity.lasts_until for identity in self.identities]
        return None if None in ends else max(end for end in ends if end)


@dataclass(frozen=True)
class Options:
    """What a person may choose from, and for what is not there, why."""

    options: tuple[Option, ...] = ()
    missing: tuple[Missing, ...] = ()

    def find(self, value: str) -> Option | None:
        """The option of that value."""
        return next((option for option in self.options if option.value == value), None)


FOR_ONESELF = Options((Option(f"{CITIZEN}:", (citizen(),)),))


class Identities:
    """Asks IDM on behalf of the flows."""

    def __init__(self, directory: Directory, levels: Levels, *, clock: Clock) -> None:
        self._directory = directory
        self._levels = levels
        self._clock = clock

    def options(self, person_id: str, client: Client, *, level: int) -> Options:
        """The options of a person for a client, today, in a session of this level."""
        if client.choice == "none":
            return FOR_ONESELF
        facts = self._directory.facts(person_id, client.application)
        found = entitlements(facts, day_of(self._clock()), reached=self._levels.reached(level))
        return Options(options_of(client, found.identities), found.missing)

    def option(self, person_id: str, client: Client, *, level: int, value: str) -> Option | None:
        """The option of that value; None if the person may not, or no longer, take it."""
        return self.options(person_id, client, level=level).find(value)


def options_of(client: Client, identities: Iterable[Identity]) -> tuple[Option, ...]:
    """The identities as the client lets people choose: each by itself, or together by target group."""
    admitted = [identity for identity in identities if identity.target_group in client.target_groups]
    if CITIZEN in client.target_groups:
        admitted.append(citizen())
    if client.choice == "organisation":
        return tuple(Option(identity.value, (identity,)) for identity in admitted)
    groups = dict.fromkeys(identity.target_group for identity in admitted)
    return tuple(
        Option(f"{group}:", tuple(identity for identity in admitted if identity.target_group == group))
        for group in groups
    )
