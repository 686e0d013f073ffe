"""The answer to an authorization request: query, fragment or form_post, with `state` and `iss`, plain or signed (JARM).

Promises: an answer goes to the address that was checked and nowhere else; every answer, also a failure, carries what
the client needs to tell it from a forged one (RFC 9207). Must not know: why the answer is what it is.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from idp.authenticator import Page
from idp.clients import Client
from idp.flows.envelopes import sealed
from idp.flows.screen import Occasion, show
from idp.http import Answer, Request, see_other, with_query
from idp.keys.jwt import sign
from idp.provider import Provider
from idp.tickets import AuthorizationRequest

SIGNED_MODES = {"jwt": "query", "query.jwt": "query", "fragment.jwt": "fragment", "form_post.jwt": "form_post"}
"""How each signed mode travels; `jwt` is the usual way of a code (JARM §2.3)."""

RESPONSE_SECONDS = 600


def respond(provider: Provider, request: Request, *, to: AuthorizationRequest, members: Mapping[str, str]) -> Answer:
    """Send the members to the client by the mode that it asked."""
    sent = dict(members)
    if to.state:
        sent["state"] = to.state
    if provider.settings.iss_parameter:
        sent["iss"] = provider.settings.issuer
    if to.response_mode in SIGNED_MODES:
        sent = {"response": signed_response(provider, sent, to=to)}
    way = SIGNED_MODES.get(to.response_mode, to.response_mode)
    if way == "form_post":
        page = Page("flows/form_post.html", "form-post", {"action": to.redirect_uri, "fields": sent})
        occasion = Occasion(to, provider.clients.get(to.client_id))
        return show(provider, request, page=page, occasion=occasion)
    if way == "fragment":
        return see_other(f"{to.redirect_uri}#{urlencode(sent)}")
    return see_other(with_query(to.redirect_uri, sent.items()))


def signed_response(provider: Provider, members: Mapping[str, str], *, to: AuthorizationRequest) -> str:
    """The members as a JWT for this client alone, good for ten minutes (JARM §2.1)."""
    client = provider.clients.get(to.client_id)
    alg = client.authorization_signed_response_alg if client else Client.authorization_signed_response_alg
    of_the_token = {
        "iss": provider.settings.issuer,
        "aud": to.client_id,
        "exp": provider.now() + RESPONSE_SECONDS,
    }
    signed = sign({**members, **of_the_token}, provider.keyring.signing_key(alg))
    return sealed(provider, client, content=signed, answer="authorization") if client else signed
