"""Dynamic registration: an application registers itself, and reads, changes or deletes what it registered (RFC 7591,
RFC 7592, OpenID Connect Dynamic Client Registration 1.0).

Promises: who may register is the operator's choice; afterwards each application reaches nothing but itself, and only
with the token that it was given. Must not know: what may be registered (`idp/registration.py`).
"""

import logging
from hmac import compare_digest
from typing import Any
from uuid import uuid4

import msgspec

from idp.client_authentication import SECRET_PURPOSE
from idp.clients import Client
from idp.errors import InvalidToken
from idp.flows.userinfo import TokenMissing
from idp.http import Answer, Request, json_answer
from idp.outbound import OutboundFailed
from idp.provider import Provider
from idp.registration import InvalidClientMetadata, read_registration, told
from idp.tickets import hash_of, new_secret

log = logging.getLogger(__name__)

DAY = 86400
NOT_SENT = ("client_id_issued_at", "client_secret_expires_at", "registration_access_token", "registration_client_uri")


MAXIMUM_METADATA = 16 * 1024
MAXIMUM_DEPTH = 6


class Registration:
    """`/op/v1/register`, and below it an address for each application that registered itself."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def register(self, request: Request) -> Answer:
        """Register an application; 201 with its id, and all that it has to know."""
        needed = self._initial_token(request)
        token, secret = new_secret(), new_secret()
        client = read_registration(metadata_of(request), kept=self._newcomer(token=token, secret=secret))
        self._check_sector(client)
        if not client.token_endpoint_auth_method.startswith("client_secret"):
            client, secret = msgspec.structs.replace(client, secret_hashes=()), ""
        if not self._provider.clients.register(client, token_hash=needed):
            raise InvalidToken("The initial access token is unknown, used up or expired.")
        log.info("registered: client=%s", client.client_id)
        return json_answer(self._answer(client, token=token, secret=secret), status=201)

    def read(self, request: Request) -> Answer:
        """What is registered (RFC 7592 §2.1). Its secret is kept as a hash, and so cannot be told again."""
        client = self._itself(request)
        return json_answer(self._answer(client, token=request.bearer_token()))

    def update(self, request: Request) -> Answer:
        """Put other metadata in the place of what was registered (RFC 7592 §2.2)."""
        client = self._itself(request)
        metadata = metadata_of(request)
        self._check_update(client, metadata)
        changed = read_registration(metadata, kept=client)
        self._check_sector(changed)
        secret = ""
        if not changed.token_endpoint_auth_method.startswith("client_secret"):
            changed = msgspec.structs.replace(changed, secret_hashes=())
        elif not changed.secret_hashes:
            secret = new_secret()
            changed = msgspec.structs.replace(changed, secret_hashes=(self._hash(secret),))
        if not self._provider.clients.replace(changed):
            raise InvalidToken("The registration access token is not that of this client.")
        log.info("registration changed: client=%s", client.client_id)
        return json_answer(self._answer(changed, token=request.bearer_token(), secret=secret))

    def delete(self, request: Request) -> Answer:
        """Take the application out, with all that it was given (RFC 7592 §2.3)."""
        client = self._itself(request)
        self._provider.clients.remove(client.client_id)
        log.info("registration deleted: client=%s", client.client_id)
        return Answer(204, (("Cache-Control", "no-store"), ("Pragma", "no-cache")))

    def _initial_token(self, request: Request) -> str:
        """The hash of the initial access token that this registration uses up; empty where none is needed."""
        if self._provider.settings.registration == "open":
            return ""
        if not request.bearer_token():
            raise TokenMissing("An initial access token is needed to register.")
        token_hash = hash_of(request.bearer_token())
        if not self._provider.registration_tokens.is_good(token_hash):
            raise InvalidToken("The initial access token is unknown, used up or expired.")
        return token_hash

    def _itself(self, request: Request) -> Client:
        token = request.bearer_token()
        if not token:
            raise TokenMissing("The registration access token is needed.")
        client = self._provider.clients.get(request.path["client_id"])
        kept = client.registration_token_hash if client else ""
        # Alike for an unknown client and a wrong token (RFC 7592 §2.1); a client of an administrator has no such token.
        if client is None or not kept or not compare_digest(kept, hash_of(token)):
            raise InvalidToken("The registration access token is not that of this client.")
        return client

    def _newcomer(self, *, token: str, secret: str) -> Client:
        now, days = self._provider.now(), self._provider.settings.registration_days
        return Client(
            client_id=str(uuid4()),
            secret_hashes=(self._hash(secret),),
            is_self_registered=True,
            registration_token_hash=hash_of(token),
            issued_at=now,
            expires_at=now + days * DAY if days else 0,
        )

    def _check_sector(self, client: Client) -> None:
        # Only who is named by the host may use its sector (OpenID Connect Dynamic Client Registration 1.0 §5).
        if not client.sector_identifier_uri:
            return
        try:
            listed = msgspec.json.decode(self._provider.outbound.get(client.sector_identifier_uri).body, type=list[str])
        except (OutboundFailed, msgspec.DecodeError) as failure:
            cannot = "sector_identifier_uri cannot be read as a JSON array of addresses."
            raise InvalidClientMetadata(cannot, detail=str(failure)) from None
        if not set(client.redirect_uris) <= set(listed):
            raise InvalidClientMetadata("sector_identifier_uri does not list every redirect address.")

    def _check_update(self, client: Client, metadata: dict[str, Any]) -> None:
        if metadata.get("client_id") != client.client_id:
            raise InvalidClientMetadata("client_id must be that of this client.")
        if any(name in metadata for name in NOT_SENT):
            raise InvalidClientMetadata(f"Leave out {', '.join(NOT_SENT)} (RFC 7592 §2.2).")
        secret = metadata.get("client_secret")
        if secret is not None and self._hash(str(secret)) not in client.secret_hashes:
            raise InvalidClientMetadata("client_secret cannot be chosen; leave it out.")

    def _hash(self, secret: str) -> str:
        return self._provider.hasher.keyed_hash(secret, purpose=SECRET_PURPOSE)

    def _answer(self, client: Client, *, token: str, secret: str = "") -> dict[str, Any]:
        own: dict[str, Any] = {
            "registration_access_token": token,
            "registration_client_uri": f"{self._provider.settings.issuer}/v1/register/{client.client_id}",
        }
        if client.secret_hashes:
            own["client_secret_expires_at"] = client.expires_at
        return told(client) | own | ({"client_secret": secret} if secret else {})


def metadata_of(request: Request) -> dict[str, Any]:
    """The JSON object of the body; InvalidClientMetadata if it is none."""
    if not request.content_type.startswith("application/json"):
        raise InvalidClientMetadata("The body must be application/json.")
    if len(request.body) > MAXIMUM_METADATA:
        raise InvalidClientMetadata("The metadata is larger than 16 kB.")
    try:
        metadata = msgspec.json.decode(request.body)
    except (ValueError, RecursionError):
        raise InvalidClientMetadata("The body is not JSON.") from None
    if not isinstance(metadata, dict):
        raise InvalidClientMetadata("The body must be one JSON object.")
    if is_deeper(metadata, MAXIMUM_DEPTH):
        raise InvalidClientMetadata("The metadata is nested too deep.")
    return metadata


def is_deeper(value: object, depth: int) -> bool:
    """Whether JSON is nested deeper than this: what is kept must be readable again, however deep the reader stands."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(depth == 0 or is_deeper(one, depth - 1) for one in inner)
