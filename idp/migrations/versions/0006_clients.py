"""Clients by what is asked of them: which changed, which registered themselves, which are gone; and what has ended.

Promises: what was registered before stays as it was.
"""

import json
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LONGEST_ORIGIN = 300

counter = sa.table("revision", sa.column("kind"), sa.column("number"))
client = sa.table(
    "client",
    *(sa.column(name) for name in ("client_id", "body", "is_self_registered", "issued_at", "expires_at")),
)
client_origin = sa.table("client_origin", sa.column("client_id"), sa.column("origin"))


def upgrade() -> None:
    """Make the columns and the table, and fill them."""
    add_columns()
    op.create_table(
        "client_origin",
        sa.Column("client_id", sa.String(200), primary_key=True),
        sa.Column("origin", sa.String(LONGEST_ORIGIN), primary_key=True),
    )
    op.create_index("ix_client_origin_origin", "client_origin", ["origin"])
    op.create_index("ix_session_expires_at", "session", ["expires_at"])
    op.create_index("ix_grant_record_expires_at", "grant_record", ["expires_at"])
    op.create_index("ix_refresh_token_expires_at", "refresh_token", ["expires_at"])
    fill()
    # There from the beginning, so that two who change the first clients at once count one after the other.
    if op.get_bind().scalar(sa.select(counter.c.number).where(counter.c.kind == "client")) is None:
        op.execute(sa.insert(counter).values(kind="client", number=0))


def add_columns() -> None:
    """What stands beside the body."""
    op.add_column("client", sa.Column("number", sa.Integer, nullable=False, server_default="0"))
    op.add_column("client", sa.Column("is_self_registered", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("client", sa.Column("issued_at", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("client", sa.Column("expires_at", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("client", sa.Column("removed_at", sa.BigInteger))
    op.create_index("ix_client_number", "client", ["number"])
    op.create_index("ix_client_is_self_registered", "client", ["is_self_registered", "issued_at"])


def fill() -> None:
    """Those that registered themselves say so in their body."""
    connection = op.get_bind()
    for row in connection.execute(sa.select(client.c.client_id, client.c.body)).all():
        body = read(row.body)
        if body.get("is_self_registered"):
            values = {name: body.get(name, 0) for name in ("issued_at", "expires_at")}
            mine = sa.update(client).where(client.c.client_id == row.client_id)
            connection.execute(mine.values(is_self_registered=sa.true(), **values))
            # No host has a longer name; one that could be registered all the same must not stop the upgrade.
            origins = [one for one in sorted(origins_of(body)) if len(one) <= LONGEST_ORIGIN]
            rows = [{"client_id": row.client_id, "origin": one} for one in origins]
            if rows:
                connection.execute(sa.insert(client_origin), rows)


def read(body: bytes) -> dict[str, Any]:
    """A client as it was kept; empty if it cannot be read: such a one is left out by whoever reads it later."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def origins_of(body: dict[str, Any]) -> set[str]:
    """The origins of a public client, as browsers write them."""
    if body.get("token_endpoint_auth_method") != "none":
        return set()
    parts = [urlsplit(uri) for uri in body.get("redirect_uris", [])]
    usual = {"http": ":80", "https": ":443"}
    return {
        f"{one.scheme}://{one.netloc.lower().removesuffix(usual[one.scheme])}" for one in parts if one.scheme in usual
    }
