"""The rules on a client's metadata: what is wrong with it, a sentence each.

Promises: whoever registers a client, by hand or by program, is held to the same rules and hears of every fault.
Must not know: where clients are kept, or who registers one.
"""

from idp.addresses import host_of, is_acceptable_uri, is_resource, is_web_address, web_origin
from idp.clients import (
    AUTHENTICATION_METHODS,
    SIGNING_ALGORITHMS,
    TLS_METHODS,
    Client,
)
from idp.encryption_rules import encryption_rules
from idp.fapi_rules import fapi_rules
from idp.grant_rules import grant_rules
from idp.keys.jwt import ASYMMETRIC_ALGORITHMS


def client_faults(client: Client) -> list[str]:
    """What is wrong with a client's metadata, a sentence each; empty if it may be registered."""
    return [sentence for is_wrong, sentence in client_rules(client) if is_wrong]


def client_rules(client: Client) -> tuple[tuple[bool, str], ...]:
    """Every rule on metadata: whether it is broken, and the sentence that says so."""
    method = client.token_endpoint_auth_method
    uses_code = "authorization_code" in client.grant_types
    return (
        (not client.client_id.isprintable() or not 0 < len(client.client_id) <= 200, "client_id is needed, in text."),
        (method not in AUTHENTICATION_METHODS, f"token_endpoint_auth_method must be of {AUTHENTICATION_METHODS}."),
        (method.startswith("client_secret") and not client.secret_hashes, f"{method} needs a client_secret."),
        (method == "private_key_jwt" and not client.has_keys, "private_key_jwt needs jwks or jwks_uri."),
        (bool(client.jwks and client.jwks_uri), "jwks and jwks_uri exclude each other."),
        (method == TLS_METHODS[1] and not client.has_keys, f"{method} needs jwks or jwks_uri."),
        (
            method == TLS_METHODS[0] and len(client.certificate_names) != 1,
            f"{method} needs one of tls_client_auth_subject_dn, _san_dns, _san_uri, _san_ip and _san_email.",
        ),
        (
            client.token_endpoint_auth_signing_alg not in ("", *ASYMMETRIC_ALGORITHMS),
            f"token_endpoint_auth_signing_alg is one of {ASYMMETRIC_ALGORITHMS}.",
        ),
        (client.id_token_signed_response_alg not in SIGNING_ALGORITHMS, f"signing is one of {SIGNING_ALGORITHMS}."),
        (client.choice not in ("organisation", "target group", "none"), "choice: organisation, target group or none."),
        (client.consent not in ("none", "once", "always"), "consent is none, once or always."),
        (client.role_form not in ("2d", "3d"), "role_form is 2d or 3d."),
        (
            client.authorization_signed_response_alg not in SIGNING_ALGORITHMS,
            f"authorization_signed_response_alg is one of {SIGNING_ALGORITHMS}.",
        ),
        (
            client.request_object_signing_alg not in ("", *ASYMMETRIC_ALGORITHMS),
            f"request_object_signing_alg is one of {ASYMMETRIC_ALGORITHMS}.",
        ),
        (client.require_signed_request_object and not client.has_keys, "require_signed_request_object needs keys."),
        (uses_code and "openid" not in client.scopes, "scope must hold openid for authorization_code."),
        *address_rules(client),
        *api_rules(client),
        *grant_rules(client),
        *encryption_rules(client),
        *fapi_rules(client),
    )


def address_rules(client: Client) -> tuple[tuple[bool, str], ...]:
    """The rules on addresses: where people are sent, and where we call."""
    uris = client.redirect_uris + client.post_logout_redirect_uris
    shown = (client.client_uri, client.logo_uri, client.policy_uri, client.tos_uri, client.initiate_login_uri)
    told = (client.backchannel_logout_uri, client.frontchannel_logout_uri)
    lacks_sector = client.subject_type == "pairwise" and not client.sector_identifier_uri
    return (
        (client.subject_type not in ("public", "pairwise"), "subject_type: public or pairwise."),
        (not is_web_address(client.sector_identifier_uri), "sector_identifier_uri must be https."),
        (
            lacks_sector and len({host_of(uri) for uri in client.redirect_uris if is_acceptable_uri(uri)}) > 1,
            "subject_type pairwise needs sector_identifier_uri where redirect addresses have several hosts.",
        ),
        (any(not is_acceptable_uri(uri) for uri in uris), "each redirect address must be absolute, without fragment."),
        (
            any(not is_web_address(uri) for uri in shown),
            "client_uri, logo_uri, policy_uri, tos_uri, initiate_login_uri: https.",
        ),
        (
            any(not is_web_address(uri) for uri in told),
            "backchannel_logout_uri and frontchannel_logout_uri must be https addresses, without fragment.",
        ),
        (
            # What we frame is the application's own (OpenID Connect Front-Channel Logout 1.0 §2).
            bool(client.frontchannel_logout_uri) and not has_origin(client, client.frontchannel_logout_uri),
            "frontchannel_logout_uri must be on the scheme, host and port of a redirect address.",
        ),
        (
            any(not uri or not is_web_address(uri.partition("#")[0]) for uri in client.request_uris),
            "request_uris must be https addresses.",
        ),
        (not is_web_address(client.jwks_uri), "jwks_uri must be an https address, without fragment."),
    )


def has_origin(client: Client, uri: str) -> bool:
    """Whether an address is on the origin of one of the redirect addresses."""
    if not is_acceptable_uri(uri):
        return False
    return web_origin(uri) in {web_origin(one) for one in client.redirect_uris if is_acceptable_uri(one)}


def api_rules(client: Client) -> tuple[tuple[bool, str], ...]:
    """The rules on what an API says of itself, and of the clients that call it."""
    set_by_api = {name for claims in client.set_by_api.values() for name in claims}
    return (
        (client.access_token_format not in ("", "opaque", "jwt"), "access_token_format is opaque or jwt."),
        (
            bool(client.resource) and not is_resource(client.resource),
            "resource must be an absolute address, without fragment.",
        ),
        (
            client.introspection_signed_response_alg not in SIGNING_ALGORITHMS,
            f"introspection_signed_response_alg is one of {SIGNING_ALGORITHMS}.",
        ),
        (
            any(not name.startswith("setbyapi_") for name in set_by_api),
            "each claim of set_by_api must begin with setbyapi_.",
        ),
    )
