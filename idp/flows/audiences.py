"""For whom an access token is meant: the resources (RFC 8707) or API (ACM's `audience`) that a request names.

Promises: only an API that is registered here can be named; what was granted is only ever narrowed; a request that names
none gets a token for its own client. Must not know: what a token looks like.
"""

from collections.abc import Mapping

from idp.clients import Client
from idp.errors import ProtocolError
from idp.provider import Provider


class InvalidTarget(ProtocolError):
    """The resource is not registered here, or more than was granted (RFC 8707 §2)."""

    code = "invalid_target"


def audience_asked(provider: Provider, client: Client, *, parameters: Mapping[str, str]) -> tuple[str, ...]:
    """The audience that a request names, empty if none; InvalidTarget if one of it is no API of ours."""
    resources = tuple(dict.fromkeys(parameters.get("resource", "").split()))
    named = parameters.get("audience", "")
    if client.is_self_registered and (set(resources) | {named}) - {client.client_id, ""}:
        raise InvalidTarget("A client that registered itself gets tokens for no API.")
    if not all(provider.clients.of_resource(resource) for resource in resources):
        raise InvalidTarget("The resource is not known here.")
    api = provider.clients.get(named) if named else None
    if named and not (named == client.client_id or (api and api.is_resource_server)):
        raise InvalidTarget("The audience is not an API that is known here.")
    return (*resources, named) if named else resources


def narrowed_audience(asked: tuple[str, ...], granted: tuple[str, ...]) -> tuple[str, ...]:
    """What is asked now within what was granted, or all of that; InvalidTarget for more (RFC 8707 §2.2)."""
    if granted and set(asked) - set(granted):
        raise InvalidTarget("The resource is more than was granted.")
    return asked or granted


def recipients(provider: Provider, audience: tuple[str, ...]) -> tuple[Client, ...]:
    """The clients that an audience stands for."""
    found = {client.client_id: client for name in audience for client in provider.clients.of_resource(name)}
    named = (provider.clients.get(name) for name in audience)
    return tuple((found | {client.client_id: client for client in named if client}).values())


def is_recipient(client: Client, audience: tuple[str, ...]) -> bool:
    """Whether a token of this audience is meant for the client."""
    return client.client_id in audience or (bool(client.resource) and client.resource in audience)


def readers(provider: Provider, client: Client, *, audience: tuple[str, ...]) -> tuple[Client, ...]:
    """Those who read a token of this audience as a JWT; empty if it is to be opaque.

    Each API's own wish counts, and the requesting client's where an API has none. A token that serves at userinfo as
    well as at an API is opaque, since userinfo tells more than the API may read.
    """
    meant = recipients(provider, audience) or (client,)
    is_shared = len(meant) > 1 and client in meant
    wishes = {reader.access_token_format or client.access_token_format for reader in meant}
    return meant if wishes == {"jwt"} and not is_shared else ()


def scopes_told(scope: tuple[str, ...], client: Client, *, readers: tuple[Client, ...]) -> frozenset[str]:
    """The scopes of a token that each of its readers may know; its own client knows all."""
    told = frozenset(scope)
    for reader in readers:
        told = told if reader.client_id == client.client_id else reader.may_know(told)
    return told
