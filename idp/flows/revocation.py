"""Revocation (RFC 7009): a client gives a token back.

Promises: a token that does not exist is answered like one that was revoked; another client's token stays; with a
refresh token goes all that hangs on its Grant.
"""

from idp.client_authentication import ClientAuthentication
from idp.errors import InvalidGrant, InvalidRequest
from idp.flows.presented import AccessTokens
from idp.flows.refresh_tokens import RefreshToken, RefreshTokens
from idp.http import Answer, Request
from idp.provider import Provider


class Revocation:
    """`/op/v1/revoke`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._clients = ClientAuthentication(provider)
        self._tokens = AccessTokens(provider)
        self._refresh_tokens = RefreshTokens(provider.hasher)

    def answer(self, request: Request) -> Answer:
        """An empty answer once the token is worth nothing; InvalidGrant if it is another client's (RFC 7009 §2.1)."""
        form = request.form()
        client = self._clients.authenticate(request, form)
        if not form.get("token"):
            raise InvalidRequest("token is missing.")
        refresh = self._refresh_tokens.read(form["token"])
        owner = self._owner(form["token"], refresh)
        if owner and owner != client.client_id:
            raise InvalidGrant("The token was given to another client.")
        if owner and refresh:
            self._provider.grants.end(refresh.grant_id)
        elif owner:
            self._tokens.withdraw(form["token"])
        return Answer(200, (("Cache-Control", "no-store"),))

    def _owner(self, secret: str, refresh: RefreshToken | None) -> str:
        if refresh is None:
            return self._tokens.owner(secret)
        held = self._provider.grants.refreshable(refresh.grant_id)
        return held.grant.client_id if held else ""
