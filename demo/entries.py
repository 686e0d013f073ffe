"""The form of a world file: its lists and what an entry of each holds, after the days were resolved.

Promises: an entry with a missing, misspelled or mistyped member is refused, naming its place. Must not know: whether
entries agree with each other.
"""

from datetime import date
from typing import Any, Literal

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What any entry may have: a note that explains it."""

    note: str = ""


class Span(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry that holds from a first to a last day; null is open-ended."""

    start: date
    end: date | None


class Persona(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person with all that is needed to sign in as that person; `keys` alone says which keys there are."""

    id: str
    national_number: str = msgspec.field(name="insz")
    given_name: str
    family_name: str
    locale: Literal["nl", "fr", "de", "en"]
    phone: str
    email: str
    keys: tuple[Literal["eid", "itsme", "totp", "sms", "email", "passkey", "password"], ...]
    password: str | None = None
    eid_pin: str | None = None
    totp_secret: str | None = None


class OrganisationEntry(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organisation; `code` is its key within its target group."""

    id: str
    name: str
    target_group: Literal["GID", "LB", "OV", "EA", "VER"]
    code: str
    kbo: str = ""
    ovo: str = ""
    juridical_form: str = ""


class FunctionEntry(Span, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A function in the KBO."""

    person: str
    organisation: str
    code: str
    type: int
    description: str


class AppointmentEntry(Span, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An appointment in the BTB."""

    person: str
    organisation: str
    appointed_by: str


class RelationEntry(Span, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A work relation."""

    id: str
    person: str
    organisation: str
    category: str
    phone: str
    email: str
    reason: str


class ApplicationEntry(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An application and the organisation that owns it."""

    id: str
    name: str
    owner: str
    description: str
    requires: Literal["", "legal representative"] = ""


class ContextEntry(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A context of a right."""

    id: str
    name: str


class RightEntry(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A right; where `contexts` is a sentence, its contexts are rights."""

    id: str
    application: str
    name: str
    role: str
    contexts: tuple[ContextEntry, ...] | str
    context: Literal["none", "one", "one or more"]
    target_groups: tuple[str, ...]
    max_days: int
    approval: Literal["none", "organisation", "grant"]
    minimum_acr: str | None
    admitted: tuple[str, ...] = ()
    system: bool = False


class GrantEntry(Span, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A grant of a right on a work relation."""

    relation: str
    right: str
    contexts: tuple[str, ...]


class World(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole world: people with their keys, what IDM is to know, and the clients as the provider registers them."""

    about: str
    today: date
    people: tuple[Persona, ...] = msgspec.field(name="persons")
    organisations: tuple[OrganisationEntry, ...]
    kbo_functions: tuple[FunctionEntry, ...]
    btb_appointments: tuple[AppointmentEntry, ...]
    work_relations: tuple[RelationEntry, ...]
    applications: tuple[ApplicationEntry, ...]
    rights: tuple[RightEntry, ...]
    grants: tuple[GrantEntry, ...]
    clients: tuple[dict[str, Any], ...]
