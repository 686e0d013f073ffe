"""The statements that the directory asks with, each built once.

Promises: everything that decides what one person may do in one application is one statement of five indexed branches,
the same on SQLite and PostgreSQL, all with the columns of SHAPE. Must not know: what the answers mean.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    cast,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement

from idm import model

PERSON_ID = bindparam("person_id", type_=String)
APPLICATION_ID = bindparam("application_id", type_=String)

# The columns that every branch has, in this order; a branch that lacks one gives null under a cast, since PostgreSQL
# types a bare null as text.
SHAPE: dict[str, Any] = {
    "kind": String,
    "id": String,
    "begin_on": Date,
    "end_on": Date,
    "label": String,
    "phone": String,
    "email": String,
    "number": Integer,
    "grant_id": String,
    "right_id": String,
    "contexts": JSON,
    "grant_begin_on": Date,
    "grant_end_on": Date,
    "granted_by": String,
    "approval": String,
    "voided": Boolean,
    "organisation_id": String,
    "organisation_name": String,
    "target_group": String,
    "code": String,
    "kbo": String,
    "ovo": String,
    "juridical_form": String,
    "organisation_begin_on": Date,
    "organisation_end_on": Date,
}


# Named by a subquery and not by a join: a join may be begun at its other end, with every grant of the application.
_RIGHT_IDS = select(model.ApplicationRight.id).where(model.ApplicationRight.application_id == APPLICATION_ID)


def _branch(kind: str, **columns: ColumnElement[Any] | Any) -> Select[Any]:
    given = {"kind": literal(kind, String), **columns}
    shaped = (given.get(name, cast(null(), type_)).label(name) for name, type_ in SHAPE.items())
    return select(*shaped)


def _of_organisation() -> dict[str, Any]:
    organisation = model.Organisation
    return {
        "organisation_id": organisation.id,
        "organisation_name": organisation.name,
        "target_group": organisation.target_group,
        "code": organisation.code,
        "kbo": organisation.kbo,
        "ovo": organisation.ovo,
        "juridical_form": organisation.juridical_form,
        "organisation_begin_on": organisation.begin_on,
        "organisation_end_on": organisation.end_on,
    }


def _relations() -> Select[Any]:
    relation, grant = model.WorkRelation, model.RightGrant
    columns = _branch(
        "relation",
        id=relation.id,
        begin_on=relation.begin_on,
        end_on=relation.end_on,
        label=relation.category,
        phone=relation.phone,
        email=relation.email,
        grant_id=grant.id,
        right_id=grant.right_id,
        contexts=grant.contexts,
        grant_begin_on=grant.begin_on,
        grant_end_on=grant.end_on,
        granted_by=grant.granted_by,
        approval=grant.approval,
        voided=grant.voided,
        **_of_organisation(),
    )
    of_person = columns.select_from(relation).join(
        model.Organisation, model.Organisation.id == relation.organisation_id
    )
    return of_person.outerjoin(
        grant, and_(grant.work_relation_id == relation.id, grant.right_id.in_(_RIGHT_IDS))
    ).where(relation.person_id == PERSON_ID)


def _functions() -> Select[Any]:
    function = model.KboFunction
    columns = _branch(
        "function",
        id=function.code,
        begin_on=function.begin_on,
        end_on=function.end_on,
        label=function.description,
        number=function.type,
        **_of_organisation(),
    )
    of_person = columns.select_from(function).where(function.person_id == PERSON_ID)
    return of_person.join(model.Organisation, model.Organisation.id == function.organisation_id)


def _appointments() -> Select[Any]:
    appointment = model.BtbAppointment
    columns = _branch(
        "appointment",
        id=appointment.appointed_by,
        begin_on=appointment.begin_on,
        end_on=appointment.end_on,
        **_of_organisation(),
    )
    of_person = columns.select_from(appointment).where(appointment.person_id == PERSON_ID)
    return of_person.join(model.Organisation, model.Organisation.id == appointment.organisation_id)


def _admissions() -> Select[Any]:
    admission, relation = model.Admission, model.WorkRelation
    columns = _branch(
        "admission",
        organisation_id=admission.organisation_id,
        right_id=admission.right_id,
        begin_on=admission.begin_on,
        end_on=admission.end_on,
    )
    theirs = select(relation.organisation_id).where(relation.person_id == PERSON_ID)
    return columns.where(admission.organisation_id.in_(theirs), admission.right_id.in_(_RIGHT_IDS))


def _revision() -> Select[Any]:
    application = model.Application
    return _branch("application", id=application.id, number=application.revision).where(
        application.id == APPLICATION_ID
    )


FACTS = union_all(_revision(), _relations(), _functions(), _appointments(), _admissions())

PERSON = select(model.Person.__table__).where(model.Person.id == bindparam("_id"))
PERSON_OF_NUMBER = select(model.Person.__table__).where(model.Person.national_number_hash == bindparam("_hash"))
ORGANISATION = select(model.Organisation.__table__).where(model.Organisation.id == bindparam("_id"))

APPLICATION = select(model.Application.__table__).where(model.Application.id == APPLICATION_ID)

RIGHTS = (
    select(model.ApplicationRight.__table__)
    .where(model.ApplicationRight.application_id == APPLICATION_ID)
    .order_by(model.ApplicationRight.id)
)


def administrators(right_id: str) -> Select[str, str, str, str, str]:
    """Who holds that right on `today`, for `organisation_ids`: name, work e-mail and organisation."""
    relation, grant = model.WorkRelation, model.RightGrant
    person, organisation = model.Person, model.Organisation
    today = bindparam("today", type_=Date)
    named = (organisation.id.label("organisation_id"), organisation.name.label("organisation_name"))
    return (
        select(person.given_name, person.family_name, relation.email, *named)
        .select_from(relation)
        .join(grant, and_(grant.work_relation_id == relation.id, grant.right_id == right_id))
        .join(person, person.id == relation.person_id)
        .join(organisation, organisation.id == relation.organisation_id)
        .where(
            relation.organisation_id.in_(bindparam("organisation_ids", expanding=True)),
            grant.voided.is_(False),
            grant.approval.in_(("none", "approved")),
            *(_valid(dated, today) for dated in (relation, grant, organisation)),
        )
        .order_by(organisation.name, person.family_name, person.given_name)
        .distinct()
    )


def _valid(dated: Any, today: ColumnElement[Any]) -> ColumnElement[bool]:
    begun = or_(dated.begin_on.is_(None), dated.begin_on <= today)
    return and_(begun, or_(dated.end_on.is_(None), dated.end_on >= today))
