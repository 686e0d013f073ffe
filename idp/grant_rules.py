"""The rules on a client's metadata that belong to one grant type: what each asks of a client, a sentence each.

Promises: a grant that needs a trust or a key cannot be had without. Must not know: where clients are kept, or who
registers one.
"""

from idp.addresses import is_web_address
from idp.clients import GRANT_TYPES, Client
from idp.keys.jwt import ASYMMETRIC_ALGORITHMS

CIBA_GRANT = "urn:openid:params:grant-type:ciba"
DELIVERY_MODES = ("poll", "ping")
EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"


def grant_rules(client: Client) -> tuple[tuple[bool, str], ...]:
    """Every rule on what a client's grant types need: whether it is broken, and the sentence that says so."""
    uses_code = "authorization_code" in client.grant_types
    trusts = client.may_exchange_from or client.may_exchange_for
    return (
        (bool(set(client.grant_types) - set(GRANT_TYPES)), f"grant_types must be among {GRANT_TYPES}."),
        (client.is_public and "client_credentials" in client.grant_types, "a public client has no credentials."),
        (uses_code and not client.redirect_uris, "authorization_code needs redirect_uris."),
        (
            EXCHANGE_GRANT in client.grant_types and not trusts,
            "token exchange needs may_exchange_from or may_exchange_for: whose tokens, and for which APIs.",
        ),
        (client.is_public and EXCHANGE_GRANT in client.grant_types, "a public client cannot exchange tokens."),
        *backchannel_rules(client),
    )


def backchannel_rules(client: Client) -> tuple[tuple[bool, str], ...]:
    """The rules on asking for people who are not at the client's page (CIBA Core §4)."""
    uses_ciba, mode = CIBA_GRANT in client.grant_types, client.backchannel_token_delivery_mode
    endpoint, alg = (
        client.backchannel_client_notification_endpoint,
        client.backchannel_authentication_request_signing_alg,
    )
    return (
        (uses_ciba and client.is_public, "a public client cannot ask for people by backchannel."),
        (
            uses_ciba != (mode in DELIVERY_MODES) or mode not in ("", *DELIVERY_MODES),
            "backchannel_token_delivery_mode is poll or ping, and goes with the grant type ciba.",
        ),
        (
            (mode == "ping") != bool(endpoint),
            "backchannel_client_notification_endpoint goes with backchannel_token_delivery_mode ping.",
        ),
        (not is_web_address(endpoint), "backchannel_client_notification_endpoint must be https, without fragment."),
        (
            alg not in ("", *ASYMMETRIC_ALGORITHMS),
            f"backchannel_authentication_request_signing_alg is one of {ASYMMETRIC_ALGORITHMS}.",
        ),
        (bool(alg) and not client.has_keys, "backchannel_authentication_request_signing_alg needs jwks or jwks_uri."),
        (client.backchannel_user_code_parameter, "backchannel_user_code_parameter is not supported."),
        (uses_ciba and "openid" not in client.scopes, "scope must hold openid for the grant type ciba."),
    )
