"""Certificates that hostile senders make up: each is parsed, or rejected as such, and in no other way."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from idp.certificates import CertificateRejected, ClientCertificate, is_within, parse_certificate
from idp.settings import read_settings

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name.from_rfc4514_string("CN=machine,C=BE")
SOUND = (
    x509.CertificateBuilder()
    .subject_name(NAME)
    .issuer_name(NAME)
    .public_key(KEY.public_key())
    .serial_number(1)
    .not_valid_before(NOW)
    .not_valid_after(NOW + timedelta(days=1))
    .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    .add_extension(x509.SubjectAlternativeName([x509.DNSName("machine.example.be")]), critical=False)
    .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    .sign(KEY, hashes.SHA256())
)
DER = SOUND.public_bytes(Encoding.DER)


def use(text: str) -> bool:
    """Ask of a certificate all that we ever ask; whether it was one."""
    try:
        shown = ClientCertificate(parse_certificate(text))
    except CertificateRejected:
        return False
    assert len(shown.thumbprint) == 43
    assert shown.public_key is not None
    for kind in ("subject", "dns", "uri", "email", "ip"):
        assert shown.has_name(kind, "CN=another") is False
    assert shown.is_signed_by((SOUND,), now=int(NOW.timestamp())) in (True, False)
    assert shown.is_valid_at(0) is False
    return True


AS_PEM = st.binary().map(
    lambda raw: f"-----BEGIN CERTIFICATE-----\n{b64encode(raw).decode()}\n-----END CERTIFICATE-----"
)


@given(
    st.text()
    | st.text(":AMIQ+/= \n", max_size=80)
    | st.binary().map(lambda raw: f":{b64encode(raw).decode()}:")
    | st.text().map(lambda text: f"-----BEGIN{text}")
    | AS_PEM
    | AS_PEM.map(quote)
)
def test_text_is_no_certificate(text: str) -> None:
    assert use(text) is False


@given(st.lists(st.tuples(st.integers(0, len(DER) - 1), st.integers(0, 255)), max_size=4))
def test_a_changed_certificate_is_read_or_rejected(changes: list[tuple[int, int]]) -> None:
    raw = bytearray(DER)
    for index, value in changes:
        raw[index] = value
    was_read = use(f":{b64encode(bytes(raw)).decode()}:")
    assert was_read or bytes(raw) != DER


@given(st.text() | st.ip_addresses().map(str))
def test_nobody_is_within_no_network(peer: str) -> None:
    assert is_within(peer, ()) is False
    assert is_within(peer, read_settings({"TOEGANG_TRUSTED_PROXIES": "192.0.2.1"}).trusted_proxies) in (True, False)
