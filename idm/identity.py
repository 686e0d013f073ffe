"""An identity (hoedanigheid): on whose behalf a person may act today, in which roles, until when; or why not.

Promises: plain frozen values, the same for identities from rights and from the KBO or BTB. `until` is the earliest end
among what a token would tell of it, `lasts_until` the latest; None is open. Must not know: how they are decided.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from idm.facts import Organisation


class Reason(StrEnum):
    """Why something is missing; in the order in which it helps a person most to hear it."""

    LEVEL_TOO_LOW = "level_too_low"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    RIGHT_NOT_BEGUN = "right_not_begun"
    RIGHT_ENDED = "right_ended"
    REFUSED = "refused"
    ORGANISATION_NOT_ADMITTED = "organisation_not_admitted"
    NO_RIGHT = "no_right"
    WORK_RELATION_NOT_BEGUN = "work_relation_not_begun"
    WORK_RELATION_ENDED = "work_relation_ended"
    ORGANISATION_ENDED = "organisation_ended"
    NO_WORK_RELATION = "no_work_relation"
    NOT_LEGAL_REPRESENTATIVE = "not_legal_representative"


RANK = {reason: rank for rank, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A right held for an organisation, with its contexts in the catalogue's order, each once."""

    right_id: str
    right_name: str
    role: str
    contexts: tuple[str, ...] = ()
    context_names: tuple[str, ...] = ()
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """On whose behalf one acts; a citizen has no organisation."""

    target_group: str
    code: str
    organisation: Organisation | None = None
    work_email: str = ""
    roles: tuple[Role, ...] = ()
    until: date | None = None
    lasts_until: date | None = None
    is_legal_representative: bool = False
    is_access_manager: bool = False

    @property
    def value(self) -> str:
        """How the choice of it is written: target group and code, `EA:0999910147`."""
        return f"{self.target_group}:{self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Why there is no identity or right: `on` is the day that it ended or begins, `minimum_acr` the level to reach."""

    reason: Reason
    organisation: Organisation | None = None
    right_id: str = ""
    right_name: str = ""
    on: date | None = None
    minimum_acr: str | None = None


@dataclass(frozen=True, slots=True)
class Entitlements:
    """Identities by organisation name, and what is missing, most helpful first."""

    identities: tuple[Identity, ...] = ()
    missing: tuple[Missing, ...] = ()


def earliest(*ends: date | None) -> date | None:
    """The first of these ends; None if all are open."""
    return min((end for end in ends if end is not None), default=None)


def latest(*ends: date | None) -> date | None:
    """The last of these ends; None if one is open, or none is given."""
    closed = [end for end in ends if end is not None]
    return max(closed) if closed and len(closed) == len(ends) else None
