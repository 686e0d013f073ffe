"""What the provider keeps: tickets, clients, signing keys, sessions, grants, refresh tokens, and digital keys.

Promises: the same tables on SQLite and PostgreSQL, each with the indexes that it is searched by.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    make_ticket()
    make_credential()
    make_client()
    make_signing_key()
    make_session()
    make_grant_record()
    make_refresh_token()
    make_last_choice()


def make_ticket() -> None:
    """Tickets of every kind."""
    op.create_table(
        "ticket",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_ticket_ends_at", "ticket", ["ends_at"])


def make_credential() -> None:
    """Digital keys that people have."""
    op.create_table(
        "credential",
        sa.Column("person_key", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("secret", sa.LargeBinary),
        sa.Column("destination", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
    )


def make_client() -> None:
    """Registered clients, and the counter of changes."""
    op.create_table(
        "client",
        sa.Column("client_id", sa.String(200), primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "revision",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )


def make_signing_key() -> None:
    """Signing keys, sealed."""
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(64), primary_key=True),
        sa.Column("alg", sa.String(16), nullable=False),
        sa.Column("private_key", sa.LargeBinary, nullable=False),
        sa.Column("active_at", sa.BigInteger, nullable=False),
    )


def make_session() -> None:
    """Signed-in browsers."""
    op.create_table(
        "session",
        sa.Column("sid", sa.String(64), primary_key=True),
        sa.Column("cookie_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("browser_id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_session_person_id", "session", ["person_id"])
    op.create_index("ix_session_browser_id", "session", ["browser_id"])


def make_grant_record() -> None:
    """What clients were given."""
    op.create_table(
        "grant_record",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("client_id", sa.String(200), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("sid", sa.String(64), nullable=False),
        sa.Column("offline", sa.Boolean, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_grant_record_sid", "grant_record", ["sid"])
    op.create_index("ix_grant_record_person_id", "grant_record", ["person_id"])


def make_refresh_token() -> None:
    """Refresh tokens, by hash."""
    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("grant_id", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_index("ix_refresh_token_grant_id", "refresh_token", ["grant_id"])


def make_last_choice() -> None:
    """The identity that a person chose last, by client."""
    op.create_table(
        "last_choice",
        sa.Column("person_id", sa.String(36), primary_key=True),
        sa.Column("client_id", sa.String(200), primary_key=True),
        sa.Column("identity", sa.String(200), nullable=False),
    )
