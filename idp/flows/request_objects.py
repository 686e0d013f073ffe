"""Request objects (RFC 9101, OpenID Connect Core §6): a request that its client has signed, by value or by reference,
and may have encrypted to a key of ours.

Promises: what is inside counts and nothing beside it; it is signed by a key of the client that sends it, for us, now;
a reference leads only to an address that the client has registered. Must not know: sessions, pages.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from idp.clients import Client
from idp.errors import InvalidRequest, ProtocolError
from idp.fetching import FetchingBusy
from idp.flows.checks import Asked, InvalidRequestObject, InvalidRequestUri
from idp.keys.encryption import decrypt, is_encrypted
from idp.keys.jwt import TokenRejected, admitted_algorithms, unverified_header
from idp.outbound import OutboundFailed
from idp.provider import Provider

SKEW_SECONDS = 10
AHEAD_SECONDS = 60
LONGEST_SECONDS = 3600
"""FAPI 2.0 Message Signing §5.3.1: where signing is required, an object is good for an hour at most."""

TYPES = ("", "jwt", "oauth-authz-req+jwt")
"""An object of another type was signed for something else (RFC 9101 §10.8, RFC 8725 §3.11)."""

OF_THE_TOKEN = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
NEVER_INSIDE = ("request", "request_uri")


class RequestObjects:
    """Opens request objects."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def unpack(self, asked: Asked) -> Asked:
        """What the object holds, in place of what was sent beside it; one that is unsound is a fault of the request."""
        by_value, by_reference = asked.get("request"), asked.get("request_uri")
        if asked.fault or asked.client is None or not (by_value or by_reference):
            return asked
        try:
            if by_value and by_reference:
                raise InvalidRequest("Send request or request_uri, not both.")
            signed = by_value or self._fetch(asked.client, by_reference)
            return replace(asked, parameters=self._open(asked.client, signed), is_signed=True)
        except ProtocolError as fault:
            return replace(asked, fault=fault)

    def _fetch(self, client: Client, uri: str) -> str:
        if not client.has_request_uri(uri):
            raise InvalidRequestUri("request_uri is not registered.")
        address = uri.partition("#")[0]  # what failed a moment ago has failed under any fragment
        try:
            fetched = self._provider.fetching.get(address, is_stranger=client.is_self_registered)
            return fetched.body.decode("ascii").strip()
        except FetchingBusy as busy:
            raise InvalidRequestUri("Too much is being fetched: try again in a moment.", detail=str(busy)) from None
        except (OutboundFailed, UnicodeDecodeError) as error:
            raise InvalidRequestUri("request_uri could not be fetched.", detail=str(error)) from None

    def _open(self, client: Client, signed: str) -> Mapping[str, str]:
        algorithms = admitted_algorithms(client.request_object_signing_alg, is_fapi=client.is_fapi)
        try:
            # What is inside is signed all the same, or was sent in vain; a second envelope is none that we open.
            if is_encrypted(signed) and client.has_keys:
                signed = decrypt(signed, self._provider.keyring.decrypting())
            header = unverified_header(signed)
            claims = self._provider.client_keys.verify(client, signed, algorithms=algorithms)
        except TokenRejected as error:
            sentence = "The request object is not signed as registered, or not encrypted to a key of ours."
            raise InvalidRequestObject(sentence, detail=str(error)) from None
        fault = type_fault(header) or self._fault(client, claims) or date_fault(claims, self._provider.now())
        if not fault and (client.needs_signed_requests or client.is_fapi):
            fault = strict_date_fault(claims, self._provider.now())
        if fault:
            raise InvalidRequestObject(f"The request object is not valid: {fault}.")
        return {**parameters_of(claims), "client_id": client.client_id}

    def _fault(self, client: Client, claims: Mapping[str, Any]) -> str:
        audience = claims.get("aud")
        if claims.get("iss") != client.client_id or claims.get("client_id", client.client_id) != client.client_id:
            return "iss or client_id is another"
        if claims.get("sub") == client.client_id:  # else a leaked object could prove the client (RFC 9101 §10.8)
            return "sub is the client"
        if self._provider.settings.issuer not in (audience if isinstance(audience, list) else [audience]):
            return "aud is another"
        return "it holds another" if any(name in claims for name in NEVER_INSIDE) else ""


def type_fault(header: Mapping[str, Any]) -> str:
    """What is wrong with the type that the header states; empty if nothing."""
    kind = str(header.get("typ", "")).lower().removeprefix("application/")
    return "" if kind in TYPES else "its typ is another"


def date_fault(claims: Mapping[str, Any], now: int) -> str:
    """What is wrong with its dates: over, not yet begun, or no numbers; empty if nothing, also where it has none."""
    dates = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if not all(is_date(value) for value in dates.values()):
        return "a date is no number"
    if dates.get("exp", now) <= now - SKEW_SECONDS:
        return "it has expired"
    is_early = any(dates.get(name, now) > now + AHEAD_SECONDS for name in ("nbf", "iat"))
    return "it is not valid yet" if is_early else ""


def strict_date_fault(claims: Mapping[str, Any], now: int) -> str:
    """The same where the client has to sign: it must say from when to when, an hour at most (FAPI 2.0)."""
    if "nbf" not in claims or "exp" not in claims:
        return "nbf and exp are needed"
    if claims["nbf"] < now - LONGEST_SECONDS or claims["exp"] > claims["nbf"] + LONGEST_SECONDS:
        return "it is good for more than an hour"
    return ""


def is_date(value: object) -> bool:
    """Whether it can be a time in seconds; no more than that, so that any sum with it can be made."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**12


def parameters_of(claims: Mapping[str, Any]) -> dict[str, str]:
    """The parameters that an object holds, as they would have been sent; one without a value counts as absent."""
    found = {name: as_text(value) for name, value in claims.items() if name not in OF_THE_TOKEN}
    return {name: text for name, text in found.items() if text}


def as_text(value: Any) -> str:
    """A value as a parameter: an object (`claims`) as JSON, a list (`resource`) joined by spaces."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return " ".join(value)
    return "" if value is None else msgspec.json.encode(value).decode()
