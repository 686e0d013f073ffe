"""What can go wrong in the protocol, and the one place where a failure becomes an answer's values.

    ProtocolError
    ├─ InvalidRequest ── RequestTooLarge
    ├─ InvalidClient · UnauthorizedClient · InvalidGrant · UnsupportedGrantType · InvalidScope · InvalidToken
    ├─ UnsupportedResponseType · UnsupportedResponseMode · AccessDenied · LoginRequired · InteractionRequired
    └─ ConsentRequired · UnmetAuthenticationRequirements · ServerError

`description` may be shown and never repeats input; `detail` is for the log alone; `headers` go with a direct answer.
Must not know: pages, clients.
"""

import secrets


class ProtocolError(Exception):
    """A failure that a specification names: its code, the status of a direct answer, and what may be shown."""

    code = "server_error"
    status = 400
    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self, description: str = "", *, detail: str = "") -> None:
        super().__init__(detail or description)
        self.description = description
        self.detail = detail

    def members(self) -> dict[str, str]:
        """The members of a JSON or redirected error (RFC 6749 §4.1.2.1, §5.2)."""
        shown = {"error": self.code}
        return shown | {"error_description": self.description} if self.description else shown


class InvalidRequest(ProtocolError):
    """A parameter is missing, repeated, malformed or at odds with another."""

    code = "invalid_request"


class RequestTooLarge(InvalidRequest):
    """More bytes than any well-meant request has."""

    status = 413


class InvalidClient(ProtocolError):
    """The client is unknown or did not prove who it is; never says which of the two (RFC 6749 §5.2)."""

    code = "invalid_client"
    status = 401


class UnauthorizedClient(ProtocolError):
    """The client is known, but not registered for this."""

    code = "unauthorized_client"


class InvalidGrant(ProtocolError):
    """The code or refresh token is unknown, used, expired, another client's, or what it stood for has ended."""

    code = "invalid_grant"


class UnsupportedGrantType(ProtocolError):
    """We do not know this grant type."""

    code = "unsupported_grant_type"


class InvalidScope(ProtocolError):
    """The scope is missing, malformed, or more than the client may ask."""

    code = "invalid_scope"


class InvalidToken(ProtocolError):
    """The access token is unknown, expired or ended, or what it told of has ended (RFC 6750 §3.1)."""

    code = "invalid_token"
    status = 401


class UnsupportedResponseType(ProtocolError):
    """Only `code` is given (RFC 9700 §2.1.2)."""

    code = "unsupported_response_type"


class UnsupportedResponseMode(ProtocolError):
    """Only query, fragment and form_post are given, each also signed."""

    code = "unsupported_response_mode"


class AccessDenied(ProtocolError):
    """The person stopped, or may not use the application."""

    code = "access_denied"
    status = 403


class LoginRequired(ProtocolError):
    """A sign-in would be needed, and the application asked for silence (OpenID Connect Core §3.1.2.6)."""

    code = "login_required"


class InteractionRequired(ProtocolError):
    """A page would be needed, and the application asked for silence."""

    code = "interaction_required"


class ConsentRequired(ProtocolError):
    """The person would have to be asked, and the application asked for silence (OpenID Connect Core §3.1.2.6)."""

    code = "consent_required"


class UnmetAuthenticationRequirements(ProtocolError):
    """No key of this person can meet what the application asks (OpenID Connect Unmet Authentication Requirements)."""

    code = "unmet_authentication_requirements"


class ServerError(ProtocolError):
    """Something unforeseen; the log has it under the reference."""

    code = "server_error"
    status = 500


REFERENCE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTVWXYZ"


def new_reference() -> str:
    """A reference such as T7K2-94QX: easy to read out on the telephone, without letters that look or sound alike."""
    letters = [secrets.choice(REFERENCE_LETTERS) for _ in range(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])
