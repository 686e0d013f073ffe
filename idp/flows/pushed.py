"""Pushed authorization requests (RFC 9126): the client sends its request here, and the browser carries a name only.

Promises: a request is pushed by an authenticated client, after the same checks as at the authorization endpoint; it is
found by that client alone, until it ends or its code is issued. Must not know: sessions, pages.
"""

from dataclasses import replace

from idp.client_authentication import ClientAuthentication
from idp.errors import InvalidRequest, RequestTooLarge
from idp.flows.audiences import audience_asked
from idp.flows.checks import ADDRESSEE, MAXIMUM_REQUEST, REQUEST, Asked, InvalidRequestUri
from idp.flows.request_objects import RequestObjects
from idp.http import Answer, Request, json_answer
from idp.proofs import InvalidProof, Proofs
from idp.provider import Provider
from idp.store import Ticket
from idp.tickets import REQUEST_SECONDS, hash_of, new_secret

PUSHED_URI = "urn:ietf:params:oauth:request_uri:"
PUSHED_SECONDS = 90
MAXIMUM_PUSHED = 16 * 1024
"""What a client may make us keep; what anybody may, one without a secret too, is less (`MAXIMUM_REQUEST`)."""

PROOFS = ("client_secret", "client_assertion", "client_assertion_type")
"""What proves the client belongs to this call, and is not kept."""


class PushedRequest(Ticket, frozen=True, kw_only=True):
    """The parameters that a client pushed; its id is the hash of what follows the prefix in `request_uri`."""

    client_id: str
    parameters: dict[str, str]
    is_signed: bool = False


class AnsweredRequest(Ticket, frozen=True, kw_only=True):
    """That a code was issued for a pushed request; its id is that of the request."""


class PushedRequests:
    """The requests that were pushed and wait for the browser."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._requests = provider.store.repository(PushedRequest)
        self._answered = provider.store.repository(AnsweredRequest)

    def keep(self, asked: Asked) -> str:
        """Keep the request; its `request_uri`. RequestTooLarge over 16 kB, or 8 kB where no secret stands for it."""
        most = MAXIMUM_REQUEST if asked.asker.is_public else MAXIMUM_PUSHED
        if asked.size > most:
            raise RequestTooLarge(f"The request is larger than {most // 1024} kB.")
        secret, ends_at = new_secret(), self._provider.now() + PUSHED_SECONDS
        parameters, client_id = dict(asked.parameters), asked.asker.client_id
        self._requests.add(
            PushedRequest(
                id=hash_of(secret),
                expires_at=ends_at,
                client_id=client_id,
                parameters=parameters,
                is_signed=asked.is_signed,
            )
        )
        return PUSHED_URI + secret

    def unpack(self, asked: Asked) -> Asked:
        """The request that was pushed, in place of the one that names it; its other parameters count for nothing.

        One that is gone, or another client's, is a fault of the request; the two are not told apart.
        """
        uri = asked.get("request_uri")
        if not uri.startswith(PUSHED_URI) or asked.client is None:
            return asked
        found = self._requests.get(hash_of(uri.removeprefix(PUSHED_URI)))
        if found is None or found.client_id != asked.client.client_id:
            return replace(asked, fault=InvalidRequestUri("The pushed request is unknown, has expired or was used."))
        return replace(asked, parameters=found.parameters, pushed=found.id, is_signed=found.is_signed)

    def claim(self, pushed: str) -> bool:
        """Whether a code may be issued for the request: once, however often it was opened before (RFC 9126 §4, §7.3).

        It is noted apart from the request, which ends long before a person may answer.
        """
        ends_at = self._provider.now() + REQUEST_SECONDS + PUSHED_SECONDS
        is_first = self._answered.add(AnsweredRequest(id=pushed, expires_at=ends_at))
        self._requests.discard(pushed)
        return is_first


class PushedAuthorization:
    """`/op/v1/par`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._clients = ClientAuthentication(provider)
        self._requests = PushedRequests(provider)
        self._proofs = Proofs(provider)
        self._objects = RequestObjects(provider)

    def answer(self, request: Request) -> Answer:
        """The name of the request and how long it is good for; the error that `auth` would have given, otherwise."""
        form = request.form()
        client = self._clients.authenticate(request, form)
        if form.get("request_uri"):
            raise InvalidRequest("request_uri cannot be pushed.")
        sent = {name: value for name, value in form.items() if name not in PROOFS}
        asked = self._objects.unpack(Asked({**sent, "client_id": client.client_id}, client, pushed="now"))
        for check in (*ADDRESSEE, *REQUEST):
            check(asked)
        audience_asked(self._provider, client, parameters=asked.parameters)
        asked = self._bound(asked, self._proofs.key_of(request, client=client))
        told = {"request_uri": self._requests.keep(asked), "expires_in": PUSHED_SECONDS}
        return json_answer(told, *self._proofs.fresh_nonce(client), status=201)

    def _bound(self, asked: Asked, jkt: str) -> Asked:
        if jkt and asked.get("dpop_jkt") not in ("", jkt):  # RFC 9449 §10.1
            raise InvalidProof("dpop_jkt is of another key than the DPoP proof.")
        return replace(asked, parameters={**asked.parameters, "dpop_jkt": jkt}) if jkt else asked
