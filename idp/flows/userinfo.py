"""The userinfo endpoint: what the client of an access token may know of the person, as it is today.

Promises: the claims of the token's scopes, from the same release as the ID token (OpenID Connect Core §5.3).
"""

from idp.errors import InvalidRequest, InvalidToken, ProtocolError
from idp.flows.presented import AccessTokens
from idp.flows.senders import Senders
from idp.http import Answer, Request, json_answer
from idp.keys.tokens import authentication_claims
from idp.provider import Provider


class TokenMissing(ProtocolError):
    """No token was sent: the answer names the scheme and no error (RFC 6750 §3.1)."""

    code = "invalid_request"
    status = 401


class TokenSentTwice(InvalidRequest):
    """The token came in more than one way (RFC 6750 §3.1)."""


class InsufficientScope(ProtocolError):
    """The token is good, but not for this (RFC 6750 §3.1)."""

    code = "insufficient_scope"
    status = 403


class Userinfo:
    """`/op/v1/userinfo`."""

    def __init__(self, provider: Provider) -> None:
        self._tokens = AccessTokens(provider)
        self._senders = Senders(provider)

    def answer(self, request: Request) -> Answer:
        """The claims as plain JSON; InvalidToken or InsufficientScope otherwise."""
        access_token = sent_token(request)
        presented = self._tokens.find(access_token)
        if presented is None or presented.authorization is None:
            raise InvalidToken("The access token is unknown, has expired or was withdrawn.")
        if not presented.is_for_its_client:  # an API that was sent it would learn what its client may know
            raise InvalidToken("The access token is meant for another.")
        self._senders.check(request, presented, access_token=access_token)
        if "openid" not in presented.scopes:
            raise InsufficientScope("The access token was given without openid.")
        authorization = presented.authorization
        told = authorization.in_userinfo(presented.scopes) | authentication_claims(authorization.grant)
        return json_answer(told | {"sub": authorization.subject})


def sent_token(request: Request) -> str:
    """The token of the header or of the form, one of the two (RFC 6750 §2); TokenMissing if there is none."""
    in_header = request.bearer_token() or request.dpop_token()
    is_form = request.method == "POST" and request.content_type.startswith("application/x-www-form-urlencoded")
    in_form = request.form().get("access_token", "") if is_form else ""
    if in_header and in_form:
        raise TokenSentTwice("Send the access token in one way only.")
    if not in_header and not in_form:
        raise TokenMissing()
    return in_header or in_form
