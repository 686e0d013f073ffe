"""What IDM knows, as frozen values: persons, organisations, relations, grants, functions, applications and rights.

Promises: days are inclusive at both ends, no end means open, and an empty string means unknown. Nothing here decides
who may do what. Must not know: the database, or what day it is.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


class Person(NamedTuple):
    """Someone with a national number; `id` is what others know as vo_id, `subject` is random."""

    id: str
    subject: str
    national_number: str
    given_name: str
    family_name: str
    locale: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """Something that holds from a first to a last day, both included."""

    begin_on: date | None = None
    end_on: date | None = None

    def is_valid_on(self, day: date) -> bool:
        """Whether it holds on that day."""
        return not self.has_ended_on(day) and (self.begin_on is None or self.begin_on <= day)

    def has_ended_on(self, day: date) -> bool:
        """Whether its last day lies before that day."""
        return self.end_on is not None and self.end_on < day


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation(Dated):
    """For whom one may act; `code` is its key within its target group."""

    id: str
    name: str
    target_group: str
    code: str
    kbo: str = ""
    ovo: str = ""
    juridical_form: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """A refinement of a right."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What may be granted in an application.

    `context` is "none", "one" or "one or more"; `approval` is "none", "organisation" or "grant". Where
    `contexts_are_rights`, the contexts are ids of rights and the list is empty (a local administrator's set).
    """

    id: str
    name: str
    role: str
    context: str = "none"
    contexts: tuple[Context, ...] = ()
    contexts_are_rights: bool = False
    target_groups: frozenset[str] = frozenset()
    max_days: int | None = None
    approval: str = "none"
    minimum_acr: str | None = None
    is_system: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What people sign in to, with the rights that it knows; `requires` is "" or "legal representative"."""

    id: str
    name: str
    owner_id: str
    description: str = ""
    requires: str = ""
    rights: tuple[Right, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Dated):
    """A right given on a work relation; `approval` is "none", "waiting", "approved" or "refused"."""

    id: str
    right_id: str
    contexts: tuple[str, ...] = ()
    granted_by: str = ""
    approval: str = "none"
    voided: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRelation(Dated):
    """A person works for an organisation, with the grants that hang on it (those of the application asked about)."""

    id: str
    organisation: Organisation
    category: str = ""
    phone: str = ""
    email: str = ""
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KboFunction(Dated):
    """A function in the KBO; type 1 is a legal function, type 2 a skill."""

    organisation: Organisation
    code: str
    type: int
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BtbAppointment(Dated):
    """An appointment as chief access manager (HTB); `appointed_by` is a person's id."""

    organisation: Organisation
    appointed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission(Dated):
    """An application owner lets an organisation use a right."""

    organisation_id: str
    right_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that decides what one person may do in one application; no application means that it is unknown."""

    application: Application | None = None
    relations: tuple[WorkRelation, ...] = ()
    functions: tuple[KboFunction, ...] = ()
    appointments: tuple[BtbAppointment, ...] = ()
    admissions: tuple[Admission, ...] = ()

    def relations_on(self, day: date) -> tuple[WorkRelation, ...]:
        """The work relations that hold on that day, with organisations that do."""
        return tuple(r for r in self.relations if r.is_valid_on(day) and r.organisation.is_valid_on(day))


@dataclass(frozen=True, slots=True)
class Administrator:
    """A chief local administrator (HLB) whom one may turn to; `email` is that of the work relation."""

    name: str
    email: str
    organisation_id: str
    organisation_name: str
