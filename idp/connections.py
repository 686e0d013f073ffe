"""Clients that prove themselves by the certificate of their connection: mutual TLS (RFC 8705), both ways.

Promises: by a name in a certificate that an authority of ours has signed, or by the very key that they registered;
either way only from a proxy of ours. Must not know: what the client wants.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from idp.certificates import CertificateRejected, ClientCertificate, certificate_of
from idp.client_keys import for_signatures
from idp.clients import Client
from idp.errors import InvalidClient, InvalidRequest
from idp.http import Request
from idp.keys.jwt import public_key_of
from idp.provider import Provider


class Connections:
    """Tells what the certificate of a connection proves."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def authenticate(self, request: Request, client: Client) -> None:
        """Whether the certificate is this client's; InvalidClient if not."""
        try:
            shown = self._shown(request)
        except CertificateRejected as error:
            raise InvalidClient("Client authentication failed.", detail=str(error)) from None
        by_authority = client.token_endpoint_auth_method == "tls_client_auth"
        if not (self._is_named(client, shown) if by_authority else self._is_registered(client, shown)):
            raise InvalidClient("Client authentication failed.", detail=f"certificate of {client.client_id}: another")

    def thumbprint(self, request: Request) -> str:
        """The certificate that tokens are to be bound to; InvalidRequest if there is none (RFC 8705 §3)."""
        try:
            return self._shown(request).thumbprint
        except CertificateRejected as error:
            raise InvalidRequest("A client certificate is needed.", detail=str(error)) from None

    def has_certificate(self, request: Request, thumbprint: str) -> bool:
        """Whether the connection is by the certificate that a token is bound to."""
        try:
            return self._shown(request).thumbprint == thumbprint
        except CertificateRejected:
            return False

    def _shown(self, request: Request) -> ClientCertificate:
        shown = certificate_of(request, self._provider.settings.trusted_proxies)
        if not shown.is_valid_at(self._provider.now()):
            raise CertificateRejected("the certificate has expired, or is not valid yet")
        return shown

    def _is_named(self, client: Client, shown: ClientCertificate) -> bool:
        if not shown.is_signed_by(self._provider.authorities, now=self._provider.now()):
            return False
        names = client.certificate_names
        return len(names) == 1 and shown.has_name(*names[0])

    def _is_registered(self, client: Client, shown: ClientCertificate) -> bool:
        known = self._provider.client_keys
        held = any(is_key_of(key, shown) for key in for_signatures(known.keys_of(client)))
        return held or any(is_key_of(key, shown) for key in for_signatures(known.keys_of(client, renewed=True)))


def is_key_of(key: Mapping[str, Any], shown: ClientCertificate) -> bool:
    """Whether a registered key is this certificate's: the certificate itself, if it holds one (RFC 8705 §2.2.2)."""
    certificates = key.get("x5c")
    if isinstance(certificates, list) and certificates:
        return bool(certificates[0] == b64encode(shown.der).decode("ascii"))
    return public_key_of(key) == shown.public_key
