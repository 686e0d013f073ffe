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

from idp.addresses import web_origin
from idp.client_authentication import SECRET_PURPOSE
from idp.clients import Client
from idp.errors import InvalidToken, ProtocolError
from idp.fapi_rules import is_looser
from idp.flows.userinfo import TokenMissing
from idp.http import Answer, Request, json_answer
from idp.outbound import OutboundFailed
from idp.profiles import unserved
from idp.provider import Provider
from idp.records.clients import ClientsFull
from idp.registration import CITIZEN, InvalidClientMetadata, InvalidRedirectUri, read_registration, told
from idp.tickets import hash_of, new_secret

log = logging.getLogger(__name__)

DAY = 86400
NOT_SENT = ("client_id_issued_at", "client_secret_expires_at", "registration_access_token", "registration_client_uri")


MAXIMUM_METADATA = 16 * 1024
MAXIMUM_DEPTH = 6
ATTEMPTS = 3
"""How often a change is made anew of a client that another process changed in the second before we look."""


class RegistrationFull(ProtocolError):
    """As many applications have registered themselves as the operator lets; some may be gone later."""

    code = "temporarily_unavailable"
    status = 503
    headers = (("Retry-After", "3600"),)


class Registration:
    """`/op/v1/register`, and below it an address for each application that registered itself."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def register(self, request: Request) -> Answer:
        """Register an application; 201 with its id, and all that it has to know."""
        needed = self._initial_token(request)
        token, secret = new_secret(), new_secret()
        client = read_registration(metadata_of(request), kept=self._newcomer(token=token, secret=secret))
        self._check_place(client)
        self._check_sector(client)
        self._check_profile(client)
        if not client.token_endpoint_auth_method.startswith("client_secret"):
            client, secret = msgspec.structs.replace(client, secret_hashes=()), ""
        if not self._kept(client, token_hash=needed):
            raise InvalidToken("The initial access token is unknown, used up or expired.")
        log.info("registered: client=%s", client.client_id)
        return json_answer(self._answer(client, token=token, secret=secret), status=201)

    def read(self, request: Request) -> Answer:
        """What is registered (RFC 7592 §2.1). Its secret is kept as a hash, and so cannot be told again."""
        client = self._itself(request)
        return json_answer(self._answer(client, token=request.bearer_token()))

    def update(self, request: Request) -> Answer:
        """Put other metadata in the place of what was registered (RFC 7592 §2.2)."""
        for _ in range(ATTEMPTS):
            client = self._itself(request)
            changed, secret = self._changed(client, metadata_of(request))
            if self._provider.clients.replace(client, changed):
                log.info("registration changed: client=%s", client.client_id)
                return json_answer(self._answer(changed, token=request.bearer_token(), secret=secret))
        raise InvalidClientMetadata("The registration was changed meanwhile: read it, and send yours again.")

    def delete(self, request: Request) -> Answer:
        """Take the application out, with all that it was given (RFC 7592 §2.3)."""
        client = self._itself(request)
        self._provider.clients.remove(client.client_id)
        log.info("registration deleted: client=%s", client.client_id)
        return Answer(204, (("Cache-Control", "no-store"), ("Pragma", "no-cache")))

    def _changed(self, client: Client, metadata: dict[str, Any]) -> tuple[Client, str]:
        """The client as it will be, and its secret if it is given one."""
        self._check_update(client, metadata)
        changed, secret = read_registration(metadata, kept=client), ""
        check_move(client, changed)
        self._check_place(changed)
        self._check_sector(changed)
        self._check_profile(changed)
        if not changed.token_endpoint_auth_method.startswith("client_secret"):
            changed = msgspec.structs.replace(changed, secret_hashes=())
        elif not changed.secret_hashes:
            secret = new_secret()
            changed = msgspec.structs.replace(changed, secret_hashes=(self._hash(secret),))
        return changed, secret

    def _kept(self, client: Client, *, token_hash: str) -> bool:
        # Whoever was given a token to register with is not kept out by those who need none.
        most = 0 if token_hash else self._provider.settings.registration_limit
        try:
            return self._provider.clients.register(client, token_hash=token_hash, most=most)
        except ClientsFull:
            log.warning("registration refused: there are %s clients already (TOEGANG_REGISTRATION_LIMIT)", most)
            raise RegistrationFull("No more applications can register themselves now.") from None

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
            target_groups=(CITIZEN,),
            registration_token_hash=hash_of(token),
            issued_at=now,
            expires_at=now + days * DAY if days else 0,
        )

    def _check_place(self, client: Client) -> None:
        # The page of consent shows people the host that an answer goes to. Ours would look best of all, and leads on:
        # `auth` redirects to any client's address, and a browser takes the fragment, with the code, along.
        ours = {web_origin(origin) for origin in self._provider.settings.origins}
        if ours & {web_origin(uri) for uri in client.redirect_uris}:
            raise InvalidRedirectUri("redirect_uris: an address of ours is no application's.")

    def _check_sector(self, client: Client) -> None:
        # Only who is named by the host may use its sector (OpenID Connect Dynamic Client Registration 1.0 §5).
        if not client.sector_identifier_uri:
            return
        try:
            fetched = self._provider.fetching.get(client.sector_identifier_uri, is_stranger=True)
            listed = msgspec.json.decode(fetched.body, type=list[str])
        except (OutboundFailed, msgspec.DecodeError) as failure:
            cannot = "sector_identifier_uri cannot be read as a JSON array of addresses."
            raise InvalidClientMetadata(cannot, detail=str(failure)) from None
        if not set(client.redirect_uris) <= set(listed):
            raise InvalidClientMetadata("sector_identifier_uri does not list every redirect address.")

    def _check_profile(self, client: Client) -> None:
        if fault := unserved([client], self._provider.settings):
            raise InvalidClientMetadata("profile: not possible here.", detail=fault)

    def _check_update(self, client: Client, metadata: dict[str, Any]) -> None:
        if metadata.get("client_id") != client.client_id:
            raise InvalidClientMetadata("client_id must be that of this client.")
        if any(name in metadata for name in NOT_SENT):
            raise InvalidClientMetadata(f"Leave out {', '.join(NOT_SENT)} (RFC 7592, section 2.2).")
        if "profile" not in client.pinned and is_looser(metadata.get("profile") or "", client.profile):
            raise InvalidClientMetadata("profile can become stricter, and not looser.")
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


def check_move(known: Client, changed: Client) -> None:
    """InvalidClientMetadata for a move into another sector: what people allowed the client before would tell it the

    `sub` of those people there, without that anything ever went to that host (OpenID Connect Core §8.1).
    """
    if changed.sector not in ("", known.sector):
        raise InvalidClientMetadata("subject_type: a client cannot move into a pairwise sector: register it anew.")


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
