"""A client: the registered metadata of an application, and the questions that one may ask of it.

Promises: a Client is a frozen value, checked when it is registered (`client_rules.py`); every question has one answer
here. Must not know: where clients are kept, or what a request asks.
"""

from functools import cached_property
from hashlib import sha256
from typing import Any

import msgspec

from claims.scopes import CLAIMS
from idp.addresses import host_of, web_origin, without_port

STANDARD_SCOPES = frozenset(CLAIMS)
SIGNING_ALGORITHMS = ("RS256", "ES256", "EdDSA")
TLS_METHODS = ("tls_client_auth", "self_signed_tls_client_auth")
AUTHENTICATION_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", *TLS_METHODS, "none")
GRANT_TYPES = (
    *("authorization_code", "refresh_token", "client_credentials"),
    *("urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"),
    "urn:openid:params:grant-type:ciba",
)
ENCRYPTED_ANSWERS = ("id_token", "userinfo", "authorization", "introspection")
"""What a client may have encrypted, each by `…_encrypted_response_alg` and `…_enc`."""
PROFILES = ("fapi2", "fapi2-message-signing")
"""What a client can be held to, each more than the one before it: FAPI 2.0 Security Profile, and Message Signing."""
FAPI_METHODS = ("private_key_jwt", *TLS_METHODS)


