"""Who is who, and who may do what for whom: the nine tables of IDM.

Promises: the same tables on SQLite and PostgreSQL, each with the indexes that it is searched by.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.sql.schema import SchemaItem

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, those referred to first."""
    make_person()
    make_organisation()
    make_work_relation()
    make_application()
    make_application_right()
    make_admission()
    make_right_grant()
    make_kbo_function()
    make_btb_appointment()


def downgrade() -> None:
    """Drop the tables, those that refer first."""
    for table in ("btb_appointment", "kbo_function", "right_grant", "admission", "application_right"):
        op.drop_table(table)
    for table in ("application", "work_relation", "organisation", "person"):
        op.drop_table(table)


def make_person() -> None:
    """Persons, found by the keyed hash of their number."""
    make(
        "person",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("national_number_hash", sa.String(64), nullable=False),
        sa.Column("national_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("has_test_number", sa.Boolean(), nullable=False),
        *texts("given_name", "family_name"),
        sa.Column("locale", sa.String(8), nullable=False),
        *texts("phone", "email"),
        unique("person", "subject"),
        unique("person", "national_number_hash"),
    )
    index("person", ["has_test_number"])


def make_organisation() -> None:
    """Organisations, one a code in each target group."""
    make(
        "organisation",
        sa.Column("id", sa.String(36), nullable=False),
        *texts("name"),
        sa.Column("target_group", sa.String(8), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("kbo", sa.String(10), nullable=False),
        sa.Column("ovo", sa.String(9), nullable=False),
        sa.Column("juridical_form", sa.String(8), nullable=False),
        sa.Column("begin_on", sa.Date(), nullable=True),
        sa.Column("end_on", sa.Date(), nullable=True),
        unique("organisation", "target_group", "code"),
    )
    index("organisation", ["kbo"])


def make_work_relation() -> None:
    """Work relations of persons with organisations."""
    make(
        "work_relation",
        sa.Column("id", sa.String(36), nullable=False),
        *refer("work_relation", "person_id", "person.id"),
        *refer("work_relation", "organisation_id", "organisation.id"),
        *texts("category", "phone", "email"),
        *dated(),
        *texts("reason"),
    )
    index("work_relation", ["person_id"])
    index("work_relation", ["organisation_id"])


def make_application() -> None:
    """Applications and the organisations that own them."""
    make(
        "application",
        sa.Column("id", sa.String(64), nullable=False),
        *texts("name"),
        *refer("application", "owner_id", "organisation.id"),
        *texts("description"),
        sa.Column("requires", sa.String(32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
    )
    index("application", ["owner_id"])


def make_application_right() -> None:
    """The rights of applications."""
    make(
        "application_right",
        sa.Column("id", sa.String(64), nullable=False),
        *refer("application_right", "application_id", "application.id", length=64),
        *texts("name", "role"),
        sa.Column("context", sa.String(16), nullable=False),
        sa.Column("contexts", sa.JSON(), nullable=False),
        sa.Column("contexts_are_rights", sa.Boolean(), nullable=False),
        sa.Column("target_groups", sa.JSON(), nullable=False),
        sa.Column("max_days", sa.Integer(), nullable=True),
        sa.Column("approval", sa.String(16), nullable=False),
        sa.Column("minimum_acr", sa.String(), nullable=True),
        sa.Column("is_system", sa.Boolean(), nullable=False),
    )
    index("application_right", ["application_id"])


def make_admission() -> None:
    """Organisations that may use a right."""
    make(
        "admission",
        sa.Column("id", sa.String(36), nullable=False),
        *refer("admission", "right_id", "application_right.id", length=64),
        *refer("admission", "organisation_id", "organisation.id"),
        *dated(),
    )
    index("admission", ["right_id"])
    index("admission", ["organisation_id", "right_id"])


def make_right_grant() -> None:
    """Rights given on work relations."""
    make(
        "right_grant",
        sa.Column("id", sa.String(36), nullable=False),
        *refer("right_grant", "work_relation_id", "work_relation.id"),
        *refer("right_grant", "right_id", "application_right.id", length=64),
        sa.Column("contexts", sa.JSON(), nullable=False),
        *dated(),
        *refer("right_grant", "granted_by", "person.id", nullable=True),
        sa.Column("approval", sa.String(16), nullable=False),
        sa.Column("voided", sa.Boolean(), nullable=False),
    )
    index("right_grant", ["right_id"])
    index("right_grant", ["granted_by"])
    index("right_grant", ["work_relation_id", "right_id"])


def make_kbo_function() -> None:
    """Functions of persons in enterprises."""
    make(
        "kbo_function",
        sa.Column("id", sa.String(36), nullable=False),
        *refer("kbo_function", "person_id", "person.id"),
        *refer("kbo_function", "organisation_id", "organisation.id"),
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        *texts("description"),
        *dated(),
    )
    index("kbo_function", ["person_id"])
    index("kbo_function", ["organisation_id"])


def make_btb_appointment() -> None:
    """Chief access managers of enterprises."""
    make(
        "btb_appointment",
        sa.Column("id", sa.String(36), nullable=False),
        *refer("btb_appointment", "person_id", "person.id"),
        *refer("btb_appointment", "organisation_id", "organisation.id"),
        *refer("btb_appointment", "appointed_by", "person.id", nullable=True),
        *dated(),
    )
    index("btb_appointment", ["person_id"])
    index("btb_appointment", ["organisation_id"])
    index("btb_appointment", ["appointed_by"])


def make(table: str, *items: SchemaItem) -> None:
    """A table whose primary key is `id`."""
    op.create_table(table, *items, sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")))


def texts(*names: str) -> list[SchemaItem]:
    """Columns of text, never null: unknown is the empty string."""
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def dated() -> list[SchemaItem]:
    """The first and the last day; no last day means open."""
    return [sa.Column("begin_on", sa.Date(), nullable=False), sa.Column("end_on", sa.Date(), nullable=True)]


def refer(table: str, column: str, target: str, *, nullable: bool = False, length: int = 36) -> list[SchemaItem]:
    """A column that refers to another table's id."""
    key = sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))
    return [sa.Column(column, sa.String(length), nullable=nullable), key]


def unique(table: str, *columns: str) -> SchemaItem:
    """What may stand in the table only once."""
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def index(table: str, columns: Sequence[str]) -> None:
    """What the table is searched by."""
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
