"""The tables of the durable records, and the few questions that they share.

A record's value stands encoded in `body`; beside it stand only the columns that a query needs. Must not know: what a
record means.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    Executable,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)
from sqlalchemy.dialects import postgresql, sqlite

metadata = MetaData()

client = Table(
    "client",
    metadata,
    Column("client_id", String(200), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("number", Integer, nullable=False),
    Column("is_self_registered", Boolean, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    Index("ix_client_number", "number"),
    Index("ix_client_is_self_registered", "is_self_registered", "issued_at"),
)
"""`number` is that of the last change (`revision`); a removed client stays for a while, so that every process hears."""

client_origin = Table(
    "client_origin",
    metadata,
    Column("client_id", String(200), primary_key=True),
    Column("origin", String(300), primary_key=True),
    Index("ix_client_origin_origin", "origin"),
)
"""The origins of public clients that registered themselves: those are not all held in memory."""

signing_key = Table(
    "signing_key",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("alg", String(16), nullable=False),
    Column("private_key", LargeBinary, nullable=False),
    Column("active_at", BigInteger, nullable=False),
)

upstream_key = Table(
    "upstream_key",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("alg", String(16), nullable=False),
    Column("private_key", LargeBinary, nullable=False),
    Column("active_at", BigInteger, nullable=False),
)
"""Our keys towards the providers that we rely on ourselves."""

revision = Table(
    "revision",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("number", Integer, nullable=False),
)
"""Counts the changes of a kind, so that a process knows with one small read whether what it holds is still true."""

session = Table(
    "session",
    metadata,
    Column("sid", String(64), primary_key=True),
    Column("cookie_hash", String(64), nullable=False, unique=True),
    Column("person_id", String(36), nullable=False),
    Column("browser_id", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("body", LargeBinary, nullable=False),
    Index("ix_session_person_id", "person_id"),
    Index("ix_session_browser_id", "browser_id"),
    Index("ix_session_expires_at", "expires_at"),
)

grant = Table(
    "grant_record",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("client_id", String(200), nullable=False),
    Column("person_id", String(36), nullable=False),
    Column("sid", String(64), nullable=False),
    Column("offline", Boolean, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("body", LargeBinary, nullable=False),
    Column("refresh_number", Integer),
    Column("refreshed_at", BigInteger),
    Index("ix_grant_record_sid", "sid"),
    Index("ix_grant_record_person_id", "person_id"),
    Index("ix_grant_record_client_id", "client_id"),
    Index("ix_grant_record_expires_at", "expires_at"),
)
"""`refresh_number` is that of the newest refresh token (null: there is none), `refreshed_at` when it became that."""

last_choice = Table(
    "last_choice",
    metadata,
    Column("person_id", String(36), primary_key=True),
    Column("client_id", String(200), primary_key=True),
    Column("identity", String(200), nullable=False),
)
"""The identity that a person chose last for a client: shown first the next time, also in another browser."""

consent = Table(
    "consent",
    metadata,
    Column("person_id", String(36), primary_key=True),
    Column("client_id", String(200), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("client_id", String(200), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Index("ix_outbox_due_at", "due_at"),
)

initial_access_token = Table(
    "initial_access_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("uses_left", Integer, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)


def insert_new(engine: Engine, table: Table) -> Executable:
    """An insert that touches no row where one of that key is there already."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()
