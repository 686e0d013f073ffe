"""A Grant counts its refresh tokens: which one is the newest, and when it came.

Promises: the table of refresh tokens goes, since nothing of one is kept any more; those that were given before end.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two columns, and drop the table."""
    op.add_column("grant_record", sa.Column("refresh_number", sa.Integer))
    op.add_column("grant_record", sa.Column("refreshed_at", sa.BigInteger))
    op.drop_table("refresh_token")
