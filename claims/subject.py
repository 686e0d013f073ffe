"""The subject under which a client knows a person (OpenID Connect Core §8).

Promises: always the same for the same person and sector, never derived from a number, and between two sectors of
clients registered so nothing that they could compare. Must not know: tokens, or where a key is kept.
"""

from collections.abc import Callable

from idm.facts import Person


def subject(person: Person, sector: str, *, keyed_hash: Callable[[str], str]) -> str:
    """The `sub` of the person: public where there is no sector, else one that only clients of that sector share."""
    # The length of the subject is fixed, so that no two pairs of sector and person are hashed alike (§8.1).
    return keyed_hash(f"{person.subject} {sector}") if sector else person.subject
