"""Back-channel logout: tells an application, server to server, that a session has ended.

Promises: a logout token is made anew for each attempt, lives two minutes and can be taken for no other token (OpenID
Connect Back-Channel Logout 1.0 §2.4). Must not know: when it is sent, or how often.
"""

from urllib.parse import urlencode

from idp.clients import Client
from idp.delivery import DeliveryFailed
from idp.flows.envelopes import NoKeyToEncryptTo, sealed
from idp.keys.jwt import sign
from idp.outbound import OutboundFailed
from idp.provider import Provider
from idp.records.outbox import Letter
from idp.tickets import new_secret

KIND = "backchannel logout"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
TOKEN_SECONDS = 120
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class BackchannelLogout:
    """Sends letters about sessions that have ended."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def send(self, letter: Letter) -> None:
        """Tell one client; DeliveryFailed if it cannot be reached or does not say that it did its part."""
        client = self._provider.clients.get(letter.client_id)
        if client is None or not client.backchannel_logout_uri:
            return  # nobody is left who wants to know
        outbound = self._provider.outbound.apart if client.is_self_registered else self._provider.outbound
        try:
            body = urlencode({"logout_token": self._logout_token(client, letter)}).encode()
            answer = outbound.post(client.backchannel_logout_uri, body=body, headers=FORM)
        except (OutboundFailed, NoKeyToEncryptTo) as failure:
            raise DeliveryFailed(str(failure)) from None
        if answer.status not in (200, 204):  # §2.8; some frameworks say 204 where there is nothing more to say
            raise DeliveryFailed(f"status {answer.status}")

    def _logout_token(self, client: Client, letter: Letter) -> str:
        now = self._provider.now()
        claims = {
            "iss": self._provider.settings.issuer,
            "aud": client.client_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": new_secret(),
            "events": {EVENT: {}},
            **{name: value for name, value in letter.body.items() if value},
        }
        key = self._provider.keyring.signing_key(client.id_token_signed_response_alg)
        signed = sign(claims, key, typ="logout+jwt")
        # Who has ID tokens encrypted takes no logout token in the clear (§2.6).
        return sealed(self._provider, client, content=signed, answer="id_token")
