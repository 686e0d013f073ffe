"""The answer to an authorization request: query, fragment or form_post, with `state` and `iss`.

Promises: an answer goes to the address that was checked and nowhere else; every answer, also a failure, carries what
the client needs to tell it from a forged one (RFC 9207). Must not know: why the answer is what it is.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from idp.authenticator import Page
from idp.flows.screen import Occasion, show
from idp.http import Answer, Request, see_other, with_query
from idp.provider import Provider
from idp.tickets import AuthorizationRequest


def respond(provider: Provider, request: Request, *, to: AuthorizationRequest, members: Mapping[str, str]) -> Answer:
    """Send the members to the client by the mode that it asked."""
    sent = dict(members)
    if to.state:
        sent["state"] = to.state
    if provider.settings.iss_parameter:
        sent["iss"] = provider.settings.issuer
    if to.response_mode == "form_post":
        page = Page("flows/form_post.html", "form-post", {"action": to.redirect_uri, "fields": sent})
        occasion = Occasion(to, provider.clients.get(to.client_id))
        return show(provider, request, page=page, occasion=occasion)
    if to.response_mode == "fragment":
        return see_other(f"{to.redirect_uri}#{urlencode(sent)}")
    return see_other(with_query(to.redirect_uri, sent.items()))
