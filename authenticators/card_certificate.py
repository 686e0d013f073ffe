"""The certificate of an identity card: who issued it, what for, until when, and whom it names.

Promises: `check` passes only an end-entity certificate for signing in, valid now, issued directly by a trusted issuer
that is valid now itself; what it does not understand and is marked critical, it refuses (RFC 5280 §4.2). The issuing
CAs are the anchors, as Web eID has it, so that no path is built. Must not know: tokens, challenges, attempts.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID, ObjectIdentifier

from authenticators.rejections import NoNumber, NotForSigningIn, NotValidNow, Untrusted

BELGIAN_AUTHENTICATION = "2.16.56.12.1.1.2.2"
SMALLEST_RSA_BITS = 2048
NATIONAL_NUMBER = re.compile(r"(?:PNOBE-)?([0-9]{11})", re.ASCII)
UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
GOOD_DIGESTS = (hashes.SHA256, hashes.SHA384, hashes.SHA512)

E = TypeVar("E", bound=x509.ExtensionType)


@dataclass(frozen=True)
class TrustedIssuers:
    """The CAs whose cards are accepted, and the policies of which a certificate must bear one (none: no matter)."""

    certificates: tuple[x509.Certificate, ...]
    policies: frozenset[str] = frozenset()


@dataclass(frozen=True)
class CardHolder:
    """Whom a certificate names."""

    national_number: str
    given_name: str
    family_name: str


def read_issuers(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file, one or more; ValueError if it holds none that can be read."""
    return tuple(x509.load_pem_x509_certificates(pem))


def check(certificate: x509.Certificate, trust: TrustedIssuers, *, at: datetime) -> None:
    """Pass a certificate with which its holder may sign in now; else raise a `Rejected`."""
    issuers = [issuer for issuer in trust.certificates if _has_issued(issuer, certificate)]
    if not issuers:
        raise Untrusted
    if not (_is_valid(certificate, at) and any(_is_valid(issuer, at) for issuer in issuers)):
        raise NotValidNow
    if not (_is_for_signing_in(certificate) and _bears(certificate, trust.policies)):
        raise NotForSigningIn


def read_holder(certificate: x509.Certificate) -> CardHolder:
    """Whom the certificate names; raises NoNumber. Real cards bear the bare number, others the PNOBE- form."""
    number = NATIONAL_NUMBER.fullmatch(_read(certificate, NameOID.SERIAL_NUMBER))
    if number is None:
        raise NoNumber
    given_name, family_name = _read(certificate, NameOID.GIVEN_NAME), _read(certificate, NameOID.SURNAME)
    return CardHolder(number[1], given_name, family_name)


def _read(certificate: x509.Certificate, oid: ObjectIdentifier) -> str:
    return " ".join(str(part.value) for part in certificate.subject.get_attributes_for_oid(oid))


def _has_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    if not (_may_issue(issuer) and isinstance(certificate.signature_hash_algorithm, GOOD_DIGESTS)):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _may_issue(issuer: x509.Certificate) -> bool:
    # A path length needs no look: beneath an anchor stands the card itself, and a card is no CA.
    constraints, usage = _find(issuer, x509.BasicConstraints), _find(issuer, x509.KeyUsage)
    is_ca = constraints is not None and constraints.ca
    return is_ca and usage is not None and usage.key_cert_sign and _is_understood(issuer)


def _is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _is_for_signing_in(certificate: x509.Certificate) -> bool:
    constraints, usage = _find(certificate, x509.BasicConstraints), _find(certificate, x509.KeyUsage)
    purposes = _find(certificate, x509.ExtendedKeyUsage)
    return (
        _is_understood(certificate)
        and (constraints is None or not constraints.ca)
        and (usage is not None and usage.digital_signature)
        and (purposes is not None and ExtendedKeyUsageOID.CLIENT_AUTH in purposes)
        and _has_strong_key(certificate)
    )


def _has_strong_key(certificate: x509.Certificate) -> bool:
    # The curves are bounded by the table of algorithms; a short RSA key would pass there.
    key = certificate.public_key()
    return not isinstance(key, rsa.RSAPublicKey) or key.key_size >= SMALLEST_RSA_BITS


def _bears(certificate: x509.Certificate, policies: frozenset[str]) -> bool:
    borne = _find(certificate, x509.CertificatePolicies) or ()
    return not policies or any(policy.policy_identifier.dotted_string in policies for policy in borne)


def _is_understood(certificate: x509.Certificate) -> bool:
    return all(found.oid in UNDERSTOOD for found in certificate.extensions if found.critical)


def _find(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
