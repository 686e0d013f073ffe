"""Mutual TLS (RFC 8705) behind a proxy that hands certificates on (RFC 9440): clients and tokens by certificate."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from idp.commands import CommandFailed
from idp.settings import SettingsInvalid, read_settings
from tests.flow.estate import VERIFIER, Estate, Tokens
from tests.flow.journeys import arrive, introspect
from tests.flow.proving import Prover, base64url

TOKEN = "/op/v1/token"
PROXY = "10.1.2.3"
SUBJECT = "CN=machine,O=Voorbeeld,C=BE"


@dataclass
class Card:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        """Its bytes."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def header(self) -> str:
        """As a proxy hands it on."""
        return f":{b64encode(self.der).decode()}:"

    @property
    def pem(self) -> str:
        """As TLS servers write it."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def thumbprint(self) -> str:
        """What a token is bound to."""
        return base64url(sha256(self.der).digest())


def issue(estate: Estate, *, by: Card | None = None, subject: str = SUBJECT, **options: Any) -> Card:
    """A certificate; self-signed unless an authority issues it. Options: ca, names, uses, days."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.fromtimestamp(estate.clock(), UTC)
    name, is_ca = x509.Name.from_rfc4514_string(subject), options.get("ca", False)
    issuer, signing = (by.certificate.subject, by.key) if by else (name, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=options.get("days", 30)))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
    )
    if is_ca:
        usage = {"key_cert_sign": True, "crl_sign": True, "digital_signature": False, "content_commitment": False}
        rest = dict.fromkeys(
            ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
        )
        builder = builder.add_extension(x509.KeyUsage(**usage, **rest), critical=True)
    if "names" in options:
        builder = builder.add_extension(x509.SubjectAlternativeName(options["names"]), critical=False)
    if "uses" in options:
        builder = builder.add_extension(x509.ExtendedKeyUsage(options["uses"]), critical=False)
    return Card(builder.sign(signing, hashes.SHA256()), key)


@pytest.fixture
def authority(estate: Estate) -> Card:
    """An authority that the operator trusts."""
    return issue(estate, subject="CN=Our authority,C=BE", ca=True)


@pytest.fixture
def behind(estate: Estate, authority: Card, tmp_path: Path) -> Iterator[Estate]:
    """The estate behind a proxy."""
    file = tmp_path / "authorities.pem"
    file.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    made = estate.configured(
        trusted_proxies=(ip_network("10.1.0.0/16"),), mtls_ca_file=str(file), mtls_host="mtls.localhost:8443"
    )
    yield made
    made.application.close()


def register(estate: Estate, method: str = "tls_client_auth", **changes: Any) -> None:
    estate.register("tijdmeting", client_id="machine", organisation="", token_endpoint_auth_method=method, **changes)


def shown(card: Card | None, peer: str = PROXY, *chain: Card) -> dict[str, Any]:
    """What a request over this connection brings."""
    headers = {"Client-Cert": card.header} if card else {}
    if chain:
        headers["Client-Cert-Chain"] = ", ".join(one.header for one in chain)
    return {"headers": headers, "environ_overrides": {"REMOTE_ADDR": peer}}


def ask(estate: Estate, connection: dict[str, Any], form: dict[str, str] | None = None) -> Tokens:
    asked = {"grant_type": "client_credentials", "client_id": "machine"} if form is None else form
    answer = estate.post(TOKEN, asked, **connection)
    return Tokens(answer.status_code, json.loads(answer.data))


# By a name that an authority has signed.


def test_a_client_is_known_by_the_subject_that_an_authority_signed(behind: Estate, authority: Card) -> None:
    register(behind, tls_client_auth_subject_dn="CN=machine, O=Voorbeeld, C=BE")
    assert ask(behind, shown(issue(behind, by=authority))).status == 200
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert ask(behind, shown(issue(behind, by=authority, uses=uses))).status == 200


