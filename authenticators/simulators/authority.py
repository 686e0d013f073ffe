"""The CA of the simulated cards, made anew at each start: its key never leaves the process.

Promises: its certificates look like those of Belgian cards, so that the code that reads real ones reads these.
Must not know: who holds a card, or its PIN.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from idp.store import Clock

POLICY = "2.16.56.12.1.1.2.2"

# The simulated clock may be set ten years either way, and a card may be made at any of its times.
CARD_YEARS = timedelta(days=21 * 366)
AUTHORITY_YEARS = timedelta(days=42 * 366)

CardKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Subject:
    """Whom a card is for."""

    number: str
    given_name: str
    family_name: str


class CardAuthority:
    """An issuing CA; `certificate` is the anchor to trust."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = ec.generate_private_key(ec.SECP384R1())
        self._name = _name({NameOID.COUNTRY_NAME: "BE", NameOID.COMMON_NAME: "Toegang TEST Citizen CA"})
        self.certificate = self._sign_itself()

    def issue(self, subject: Subject, key: CardKey) -> x509.Certificate:
        """The authentication certificate of a card with this key."""
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        policies = x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier(POLICY), None)])
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        draft = self._draft(_subject_name(subject), key, lifetime=CARD_YEARS)
        draft = draft.add_extension(issuer_key, critical=False)
        draft = draft.add_extension(_key_usage(is_ca=False), critical=True)
        draft = draft.add_extension(policies, critical=False).add_extension(usage, critical=False)
        return draft.sign(self._key, hashes.SHA384())

    def _sign_itself(self) -> x509.Certificate:
        own_key = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        draft = self._draft(self._name, self._key, lifetime=AUTHORITY_YEARS)
        draft = draft.add_extension(own_key, critical=False)
        draft = draft.add_extension(_key_usage(is_ca=True), critical=True)
        draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return draft.sign(self._key, hashes.SHA384())

    def _draft(self, subject: x509.Name, key: CardKey, *, lifetime: timedelta) -> x509.CertificateBuilder:
        now = datetime.fromtimestamp(int(self._clock()), UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - lifetime)
            .not_valid_after(now + lifetime)
        )


def _subject_name(subject: Subject) -> x509.Name:
    # A common name has 64 bytes at most (X.520); the names themselves stand beside it in full.
    full_name = f"{subject.given_name} {subject.family_name}".encode()[:47].decode("utf-8", "ignore")
    return _name(
        {
            NameOID.COUNTRY_NAME: "BE",
            NameOID.COMMON_NAME: f"{full_name} (Authentication)",
            NameOID.SURNAME: subject.family_name,
            NameOID.GIVEN_NAME: subject.given_name,
            NameOID.SERIAL_NUMBER: subject.number,
        }
    )


def _name(parts: dict[ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items() if value])


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )
