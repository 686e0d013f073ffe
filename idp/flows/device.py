"""The device authorization endpoint (RFC 8628): a device without a browser gets a code to show, and one to ask with.

Promises: the code that the device asks with has 256 bits and is kept as a hash; the one that it shows is short, and
good for ten minutes. Must not know: who will type it, or on which page.
"""

from idp.client_authentication import ClientAuthentication
from idp.errors import UnauthorizedClient
from idp.flows.checks import Asked
from idp.flows.direct import direct_request
from idp.flows.polling import DEVICE_GRANT, INTERVAL_SECONDS, Polling
from idp.flows.user_codes import UserCodes
from idp.http import Answer, Request, json_answer, with_query
from idp.provider import Provider
from idp.tickets import hash_of, new_secret

DEVICE_SECONDS = 600


class DeviceAuthorization:
    """`/op/v1/device`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._clients = ClientAuthentication(provider)
        self._polling = Polling(provider)
        self._user_codes = UserCodes(provider)

    def answer(self, request: Request) -> Answer:
        """The two codes and where the person goes; a ProtocolError otherwise (RFC 8628 §3.2)."""
        form = request.form()
        client = self._clients.authenticate(request, form)
        if DEVICE_GRANT not in client.grant_types:
            raise UnauthorizedClient("The client is not registered for devices.")
        ends_at = self._provider.now() + DEVICE_SECONDS
        waits = direct_request(self._provider, Asked(form, client), ends_at=ends_at)
        device_code = new_secret()
        user_code, code_id = self._user_codes.make(hash_of(device_code), ends_at=ends_at)
        self._polling.keep(waits, grant_type=DEVICE_GRANT, secret=device_code, user_code=code_id)
        address = verification_uri(self._provider)
        told = {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": address,
            "verification_uri_complete": with_query(address, [("user_code", user_code)]),
            "expires_in": DEVICE_SECONDS,
            "interval": INTERVAL_SECONDS,
        }
        return json_answer(told)


def verification_uri(provider: Provider) -> str:
    """Where a person types the code of a device."""
    return f"{provider.settings.issuer}/v1/device/verify"
