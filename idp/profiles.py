"""The profiles: what OAuth 2.1 with RFC 9700, and the FAPI 2.0 Security Profile, ask of a client as it is registered.

Promises: each rule is one value: whose it is, where it stands, when it is broken, and what to do. What no configuration
here can break (exact redirect addresses, S256, no implicit flow, codes used once) needs no rule. Must not know: where
clients are kept.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from idp.clients import FAPI_METHODS, Client
from idp.grant_rules import CIBA_GRANT
from idp.keys.jwt import FAPI_ALGORITHMS
from idp.settings import Settings

OAUTH, FAPI = "OAuth 2.1", "FAPI 2.0"
PROFILES = (OAUTH, FAPI)
BINDINGS = ("dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens")
RFC_9700 = "RFC 9700 §"
SECURITY_PROFILE = "FAPI 2.0 Security Profile §"

Broken = Callable[[Client, Settings], bool]


@dataclass(frozen=True)
class Rule:
    """One rule: the profile, its name, where it stands, when it is broken, and the sentence that says so."""

    profile: str
    name: str
    paragraph: str
    is_broken: Broken
    sentence: str


@dataclass(frozen=True)
class Finding:
    """A rule that a client breaks."""

    client_id: str
    rule: Rule


def uses_code(client: Client) -> bool:
    """Whether people sign in to it."""
    return "authorization_code" in client.grant_types


def is_bound(client: Client) -> bool:
    """Whether its tokens are good only together with its key."""
    return client.is_fapi or any(getattr(client, name, False) for name in BINDINGS)


def has_http_address(client: Client) -> bool:
    """Whether a code may go unencrypted to an application that is no native one."""
    return client.application_type != "native" and any(uri.startswith("http://") for uri in client.redirect_uris)


def takes_weak_requests(client: Client) -> bool:
    """Whether a backchannel request is taken that is not signed, or by an algorithm that is none of FAPI's."""
    alg = client.backchannel_authentication_request_signing_alg
    return not client.signs_backchannel_requests or (bool(alg) and alg not in FAPI_ALGORITHMS)


