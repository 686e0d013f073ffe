"""The tables of IDM: persons, organisations, work relations, applications, rights, grants, functions, appointments.

Promises: days are inclusive at both ends and no end means open; an empty string means unknown; nothing is deleted but
ended. Every foreign key that a person's or an organisation's facts are found by has an index. Decides nothing.
"""

from datetime import date
from typing import Any, ClassVar
from uuid import uuid4

from sqlalchemy import (
    JSON,
    Connection,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    event,
    update,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, mapped_column

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def new_id() -> str:
    """A random identifier that tells nothing (UUID 4)."""
    return str(uuid4())


class Entity(DeclarativeBase):
    """A table of IDM."""

    metadata = METADATA
    type_annotation_map: ClassVar[dict[Any, Any]] = {date: Date, list[Any]: JSON, bytes: LargeBinary}

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)


class Person(Entity):
    """`id` is vo_id; the number is kept sealed, and found by its keyed hash."""

    __tablename__ = "person"

    subject: Mapped[str] = mapped_column(String(40), unique=True)
    national_number_hash: Mapped[str] = mapped_column(String(64), unique=True)
    national_number_sealed: Mapped[bytes]
    has_test_number: Mapped[bool] = mapped_column(index=True)
    given_name: Mapped[str] = mapped_column(default="")
    family_name: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(String(8), default="nl")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")


class Organisation(Entity):
    """`code` is its key within its target group: an enterprise number, OVO code or school number."""

    __tablename__ = "organisation"
    __table_args__ = (UniqueConstraint("target_group", "code"),)

    name: Mapped[str]
    target_group: Mapped[str] = mapped_column(String(8))
    code: Mapped[str] = mapped_column(String(40))
    kbo: Mapped[str] = mapped_column(String(10), default="", index=True)
    ovo: Mapped[str] = mapped_column(String(9), default="")
    juridical_form: Mapped[str] = mapped_column(String(8), default="")
    begin_on: Mapped[date | None]
    end_on: Mapped[date | None]


class WorkRelation(Entity):
    """A person works for an organisation; a person may have several."""

    __tablename__ = "work_relation"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    category: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    begin_on: Mapped[date]
    end_on: Mapped[date | None]
    reason: Mapped[str] = mapped_column(default="")


class Application(Entity):
    """What people sign in to. `revision` rises whenever the application or one of its rights changes."""

    __tablename__ = "application"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    owner_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    description: Mapped[str] = mapped_column(default="")
    requires: Mapped[str] = mapped_column(String(32), default="")
    revision: Mapped[int] = mapped_column(default=0)


class ApplicationRight(Entity):
    """What may be granted; `context`, `approval` and the rest as in idm.facts.Right."""

    __tablename__ = "application_right"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    application_id: Mapped[str] = mapped_column(ForeignKey("application.id"), index=True)
    name: Mapped[str]
    role: Mapped[str]
    context: Mapped[str] = mapped_column(String(16), default="none")
    contexts: Mapped[list[Any]] = mapped_column(default=list)
    contexts_are_rights: Mapped[bool] = mapped_column(default=False)
    target_groups: Mapped[list[Any]] = mapped_column(default=list)
    max_days: Mapped[int | None]
    approval: Mapped[str] = mapped_column(String(16), default="none")
    minimum_acr: Mapped[str | None]
    is_system: Mapped[bool] = mapped_column(default=False)


class Admission(Entity):
    """The application owner lets an organisation use a right."""

    __tablename__ = "admission"
    __table_args__ = (Index(None, "organisation_id", "right_id"),)

    right_id: Mapped[str] = mapped_column(ForeignKey("application_right.id"), index=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    begin_on: Mapped[date]
    end_on: Mapped[date | None]


class RightGrant(Entity):
    """A right given on a work relation. `voided`: it was wrong and counts as never valid."""

    __tablename__ = "right_grant"
    __table_args__ = (Index(None, "work_relation_id", "right_id"),)

    work_relation_id: Mapped[str] = mapped_column(ForeignKey("work_relation.id"))
    right_id: Mapped[str] = mapped_column(ForeignKey("application_right.id"), index=True)
    contexts: Mapped[list[Any]] = mapped_column(default=list)
    begin_on: Mapped[date]
    end_on: Mapped[date | None]
    granted_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"), index=True)
    approval: Mapped[str] = mapped_column(String(16), default="none")
    voided: Mapped[bool] = mapped_column(default=False)


class KboFunction(Entity):
    """A function of a person in an enterprise, as the KBO has it; type 1 is a legal function."""

    __tablename__ = "kbo_function"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    code: Mapped[str] = mapped_column(String(8))
    type: Mapped[int]
    description: Mapped[str] = mapped_column(default="")
    begin_on: Mapped[date]
    end_on: Mapped[date | None]


class BtbAppointment(Entity):
    """A chief access manager (HTB), as the BTB has it."""

    __tablename__ = "btb_appointment"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    appointed_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"), index=True)
    begin_on: Mapped[date]
    end_on: Mapped[date | None]


# Whoever keeps a catalogue in memory compares revisions. Raised here, so that no verb can forget to.
@event.listens_for(Application, "before_update")
def _raise_own(_mapper: Mapper[Any], _connection: Connection, application: Application) -> None:
    application.revision = Application.revision + 1


@event.listens_for(ApplicationRight, "after_insert")
@event.listens_for(ApplicationRight, "after_update")
@event.listens_for(ApplicationRight, "after_delete")
def _raise_of_right(_mapper: Mapper[Any], connection: Connection, right: ApplicationRight) -> None:
    raised = update(Application).where(Application.id == right.application_id)
    connection.execute(raised.values(revision=Application.revision + 1))
