"""Rows of the database into the values of idm.facts.

Promises: a person's rows become one Facts, with the grants gathered under their work relation. Decides nothing, and
asks the database nothing.
"""

from collections.abc import Iterable
from typing import Any

from idm.facts import (
    Administrator,
    Admission,
    Application,
    BtbAppointment,
    Context,
    Facts,
    Grant,
    KboFunction,
    Organisation,
    Right,
    WorkRelation,
)


def facts_of(rows: Iterable[Any], application: Application | None) -> Facts:
    """What the rows of `queries.FACTS` say, with the application that they were asked for."""
    of_kind: dict[str, list[Any]] = {}
    for row in rows:
        of_kind.setdefault(row.kind, []).append(row)
    return Facts(
        application=application,
        relations=_relations(of_kind.get("relation", [])),
        functions=tuple(_function(row) for row in of_kind.get("function", [])),
        appointments=tuple(_appointment(row) for row in of_kind.get("appointment", [])),
        admissions=tuple(_admission(row) for row in of_kind.get("admission", [])),
    )


def organisation_of(row: Any) -> Organisation:
    """The organisation of a row of the table."""
    return Organisation(
        id=row.id,
        name=row.name,
        target_group=row.target_group,
        code=row.code,
        kbo=row.kbo,
        ovo=row.ovo,
        juridical_form=row.juridical_form,
        begin_on=row.begin_on,
        end_on=row.end_on,
    )


def administrator_of(row: Any) -> Administrator:
    """The administrator of a row of `queries.administrators`."""
    name = f"{row.given_name} {row.family_name}".strip()
    return Administrator(name, row.email, row.organisation_id, row.organisation_name)


def application_of(row: Any, rights: Iterable[Any]) -> Application:
    """The application of a row of the table, with the rows of its rights."""
    return Application(
        id=row.id,
        name=row.name,
        owner_id=row.owner_id,
        description=row.description,
        requires=row.requires,
        rights=tuple(_right(right) for right in rights),
    )


def _right(row: Any) -> Right:
    return Right(
        id=row.id,
        name=row.name,
        role=row.role,
        context=row.context,
        contexts=tuple(Context(c["id"], c["name"]) for c in row.contexts),
        contexts_are_rights=row.contexts_are_rights,
        target_groups=frozenset(row.target_groups),
        max_days=row.max_days,
        approval=row.approval,
        minimum_acr=row.minimum_acr,
        is_system=row.is_system,
    )


def _relations(rows: list[Any]) -> tuple[WorkRelation, ...]:
    of_relation: dict[str, list[Any]] = {}
    for row in rows:
        of_relation.setdefault(row.id, []).append(row)
    return tuple(_relation(gathered) for gathered in of_relation.values())


def _relation(rows: list[Any]) -> WorkRelation:
    first = rows[0]
    return WorkRelation(
        id=first.id,
        organisation=_joined_organisation(first),
        category=first.label,
        phone=first.phone,
        email=first.email,
        begin_on=first.begin_on,
        end_on=first.end_on,
        grants=tuple(_grant(row) for row in rows if row.grant_id is not None),
    )


def _grant(row: Any) -> Grant:
    return Grant(
        id=row.grant_id,
        right_id=row.right_id,
        contexts=tuple(row.contexts),
        begin_on=row.grant_begin_on,
        end_on=row.grant_end_on,
        granted_by=row.granted_by or "",
        approval=row.approval,
        voided=row.voided,
    )


def _function(row: Any) -> KboFunction:
    return KboFunction(
        organisation=_joined_organisation(row),
        code=row.id,
        type=row.number,
        description=row.label,
        begin_on=row.begin_on,
        end_on=row.end_on,
    )


def _appointment(row: Any) -> BtbAppointment:
    return BtbAppointment(
        organisation=_joined_organisation(row),
        appointed_by=row.id or "",
        begin_on=row.begin_on,
        end_on=row.end_on,
    )


def _admission(row: Any) -> Admission:
    return Admission(
        organisation_id=row.organisation_id, right_id=row.right_id, begin_on=row.begin_on, end_on=row.end_on
    )


def _joined_organisation(row: Any) -> Organisation:
    return Organisation(
        id=row.organisation_id,
        name=row.organisation_name,
        target_group=row.target_group,
        code=row.code,
        kbo=row.kbo,
        ovo=row.ovo,
        juridical_form=row.juridical_form,
        begin_on=row.organisation_begin_on,
        end_on=row.organisation_end_on,
    )