def test_a_name_that_nobody_of_ours_signed_proves_nothing(behind: Estate, authority: Card) -> None:
    register(behind, tls_client_auth_subject_dn=SUBJECT)
    other = issue(behind, subject="CN=Our authority,C=BE", ca=True)
    for card in (
        issue(behind),
        issue(behind, by=other),
        issue(behind, by=issue(behind, by=authority)),
        issue(behind, by=authority, ca=True),
        issue(behind, by=authority, uses=[ExtendedKeyUsageOID.SERVER_AUTH]),
        issue(behind, by=authority, subject="CN=machine,O=Another,C=BE"),
        issue(behind, by=authority, days=-1 / 24),
        None,
    ):
        refused = ask(behind, shown(card))
        assert (refused.status, refused.body["error"]) == (401, "invalid_client")


def test_an_authority_in_between_comes_with_the_chain(behind: Estate, authority: Card) -> None:
    register(behind, tls_client_auth_subject_dn=SUBJECT)
    between = issue(behind, by=authority, subject="CN=Between,C=BE", ca=True)
    card = issue(behind, by=between)
    assert ask(behind, shown(card)).status == 401
    assert ask(behind, shown(card, PROXY, between)).status == 200
    assert ask(behind, shown(card, PROXY, *[between] * 6)).status == 401


@pytest.mark.parametrize(
    ("member", "value", "name"),
    [
        ("dns", "machine.example.be", x509.DNSName("machine.example.be")),
        ("uri", "urn:example:machine", x509.UniformResourceIdentifier("urn:example:machine")),
        ("email", "machine@example.be", x509.RFC822Name("machine@example.be")),
        ("ip", "192.0.2.7", x509.IPAddress(ip_address("192.0.2.7"))),
        ("ip", "2001:db8:0::7", x509.IPAddress(ip_address("2001:db8::7"))),
    ],
)
def test_an_alternative_name_does_too(
    behind: Estate, authority: Card, member: str, value: str, name: x509.GeneralName
) -> None:
    register(behind, **{f"tls_client_auth_san_{member}": value})
    other = x509.DNSName("other.example.be")
    assert ask(behind, shown(issue(behind, by=authority, names=[other, name]))).status == 200
    assert ask(behind, shown(issue(behind, by=authority, names=[other]))).status == 401
    assert ask(behind, shown(issue(behind, by=authority))).status == 401


@pytest.mark.parametrize(
    "members",
    [{}, {"tls_client_auth_subject_dn": SUBJECT, "tls_client_auth_san_dns": "machine.example.be"}],
)
def test_one_name_has_to_be_registered(behind: Estate, members: dict[str, str]) -> None:
    with pytest.raises(CommandFailed, match="tls_client_auth_subject_dn"):
        register(behind, **members)


# By the key itself.


def own_keys(card: Card, *, with_certificate: bool) -> dict[str, Any]:
    numbers = card.certificate.public_key()
    assert isinstance(numbers, ec.EllipticCurvePublicKey)
    point = numbers.public_numbers()
    key = {"kty": "EC", "crv": "P-256"} | {
        name: base64url(number.to_bytes(32, "big")) for name, number in (("x", point.x), ("y", point.y))
    }
    return {"keys": [key | ({"x5c": [b64encode(card.der).decode()]} if with_certificate else {})]}


@pytest.mark.parametrize("with_certificate", [True, False])
def test_a_client_is_known_by_the_certificate_that_it_registered(behind: Estate, *, with_certificate: bool) -> None:
    card = issue(behind)
    register(behind, "self_signed_tls_client_auth", jwks=own_keys(card, with_certificate=with_certificate))
    assert ask(behind, shown(card)).status == 200
    for other in (issue(behind), None):
        assert ask(behind, shown(other)).status == 401
    behind.clock.advance(31 * 86400)
    assert ask(behind, shown(card)).status == 401


# From whom a certificate counts.


