"""Certificates of clients (RFC 8705), as the TLS server or a TLS proxy of ours hands them on (RFC 9440).

Promises: a certificate counts only from the server itself or from a proxy that the operator trusts; it is parsed once,
and bounded. Who signed it is checked here, not by the proxy, which has to let self-signed ones through. Must not know:
clients.
"""

import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from idp.http import Request
from idp.settings import Network

MAXIMUM_CERTIFICATE = 16 * 1024
MOST_IN_CHAIN = 5


SPACED_COMMA = re.compile(r"(?<!\\), +")
MALFORMED = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
NAME_TYPES: dict[str, Any] = {
    "dns": x509.DNSName,
    "uri": x509.UniformResourceIdentifier,
    "email": x509.RFC822Name,
}


class CertificateRejected(Exception):
    """There is no certificate, or none that may count; the message is for the log."""


@dataclass(frozen=True)
class ClientCertificate:
    """The certificate of a connection, and those that came with it."""

    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        """Its bytes."""
        return self.leaf.public_bytes(Encoding.DER)

    @property
    def thumbprint(self) -> str:
        """What a token is bound to: `x5t#S256` (RFC 8705 §3.1)."""
        return urlsafe_b64encode(sha256(self.der).digest()).rstrip(b"=").decode("ascii")

    @property
    def public_key(self) -> bytes:
        """Its public key, in one form for comparison."""
        return self.leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def has_name(self, kind: str, name: str) -> bool:
        """Whether it names this: its subject, or an alternative name by dns, uri, email or ip."""
        if kind == "subject":
            return is_subject(self.leaf.subject, name)
        try:
            found = self.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return False
        if kind == "ip":
            return any(is_within(name, (ip_network(one),)) for one in found.get_values_for_type(x509.IPAddress))
        return name in found.get_values_for_type(NAME_TYPES[kind])

    def is_valid_at(self, now: int) -> bool:
        """Whether it is neither expired nor ahead of its time."""
        return self.leaf.not_valid_before_utc.timestamp() <= now <= self.leaf.not_valid_after_utc.timestamp()

    def is_signed_by(self, authorities: Sequence[x509.Certificate], *, now: int) -> bool:
        """Whether it leads to one of these authorities, and is for clients."""
        if not authorities:
            return False
        policy = verification.ExtensionPolicy
        builder = verification.PolicyBuilder().store(verification.Store(list(authorities)))
        # A client's certificate often has no alternative name, which the rules for web servers would ask.
        verifier = (
            builder.time(datetime.fromtimestamp(now, UTC))
            .extension_policies(ca_policy=policy.webpki_defaults_ca(), ee_policy=policy.permit_all())
            .build_client_verifier()
        )
        try:
            verifier.verify(self.leaf, list(self.chain))
        except verification.VerificationError:
            return False
        return is_for_clients(self.leaf)


def is_subject(subject: x509.Name, written: str) -> bool:
    """Whether a distinguished name is the one that is written (RFC 4514); spaces after a comma count for nothing."""
    try:
        return x509.Name.from_rfc4514_string(SPACED_COMMA.sub(",", written)) == subject
    except ValueError:
        return False


def is_for_clients(leaf: x509.Certificate) -> bool:
    """Whether a certificate may prove a client: no authority's, and not for other uses only."""
    try:
        extensions = leaf.extensions
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in uses


def certificate_of(request: Request, proxies: Sequence[Network]) -> ClientCertificate:
    """The certificate of the connection; CertificateRejected if there is none that may count."""
    if request.certificate:
        return ClientCertificate(parse_certificate(request.certificate))
    sent = request.headers.get("client-cert", "")
    if not sent:
        raise CertificateRejected("no certificate")
    if not is_within(request.peer, proxies):
        raise CertificateRejected("Client-Cert from elsewhere than a trusted proxy")
    chain = request.headers.get("client-cert-chain", "")
    parts = [part.strip() for part in chain.split(",")] if chain else []
    if len(parts) > MOST_IN_CHAIN:
        raise CertificateRejected("the chain is too long")
    return ClientCertificate(parse_certificate(sent), tuple(parse_certificate(part) for part in parts))


def parse_certificate(text: str) -> x509.Certificate:
    """A certificate as RFC 9440 §2.1 spells it, or in PEM, also percent-encoded; CertificateRejected if it is none."""
    if len(text) > MAXIMUM_CERTIFICATE:
        raise CertificateRejected("too long")
    try:
        found = x509.load_pem_x509_certificate(unquote(text).encode()) if is_pem(text) else of_byte_sequence(text)
        # The library reads these when they are first asked: whatever is wrong with them has to come out here.
        _ = found.public_key(), found.extensions, found.subject, found.not_valid_before_utc, found.not_valid_after_utc
    except MALFORMED as error:
        raise CertificateRejected(f"not a certificate: {type(error).__name__}") from None
    return found


def is_pem(text: str) -> bool:
    """Whether this is how TLS servers hand a certificate to a program, and nginx to the server behind it."""
    return text.startswith(("-----BEGIN", "-----BEGIN".replace("-", "%2D")))


def of_byte_sequence(text: str) -> x509.Certificate:
    """The certificate in a byte sequence, base64 of DER between colons (RFC 8941 §3.3.5); ValueError if it is none."""
    if len(text) < 2 or text[0] != ":" or text[-1] != ":":
        raise ValueError("not a byte sequence")
    return x509.load_der_x509_certificate(b64decode(text[1:-1], validate=True))


def is_within(peer: str, networks: Sequence[Network]) -> bool:
    """Whether the other end of a connection is in one of these networks."""
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in networks)


def load_authorities(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The authorities of a PEM file; ValueError if there is none."""
    return tuple(x509.load_pem_x509_certificates(pem))
