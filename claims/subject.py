"""The subject under which a client knows a person (OpenID Connect Core §8).

Promises: always the same for the same person and client, and never derived from a number. Must not know: tokens.
"""

from claims.scopes import Recipient
from idm.facts import Person


def subject(person: Person, _recipient: Recipient) -> str:
    """The `sub` of the person towards that client: public, so the same for all."""
    return person.subject
