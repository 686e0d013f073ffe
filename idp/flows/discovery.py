"""Discovery: what this provider offers (OpenID Connect Discovery 1.0, RFC 8414), and the keys that it signs with.

Promises: says only what is there; the key set may be cached for an hour, which is less than a key is announced before
it signs. Applications' own scopes are not published: they are a matter between an application and its owner.
"""

import msgspec

from claims.scopes import CLAIMS
from idp.clients import AUTHENTICATION_METHODS, GRANT_TYPES, SIGNING_ALGORITHMS, STANDARD_SCOPES
from idp.flows.checks import RESPONSE_MODES
from idp.http import Answer, Request
from idp.keys.jwt import ASYMMETRIC_ALGORITHMS
from idp.languages import LANGUAGES
from idp.provider import Provider

CACHED = (("Content-Type", "application/json"), ("Cache-Control", "public, max-age=3600"))
OPEN_TO_ALL = ("Access-Control-Allow-Origin", "*")


class Discovery:
    """The two well-known documents, which are one, and `/op/v1/keys`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._document = msgspec.json.encode(metadata(provider))

    def document(self, _request: Request) -> Answer:
        """The metadata."""
        return Answer(200, (*CACHED, OPEN_TO_ALL), self._document)

    def keys(self, _request: Request) -> Answer:
        """The key set (RFC 7517 §5): public halves alone."""
        keys = [key.public_jwk for key in self._provider.keyring.published()]
        return Answer(200, (*CACHED, OPEN_TO_ALL), msgspec.json.encode({"keys": keys}))


def metadata(provider: Provider) -> dict[str, object]:
    """What we offer, by the names of the registry of RFC 8414."""
    issuer, secret_methods = provider.settings.issuer, [m for m in AUTHENTICATION_METHODS if m != "none"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/v1/auth",
        "token_endpoint": f"{issuer}/v1/token",
        "userinfo_endpoint": f"{issuer}/v1/userinfo",
        "jwks_uri": f"{issuer}/v1/keys",
        "introspection_endpoint": f"{issuer}/v1/introspect",
        "revocation_endpoint": f"{issuer}/v1/revoke",
        "end_session_endpoint": f"{issuer}/v1/logout",
        "scopes_supported": sorted(STANDARD_SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "token_endpoint_auth_methods_supported": list(AUTHENTICATION_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASYMMETRIC_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": secret_methods,
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASYMMETRIC_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(AUTHENTICATION_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASYMMETRIC_ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": sorted({key.means.urn for key in provider.authenticators.values()}),
        "claims_supported": sorted({claim for claims in CLAIMS.values() for claim in claims}),
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": list(LANGUAGES),
    } | ({"authorization_response_iss_parameter_supported": True} if provider.settings.iss_parameter else {})