@pytest.mark.parametrize("peer", ["10.2.0.1", "127.0.0.1", "::1", "", "unknown"])
def test_a_certificate_from_elsewhere_than_our_proxy_counts_for_nothing(behind: Estate, peer: str) -> None:
    card = issue(behind)
    register(behind, "self_signed_tls_client_auth", jwks=own_keys(card, with_certificate=True))
    assert ask(behind, shown(card, peer)).status == 401
    assert ask(behind, shown(card, "::ffff:10.1.0.1")).status == 200


def test_without_a_proxy_no_certificate_counts(estate: Estate) -> None:
    card = issue(estate)
    register(estate, "self_signed_tls_client_auth", jwks=own_keys(card, with_certificate=True))
    assert ask(estate, shown(card)).status == 401


def test_a_proxy_may_hand_on_a_certificate_as_nginx_writes_it(behind: Estate, authority: Card) -> None:
    card = issue(behind, by=authority)
    register(behind, tls_client_auth_subject_dn=SUBJECT)
    connection = {"headers": {"Client-Cert": quote(card.pem, safe="")}, "environ_overrides": {"REMOTE_ADDR": PROXY}}
    assert ask(behind, connection).status == 200
    connection["environ_overrides"] = {"REMOTE_ADDR": "10.2.0.1"}
    assert ask(behind, connection).status == 401


def test_a_tls_server_of_ours_hands_it_over_itself(behind: Estate, authority: Card) -> None:
    card, other = issue(behind, by=authority), issue(behind, by=authority, subject="CN=another,O=Voorbeeld,C=BE")
    register(behind, tls_client_auth_subject_dn=SUBJECT)
    connection: dict[str, Any] = {"environ_overrides": {"SSL_CLIENT_CERT": card.pem, "REMOTE_ADDR": "10.2.0.1"}}
    assert ask(behind, connection).status == 200
    # What the connection proved counts, whatever a client writes into a header.
    connection["environ_overrides"]["SSL_CLIENT_CERT"] = other.pem
    assert ask(behind, connection | {"headers": {"Client-Cert": card.header}}).status == 401
    connection["environ_overrides"]["SSL_CLIENT_CERT"] = "(null)"
    assert ask(behind, connection).status == 401


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN CERTIFICATE-----",
        "%2D%2D%2D%2D%2DBEGIN%00",
        "",
        "x",
        "::",
        ":AAAA:",
        ":é:",
        ":" + "A" * 40_000 + ":",
        ":MIIB:",
        "?1",
    ],
)
def test_what_is_no_certificate_proves_nothing(behind: Estate, text: str) -> None:
    register(behind, tls_client_auth_subject_dn=SUBJECT)
    connection = {"headers": {"Client-Cert": text}, "environ_overrides": {"REMOTE_ADDR": PROXY}}
    assert ask(behind, connection).status == 401


def test_a_certificate_and_a_secret_at_once_are_not_both_taken(behind: Estate, authority: Card) -> None:
    register(behind, tls_client_auth_subject_dn=SUBJECT, client_secret="a secret that is not used here")
    form = {"grant_type": "client_credentials", "client_id": "machine", "client_secret": "a secret"}
    assert ask(behind, shown(issue(behind, by=authority)), form).status == 401


# Bound tokens.


def test_a_token_is_bound_to_the_certificate_and_used_with_it(behind: Estate) -> None:
    card = issue(behind)
    behind.register("hinderpremie", tls_client_certificate_bound_access_tokens=True)
    arrived = arrive(behind.browser(), "hinderpremie", "dirk")
    form = {"grant_type": "authorization_code", "code": arrived.code, "redirect_uri": arrived.address}
    auth = ("hinderpremie", behind.client("hinderpremie")["client_secret"])
    refused = ask(behind, shown(None) | {"auth": auth}, form)
    assert (refused.status, refused.body["error"]) == (400, "invalid_request")
    tokens = ask(behind, shown(card) | {"auth": auth}, form)
    assert (tokens.status, tokens.body["token_type"]) == (200, "Bearer")
    token = tokens.body["access_token"]
    assert introspect(behind, "hinderpremie", token)["cnf"] == {"x5t#S256": card.thumbprint}
    for connection, status in ((shown(card), 200), (shown(issue(behind)), 401), (shown(None), 401)):
        headers = connection["headers"] | {"Authorization": f"Bearer {token}"}
        answer = behind.get("/op/v1/userinfo", **(connection | {"headers": headers}))
        assert answer.status_code == status
    assert behind.get("/op/v1/userinfo", **shown(card)).status_code == 401


