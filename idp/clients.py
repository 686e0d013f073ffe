"""A client: the registered metadata of an application, and the questions that one may ask of it.

Promises: a Client is a frozen value, checked when it is registered (`client_rules.py`); every question has one answer
here. Must not know: where clients are kept, or what a request asks.
"""

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from claims.scopes import CLAIMS

STANDARD_SCOPES = frozenset(CLAIMS)
SIGNING_ALGORITHMS = ("RS256", "ES256", "EdDSA")
TLS_METHODS = ("tls_client_auth", "self_signed_tls_client_auth")
AUTHENTICATION_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", *TLS_METHODS, "none")
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")
LOOPBACK_ADDRESSES = frozenset({"127.0.0.1", "::1"})
LOOPBACK_URI = re.compile(r"(?P<origin>http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?P<path>/[^#]*)?")
HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?")
SAFE_URI = re.compile(r"[!$&-+\--:=?-Z\[\]_a-z~%#]{1,2000}", re.ASCII)
"""No space, quote, comma or semicolon: they would end a directive of a page's policy, or a header."""


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """Registered metadata. Names are those of RFC 7591 and of the registries built on it; the others are ours:

    `application` and `organisation` are ids in IDM; `choice` says at which level a person chooses for whom
    (`organisation`, `target group` or `none`); `role_claim` and `role_form` how its rights are spelled;
    `minimum_acr` the weakest means it admits; `secret_hashes` keyed hashes, two during a rotation;
    `set_by_api` what an API has introspection tell it of each client; `introspection_jwt` whether ACM's `jwt` comes
    too; `is_self_registered` that nobody here vouches for it, and `expires_at` (0: never) when it is gone.
    """

    client_id: str
    client_name: str = ""
    owner_name: str = ""
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
    authorization_signed_response_alg: str = "RS256"
    require_pkce: bool = False
    require_pushed_authorization_requests: bool = False
    require_signed_request_object: bool = False
    request_object_signing_alg: str = ""
    request_uris: tuple[str, ...] = ()
    refresh_token_rotation: bool = False
    logout_without_question: bool = False
    backchannel_logout_uri: str = ""
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str = ""
    frontchannel_logout_session_required: bool = False
    may_introspect: bool = False
    may_know_scopes: str = ""
    resource: str = ""
    set_by_api: dict[str, dict[str, str | list[str]]] = msgspec.field(default_factory=dict)
    introspection_jwt: bool = True
    introspection_signed_response_alg: str = "RS256"
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

    @property
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

    @property
    def needs_pkce(self) -> bool:
        """Whether a request without a code challenge is refused (RFC 9700 §2.1.1)."""
        return self.is_public or self.require_pkce

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

    @property
    def is_resource_server(self) -> bool:
        """Whether access tokens may be meant for it."""
        return bool(self.resource or self.may_introspect or self.may_know_scopes)

    @property
    def rotates_refresh_tokens(self) -> bool:
        """Whether a refresh token serves once: a confidential client's is bound to its keys, and need not (FAPI 2)."""
        return self.is_public or self.refresh_token_rotation

    def has_redirect_uri(self, uri: str) -> bool:
        """Whether an answer may go there: exact match, but any port of a loopback address (RFC 8252 §7.3)."""
        return uri in self.redirect_uris or without_port(uri) in self._loopback_uris()

    def has_request_uri(self, uri: str) -> bool:
        """Whether a request object may be fetched there; a fragment says which version (OpenID Connect Core §6.2)."""
        return uri.partition("#")[0] in {known.partition("#")[0] for known in self.request_uris}

    def has_logout_uri(self, uri: str) -> bool:
        """Whether a browser may go there after logging out: exact match."""
        return uri in self.post_logout_redirect_uris

    def may_know(self, scopes: frozenset[str]) -> frozenset[str]:
        """Which of a token's scopes this client may learn of by introspection, when the token is another's."""
        return scopes & frozenset(self.may_know_scopes.split())

    def _loopback_uris(self) -> frozenset[str]:
        return frozenset(filter(None, map(without_port, self.redirect_uris)))


def without_port(uri: str) -> str:
    """A loopback http address with its port left out; empty for every other address.

    Matched letter for letter, not parsed: parsers disagree on what the host of `http://[::1].evil.example/` is.
    """
    found = LOOPBACK_URI.fullmatch(uri)
    return found["origin"] + (found["path"] or "") if found else ""


def host_of(uri: str) -> str:
    """The host of a checked address, lower case; empty where it has none."""
    return urlsplit(uri).hostname or ""


def is_acceptable_uri(uri: str) -> bool:
    """Absolute, without fragment, safe to stand in a policy; http only on this machine (RFC 9700 §2.1, RFC 8252 §7)."""
    if not SAFE_URI.fullmatch(uri) or "#" in uri:
        return False
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
        is_own_scheme = "." in parts.scheme and not parts.netloc
        has_host = HOST.fullmatch(parts.netloc) is not None and parts.port != 0
    except ValueError:
        return False
    is_safe_web = parts.scheme == "https" or (parts.scheme == "http" and host in {*LOOPBACK_ADDRESSES, "localhost"})
    return is_own_scheme or (has_host and is_safe_web)


def is_web_address(uri: str) -> bool:
    """Whether people may be sent there, or shown a picture from there; empty counts as none given."""
    return not uri or (uri.startswith(("https://", "http://")) and is_acceptable_uri(uri))


def is_resource(uri: str) -> bool:
    """Whether this can name an API: an absolute address without fragment (RFC 8707 §2)."""
    return bool(SAFE_URI.fullmatch(uri)) and ":" in uri and "#" not in uri
