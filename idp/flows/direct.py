"""Authorization requests that come from the client itself, with no browser: from a device, and by CIBA.

Promises: the same checks as at the authorization endpoint, but for what only a redirect needs; what is no parameter of
such a request counts for nothing. Must not know: how the person is found, or how the client gets its answer.
"""

from dataclasses import replace

from idp.flows import checks
from idp.flows.checked import checked_request
from idp.flows.checks import Asked, Check
from idp.provider import Provider
from idp.tickets import AuthorizationRequest

PARAMETERS = frozenset(
    {
        *("scope", "resource", "audience", "acr_values", "max_age", "claims", "registration"),
        *("login_hint", "id_token_hint", "ui_locales", "dpop_jkt"),
    }
)

DIRECT: tuple[Check, ...] = (
    checks.request_is_signed_where_required,
    checks.values_are_short,
    checks.no_registration_is_sent,
    checks.scope_is_allowed,
    checks.dpop_jkt_is_a_thumbprint,
    checks.max_age_is_a_number,
    checks.claims_are_sound,
)


def direct_request(provider: Provider, asked: Asked, *, ends_at: int) -> AuthorizationRequest:
    """The request of a client that proved itself, not kept yet; a ProtocolError where a check fails."""
    read = {name: value for name, value in asked.parameters.items() if name in PARAMETERS}
    asked = replace(asked, parameters=read)
    for check in DIRECT:
        check(asked)
    address = AuthorizationRequest(
        id="",
        expires_at=ends_at,
        client_id=asked.asker.client_id,
        redirect_uri="",
        response_mode="",
        scope=(),
        ui_locales=asked.get("ui_locales"),
    )
    return checked_request(provider, asked, address=address)
