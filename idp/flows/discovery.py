"""Discovery: what this provider offers (OpenID Connect Discovery 1.0, RFC 8414), and the keys that it signs with.

Promises: says only what is there; the key set may be cached for an hour, which is less than a key is announced before
it signs. Applications' own scopes are not published: they are a matter between an application and its owner.
"""

from collections.abc import Iterable

import msgspec

from claims.scopes import CLAIMS
from idp.clients import AUTHENTICATION_METHODS, GRANT_TYPES, SIGNING_ALGORITHMS, STANDARD_SCOPES, TLS_METHODS
from idp.flows.checks import RESPONSE_MODES
from idp.grant_rules import DELIVERY_MODES
from idp.http import Answer, Request
from idp.keys.encryption import CONTENT_ALGORITHMS, ENCRYPTION_ALGORITHMS
from idp.keys.jwt import ASYMMETRIC_ALGORITHMS
from idp.keys.keyring import Key
from idp.languages import LANGUAGES
from idp.proofs import PROOF_ALGORITHMS
from idp.provider import Provider

CACHED = (("Content-Type", "application/json"), ("Cache-Control", "public, max-age=3600"))
OPEN_TO_ALL = ("Access-Control-Allow-Origin", "*")


class Discovery:
    """The two well-known documents, which are one, and `/op/v1/keys`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._document = msgspec.json.encode(
            metadata(provider)
            | request_metadata(provider)
            | encryption_metadata()
            | session_metadata(provider)
            | backchannel_metadata(provider)
            | certificate_metadata(provider)
            | chosen_metadata(provider)
        )

    def document(self, _request: Request) -> Answer:
        """The metadata."""
        return Answer(200, (*CACHED, OPEN_TO_ALL), self._document)

    def keys(self, _request: Request) -> Answer:
        """The key set (RFC 7517 §5): public halves alone."""
        return key_set(self._provider.keyring.published())

    def upstream_keys(self, _request: Request) -> Answer:
        """The key set by which the providers that we rely on know us."""
        return key_set(self._provider.upstream_keyring.published())


def key_set(keys: Iterable[Key]) -> Answer:
    """The keys as others may fetch and hold them."""
    return Answer(200, (*CACHED, OPEN_TO_ALL), msgspec.json.encode({"keys": [key.public_jwk for key in keys]}))


def metadata(provider: Provider) -> dict[str, object]:
    """What we offer, by the names of the registry of RFC 8414."""
    issuer, methods = provider.settings.issuer, authentication_methods(provider)
    secret_methods = [method for method in methods if method != "none"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/v1/auth",
        "token_endpoint": f"{issuer}/v1/token",
        "userinfo_endpoint": f"{issuer}/v1/userinfo",
        "jwks_uri": f"{issuer}/v1/keys",
        "introspection_endpoint": f"{issuer}/v1/introspect",
        "device_authorization_endpoint": f"{issuer}/v1/device",
        "revocation_endpoint": f"{issuer}/v1/revoke",
        "end_session_endpoint": f"{issuer}/v1/logout",
        "scopes_supported": sorted(STANDARD_SCOPES),
        "response_types_supported": ["code"],
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": list(ASYMMETRIC_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": secret_methods,
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASYMMETRIC_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASYMMETRIC_ALGORITHMS),
        "introspection_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "acr_values_supported": sorted({key.means.urn for key in provider.authenticators.values()}),
        "claims_supported": sorted({claim for claims in CLAIMS.values() for claim in claims}),
        "claim_types_supported": ["normal"],
        "ui_locales_supported": list(LANGUAGES),
    }


def request_metadata(provider: Provider) -> dict[str, object]:
    """How an authorization request may be sent and answered."""
    return {
        "pushed_authorization_request_endpoint": f"{provider.settings.issuer}/v1/par",
        "require_pushed_authorization_requests": False,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "request_object_signing_alg_values_supported": list(ASYMMETRIC_ALGORITHMS),
        "claims_parameter_supported": True,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "response_modes_supported": list(RESPONSE_MODES),
        "authorization_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
    }


def encryption_metadata() -> dict[str, object]:
    """What can be encrypted, by which algorithms, and the signed userinfo that goes with it."""
    kinds = ("id_token", "userinfo", "request_object", "authorization", "introspection")
    algorithms = {f"{kind}_encryption_alg_values_supported": list(ENCRYPTION_ALGORITHMS) for kind in kinds}
    contents = {f"{kind}_encryption_enc_values_supported": list(CONTENT_ALGORITHMS) for kind in kinds}
    return {"userinfo_signing_alg_values_supported": list(SIGNING_ALGORITHMS), **algorithms, **contents}


def authentication_methods(provider: Provider) -> list[str]:
    """How a client may prove itself here: by a certificate only where one can reach us, and be judged."""
    out_of_reach = set() if provider.settings.trusted_proxies else set(TLS_METHODS)
    unjudged = set() if provider.authorities else {"tls_client_auth"}
    return [method for method in AUTHENTICATION_METHODS if method not in out_of_reach | unjudged]


def certificate_metadata(provider: Provider) -> dict[str, object]:
    """Tokens bound to certificates, and where certificates are asked (RFC 8705 §3.3, §5)."""
    settings = provider.settings
    if not settings.trusted_proxies:
        return {}
    at = f"{settings.mtls_origin}/op/v1"
    aliases = {
        "token_endpoint": f"{at}/token",
        "userinfo_endpoint": f"{at}/userinfo",
        "introspection_endpoint": f"{at}/introspect",
        "revocation_endpoint": f"{at}/revoke",
        "pushed_authorization_request_endpoint": f"{at}/par",
        "device_authorization_endpoint": f"{at}/device",
        "backchannel_authentication_endpoint": f"{at}/backchannel",
    }
    bound: dict[str, object] = {"tls_client_certificate_bound_access_tokens": True}
    return bound | ({"mtls_endpoint_aliases": aliases} if settings.mtls_host else {})


def backchannel_metadata(provider: Provider) -> dict[str, object]:
    """How a client may ask for a person who is not at its page (CIBA Core §4)."""
    return {
        "backchannel_authentication_endpoint": f"{provider.settings.issuer}/v1/backchannel",
        "backchannel_token_delivery_modes_supported": list(DELIVERY_MODES),
        "backchannel_authentication_request_signing_alg_values_supported": list(ASYMMETRIC_ALGORITHMS),
        "backchannel_user_code_parameter_supported": False,
    }


def session_metadata(provider: Provider) -> dict[str, object]:
    """How a session's end is told."""
    return {
        "check_session_iframe": f"{provider.settings.issuer}/v1/session",
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }


def chosen_metadata(provider: Provider) -> dict[str, object]:
    """What the operator may have switched off."""
    settings = provider.settings
    can_register = {"registration_endpoint": f"{settings.issuer}/v1/register"} if settings.registration != "off" else {}
    return can_register | ({"authorization_response_iss_parameter_supported": True} if settings.iss_parameter else {})
