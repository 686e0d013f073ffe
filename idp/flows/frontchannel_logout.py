"""Front-channel logout: the frames on the page after logging out, by which the browser itself tells the applications.

Promises: each address is one that its client registered, with our name and the session's added (OpenID Connect
Front-Channel Logout 1.0 §2). Must not know: whether an application listens; browsers that keep cookies apart may not
let it, which is why the back channel is the better one.
"""

from idp.http import with_query
from idp.provider import Provider
from idp.sessions import Session


def frames(provider: Provider, session: Session) -> list[str]:
    """The addresses to frame when this session has ended."""
    added = [("iss", provider.settings.issuer), ("sid", session.sid)]
    clients = [provider.clients.get(client_id) for client_id in session.clients]
    return [
        with_query(client.frontchannel_logout_uri, added)
        for client in clients
        if client and client.frontchannel_logout_uri
    ]