class Client(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Registered metadata. Names are those of RFC 7591 and of the registries built on it; the others are ours:

    `application` and `organisation` are ids in IDM; `choice` says at which level a person chooses for whom
    (`organisation`, `target group` or `none`); `role_claim` and `role_form` how its rights are spelled;
    `profile` is the one that it is held to (PROFILES), empty if to none;
    `minimum_acr` the weakest means it admits; `secret_hashes` keyed hashes, two during a rotation;
    `may_exchange_from` and `may_exchange_for` whose tokens it may exchange, and for which APIs, by their client ids;
    `set_by_api` what an API has introspection tell it of each client; `introspection_jwt` whether ACM's `jwt` comes
    too; `is_self_registered` that nobody here vouches for it, `pinned` which members an administrator set on it all the
    same, and `expires_at` (0: never) when it is gone.
    """

    client_id: str
    client_name: str = ""
    owner_name: str = ""
    profile: str = ""
    token_endpoint_auth_method: str = "client_secret_basic"
    secret_hashes: tuple[str, ...] = ()
    token_endpoint_auth_signing_alg: str = ""
    jwks: dict[str, list[dict[str, Any]]] | None = None
    jwks_uri: str = ""
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ("authorization_code",)
    scope: str = "openid"
    id_token_signed_response_alg: str = "RS256"
    id_token_encrypted_response_alg: str = ""
    id_token_encrypted_response_enc: str = ""
    userinfo_signed_response_alg: str = ""
    userinfo_encrypted_response_alg: str = ""
    userinfo_encrypted_response_enc: str = ""
    authorization_signed_response_alg: str = "RS256"
    authorization_encrypted_response_alg: str = ""
    authorization_encrypted_response_enc: str = ""
    require_pkce: bool = False
    require_pushed_authorization_requests: bool = False
    require_signed_request_object: bool = False
    request_object_signing_alg: str = ""
    request_object_encryption_alg: str = ""
    request_object_encryption_enc: str = ""
    request_uris: tuple[str, ...] = ()
    refresh_token_rotation: bool = False
    logout_without_question: bool = False
    backchannel_token_delivery_mode: str = ""
    backchannel_client_notification_endpoint: str = ""
    backchannel_authentication_request_signing_alg: str = ""
    backchannel_user_code_parameter: bool = False
    backchannel_logout_uri: str = ""
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str = ""
    frontchannel_logout_session_required: bool = False
    may_introspect: bool = False
    may_know_scopes: str = ""
    resource: str = ""
    may_exchange_from: tuple[str, ...] = ()
    may_exchange_for: tuple[str, ...] = ()
    set_by_api: dict[str, dict[str, str | list[str]]] = msgspec.field(default_factory=dict)
    introspection_jwt: bool = True
    introspection_signed_response_alg: str = "RS256"
    introspection_encrypted_response_alg: str = ""
    introspection_encrypted_response_enc: str = ""
    access_token_format: str = ""
    dpop_bound_access_tokens: bool = False
    tls_client_certificate_bound_access_tokens: bool = False
    tls_client_auth_subject_dn: str = ""
    tls_client_auth_san_dns: str = ""
    tls_client_auth_san_uri: str = ""
    tls_client_auth_san_ip: str = ""
    tls_client_auth_san_email: str = ""
    application: str = ""
    organisation: str = ""
    choice: str = "none"
    consent: str = "none"
    target_groups: tuple[str, ...] = ()
    role_claim: str = ""
    role_form: str = "3d"
    minimum_acr: str = ""
    default_max_age: int | None = None
    application_type: str = "web"
    contacts: tuple[str, ...] = ()
    subject_type: str = "public"
    sector_identifier_uri: str = ""
    software_id: str = ""
    software_version: str = ""
    require_auth_time: bool = False
    initiate_login_uri: str = ""
    is_self_registered: bool = False
    pinned: tuple[str, ...] = ()
    registration_token_hash: str = ""
    issued_at: int = 0
    expires_at: int = 0
    client_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.client_name or self.client_id

    @cached_property
    def scopes(self) -> frozenset[str]:
        """The scopes that it may ask."""
        return frozenset(self.scope.split())

    @property
    def sector(self) -> str:
        """The host that those clients share who know a person by the same `sub` (OpenID Connect Core §8.1);

        empty where `sub` is the same for all.
        """
        uris = (self.sector_identifier_uri, *self.redirect_uris)
        return next(filter(None, map(host_of, uris)), self.client_id) if self.subject_type == "pairwise" else ""

    @property
    def is_public(self) -> bool:
        """Whether it can keep no secret (RFC 6749 §2.1)."""
        return self.token_endpoint_auth_method == "none"

    @property
    def consent_rule(self) -> str:
        """When people are asked; a client that nobody here vouches for asks once at least."""
        return "once" if self.is_self_registered and self.consent == "none" else self.consent

    @cached_property
    def face(self) -> str:
        """What a yes is tied to, of a client that nobody vouches for: its name, its addresses, and where people end up;

        empty for others, whose changes an administrator answers for.
        """
        shown = (self.client_name, self.client_uri, self.logo_uri, sorted(self.redirect_uris))
        return sha256(msgspec.json.encode(shown)).hexdigest() if self.is_self_registered else ""

    @property
    def needs_pkce(self) -> bool:
        """Whether a request without a code challenge is refused (RFC 9700 §2.1.1)."""
        return self.is_public or self.require_pkce or self.is_fapi

    @property
    def is_fapi(self) -> bool:
        """Whether it is held to the FAPI 2.0 Security Profile."""
        return bool(self.profile)

    @property
    def signs_messages(self) -> bool:
        """Whether it is held to FAPI 2.0 Message Signing: its requests are signed, and our answers to it."""
        return self.profile == "fapi2-message-signing"

    @property
    def needs_pushed_requests(self) -> bool:
        """Whether a request that was not pushed is refused (RFC 9126 §6)."""
        return self.require_pushed_authorization_requests or self.is_fapi

    @property
    def needs_signed_requests(self) -> bool:
        """Whether a request that is not signed is refused (RFC 9101 §10.5)."""
        return self.require_signed_request_object or self.signs_messages

    @property
    def signs_backchannel_requests(self) -> bool:
        """Whether a backchannel request that is not signed is refused (FAPI-CIBA §5.2.2)."""
        return bool(self.backchannel_authentication_request_signing_alg) or self.needs_signed_requests or self.is_fapi

    @property
    def certificate_names(self) -> tuple[tuple[str, str], ...]:
        """What its certificate must name, as kind and name: the subject, or an alternative name (RFC 8705 §2.1.2)."""
        named = (
            ("subject", self.tls_client_auth_subject_dn),
            ("dns", self.tls_client_auth_san_dns),
            ("uri", self.tls_client_auth_san_uri),
            ("ip", self.tls_client_auth_san_ip),
            ("email", self.tls_client_auth_san_email),
        )
        return tuple((kind, name) for kind, name in named if name)

    @property
    def has_keys(self) -> bool:
        """Whether it has public keys of its own, here or at an address."""
        return bool(self.jwks or self.jwks_uri)

    def encryption_of(self, answer: str) -> tuple[str, str]:
        """The algorithms that an answer of this kind (ENCRYPTED_ANSWERS) is encrypted with; empty if it is not."""
        alg = getattr(self, f"{answer}_encrypted_response_alg")
        return alg, getattr(self, f"{answer}_encrypted_response_enc") or ("A128CBC-HS256" if alg else "")

    @property
    def is_resource_server(self) -> bool:
        """Whether access tokens may be meant for it."""
        return bool(self.resource or self.may_introspect or self.may_know_scopes)

    @property
    def rotates_refresh_tokens(self) -> bool:
        """Whether a refresh token serves once: a confidential client's is bound to its keys, and need not (FAPI 2)."""
        return (self.is_public or self.refresh_token_rotation) and not self.is_fapi

    def has_redirect_uri(self, uri: str) -> bool:
        """Whether an answer may go there: exact match, but any port of a loopback address (RFC 8252 §7.3)."""
        return uri in self.redirect_uris or without_port(uri) in self._loopback_uris

    def has_request_uri(self, uri: str) -> bool:
        """Whether a request object may be fetched there; a fragment says which version (OpenID Connect Core §6.2)."""
        return uri.partition("#")[0] in {known.partition("#")[0] for known in self.request_uris}

    def has_logout_uri(self, uri: str) -> bool:
        """Whether a browser may go there after logging out: exact match."""
        return uri in self.post_logout_redirect_uris

    @property
    def script_origins(self) -> frozenset[str]:
        """The origins whose scripts may call for it; none for one that can keep a secret, which needs no browser."""
        return frozenset(filter(None, map(web_origin, self.redirect_uris))) if self.is_public else frozenset()

    def may_know(self, scopes: frozenset[str]) -> frozenset[str]:
        """Which of a token's scopes this client may learn of by introspection, when the token is another's."""
        return scopes & frozenset(self.may_know_scopes.split())

    @cached_property
    def _loopback_uris(self) -> frozenset[str]:
        return frozenset(filter(None, map(without_port, self.redirect_uris)))
