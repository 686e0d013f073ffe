"""The grants whose client asks until a person has decided: devices (RFC 8628 §3.4) and CIBA (CIBA Core §10.1).

Promises: one code, used once, gives what an authorization code of the same person would. Must not know: by which page
the person came.
"""

from idp.errors import InvalidGrant, InvalidRequest
from idp.flows.grants import AuthorizationCodeGrant, Redeemed, TokenRequest
from idp.flows.polling import Polling
from idp.provider import Provider


class PolledGrant:
    """One of these grants: its name, and the parameter that holds the code."""

    def __init__(self, provider: Provider, grant_type: str, *, parameter: str) -> None:
        self._provider = provider
        self._grant_type = grant_type
        self._parameter = parameter
        self._polling = Polling(provider)
        self._codes = AuthorizationCodeGrant(provider)

    def redeem(self, asked: TokenRequest) -> Redeemed:
        """What the person's yes gives; the error says whether to ask again (RFC 8628 §3.5)."""
        approved = self._polling.fetch(self._code(asked), asked.client, grant_type=self._grant_type)
        redeemed = self._codes.granted(asked, approved)
        # A yes may wait for minutes, and is on nobody's page until then. Only now: a withdrawal is noted first and ends
        # the Grants next, so one of the two sees this Grant.
        if self._polling.is_withdrawn(approved):
            self._provider.grants.end(approved.grant_id)
            raise InvalidGrant("The person took back what they allowed.")
        return redeemed

    def _code(self, asked: TokenRequest) -> str:
        code = asked.form.get(self._parameter)
        if not code:
            raise InvalidRequest(f"{self._parameter} is missing.")
        return code
