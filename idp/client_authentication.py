"""Which client is calling: none, client_secret_basic, client_secret_post, private_key_jwt, or a certificate.

Promises: the method that the client is registered with and no other, one a request; an unknown client, a wrong secret
and a wrong method answer alike (RFC 6749 §5.2). Must not know: what the client wants.
"""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from idp.clients import TLS_METHODS, Client
from idp.connections import Connections
from idp.errors import InvalidClient, InvalidRequest, UnauthorizedClient
from idp.http import Request
from idp.keys.jwt import TokenRejected, admitted_algorithms, unverified_claims, unverified_header
from idp.provider import Provider
from idp.store import Ticket
from idp.tickets import hash_of

ASSERTION_TYPES = ("JWT", "client-authentication+jwt")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 3600
SKEW_SECONDS = 60
SECRET_PURPOSE = "client secret"
ENDPOINTS = ("token", "par", "introspect", "revoke", "device", "backchannel")
"""Where clients prove themselves."""


class UsedAssertion(Ticket, frozen=True, kw_only=True):
    """A `jti` that was seen: an assertion serves once (RFC 7523 §3)."""


class ClientAuthentication:
    """Tells which client is calling."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._assertions = provider.store.repository(UsedAssertion)
        self._connections = Connections(provider)

    def authenticate(self, request: Request, form: Mapping[str, str]) -> Client:
        """The client that proved itself; InvalidClient, or InvalidRequest where two proofs were sent.

        UnauthorizedClient, if we do not do what its profile needs.
        """
        client = self._authenticated(request, form)
        if client.is_fapi and not self._provider.settings.iss_parameter:  # FAPI 2.0 Security Profile §5.3.2.2
            raise UnauthorizedClient("Answers do not say who gives them here: the client's profile needs that.")
        return client

    def _authenticated(self, request: Request, form: Mapping[str, str]) -> Client:
        basic = request.basic_credentials()
        sent = [basic is not None, "client_secret" in form, "client_assertion" in form]
        if sum(sent) > 1:
            raise InvalidRequest("Use one way of client authentication only.")
        if basic:
            return self._by_basic(basic, form)
        if "client_assertion" in form:
            return self._by_assertion(form)
        return self._by_form(request, form)

    def _by_basic(self, basic: tuple[str, str], form: Mapping[str, str]) -> Client:
        client_id, secret = basic
        if form.get("client_id", client_id) != client_id:
            raise InvalidRequest("client_id differs from the authenticated client.")
        client = self._registered(client_id, "client_secret_basic")
        self._check_secret(client, secret)
        return client

    def _by_form(self, request: Request, form: Mapping[str, str]) -> Client:
        named = self._provider.clients.get(form.get("client_id", ""))
        if named and named.token_endpoint_auth_method in TLS_METHODS and "client_secret" not in form:
            self._connections.authenticate(request, named)
            return named
        if "client_secret" not in form:
            return self._registered(form.get("client_id", ""), "none")
        client = self._registered(form.get("client_id", ""), "client_secret_post")
        self._check_secret(client, form["client_secret"])
        return client

    def _registered(self, client_id: str, method: str) -> Client:
        client = self._provider.clients.get(client_id)
        if client is None:
            raise InvalidClient("Client authentication failed.", detail="unknown client")
        if client.token_endpoint_auth_method != method:
            raise InvalidClient("Client authentication failed.", detail=f"{client_id} is not registered for {method}")
        return client

    def _check_secret(self, client: Client, secret: str) -> None:
        sent = self._provider.hasher.keyed_hash(secret, purpose=SECRET_PURPOSE)
        if not any(compare_digest(sent, kept) for kept in client.secret_hashes):
            raise InvalidClient("Client authentication failed.", detail=f"wrong secret of {client.client_id}")

    def _by_assertion(self, form: Mapping[str, str]) -> Client:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise InvalidClient("Client authentication failed.", detail="unknown client_assertion_type")
        try:
            claimed = str(unverified_claims(form["client_assertion"]).get("sub", ""))
            if form.get("client_id", claimed) != claimed:
                raise InvalidRequest("client_id differs from the authenticated client.")
            client = self._registered(claimed, "private_key_jwt")
            algorithms = admitted_algorithms(client.token_endpoint_auth_signing_alg, is_fapi=client.is_fapi)
            if unverified_header(form["client_assertion"]).get("typ", "JWT") not in ASSERTION_TYPES:
                raise TokenRejected("it is another kind of token")  # RFC 8725 §3.11: each kind for its purpose alone
            claims = self._provider.client_keys.verify(client, form["client_assertion"], algorithms=algorithms)
        except TokenRejected as error:
            raise InvalidClient("Client authentication failed.", detail=f"assertion: {error}") from None
        self._check_assertion(client, claims)
        return client

    def _check_assertion(self, client: Client, claims: Mapping[str, Any]) -> None:
        fault = self._assertion_fault(client, claims)
        if fault:
            raise InvalidClient("Client authentication failed.", detail=f"assertion of {client.client_id}: {fault}")

    def _assertion_fault(self, client: Client, claims: Mapping[str, Any]) -> str:
        audience, jti = claims.get("aud"), claims.get("jti")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != client.client_id:
            return "iss is another"
        if client.is_fapi and audience != self._provider.settings.issuer:  # FAPI 2.0 Security Profile §5.3.2.1
            return "aud is not the issuer alone"
        if not self._names() & {one for one in audiences if isinstance(one, str)}:
            return "aud is another"
        if fault := date_fault(claims, self._provider.now()):
            return fault
        if not isinstance(jti, str) or not jti:
            return "jti is missing"
        used = UsedAssertion(id=hash_of(f"{client.client_id} {jti}"), expires_at=int(claims["exp"]) + SKEW_SECONDS + 1)
        return "" if self._assertions.add(used) else "jti was used before"

    def _names(self) -> frozenset[str]:
        # Libraries name the issuer, the token address, or the one that they call (RFC 7523 §3, RFC 9126 §2): that may
        # be an address for certificates, which a client calls whose tokens are bound to one (RFC 8705 §5).
        settings = self._provider.settings
        addresses = (f"{origin}/op/v1/{name}" for origin in settings.origins for name in ENDPOINTS)
        return frozenset({settings.issuer, *addresses})


def date_fault(claims: Mapping[str, Any], now: int) -> str:
    """What is wrong with an assertion's dates; empty if nothing. A client's clock may be a minute off."""
    exp = claims.get("exp")
    if not isinstance(exp, int | float) or not now - SKEW_SECONDS < exp <= now + ASSERTION_SECONDS:
        return "exp is missing, past, or too far ahead"
    early = (claims.get(name) for name in ("iat", "nbf"))
    return "it is not valid yet" if any(isinstance(at, int | float) and at > now + SKEW_SECONDS for at in early) else ""
