"""Cards and issuers for the tests: the published tokens of Belgian test cards, and certificates made to be refused."""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from authenticators.card_certificate import BELGIAN_AUTHENTICATION, TrustedIssuers, read_issuers
from authenticators.web_eid import Challenge, signed_value

FOLDER = Path(__file__).parent.parent / "vectors" / "web-eid"
VECTORS = json.loads((FOLDER / "vectors.json").read_text())
BELGIAN_TRUST = TrustedIssuers(
    read_issuers((FOLDER / "eid-test-ec-citizen-ca.pem").read_bytes()), frozenset({BELGIAN_AUTHENTICATION})
)
# A day within the validity of both published cards.
VECTORS_AT = datetime(2026, 1, 1, tzinfo=UTC).timestamp()

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CHALLENGE = Challenge("https://toegang.test", "bm9uY2U=" * 6)
CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

P256, P384, P521 = (ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()))
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Draft:
    """A certificate to be; by default one that passes."""

    serial_number: str = "95612899604"
    key: Key = P384
    is_ca: bool | None = None
    has_usage: bool = True
    may_sign: bool = True
    may_issue: bool = False
    purposes: tuple[ObjectIdentifier, ...] = CLIENT
    policies: tuple[str, ...] = (BELGIAN_AUTHENTICATION,)
    begins_at: datetime = NOW - timedelta(days=1)
    ends_at: datetime = NOW + timedelta(days=1)
    digest: hashes.SHA224 | hashes.SHA384 = field(default_factory=hashes.SHA384)
    critical: ObjectIdentifier | None = None


@dataclass(frozen=True)
class Issuer:
    """A CA of the tests and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def trust(self, *policies: str) -> TrustedIssuers:
        """Trust in this issuer alone."""
        return TrustedIssuers((self.certificate,), frozenset(policies))

    def issue(self, draft: Draft) -> x509.Certificate:
        """The certificate of this draft."""
        return build(draft, self.certificate.subject, self.key)


def build(draft: Draft, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """A certificate of this draft, signed with this key."""
    subject = {NameOID.SURNAME: "Yilmaz", NameOID.GIVEN_NAME: "Elif", NameOID.SERIAL_NUMBER: draft.serial_number}
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject.items() if value])
    return _builder(draft, name if draft.is_ca is not True else issuer, issuer).sign(key, draft.digest)


def issuer(draft: Draft | None = None) -> Issuer:
    """A CA; by default one that passes."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST CA")])
    draft = draft or Draft(is_ca=True, may_sign=False, may_issue=True)
    draft.key = key
    return Issuer(_builder(draft, name, name).sign(key, draft.digest), key)


def answer(certificate: x509.Certificate, key: Key, algorithm: str, *, challenge: Challenge = CHALLENGE) -> str:
    """A token as the app gives it: this certificate, and the challenge signed by this key in this way."""
    token = {
        "unverifiedCertificate": base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),
        "algorithm": algorithm,
        "signature": base64.b64encode(sign(key, signed_value(challenge, algorithm), algorithm)).decode(),
        "format": "web-eid:1.0",
    }
    return json.dumps(token)


def sign(key: Key, value: bytes, algorithm: str) -> bytes:
    """The signature in the form that this algorithm has in a token."""
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[2:]]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(value)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(value, ec.ECDSA(digest)))
        return r.to_bytes(size) + s.to_bytes(size)
    pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
    return key.sign(value, pss if algorithm.startswith("PS") else padding.PKCS1v15(), digest)


def _builder(draft: Draft, subject: x509.Name, issuer: x509.Name) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=draft.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(draft.begins_at)
        .not_valid_after(draft.ends_at)
    )
    for extension, critical in _extensions(draft):
        builder = builder.add_extension(extension, critical)
    return builder


def _extensions(draft: Draft) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    if draft.is_ca is not None:
        found.append((x509.BasicConstraints(draft.is_ca, None), True))
    if draft.has_usage:
        flags = (draft.may_sign, False, False, False, False, draft.may_issue, not draft.may_sign, False, False)
        found.append((x509.KeyUsage(*flags), True))
    if draft.purposes:
        found.append((x509.ExtendedKeyUsage(draft.purposes), False))
    if draft.policies:
        policies = [x509.PolicyInformation(ObjectIdentifier(policy), None) for policy in draft.policies]
        found.append((x509.CertificatePolicies(policies), False))
    if draft.critical:
        found.append((x509.UnrecognizedExtension(draft.critical, b"\x05\x00"), True))
    return found