def test_the_refresh_token_of_a_public_client_hangs_on_its_certificate(behind: Estate) -> None:
    card, scope = issue(behind), "openid offline_access"
    behind.register(
        "burgerprofiel",
        scope=scope,
        grant_types=["authorization_code", "refresh_token"],
        tls_client_certificate_bound_access_tokens=True,
    )
    arrived = arrive(behind.browser(), "burgerprofiel", "hanne", scope=scope)
    own = {"client_id": "burgerprofiel"}
    code = {"grant_type": "authorization_code", "code": arrived.code, "redirect_uri": arrived.address}
    tokens = ask(behind, shown(card), own | code | {"code_verifier": VERIFIER})
    again = own | {"grant_type": "refresh_token", "refresh_token": tokens.body["refresh_token"]}
    assert ask(behind, shown(issue(behind)), again).body["error"] == "invalid_grant"
    assert ask(behind, shown(card), again).status == 200


def test_a_proof_may_name_the_host_for_certificates(behind: Estate, authority: Card) -> None:
    register(behind, tls_client_auth_subject_dn=SUBJECT)
    connection = shown(issue(behind, by=authority))
    connection["headers"] |= Prover(behind).sent(htu=f"https://mtls.localhost:8443{TOKEN}")
    assert ask(behind, connection).body["token_type"] == "DPoP"


# What is announced, and what is set.


def test_discovery_tells_of_certificates_where_they_can_be_shown(estate: Estate, behind: Estate) -> None:
    without, told = (one.get("/op/.well-known/openid-configuration").json or {} for one in (estate, behind))
    assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(told["token_endpoint_auth_methods_supported"])
    assert told["tls_client_certificate_bound_access_tokens"] is True
    assert told["mtls_endpoint_aliases"]["token_endpoint"] == f"https://mtls.localhost:8443{TOKEN}"
    assert "mtls_endpoint_aliases" not in without
    assert not any("tls" in method for method in without["token_endpoint_auth_methods_supported"])


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"TOEGANG_TRUSTED_PROXIES": "10.0.0.0/33"}, "TOEGANG_TRUSTED_PROXIES"),
        ({"TOEGANG_TRUSTED_PROXIES": "proxy.example.be"}, "TOEGANG_TRUSTED_PROXIES"),
        ({"TOEGANG_MTLS_HOST": "mtls.example.be"}, "TOEGANG_TRUSTED_PROXIES"),
        ({"TOEGANG_MTLS_HOST": "https://mtls.example.be", "TOEGANG_TRUSTED_PROXIES": "::1"}, "TOEGANG_MTLS_HOST"),
    ],
)
def test_a_wrong_setting_is_told_by_its_name(environment: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        read_settings(environment)


def test_settings_of_a_proxy_are_read() -> None:
    read = read_settings({"TOEGANG_TRUSTED_PROXIES": "10.0.0.0/8, ::1", "TOEGANG_MTLS_HOST": "MTLS.example.be"})
    assert read.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert read.mtls_origin == "https://mtls.example.be"


def test_authorities_that_cannot_be_read_stop_the_start(estate: Estate) -> None:
    with pytest.raises(CommandFailed, match="TOEGANG_MTLS_CA_FILE"):
        estate.configured(mtls_ca_file="/nowhere").application.close()
