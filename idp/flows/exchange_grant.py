"""Token exchange (RFC 8693): a client gets a token of its own for an access token that it holds, to call a further API.

Promises: only between clients that an administrator made trust each other, in both directions of the exchange: whose
token it is, and for which API; the new token says no more, lives no longer and hangs on the same Grant; it says who
acts. Must not know: what a token looks like.
"""

import logging

import msgspec

from idp.clients import Client
from idp.errors import InvalidRequest, InvalidScope, UnauthorizedClient
from idp.flows.audiences import InvalidTarget, audience_asked, is_recipient, recipients
from idp.flows.authorized import Authorization
from idp.flows.delegation import MOST_ACTORS, delegated, may_exchange
from idp.flows.grants import Form, Redeemed, TokenRequest, narrowed_scope
from idp.flows.presented import AccessTokens, Presented
from idp.provider import Provider
from idp.tickets import AccessToken

log = logging.getLogger(__name__)

EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


class TokenExchangeGrant:
    """RFC 8693 §2, for access tokens alone."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._tokens = AccessTokens(provider)

    def redeem(self, asked: TokenRequest) -> Redeemed:
        """What the client may have of the subject token; the errors are those of RFC 8693 §2.2.2."""
        client, form = asked.client, asked.form
        if client.is_public:
            raise UnauthorizedClient("A public client cannot exchange tokens.")
        check_types(form)
        presented = self._tokens.find(form["subject_token"])
        if presented is None or presented.authorization is None:
            raise InvalidRequest("subject_token is no access token of a person, or no longer.")
        self._check_holder(presented, asked)
        self._check_actor(form, client)
        self._check_target(presented.token, asked)
        actors = actors_after(presented.token, client)
        authorization = self._authorization(presented.authorization, presented.token, to=client, actors=actors)
        log.info("exchanged: client=%s for=%s", client.client_id, presented.token.client_id)
        scope = scope_of(presented, asked)
        return Redeemed(scope, authorization, actors=actors, issued_token_type=ACCESS_TOKEN)

    def _check_holder(self, presented: Presented, asked: TokenRequest) -> None:
        """Whether the client may exchange this token: its own with its key, or one that was sent to it as an API."""
        token, client = presented.token, asked.client
        if token.client_id == client.client_id:
            # A bound token that leaked must not become one that is bound to the thief (RFC 9449 §1).
            if any(asked.cnf.get(name) != value for name, value in token.cnf.items()):
                raise InvalidRequest("subject_token is bound to another key.")
        elif not (may_exchange(client, token.client_id) and is_recipient(client, token.audience)):
            # Of a token that was sent to it, an API cannot prove the key: that it is the audience has to do.
            raise InvalidRequest("subject_token may not be exchanged by this client.")

    def _check_actor(self, form: Form, client: Client) -> None:
        if not form.get("actor_token"):
            return
        presented = self._tokens.find(form["actor_token"])
        is_own = presented is not None and presented.authorization is None and presented.client == client
        if not is_own:
            raise InvalidRequest("actor_token must be an access token of the client for itself.")

    def _check_target(self, token: AccessToken, asked: TokenRequest) -> None:
        client = asked.client
        named = audience_asked(self._provider, client, parameters=asked.form)
        if not named and token.client_id == client.client_id:
            raise InvalidRequest("Name the API that the token is to be for: audience or resource.")
        targets = {api.client_id for api in recipients(self._provider, named)} - {client.client_id}
        if targets - set(client.may_exchange_for):
            raise InvalidTarget("The client may not exchange tokens for this API.")

    def _authorization(
        self, authorization: Authorization, token: AccessToken, *, to: Client, actors: tuple[str, ...]
    ) -> Authorization:
        held = delegated(self._provider, authorization, to=to, actors=actors)
        if held is None:
            raise InvalidRequest("subject_token may not be exchanged by this client.")
        # The new token is cut where the old one ends; for which APIs the old one was says nothing of the new one.
        grant = msgspec.structs.replace(
            held.grant, expires_at=min(held.grant.expires_at, token.expires_at), audience=()
        )
        return msgspec.structs.replace(held, grant=grant)


def check_types(form: Form) -> None:
    """Whether access tokens are exchanged for access tokens; InvalidRequest otherwise."""
    for name in ("subject_token", "subject_token_type"):
        if not form.get(name):
            raise InvalidRequest(f"{name} is missing.")
    if bool(form.get("actor_token")) != bool(form.get("actor_token_type")):
        raise InvalidRequest("actor_token and actor_token_type go together.")
    for name in ("subject_token_type", "actor_token_type", "requested_token_type"):
        if form.get(name, ACCESS_TOKEN) != ACCESS_TOKEN:
            raise InvalidRequest(f"{name} must be {ACCESS_TOKEN}: only access tokens are exchanged.")


def actors_after(token: AccessToken, client: Client) -> tuple[str, ...]:
    """Who acts with the new token; InvalidRequest where the chain gets too long."""
    actors = token.actors if token.client_id == client.client_id else (client.client_id, *token.actors)
    if len(actors) > MOST_ACTORS:
        raise InvalidRequest("The token was exchanged too often.")
    return actors


def scope_of(presented: Presented, asked: TokenRequest) -> tuple[str, ...]:
    """What is asked, within what the old token gives and the client is registered for; InvalidScope for more."""
    granted = tuple(one for one in presented.token.scope if one in presented.scopes & asked.client.scopes)
    if not granted:
        raise InvalidScope("The client is registered for no scope of the token.")
    return narrowed_scope(asked.form, granted)
