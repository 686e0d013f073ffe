"""The grant types: each proves in its own way what the client may have; one small class a grant, one table.

Promises: what all grants share (client authentication, minting, the answer) stands outside, in `token.py`, so that no
grant can forget it. Must not know: what a token looks like.
"""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Protocol

import msgspec

from idm.days import end_of
from idp.clients import Client
from idp.errors import InvalidGrant, InvalidRequest, InvalidScope, UnauthorizedClient
from idp.flows.authorized import Authorization, authorization_of, is_alive, registered
from idp.flows.refresh_tokens import RefreshToken, RefreshTokens
from idp.provider import Provider
from idp.records.grants import Grant, Refreshable
from idp.store import Absent, AlreadyTaken
from idp.tickets import AuthorizationCode, challenge_of, hash_of

Form = Mapping[str, str]
Confirmation = Mapping[str, str]
"""The key that the client proved to hold with its request (RFC 7800): `jkt` or `x5t#S256`; empty if none."""

REPEAT_SECONDS = 10
"""A used refresh token may come back this long from a client that lost our answer; later it is a theft."""


class Redeemed(msgspec.Struct, frozen=True):
    """What a grant gave: the scope, and the person's authorization (None: the client is there for itself).

    `audience` and `cnf` (for which APIs, bound to which key) are the same for every grant, and filled in after it.
    `issued_token_type` and `actors` are of an exchange: then there is no ID token.
    """

    scope: tuple[str, ...]
    authorization: Authorization | None = None
    nonce: str = ""
    refresh_token: str = ""
    audience: tuple[str, ...] = ()
    cnf: dict[str, str] = {}
    actors: tuple[str, ...] = ()
    issued_token_type: str = ""

    @property
    def grant_id(self) -> str:
        """The Grant that its tokens hang on; empty if there is none."""
        return self.authorization.grant.id if self.authorization else ""

    @property
    def granted_audience(self) -> tuple[str, ...]:
        """The APIs that the Grant is limited to; empty if it is not."""
        return self.authorization.grant.audience if self.authorization else ()


class TokenRequest(msgspec.Struct, frozen=True):
    """What a client sends: the form, who it is, and the key that it proved to hold."""

    form: Form
    client: Client
    cnf: Confirmation = {}


class GrantType(Protocol):
    """One grant type."""

    def redeem(self, asked: TokenRequest) -> Redeemed:
        """What the form's proof gives the client; InvalidGrant if nothing."""
        ...


