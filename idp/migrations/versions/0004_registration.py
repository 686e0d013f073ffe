"""Initial access tokens, by which applications register themselves.

Promises: found by hash alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "initial_access_token",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("uses_left", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_grant_record_client_id", "grant_record", ["client_id"])
