"""The end of a session: what it gave ends with it, and the applications that it visited are told.

Promises: whoever registered for it is told, once the end is certain. Must not know: why the session ends, or how a
client is reached.
"""

from idp.flows.backchannel_logout import KIND
from idp.provider import Provider
from idp.records.outbox import Letter
from idp.sessions import Session


def end_session(provider: Provider, session: Session) -> Session | None:
    """End the session, and post a letter to each of its clients that wants to hear of it; the session as it ended."""
    return provider.sessions.end(session.sid, lambda current: letters(provider, current))


def letters(provider: Provider, session: Session) -> list[Letter]:
    """What is to be told of the end of a session (OpenID Connect Back-Channel Logout 1.0 §2.5)."""
    person = provider.directory.person(session.person_id)
    clients = [provider.clients.get(client_id) for client_id in session.clients]
    return [
        Letter(
            kind=KIND,
            client_id=client.client_id,
            body={"sub": provider.subject(person, client) if person else "", "sid": session.sid},
        )
        for client in clients
        if client and client.backchannel_logout_uri
    ]
