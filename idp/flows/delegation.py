"""Delegation: what a token stands for that one client got in exchange for another's (RFC 8693), and who acts with it.

Promises: such a token lives no longer than the Grant of the person, than the trust between the clients, and than the
organisation of any of them; it is no way around the minimum of who takes it; each client knows the person by its own
`sub`; what the first client asked claim by claim is not told to the next. Must not know: how a token is exchanged.
"""

from itertools import pairwise

import msgspec

from idp.claims_request import NO_CLAIMS
from idp.clients import Client
from idp.flows.authorized import Authorization, is_alive
from idp.provider import Provider

MOST_ACTORS = 5
"""A chain of APIs that is longer tells of a circle."""


def act_of(actors: tuple[str, ...]) -> dict[str, object]:
    """Who acts, with whoever acted before inside (RFC 8693 §4.1); empty if nobody but the client of the person."""
    told: dict[str, object] = {}
    for actor in reversed(actors):
        told = {"sub": actor} | ({"act": told} if told else {})
    return told


def actors_in(act: object) -> tuple[str, ...]:
    """Who acts by this claim, the present one first; the claim is one that we signed."""
    actors: list[str] = []
    while isinstance(act, dict) and len(actors) < MOST_ACTORS:
        actors.append(str(act.get("sub", "")))
        act = act.get("act")
    return tuple(actors)


def delegated(
    provider: Provider, authorization: Authorization, *, to: Client, actors: tuple[str, ...]
) -> Authorization | None:
    """The same person's authorization as this client has it; None if a trust on which it rests has ended,

    or the client asks a surer sign-in.
    """
    if to.client_id == authorization.client.client_id and not actors:
        return authorization
    if not is_trusted(provider, (*actors, authorization.client.client_id)):
        return None
    if authorization.grant.level < provider.levels.level(to.minimum_acr):
        return None
    grant = msgspec.structs.replace(authorization.grant, claims=NO_CLAIMS)
    return msgspec.structs.replace(authorization, grant=grant, subject=provider.subject(authorization.person, to))


def is_trusted(provider: Provider, chain: tuple[str, ...]) -> bool:
    """Whether each client of a chain may act, and exchange the tokens of the one after it."""
    takers = ((provider.clients.get(taker), giver) for taker, giver in pairwise(chain))
    return all(taker and may_exchange(taker, giver) and is_alive(provider, taker) for taker, giver in takers)


def may_exchange(taker: Client, giver: str) -> bool:
    """Whether a client may exchange the tokens of another."""
    return giver in taker.may_exchange_from
