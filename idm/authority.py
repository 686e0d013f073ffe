"""Authority that nobody grants: the legal representative (WV) by the KBO, the chief access manager (HTB) by the BTB.

Promises: only a legal function (type 1) counts, only inside its own dates and the organisation's. Must not know: the
database, rights, or what day it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from idm.facts import BtbAppointment, Facts, KboFunction, Organisation
from idm.identity import Identity, earliest, latest

LEGAL_FUNCTION = 1


@dataclass(frozen=True, slots=True)
class Authority:
    """What a person is for one organisation today: the ends of the functions and of the appointments that hold."""

    organisation: Organisation
    functions: tuple[date | None, ...] = ()
    appointments: tuple[date | None, ...] = ()

    @property
    def legal_until(self) -> date | None:
        """Until when one is legal representative: the function that lasts longest, within the organisation."""
        return earliest(latest(*self.functions), self.organisation.end_on)

    def identity(self) -> Identity:
        """The same in the form of an identity, without roles."""
        ends = self._ends()
        return Identity(
            target_group=self.organisation.target_group,
            code=self.organisation.code,
            organisation=self.organisation,
            until=earliest(*ends),
            lasts_until=latest(*ends),
            is_legal_representative=bool(self.functions),
            is_access_manager=bool(self.appointments),
        )

    def _ends(self) -> list[date | None]:
        held = [ends for ends in (self.functions, self.appointments) if ends]
        return [earliest(latest(*ends), self.organisation.end_on) for ends in held]


def authorities_of(facts: Facts, today: date) -> dict[str, Authority]:
    """What the person is today, by organisation id; organisations where the person is neither are absent."""
    functions = _valid((f for f in facts.functions if f.type == LEGAL_FUNCTION), today)
    appointments = _valid(facts.appointments, today)
    organisations = {held.organisation.id: held.organisation for held in (*functions, *appointments)}
    return {
        id: Authority(organisation, _ends_for(id, functions), _ends_for(id, appointments))
        for id, organisation in organisations.items()
    }


def _valid(held: Iterable[KboFunction] | Iterable[BtbAppointment], today: date) -> list[KboFunction | BtbAppointment]:
    return [h for h in held if h.is_valid_on(today) and h.organisation.is_valid_on(today)]


def _ends_for(organisation_id: str, held: Iterable[KboFunction | BtbAppointment]) -> tuple[date | None, ...]:
    return tuple(h.end_on for h in held if h.organisation.id == organisation_id)
