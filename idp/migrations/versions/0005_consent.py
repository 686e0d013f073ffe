"""Consents: what each person has allowed each application.

Promises: found by person and client.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "consent",
        sa.Column("person_id", sa.String(36), primary_key=True),
        sa.Column("client_id", sa.String(200), primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
