"""What a checked authorization request is kept as: its parameters, read once.

Promises: reads only what the checks have let through; whoever asks, by browser, by device or server to server, gets the
same request of the same parameters. Must not know: sessions, pages, or what becomes of the request.
"""

import msgspec

from idp.claims_request import acrs_asked, parse_claims, subject_asked
from idp.errors import InvalidRequest
from idp.flows.audiences import audience_asked
from idp.flows.checks import Asked, hinted_identity
from idp.flows.hints import claims_of_hint
from idp.keys.jwt import TokenRejected
from idp.provider import Provider
from idp.tickets import AuthorizationRequest


def checked_request(provider: Provider, asked: Asked, *, address: AuthorizationRequest) -> AuthorizationRequest:
    """The request at this address with all that was asked; InvalidRequest or InvalidTarget for what cannot be read."""
    max_age, claims = asked.get("max_age"), parse_claims(asked.get("claims"))
    return msgspec.structs.replace(
        address,
        scope=tuple(dict.fromkeys(asked.get("scope").split())),
        nonce=asked.get("nonce"),
        code_challenge=asked.get("code_challenge"),
        prompt=frozenset(asked.get("prompt").split()),
        max_age=int(max_age) if max_age else asked.asker.default_max_age,
        acr_values=tuple(asked.get("acr_values").split()) or acrs_asked(claims),
        login_hint=asked.get("login_hint"),
        hinted_identity=hinted_identity(asked.get("login_hint")),
        audience=audience_asked(provider, asked.asker, parameters=asked.parameters),
        dpop_jkt=asked.get("dpop_jkt"),
        hinted_subject=hinted_subject(provider, asked.get("id_token_hint")) or subject_asked(claims),
        created_at=provider.now(),
        claims=claims,
    )


def hinted_subject(provider: Provider, id_token_hint: str) -> str:
    """The `sub` that a hint names, empty without one; InvalidRequest if it is no ID token of ours."""
    if not id_token_hint:
        return ""
    try:
        return str(claims_of_hint(provider, id_token_hint)["sub"])
    except (TokenRejected, KeyError):
        raise InvalidRequest("id_token_hint is not an ID token of this issuer.") from None
