"""Ping: tells the client of a CIBA request that the person has decided, so that it need not ask again and again.

Promises: the client's token goes to the address that it registered and nowhere else, and is sealed until then; the
answer itself is never sent (CIBA Core §10.2). Must not know: when it is sent, or how often.
"""

import logging
from base64 import b64decode, b64encode

import msgspec

from idp.delivery import DeliveryFailed
from idp.flows.polling import PolledRequest
from idp.outbound import OutboundFailed
from idp.provider import Provider
from idp.records.outbox import Letter

log = logging.getLogger(__name__)

KIND = "ciba ping"
PURPOSE = "ciba notification"
SERVER_TROUBLE = 500


class Notification(msgspec.Struct, frozen=True):
    """What a client is told: which request, with its own token."""

    auth_req_id: str
    token: str


def sealed_notification(provider: Provider, notification: Notification) -> str:
    """The notification as it waits for the decision: unreadable without the master key."""
    return b64encode(provider.sealer.seal(msgspec.json.encode(notification), purpose=PURPOSE)).decode("ascii")


def notices(decided: PolledRequest) -> list[Letter]:
    """The letter about a decision; none where the client only asks."""
    body = {"sealed": decided.notification}
    return [Letter(kind=KIND, client_id=decided.client_id, body=body)] if decided.notification else []


class Ping:
    """Sends letters about decisions."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def send(self, letter: Letter) -> None:
        """Tell the client; DeliveryFailed if it cannot be reached, or is in trouble."""
        client = self._provider.clients.get(letter.client_id)
        if client is None or not client.backchannel_client_notification_endpoint:
            return  # nobody is left who wants to know
        plain = self._provider.sealer.open(b64decode(letter.body["sealed"]), purpose=PURPOSE)
        notification = msgspec.json.decode(plain, type=Notification)
        headers = {"Authorization": f"Bearer {notification.token}", "Content-Type": "application/json"}
        body = msgspec.json.encode({"auth_req_id": notification.auth_req_id})
        address = client.backchannel_client_notification_endpoint
        try:
            answer = self._provider.outbound.post(address, body=body, headers=headers)
        except OutboundFailed as failure:
            raise DeliveryFailed(str(failure)) from None
        if answer.status >= SERVER_TROUBLE:
            raise DeliveryFailed(f"status {answer.status}")
        # A client that says no is not told twice, and a redirect is not followed: it can still ask (CIBA Core §10.2).
        if answer.status not in (200, 204):
            log.warning("ping refused: client=%s status=%s", client.client_id, answer.status)
