"""Requests whose answer their client fetches itself, because it has no browser there: device codes and CIBA.

Promises: the first decision counts, and is fetched once; a client learns of its own requests alone; one that asks too
often is slowed down and stays so. What waits, how often it was asked for, and the answer are three tickets: no write of
one can undo another. Must not know: who decides, or by which page.
"""

import msgspec

from idp.clients import Client
from idp.errors import AccessDenied, InvalidGrant, ProtocolError
from idp.provider import Provider
from idp.store import Absent, AlreadyTaken, Ticket
from idp.tickets import CODE_SECONDS, AuthorizationCode, AuthorizationRequest, hash_of

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CIBA_GRANT = "urn:openid:params:grant-type:ciba"
INTERVAL_SECONDS = 5
SLOWER_SECONDS = 5
GRACE_SECONDS = 1
"""Our clock counts whole seconds, and a request takes its time on the way."""
REMEMBERED_SECONDS = 600
"""How long a client that comes too late is told that its request has expired, and not that there was none."""
LONGEST_SECONDS = 600
"""No request waits longer for its answer to be fetched."""


NOBODY = "-"


class AuthorizationPending(ProtocolError):
    """The person has not decided yet (RFC 8628 §3.5)."""

    code = "authorization_pending"


class SlowDown(ProtocolError):
    """The client asks too often; from now on it has to wait five seconds more (RFC 8628 §3.5)."""

    code = "slow_down"


class ExpiredToken(ProtocolError):
    """Nobody decided in time (RFC 8628 §3.5)."""

    code = "expired_token"


class Denied(AccessDenied):
    """The person said no, or may not; told where the client asks for the answer."""

    status = 400


class PolledRequest(Ticket, frozen=True, kw_only=True):
    """What waits for a person, and whose client asks after it; its id is the hash of the secret that it asks with.

    It ends at `ends_at` and is remembered a little longer. `waits` is what the person is asked once they come,
    `decided_by` the session of their yes, or NOBODY for a no. Of a device: `user_code`, the id of what is typed. Of
    CIBA: whom it is for, the message that is shown on both sides, and where its client is told (sealed; empty if it
    only asks).
    """

    client_id: str
    grant_type: str
    ends_at: int
    waits: AuthorizationRequest
    decided_by: str = ""
    user_code: str = ""
    person_id: str = ""
    message: str = ""
    notification: str = ""


class PolledAnswer(Ticket, frozen=True, kw_only=True):
    """What was decided: the code that the client gets for its secret; None for a no. Its id is the request's."""

    approved: AuthorizationCode | None = None


class Withdrawal(Ticket, frozen=True, kw_only=True):
    """A person has taken back what a client holds; its id is both. A yes from before gives nothing any more."""

    at: int


class Pace(Ticket, frozen=True, kw_only=True):
    """When a client last asked after its request, and how long it has to wait in between; its id is the request's."""

    asked_at: int
    interval: int


class Polling:
    """The requests that are asked after."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._requests = provider.store.repository(PolledRequest)
        self._answers = provider.store.repository(PolledAnswer)
        self._paces = provider.store.repository(Pace)
        self._withdrawals = provider.store.repository(Withdrawal)

    def keep(self, waits: AuthorizationRequest, *, grant_type: str, secret: str, **more: str) -> PolledRequest:
        """Keep a request that its client will ask after with this secret, until `waits` ends."""
        kept = PolledRequest(
            id=hash_of(secret),
            expires_at=waits.expires_at + REMEMBERED_SECONDS,
            ends_at=waits.expires_at,
            client_id=waits.client_id,
            grant_type=grant_type,
            waits=msgspec.structs.replace(waits, polled=hash_of(secret)),
            **more,
        )
        self._requests.add(kept)
        return kept

    def find(self, id: str) -> PolledRequest | None:
        """A request, decided or not; None once it is forgotten."""
        return self._requests.get(id)

    def open(self, id: str) -> PolledRequest | None:
        """A request that may still be decided; None if it is over."""
        found = self.find(id)
        is_open = found is not None and found.ends_at > self._provider.now() and not found.decided_by
        return found if is_open else None

    def decide(self, id: str, approved: AuthorizationCode | None) -> PolledRequest | None:
        """Note the decision, if it is the first and in time; the request that it decided, None otherwise."""
        found = self.open(id)
        if found is None:
            return None
        grant_id = approved.grant_id if approved else ""
        answer = PolledAnswer(id=id, expires_at=found.ends_at, grant_id=grant_id, approved=approved)
        if not self._answers.add(answer):
            return None
        decided = msgspec.structs.replace(found, decided_by=approved.sid if approved else NOBODY)
        self._requests.replace(decided)
        return decided

    def fetch(self, secret: str, client: Client, *, grant_type: str) -> AuthorizationCode:
        """The code that the person's yes gave, once. A ProtocolError says why there is none (RFC 8628 §3.5)."""
        found = self._requests.get(hash_of(secret))
        if found is None or (found.client_id, found.grant_type) != (client.client_id, grant_type):
            raise InvalidGrant("The code is unknown, or was given to another client.")
        answer = self._answers.get(found.id)
        if answer and answer.approved is None:
            raise Denied("The person refused, or may not use this application.")
        try:
            approved = self._answers.take(found.id).approved
        except AlreadyTaken as taken:
            self._provider.grants.end(taken.grant_id)
            raise InvalidGrant("The code was used before.") from None
        except Absent:
            raise self._not_yet(found) from None
        if approved is None:
            raise Denied("The person refused, or may not use this application.")
        return approved

    def withdraw(self, person_id: str, client_id: str) -> None:
        """Let no yes of the person to this client count that was not fetched yet."""
        now = self._provider.now()
        noted = Withdrawal(id=f"{person_id} {client_id}", expires_at=now + LONGEST_SECONDS + 1, at=now)
        if not self._withdrawals.add(noted):
            self._withdrawals.replace(noted)

    def is_withdrawn(self, approved: AuthorizationCode) -> bool:
        """Whether the person has taken back what they allowed since they said this yes."""
        found = self._withdrawals.get(f"{approved.person_id} {approved.client_id}")
        return found is not None and found.at >= approved.expires_at - CODE_SECONDS

    def _not_yet(self, found: PolledRequest) -> ProtocolError:
        now = self._provider.now()
        if found.ends_at <= now:
            return ExpiredToken("Nobody decided in time: begin anew.")
        pace = self._paces.get(found.id)
        first = Pace(id=found.id, expires_at=found.ends_at, asked_at=now, interval=INTERVAL_SECONDS)
        if pace is None:
            self._paces.add(first)
            return AuthorizationPending("The person has not decided yet.")
        is_early = now - pace.asked_at < pace.interval - GRACE_SECONDS
        slower = SLOWER_SECONDS if is_early else 0
        self._paces.replace(msgspec.structs.replace(pace, asked_at=now, interval=pace.interval + slower))
        return SlowDown("Ask less often.") if is_early else AuthorizationPending("The person has not decided yet.")
