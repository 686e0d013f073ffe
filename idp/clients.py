"""A client: the registered metadata of an application, and the questions that one may ask of it.

Promises: a Client is a frozen value, checked when it is registered (`client_faults`); every question has one answer
here. Must not know: where clients are kept, or what a request asks.
"""

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from claims.scopes import CLAIMS

STANDARD_SCOPES = frozenset(CLAIMS)
SIGNING_ALGORITHMS = ("RS256", "ES256", "EdDSA")
AUTHENTICATION_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
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
    `minimum_acr` the weakest means it admits; `secret_hashes` keyed hashes, two during a rotation.
    """

    client_id: str
    client_name: str = ""
    owner_name: str = ""
    token_endpoint_auth_method: str = "client_secret_basic"
    secret_hashes: tuple[str, ...] = ()
    jwks: dict[str, list[dict[str, Any]]] | None = None
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ("authorization_code",)
    scope: str = "openid"
    id_token_signed_response_alg: str = "RS256"
    require_pkce: bool = False
    refresh_token_rotation: bool = False
    logout_without_question: bool = False
    may_introspect: bool = False
    may_know_scopes: str = ""
    resource: str = ""
    application: str = ""
    organisation: str = ""
    choice: str = "none"
    target_groups: tuple[str, ...] = ()
    role_claim: str = ""
    role_form: str = "3d"
    minimum_acr: str = ""
    default_max_age: int | None = None
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
    def is_public(self) -> bool:
        """Whether it can keep no secret (RFC 6749 §2.1)."""
        return self.token_endpoint_auth_method == "none"

    @property
    def needs_pkce(self) -> bool:
        """Whether a request without a code challenge is refused (RFC 9700 §2.1.1)."""
        return self.is_public or self.require_pkce

    def has_redirect_uri(self, uri: str) -> bool:
        """Whether an answer may go there: exact match, but any port of a loopback address (RFC 8252 §7.3)."""
        return uri in self.redirect_uris or without_port(uri) in self._loopback_uris()

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


def client_faults(client: Client) -> list[str]:
    """What is wrong with a client's metadata, a sentence each; empty if it may be registered."""
    return [sentence for is_wrong, sentence in client_rules(client) if is_wrong]


def client_rules(client: Client) -> tuple[tuple[bool, str], ...]:
    """Every rule on metadata: whether it is broken, and the sentence that says so."""
    method = client.token_endpoint_auth_method
    uses_code = "authorization_code" in client.grant_types
    uris = client.redirect_uris + client.post_logout_redirect_uris
    shown = (client.client_uri, client.logo_uri, client.policy_uri, client.tos_uri)
    return (
        (not client.client_id.isprintable() or not 0 < len(client.client_id) <= 200, "client_id is needed, in text."),
        (method not in AUTHENTICATION_METHODS, f"token_endpoint_auth_method must be of {AUTHENTICATION_METHODS}."),
        (bool(set(client.grant_types) - set(GRANT_TYPES)), f"grant_types must be among {GRANT_TYPES}."),
        (method.startswith("client_secret") and not client.secret_hashes, f"{method} needs a client_secret."),
        (method == "private_key_jwt" and not client.jwks, "private_key_jwt needs jwks."),
        (client.is_public and "client_credentials" in client.grant_types, "a public client has no credentials."),
        (uses_code and not client.redirect_uris, "authorization_code needs redirect_uris."),
        (any(not is_acceptable_uri(uri) for uri in uris), "each redirect address must be absolute, without fragment."),
        (any(not is_web_address(uri) for uri in shown), "client_uri, logo_uri, policy_uri, tos_uri: https addresses."),
        (client.id_token_signed_response_alg not in SIGNING_ALGORITHMS, f"signing is one of {SIGNING_ALGORITHMS}."),
        (client.choice not in ("organisation", "target group", "none"), "choice: organisation, target group or none."),
        (client.role_form not in ("2d", "3d"), "role_form is 2d or 3d."),
        (uses_code and "openid" not in client.scopes, "scope must hold openid for authorization_code."),
    )


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
