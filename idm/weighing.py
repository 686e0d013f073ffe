"""The weighing of one person's grants in one application: per organisation, the roles that count and what is missing.

Promises: every grant is judged once; per right only the most helpful reason is told, and none of a right that counts.
Must not know: the database, clients, claims, or what day it is.
"""

from collections.abc import Container, Iterable, Iterator
from datetime import date

from idm.authority import Authority, authorities_of
from idm.facts import Admission, Application, Facts, Right, WorkRelation
from idm.grants import Case, relation_refusal
from idm.identity import RANK, Identity, Missing, Reason, Role, earliest, latest


class Weighing:
    """One pass over a person's facts on a day, for a session that reaches these levels."""

    def __init__(self, facts: Facts, application: Application, *, today: date, reached: Container[str]) -> None:
        self._rights = {right.id: right for right in application.rights}
        self._today = today
        self._reached = reached
        self._authorities = authorities_of(facts, today)
        self._admissions = _by_right(facts.admissions)
        self._relations = _by_organisation(facts.relations)
        self._counted: dict[str, list[Case]] = {}
        self._refused: dict[str, list[Missing]] = {}
        for organisation_id, relations in self._relations.items():
            self._judge(organisation_id, relations)

    def identities(self) -> Iterator[Identity]:
        """An identity for each organisation for which at least one right counts."""
        for organisation_id, cases in self._counted.items():
            yield identity_of(cases, self._authorities.get(organisation_id))

    def missing(self) -> Iterator[Missing]:
        """What is missing: per right that was granted, or per organisation where none was."""
        for organisation_id, relations in self._relations.items():
            refused = self._refused.get(organisation_id)
            if refused:
                yield from _one_per_right(refused)
            elif organisation_id not in self._counted:
                yield self._without_grant(relations)

    def _judge(self, organisation_id: str, relations: list[WorkRelation]) -> None:
        verdicts = [(case, case.refusal()) for case in self._cases(relations)]
        counted = [case for case, refusal in verdicts if refusal is None]
        held = {case.right.id for case in counted}
        refused = [_about(case, refusal) for case, refusal in verdicts if refusal and case.right.id not in held]
        if counted:
            self._counted[organisation_id] = counted
        if refused:
            self._refused[organisation_id] = refused

    def _cases(self, relations: Iterable[WorkRelation]) -> Iterator[Case]:
        for relation in relations:
            for grant in relation.grants:
                right = self._rights.get(grant.right_id)
                if right is not None:
                    yield Case(
                        relation=relation,
                        right=right,
                        grant=grant,
                        admissions=self._admitted(relation, right),
                        today=self._today,
                        reached=self._reached,
                    )

    def _admitted(self, relation: WorkRelation, right: Right) -> tuple[Admission, ...]:
        return tuple(self._admissions.get((relation.organisation.id, right.id), ()))

    def _without_grant(self, relations: list[WorkRelation]) -> Missing:
        refusals = [relation_refusal(relation, self._today) for relation in relations]
        working = [relation for relation, refusal in zip(relations, refusals, strict=True) if refusal is None]
        if working:
            return self._ungranted(working[0])
        return min((r for r in refusals if r is not None), key=lambda r: RANK[r.reason])

    def _ungranted(self, relation: WorkRelation) -> Missing:
        organisation = relation.organisation
        offered = [r for r in self._rights.values() if organisation.target_group in r.target_groups]
        usable = [r for r in offered if self._may_use(relation, r)]
        reason = Reason.ORGANISATION_NOT_ADMITTED if offered and not usable else Reason.NO_RIGHT
        named = usable or offered
        if len(named) != 1:
            return Missing(reason=reason, organisation=organisation)
        return Missing(reason=reason, organisation=organisation, right_id=named[0].id, right_name=named[0].name)

    def _may_use(self, relation: WorkRelation, right: Right) -> bool:
        admitted = any(a.is_valid_on(self._today) for a in self._admitted(relation, right))
        return admitted or right.approval != "organisation"


def identity_of(cases: list[Case], authority: Authority | None) -> Identity:
    """The identity that these grants of one organisation, all of which count, give together."""
    organisation = cases[0].relation.organisation
    roles = tuple(_roles(cases))
    # A token may tell of the legal function too (wv_orgcode), so it may not outlive that either.
    legal = [authority.legal_until] if authority and authority.functions else []
    return Identity(
        target_group=organisation.target_group,
        code=organisation.code,
        organisation=organisation,
        work_email=next((c.relation.email for c in cases if c.relation.email), ""),
        roles=roles,
        until=earliest(*(role.until for role in roles), *legal),
        lasts_until=latest(*(case.until for case in cases)),
        is_legal_representative=bool(legal),
        is_access_manager=bool(authority and authority.appointments),
    )


def _roles(cases: list[Case]) -> Iterator[Role]:
    for right in sorted({case.right.id: case.right for case in cases}.values(), key=lambda r: r.id):
        yield _role(right, [case for case in cases if case.right.id == right.id])


def _role(right: Right, cases: list[Case]) -> Role:
    ends = {context: _until(context, cases) for case in cases for context in case.contexts}
    order = [c.id for c in right.contexts if c.id in ends] or sorted(ends)
    names = {c.id: c.name for c in right.contexts}
    return Role(
        right_id=right.id,
        right_name=right.name,
        role=right.role,
        contexts=tuple(order),
        context_names=tuple(names.get(context, context) for context in order),
        until=earliest(*ends.values()) if ends else latest(*(case.until for case in cases)),
    )


def _until(context: str, cases: list[Case]) -> date | None:
    return latest(*(case.until for case in cases if context in case.contexts))


def _about(case: Case, refusal: Missing) -> Missing:
    return Missing(
        reason=refusal.reason,
        organisation=refusal.organisation,
        right_id=case.right.id,
        right_name=case.right.name,
        on=refusal.on,
        minimum_acr=refusal.minimum_acr,
    )


def _one_per_right(refused: list[Missing]) -> Iterator[Missing]:
    best: dict[str, Missing] = {}
    for missing in sorted(refused, key=lambda m: RANK[m.reason]):
        best.setdefault(missing.right_id, missing)
    yield from best.values()


def _by_right(admissions: Iterable[Admission]) -> dict[tuple[str, str], list[Admission]]:
    found: dict[tuple[str, str], list[Admission]] = {}
    for admission in admissions:
        found.setdefault((admission.organisation_id, admission.right_id), []).append(admission)
    return found


def _by_organisation(relations: Iterable[WorkRelation]) -> dict[str, list[WorkRelation]]:
    found: dict[str, list[WorkRelation]] = {}
    for relation in relations:
        found.setdefault(relation.organisation.id, []).append(relation)
    return found