class AuthorizationCodeGrant:
    """RFC 6749 §4.1.3 with PKCE (RFC 7636)."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._refresh_tokens = RefreshTokens(provider.hasher)
        self._codes = provider.store.repository(AuthorizationCode)

    def redeem(self, asked: TokenRequest) -> Redeemed:
        """Take the code, once; a second use ends what the first one got (RFC 6749 §4.1.2)."""
        code = self._take(asked.form.get("code", ""))
        check_code(code, asked.form, client=asked.client)
        return self.granted(asked, code)

    def granted(self, asked: TokenRequest, code: AuthorizationCode) -> Redeemed:
        """What a code that was taken gives, however its client came by it."""
        client = asked.client
        check_key({"jkt": code.dpop_jkt} if code.dpop_jkt else {}, asked.cnf)
        offline = "offline_access" in code.scope and "refresh_token" in client.grant_types
        # A public client has nothing but its key to prove when it comes back with its refresh token (RFC 9449 §5).
        cnf = dict(asked.cnf) if client.is_public else {}
        authorization = authorization_of(self._provider, self._grant(code, offline=offline, cnf=cnf))
        if authorization is None:
            raise InvalidGrant("The right that the code was given for has ended.")
        self._keep(self._cut(authorization), client)
        refresh = self._refresh_tokens.write(RefreshToken(code.grant_id, 0)) if offline else ""
        return Redeemed(registered(code.scope, client), authorization, code.nonce, refresh)

    def _keep(self, grant: Grant, client: Client) -> None:
        # Not added means that the code is being used a second time just now. Then our answer is what it would be, had
        # the other come a moment later: one caller gets tokens, and they have ended (RFC 6749 §4.1.2).
        self._provider.grants.add(grant, has_refresh_token=grant.offline)
        # Only now: a logout ends the session first and its Grants next, so one of the two sees this Grant.
        # Offline access outlives a session once it was given; a code that comes too late gives none.
        if self._provider.sessions.by_sid(grant.sid) is None:
            self._provider.grants.end(grant.id)
            raise InvalidGrant("The session that the code was given in has ended.")
        # In the same order, for what was taken back while the code waited: consent first, then the Grants.
        if not self._is_allowed(grant, client):
            self._provider.grants.end(grant.id)
            raise InvalidGrant("The person took back what they allowed.")

    def _is_allowed(self, grant: Grant, client: Client) -> bool:
        """Whether the person still allows something to this client, as it shows itself now."""
        if client.consent_rule == "none":
            return True
        allowed = self._provider.consents.get(grant.person_id, client.client_id)
        return allowed is not None and allowed.face == client.face

    def _take(self, secret: str) -> AuthorizationCode:
        if not secret:
            raise InvalidRequest("code is missing.")
        try:
            return self._codes.take(hash_of(secret))
        except Absent:
            raise InvalidGrant("The code is unknown or has expired.") from None
        except AlreadyTaken as taken:
            self._provider.grants.end(taken.grant_id)
            raise InvalidGrant("The code was used before.") from None

    def _grant(self, code: AuthorizationCode, *, offline: bool, cnf: dict[str, str]) -> Grant:
        settings = self._provider.settings
        seconds = settings.refresh_token_seconds if offline else settings.access_token_seconds
        return Grant(
            id=code.grant_id,
            client_id=code.client_id,
            person_id=code.person_id,
            sid=code.sid,
            identity=code.identity,
            scope=code.scope,
            acr=code.acr,
            level=code.level,
            methods=code.methods,
            auth_time=code.auth_time,
            expires_at=self._provider.now() + seconds,
            offline=offline,
            claims=code.claims,
            audience=code.audience,
            cnf=cnf,
        )

    def _cut(self, authorization: Authorization) -> Grant:
        last = authorization.option.lasts_until
        ends_at = authorization.grant.expires_at if last is None else min(authorization.grant.expires_at, end_of(last))
        return msgspec.structs.replace(authorization.grant, expires_at=ends_at)


class RefreshTokenGrant:
    """RFC 6749 §6, with rotation where the client is public or registered so (RFC 9700 §4.14.2)."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._refresh_tokens = RefreshTokens(provider.hasher)

    def redeem(self, asked: TokenRequest) -> Redeemed:
        """The Grant behind the token, with its rights as they are today; a reuse ends the whole family."""
        client, secret = asked.client, asked.form.get("refresh_token")
        if not secret:
            raise InvalidRequest("refresh_token is missing.")
        token = self._refresh_tokens.read(secret)
        held = self._provider.grants.refreshable(token.grant_id) if token else None
        if token is None or held is None or held.grant.client_id != client.client_id:
            raise InvalidGrant("The refresh token is unknown, has expired or was withdrawn.")
        check_key(held.grant.cnf, asked.cnf)  # before it rotates: a thief without the key must not use it up
        scope = narrowed_scope(asked.form, registered(held.grant.scope, client))
        authorization = authorization_of(self._provider, held.grant)
        if authorization is None:
            raise InvalidGrant("The right that the refresh token was given for has ended.")
        refresh = self._refresh_tokens.write(self._next(token, held, client=client))
        return Redeemed(scope, authorization, refresh_token=refresh)

    def _next(self, token: RefreshToken, held: Refreshable, *, client: Client) -> RefreshToken:
        if token.number == held.number and not client.rotates_refresh_tokens:
            return token
        if token.number == held.number and self._provider.grants.rotate(token.grant_id, token.number):
            return token.successor
        # Used before. Whoever lost our answer may have it again for a moment (the same one, for all who ask at once);
        # later, or farther back, it is a theft.
        now_held = self._provider.grants.refreshable(token.grant_id)
        is_repeat = now_held is not None and token.successor.number == now_held.number
        if now_held is None or not is_repeat or self._provider.now() - now_held.refreshed_at > REPEAT_SECONDS:
            self._provider.grants.end(token.grant_id)
            raise InvalidGrant("The refresh token was used before.")
        return token.successor


class ClientCredentialsGrant:
    """RFC 6749 §4.4: the client for itself."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def redeem(self, asked: TokenRequest) -> Redeemed:
        """The scope asked, or all that is registered; InvalidScope for more."""
        client = asked.client
        if client.is_public:
            raise UnauthorizedClient("A public client has no credentials.")
        if not is_alive(self._provider, client):
            raise UnauthorizedClient("The organisation of this client has ended.")
        return Redeemed(narrowed_scope(asked.form, tuple(client.scope.split())))


def check_code(code: AuthorizationCode, form: Form, *, client: Client) -> None:
    """Whether this code was given to this client for this request; InvalidGrant if not."""
    if code.client_id != client.client_id:
        raise InvalidGrant("The code was given to another client.")
    # OAuth 2.1 clients leave redirect_uri out; without PKCE it is what binds the code, and has to be there.
    if form.get("redirect_uri", code.redirect_uri if code.code_challenge else "") != code.redirect_uri:
        raise InvalidGrant("redirect_uri is not the one of the authorization request.")
    check_verifier(code.code_challenge, form.get("code_verifier", ""))


def check_key(bound_to: Confirmation, proven: Confirmation) -> None:
    """Whether the client holds the key that its proof hangs on; InvalidGrant if not (RFC 9449 §10, RFC 8705 §4)."""
    if any(proven.get(name) != value for name, value in bound_to.items()):
        raise InvalidGrant("The code or token is bound to another key.")


def check_verifier(challenge: str, verifier: str) -> None:
    """PKCE; also a verifier without a challenge is refused, since it tells of a stripped one (RFC 9700 §4.8)."""
    if bool(challenge) != bool(verifier):
        raise InvalidGrant("code_verifier and code_challenge go together.")
    if challenge and not (verifier.isascii() and compare_digest(challenge_of(verifier), challenge)):
        raise InvalidGrant("code_verifier does not match the code_challenge.")


def narrowed_scope(form: Form, granted: tuple[str, ...]) -> tuple[str, ...]:
    """The scope asked within what was granted, or all of it; InvalidScope for more (RFC 6749 §6)."""
    asked = tuple(dict.fromkeys(form.get("scope", "").split()))
    if set(asked) - set(granted):
        raise InvalidScope("The scope is more than was granted.")
    return asked or granted
