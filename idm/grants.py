"""Whether a grant counts on a day, and if not, why: each condition is one function, in the order they are asked.

Promises: a grant counts only inside its own dates and those of its work relation, organisation and admission, approved
where approval is due, in a session of the right's level. Must not know: the database, or what day it is.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import date

from idm.facts import Admission, Grant, Right, WorkRelation
from idm.identity import Missing, Reason, earliest, latest


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One grant to be judged, with its right, its work relation, and the admissions of that right there."""

    relation: WorkRelation
    right: Right
    grant: Grant
    admissions: tuple[Admission, ...]
    today: date
    reached: Container[str]

    @property
    def contexts(self) -> tuple[str, ...]:
        """The contexts granted that the right still has, each once, in the catalogue's order."""
        if self.right.contexts_are_rights:
            return tuple(dict.fromkeys(self.grant.contexts))
        return tuple(c.id for c in self.right.contexts if c.id in self.grant.contexts)

    @property
    def until(self) -> date | None:
        """The first end among the grant, work relation, organisation and, where one is needed, the admission."""
        needed = self.right.approval == "organisation"
        admitted = latest(*(a.end_on for a in self._admitting())) if needed else None
        return earliest(self.grant.end_on, self.relation.end_on, self.relation.organisation.end_on, admitted)

    def refusal(self) -> Missing | None:
        """Why the grant does not count today; None if it does."""
        return next((missing for check in _CHECKS if (missing := check(self))), None)

    def is_admitted(self) -> bool:
        """Whether the organisation may use the right today, as far as that needs the owner's admission."""
        return self.right.approval != "organisation" or bool(self._admitting())

    def missing(self, reason: Reason, on: date | None = None) -> Missing:
        """What is missing, said of this right and organisation."""
        right, organisation = self.right, self.relation.organisation
        acr = right.minimum_acr if reason is Reason.LEVEL_TOO_LOW else None
        return Missing(
            reason=reason,
            organisation=organisation,
            right_id=right.id,
            right_name=right.name,
            on=on,
            minimum_acr=acr,
        )

    def _admitting(self) -> list[Admission]:
        return [a for a in self.admissions if a.is_valid_on(self.today)]


def relation_refusal(relation: WorkRelation, today: date) -> Missing | None:
    """Why nothing on this work relation counts today: the organisation or the relation has ended, or not begun."""
    organisation = relation.organisation
    if organisation.has_ended_on(today):
        return Missing(reason=Reason.ORGANISATION_ENDED, organisation=organisation, on=organisation.end_on)
    if relation.has_ended_on(today):
        return Missing(reason=Reason.WORK_RELATION_ENDED, organisation=organisation, on=relation.end_on)
    if not (relation.is_valid_on(today) and organisation.is_valid_on(today)):
        begins_on = latest(*(d for d in (relation.begin_on, organisation.begin_on) if d))
        return Missing(reason=Reason.WORK_RELATION_NOT_BEGUN, organisation=organisation, on=begins_on)
    return None


def _work_relation(case: Case) -> Missing | None:
    return relation_refusal(case.relation, case.today)


def _not_voided(case: Case) -> Missing | None:
    return case.missing(Reason.NO_RIGHT) if case.grant.voided else None


def _open_to_target_group(case: Case) -> Missing | None:
    is_open = case.relation.organisation.target_group in case.right.target_groups
    return None if is_open else case.missing(Reason.NO_RIGHT)


def _has_context(case: Case) -> Missing | None:
    # A right with contexts means nothing without one: a bare role would be read as "all of them".
    is_bare = case.right.context != "none" and not case.contexts
    return case.missing(Reason.NO_RIGHT) if is_bare else None


def _not_ended(case: Case) -> Missing | None:
    return case.missing(Reason.RIGHT_ENDED, case.grant.end_on) if case.grant.has_ended_on(case.today) else None


def _approved(case: Case) -> Missing | None:
    if case.grant.approval == "refused":
        return case.missing(Reason.REFUSED)
    is_due = case.right.approval == "grant" and case.grant.approval != "approved"
    return case.missing(Reason.WAITING_FOR_APPROVAL) if is_due or case.grant.approval == "waiting" else None


def _admitted(case: Case) -> Missing | None:
    return None if case.is_admitted() else case.missing(Reason.ORGANISATION_NOT_ADMITTED)


def _begun(case: Case) -> Missing | None:
    is_valid = case.grant.is_valid_on(case.today)
    return None if is_valid else case.missing(Reason.RIGHT_NOT_BEGUN, case.grant.begin_on)


def _level_reached(case: Case) -> Missing | None:
    minimum = case.right.minimum_acr
    return None if not minimum or minimum in case.reached else case.missing(Reason.LEVEL_TOO_LOW)


_CHECKS: tuple[Callable[[Case], Missing | None], ...] = (
    _work_relation,
    _not_voided,
    _open_to_target_group,
    _has_context,
    _not_ended,
    _approved,
    _admitted,
    _begun,
    _level_reached,
)
