"""Registration: what an application may say of itself, and the client that comes of it (RFC 7591 §2, OpenID Connect
Dynamic Client Registration 1.0 §2).

Promises: only the members named here are read, so that nobody can register itself any authority: no application, no
role, no organisation, no scope beyond what any person may tell of themselves. Must not know: requests, or the database.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from idp.addresses import is_acceptable_uri, is_https_address
from idp.client_rules import client_faults
from idp.clients import Client
from idp.errors import ProtocolError
from idp.fapi_rules import profile_defaults
from idp.keys.jwt import is_public_key_set

SCOPES = ("openid", "profile", "email", "phone", "offline_access")
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_TYPES = ("authorization_code", "refresh_token", DEVICE_GRANT)
CITIZEN = "BUR"
MOST_URIS = 50
LONGEST_TEXT = 2000

REGISTRABLE = frozenset(
    {
        *("redirect_uris", "token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "grant_types", "scope"),
        *("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri", "contacts", "jwks", "jwks_uri"),
        *("software_id", "software_version", "application_type", "sector_identifier_uri", "subject_type"),
        *("id_token_signed_response_alg", "id_token_encrypted_response_alg", "id_token_encrypted_response_enc"),
        *("userinfo_signed_response_alg", "userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc"),
        *("request_object_signing_alg", "request_object_encryption_alg", "request_object_encryption_enc"),
        *("authorization_signed_response_alg", "authorization_encrypted_response_alg"),
        *("authorization_encrypted_response_enc", "introspection_signed_response_alg", "request_uris", "profile"),
        *("introspection_encrypted_response_alg", "introspection_encrypted_response_enc"),
        *("default_max_age", "require_auth_time", "default_acr_values", "initiate_login_uri"),
        *("post_logout_redirect_uris", "backchannel_logout_uri", "backchannel_logout_session_required"),
        *("frontchannel_logout_uri", "frontchannel_logout_session_required", "require_signed_request_object"),
        *("require_pushed_authorization_requests", "dpop_bound_access_tokens"),
        *("tls_client_auth_subject_dn", "tls_client_auth_san_dns", "tls_client_auth_san_uri"),
        *("tls_client_auth_san_ip", "tls_client_auth_san_email", "tls_client_certificate_bound_access_tokens"),
    }
).intersection(Client.__struct_fields__)
"""What is read, as far as there is something here that keeps to it; whatever else is sent is ignored (RFC 7591 §2)."""


class InvalidRedirectUri(ProtocolError):
    """A redirect address may not be registered (RFC 7591 §3.2.2)."""

    code = "invalid_redirect_uri"


class InvalidClientMetadata(ProtocolError):
    """A member has a value that it may not have; the description says which and why (RFC 7591 §3.2.2)."""

    code = "invalid_client_metadata"


def read_registration(metadata: Mapping[str, Any], *, kept: Client) -> Client:
    """The client that the metadata describe; a ProtocolError says which member is wrong and why.

    `kept` has what an application cannot say of itself: id, secret, dates, and whatever an administrator decided.
    """
    # An empty value asks for the default, as null does (RFC 7592 §2.2).
    said = {name: value for name, value in metadata.items() if name in REGISTRABLE and value is not None}
    try:
        asked = msgspec.convert(with_defaults(said), Client, from_attributes=False)
    except msgspec.ValidationError as fault:
        raise mistyped(str(fault)) from None
    check_redirect_uris(asked)
    asked = msgspec.structs.replace(asked, **decided_members(kept))
    check_members(asked, metadata)
    return msgspec.structs.replace(asked, **own_members(kept))


def with_defaults(said: Mapping[str, Any]) -> dict[str, Any]:
    """The members, with those that follow from others."""
    uris = said.get("redirect_uris", [])
    return {
        "application_type": implied_type(uris if isinstance(uris, list) else []),
        "scope": " ".join(SCOPES),
        **profile_defaults(said),
        **said,
        "client_id": "pending",
        "secret_hashes": ["pending"],
        **({"scope": narrowed(said["scope"])} if isinstance(said.get("scope"), str) else {}),
    }


def narrowed(scope: str) -> str:
    """The scopes that may be had of those that were asked, and `openid`: we are asked by OpenID Connect alone."""
    asked = {*scope.split(), "openid"}
    return " ".join(one for one in SCOPES if one in asked)


def implied_type(uris: list[Any]) -> str:
    """`native` where an address is one that only a program on the person's own machine can have; else `web`."""
    return "native" if any(isinstance(uri, str) and not uri.startswith("https://") for uri in uris) else "web"


