"""The table of grant types: what each is called, and who redeems it.

Promises: whatever stands here is named in discovery, and nothing else is. Must not know: how any of them proves itself.
"""

from collections.abc import Mapping

from idp.flows.exchange_grant import EXCHANGE_GRANT, TokenExchangeGrant
from idp.flows.grants import AuthorizationCodeGrant, ClientCredentialsGrant, GrantType, RefreshTokenGrant
from idp.flows.polled_grant import PolledGrant
from idp.flows.polling import CIBA_GRANT, DEVICE_GRANT
from idp.provider import Provider


def grant_types(provider: Provider) -> Mapping[str, GrantType]:
    """Every grant type by its name."""
    return {
        "authorization_code": AuthorizationCodeGrant(provider),
        "refresh_token": RefreshTokenGrant(provider),
        "client_credentials": ClientCredentialsGrant(provider),
        DEVICE_GRANT: PolledGrant(provider, DEVICE_GRANT, parameter="device_code"),
        CIBA_GRANT: PolledGrant(provider, CIBA_GRANT, parameter="auth_req_id"),
        EXCHANGE_GRANT: TokenExchangeGrant(provider),
    }
