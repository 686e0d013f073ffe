"""The rules on a client that is held to a FAPI 2.0 profile, and what is its own choice filled in.

Promises: a profile that could not be kept is not registered; one switch suffices, since whatever else follows from it
is a question of the Client. Must not know: where clients are kept, or who registers one.
"""

from collections.abc import Mapping
from typing import Any

from idp.clients import FAPI_METHODS, PROFILES, Client
from idp.keys.jwt import FAPI_ALGORITHMS, is_public_key_set

Rules = tuple[tuple[bool, str], ...]

ALWAYS_SIGNED = (
    "id_token_signed_response_alg",
    "authorization_signed_response_alg",
    "introspection_signed_response_alg",
)
WHERE_NAMED = (
    *("userinfo_signed_response_alg", "token_endpoint_auth_signing_alg", "request_object_signing_alg"),
    "backchannel_authentication_request_signing_alg",
)
UNPUSHED_GRANTS = frozenset({"urn:ietf:params:oauth:grant-type:device_code"})
DEFAULT_ALGORITHM = "ES256"


def profile_defaults(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The members that a profile gives another default: what is signed for such a client is not signed by RS256."""
    return dict.fromkeys(ALWAYS_SIGNED, DEFAULT_ALGORITHM) if metadata.get("profile") else {}


def fapi_rules(client: Client) -> Rules:
    """Every rule on a client of a profile: whether it is broken, and the sentence that says so."""
    if not client.is_fapi:
        return ()
    named = (name for name in WHERE_NAMED if getattr(client, name))
    return (
        (client.profile not in PROFILES, f"profile is one of {PROFILES}."),
        (
            client.token_endpoint_auth_method not in FAPI_METHODS,
            f"profile {client.profile}: token_endpoint_auth_method must be one of {FAPI_METHODS}.",
        ),
        (
            any(not uri.startswith("https://") for uri in client.redirect_uris),
            f"profile {client.profile}: each redirect address must be https.",
        ),
        (bool(UNPUSHED_GRANTS.intersection(client.grant_types)), f"profile {client.profile}: no device grant."),
        (client.refresh_token_rotation, f"profile {client.profile}: refresh tokens do not rotate."),
        (
            client.jwks is not None and not is_public_key_set(client.jwks),
            f"profile {client.profile}: jwks must hold public keys only, RSA ones of 2048 bits at least.",
        ),
        (client.signs_messages and not client.has_keys, f"profile {client.profile} needs jwks or jwks_uri."),
        *(algorithm_rule(client, name) for name in (*ALWAYS_SIGNED, *named)),
    )


def algorithm_rule(client: Client, name: str) -> tuple[bool, str]:
    """The rule on one algorithm that the client named (FAPI 2.0 Security Profile §5.4.1)."""
    return (
        getattr(client, name) not in FAPI_ALGORITHMS,
        f"profile {client.profile}: {name} must be one of {FAPI_ALGORITHMS}.",
    )


def is_looser(profile: Any, than: str) -> bool:
    """Whether what is named as profile asks less than another one; what is unknown asks nothing."""
    order = ("", *PROFILES)
    return order.index(profile if profile in order else "") < order.index(than)