RULES = (
    Rule(
        OAUTH,
        "pkce",
        RFC_9700 + "2.1.1",
        lambda client, _: uses_code(client) and not client.needs_pkce,
        "A request without a code challenge is accepted: set require_pkce.",
    ),
    Rule(
        OAUTH,
        "https",
        RFC_9700 + "2.6",
        lambda _, settings: not settings.is_https,
        "The issuer is not https: set TOEGANG_ISSUER.",
    ),
    Rule(
        OAUTH,
        "redirect-https",
        RFC_9700 + "2.6",
        lambda client, _: has_http_address(client),
        "A redirect address is http: give it one with https, or say application_type native if it is a native one.",
    ),
    Rule(
        OAUTH,
        "loopback-by-number",
        "RFC 8252 §8.3",
        lambda client, _: any(uri.startswith("http://localhost") for uri in client.redirect_uris),
        "A redirect address names localhost, which may resolve elsewhere: use 127.0.0.1 or [::1].",
    ),
    Rule(
        OAUTH,
        "issuer-in-answers",
        RFC_9700 + "4.4.2.1",
        lambda client, settings: uses_code(client) and not settings.iss_parameter,
        "Answers do not say who gives them: set TOEGANG_ISS_PARAMETER to advertised.",
    ),
    Rule(
        OAUTH,
        "client-keys",
        RFC_9700 + "2.5",
        lambda client, _: client.token_endpoint_auth_method.startswith("client_secret"),
        "The client proves itself by a shared secret: private_key_jwt keeps what proves it with the client.",
    ),
    Rule(
        OAUTH,
        "bound-refresh-tokens",
        RFC_9700 + "2.2.2",
        lambda client, _: client.is_public and not (client.rotates_refresh_tokens or is_bound(client)),
        "A stolen refresh token of this public client is good for anyone: let it rotate, or bind it by DPoP.",
    ),
    Rule(
        OAUTH,
        "bound-access-tokens",
        RFC_9700 + "2.2.1",
        lambda client, _: not is_bound(client),
        "A stolen access token is good for anyone: set dpop_bound_access_tokens.",
    ),
    Rule(
        FAPI,
        "held-to-it",
        SECURITY_PROFILE + "5.4.1",
        lambda client, _: not client.is_fapi,
        "Weak signatures and assertions for another audience are accepted of the client: set profile to fapi2.",
    ),
    Rule(
        FAPI,
        "pushed-requests",
        SECURITY_PROFILE + "5.3.2.2",
        lambda client, _: uses_code(client) and not client.needs_pushed_requests,
        "A request that was not pushed is accepted: set require_pushed_authorization_requests.",
    ),
    Rule(
        FAPI,
        "pkce",
        SECURITY_PROFILE + "5.3.2.2",
        lambda client, _: uses_code(client) and not client.needs_pkce,
        "A request without a code challenge is accepted: set require_pkce.",
    ),
    Rule(
        FAPI,
        "issuer-in-answers",
        SECURITY_PROFILE + "5.3.2.2",
        lambda client, settings: uses_code(client) and not settings.iss_parameter,
        "Answers do not say who gives them: set TOEGANG_ISS_PARAMETER to advertised.",
    ),
    Rule(
        FAPI,
        "redirect-https",
        SECURITY_PROFILE + "5.3.2.2",
        lambda client, _: has_http_address(client),
        "A redirect address is http: give it one with https.",
    ),
    Rule(
        FAPI,
        "client-authentication",
        SECURITY_PROFILE + "5.3.2.1",
        lambda client, _: client.token_endpoint_auth_method not in FAPI_METHODS,
        "The client must prove itself by private_key_jwt or by its certificate.",
    ),
    Rule(
        FAPI,
        "bound-access-tokens",
        SECURITY_PROFILE + "5.3.2.1",
        lambda client, _: not is_bound(client),
        "Access tokens must be bound to the client's key: set dpop_bound_access_tokens.",
    ),
    Rule(
        FAPI,
        "no-rotation",
        SECURITY_PROFILE + "5.3.2.1",
        lambda client, _: client.rotates_refresh_tokens,
        "Refresh tokens rotate: unset refresh_token_rotation, since they are bound to the client.",
    ),
    Rule(
        FAPI,
        "algorithms",
        SECURITY_PROFILE + "5.4.1",
        lambda client, _: uses_code(client) and client.id_token_signed_response_alg not in FAPI_ALGORITHMS,
        "ID tokens must be signed by PS256, ES256 or EdDSA: set id_token_signed_response_alg.",
    ),
    Rule(
        FAPI,
        "signed-backchannel-requests",
        "FAPI-CIBA §5.2.2",
        lambda client, _: CIBA_GRANT in client.grant_types and takes_weak_requests(client),
        "Backchannel requests need no sure signature: set backchannel_authentication_request_signing_alg to ES256.",
    ),
    Rule(
        FAPI,
        "https",
        SECURITY_PROFILE + "5.2.1",
        lambda _, settings: not settings.is_https,
        "The issuer is not https: set TOEGANG_ISSUER.",
    ),
)


def unserved(clients: Iterable[Client], settings: Settings) -> str:
    """Why these clients' profile cannot be kept under these settings; empty if it can, or if none has one."""
    held = sorted(client.client_id for client in clients if client.is_fapi)
    return "" if settings.iss_parameter or not held else f"TOEGANG_ISS_PARAMETER is off, which may not be for {held}."


def findings(clients: Iterable[Client], settings: Settings) -> list[Finding]:
    """Every rule that a client breaks under these settings, client by client."""
    ordered = sorted(clients, key=lambda client: client.client_id)
    return [Finding(client.client_id, rule) for client in ordered for rule in RULES if rule.is_broken(client, settings)]


def report(clients: Iterable[Client], settings: Settings) -> str:
    """The findings as an operator reads them; a client that breaks nothing is said to."""
    known = list(clients)
    found = findings(known, settings)
    return "\n".join(line for client_id in sorted(c.client_id for c in known) for line in lines_of(client_id, found))


def lines_of(client_id: str, found: Iterable[Finding]) -> list[str]:
    """A client's lines: a verdict for each profile, and its reasons."""
    lines = [client_id]
    for profile in PROFILES:
        rules = [one.rule for one in found if one.client_id == client_id and one.rule.profile == profile]
        lines.append(f"  {profile}: {f'{len(rules)} to mend' if rules else 'nothing to mend'}")
        lines += [f"    {rule.name} ({rule.paragraph}): {rule.sentence}" for rule in rules]
    return lines
