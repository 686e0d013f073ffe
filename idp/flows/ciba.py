"""The backchannel authentication endpoint (CIBA Core §7): a client asks for a person who is not at its page.

Promises: one hint tells who it is, by what the client may know of people; the request waits for that person alone.
Must not know: by which page the person decides.
"""

import logging

import msgspec

from idm.facts import Person
from idp.client_authentication import ClientAuthentication
from idp.clients import Client
from idp.errors import InvalidClient, InvalidRequest, ProtocolError, UnauthorizedClient
from idp.flows.awaiting import Awaiting
from idp.flows.checks import Asked
from idp.flows.ciba_requests import HINTS, BackchannelRequest, BackchannelRequests
from idp.flows.direct import direct_request
from idp.flows.hints import claims_of_hint
from idp.flows.ping import Notification, sealed_notification
from idp.flows.polling import CIBA_GRANT, INTERVAL_SECONDS, Polling
from idp.http import Answer, Request, json_answer
from idp.keys.jwt import TokenRejected
from idp.provider import Provider
from idp.tickets import AuthorizationRequest, hash_of, new_secret

log = logging.getLogger(__name__)

PERSON_SCOPE = "rrn"
"""Who may know national numbers may also ask by them."""


class UnknownUserId(ProtocolError):
    """The hint names nobody whom this client may ask for (CIBA Core §13)."""

    code = "unknown_user_id"


class BackchannelAuthentication:
    """`/op/v1/backchannel`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._clients = ClientAuthentication(provider)
        self._requests = BackchannelRequests(provider)
        self._polling = Polling(provider)
        self._awaiting = Awaiting(provider)

    def answer(self, request: Request) -> Answer:
        """The name of the request, and how often to ask after it; a ProtocolError otherwise (CIBA Core §7.3)."""
        form = request.form()
        client = self._clients.authenticate(request, form)
        if client.is_public:
            raise InvalidClient("A public client cannot ask for people.")
        if CIBA_GRANT not in client.grant_types:
            raise UnauthorizedClient("The client is not registered for backchannel authentication.")
        asked = self._requests.read(form, client)
        waits, person = self._waits(asked, client), self._person(asked, client)
        # Whoever comes to decide has to be the one who was meant.
        waits = msgspec.structs.replace(waits, hinted_subject=self._provider.subject(person, client))
        auth_req_id = self._keep(asked, waits, person=person, token=asked.notification_token(client))
        log.info("asked for: client=%s person=%s", client.client_id, person.id)
        told = {"auth_req_id": auth_req_id, "expires_in": asked.seconds, "interval": INTERVAL_SECONDS}
        return json_answer(told)

    def _waits(self, asked: BackchannelRequest, client: Client) -> AuthorizationRequest:
        ends_at = self._provider.now() + asked.seconds
        sent = {name: value for name, value in asked.parameters.items() if name not in HINTS}
        return direct_request(self._provider, Asked(sent, client, is_signed=asked.is_signed), ends_at=ends_at)

    def _keep(self, asked: BackchannelRequest, waits: AuthorizationRequest, *, person: Person, token: str) -> str:
        provider, auth_req_id, message = self._provider, new_secret(), asked.message
        notified = sealed_notification(provider, Notification(auth_req_id, token)) if token else ""
        self._awaiting.take_place(person.id, hash_of(auth_req_id))
        self._polling.keep(
            waits,
            grant_type=CIBA_GRANT,
            secret=auth_req_id,
            person_id=person.id,
            message=message,
            notification=notified,
        )
        return auth_req_id

    def _person(self, asked: BackchannelRequest, client: Client) -> Person:
        name, hint = asked.hint
        if name == "login_hint_token":
            raise InvalidRequest("login_hint_token is not supported.")
        person = self._by_token(hint, client) if name == "id_token_hint" else self._by_login_hint(hint, client)
        if person is None:
            raise UnknownUserId("The hint names nobody whom this client may ask for.")
        return person

    def _by_login_hint(self, hint: str, client: Client) -> Person | None:
        """By the `sub` that the client knows, or by number where it may know that."""
        by_number = self._provider.directory.find(hint) if PERSON_SCOPE in client.scopes else None
        return by_number or self._by_subject(hint, client)

    def _by_subject(self, subject: str, client: Client) -> Person | None:
        # A pairwise `sub` cannot be turned back into a person; that of another sector must not name one either.
        found = None if client.sector else self._provider.directory.by_subject(subject)
        return found if found and self._provider.subject(found, client) == subject else None

    def _by_token(self, id_token_hint: str, client: Client) -> Person | None:
        try:
            claims = claims_of_hint(self._provider, id_token_hint)
        except TokenRejected as error:
            raise InvalidRequest("id_token_hint is not an ID token of this issuer.", detail=str(error)) from None
        if claims.get("aud") != client.client_id:
            raise InvalidRequest("id_token_hint was given to another client.")
        subject = str(claims.get("sub", ""))
        session = self._provider.sessions.by_sid(str(claims.get("sid", "")))
        person = self._provider.directory.person(session.person_id) if session else None
        if person and self._provider.subject(person, client) == subject:
            return person
        return self._by_subject(subject, client)