def mistyped(fault: str) -> ProtocolError:
    """The error for a value of a wrong type. The fault names types and our own members, never what was sent."""
    kind = InvalidRedirectUri if "$.redirect_uris" in fault else InvalidClientMetadata
    return kind(fault.replace("`", "").replace("$.", "") + ".")


def check_redirect_uris(asked: Client) -> None:
    """InvalidRedirectUri, unless each address is one that this type of application may have."""
    for uri in asked.redirect_uris:
        if not is_acceptable_uri(uri):
            raise InvalidRedirectUri(
                "redirect_uris: each must be an absolute address without fragment: https, or for native "
                "applications http on this machine or a scheme with a dot."
            )
        if asked.application_type == "web" and not uri.startswith("https://"):
            raise InvalidRedirectUri("redirect_uris: a web application's must be https.")
    if "authorization_code" in asked.grant_types and not asked.redirect_uris:
        raise InvalidRedirectUri("redirect_uris: authorization_code needs one.")


def check_members(asked: Client, metadata: Mapping[str, Any]) -> None:
    """InvalidClientMetadata with the first fault."""
    faults = [sentence for is_wrong, sentence in rules(asked, metadata) if is_wrong] + client_faults(asked)
    if faults:
        raise InvalidClientMetadata(faults[0])


def rules(asked: Client, metadata: Mapping[str, Any]) -> tuple[tuple[bool, str], ...]:
    """What holds for applications that register themselves, beside what holds for all."""
    response_types = metadata.get("response_types")
    texts = (asked.client_name, asked.software_id, asked.software_version, *asked.contacts)
    lists = (asked.redirect_uris, asked.post_logout_redirect_uris, asked.contacts)
    return (
        (
            bool(set(asked.grant_types) - set(GRANT_TYPES)),
            "grant_types: authorization_code, refresh_token, device_code.",
        ),
        (response_types not in (None, [], ["code"]), "response_types: only code (RFC 9700, section 2.1.2)."),
        (
            response_types == ["code"] and "authorization_code" not in asked.grant_types,
            "response_types: code needs the grant type authorization_code.",
        ),
        (
            # A redirect address proves a sector, since codes go there; with a device none does.
            DEVICE_GRANT in asked.grant_types and asked.sector not in ("", asked.client_id),
            "subject_type: pairwise goes with device_code only without redirect_uris and sector_identifier_uri.",
        ),
        (asked.application_type not in ("web", "native"), "application_type: web or native."),
        (
            any(not text.isprintable() or len(text) > LONGEST_TEXT for text in texts),
            "A text is too long or not printable.",
        ),
        (any(len(one) > MOST_URIS for one in lists), f"No list may have more than {MOST_URIS} entries."),
        (asked.jwks is not None and not is_public_key_set(asked.jwks), "jwks: public keys only, each well-formed."),
        (asked.jwks is not None and "jwks_uri" in metadata, "jwks and jwks_uri exclude each other."),
        (not is_https_address(asked.initiate_login_uri), "initiate_login_uri must be https."),
        (not 0 <= (asked.default_max_age or 0) < 10**9, "default_max_age must be a number of at most nine digits."),
    )


def own_members(kept: Client) -> dict[str, Any]:
    """What makes it this client."""
    names = ("client_id", "secret_hashes", "is_self_registered", "registration_token_hash", "issued_at", "expires_at")
    return {name: getattr(kept, name) for name in names}


def decided_members(kept: Client) -> dict[str, Any]:
    """What is not the application's to say: what nobody may register, and what an administrator set on this client."""
    names = set(Client.__struct_fields__) - REGISTRABLE | set(kept.pinned)
    return {name: getattr(kept, name) for name in names - own_members(kept).keys()}


def told(client: Client) -> dict[str, Any]:
    """The metadata as registered (RFC 7591 §3.2.1): what was asked, and what was put in its place."""
    members = {name: getattr(client, name) for name in sorted(REGISTRABLE)}
    stated = {name: value for name, value in members.items() if value not in ("", (), None)}
    codes = ["code"] if "authorization_code" in client.grant_types else []
    return {"client_id": client.client_id, "client_id_issued_at": client.issued_at, "response_types": codes} | stated
