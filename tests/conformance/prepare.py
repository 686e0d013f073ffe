"""What a run of the OpenID conformance suite needs on this machine: keys, certificates, configurations, clients.

Promises: every key is new and stays in the folder that is named; the configurations beside this file, filled in with
them, lie there as the suite wants them, and our clients as `toegang client add` wants them. Must not know: the suite.

    python -m tests.conformance.prepare FOLDER
"""

import datetime
import ipaddress
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import ECKey, RSAKey

HERE = Path(__file__).resolve().parent
CLIENTS = {"one": "client1", "two": "client2"}
LASTS = datetime.timedelta(days=60)


@dataclass(frozen=True)
class Card:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: RSAPrivateKey

    @property
    def shown(self) -> str:
        """The certificate, as PEM."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def hidden(self) -> str:
        """The key, as PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def issue(name: str, *, use: x509.ObjectIdentifier | None = None, by: Card | None = None) -> Card:
    """A certificate for a use, or an authority's own."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + LASTS)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(uses_of_key(is_authority=by is None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key((by.key if by else key).public_key()), critical=False
        )
    )
    if use:
        places = x509.SubjectAlternativeName(
            [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            if use == ExtendedKeyUsageOID.SERVER_AUTH
            else [x509.DNSName(f"{name}.example")]
        )
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False).add_extension(
            places, critical=False
        )
    return Card(builder.sign(by.key if by else key, hashes.SHA256()), key)


def uses_of_key(*, is_authority: bool) -> x509.KeyUsage:
    """What a key is for: an authority that does not say so signs nothing that counts (RFC 5280 §4.2.1.3)."""
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def filled(value: Any, values: dict[str, Any]) -> Any:
    """A configuration with what stands in braces replaced."""
    if isinstance(value, dict):
        return {name: filled(one, values) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, values) for one in value]
    return values.get(value, value) if isinstance(value, str) else value


def public(jwk: Any) -> Any:
    """The public half of a key, where one stands."""
    return {name: one for name, one in jwk.items() if name not in {"d", "p", "q", "dp", "dq", "qi"}}


def main(folder: Path) -> None:
    """Write all of it."""
    for name in ("", "plans", "clients"):
        (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = issue("Authority of a conformance run")
    server = issue("localhost", use=ExtendedKeyUsageOID.SERVER_AUTH, by=authority)
    (folder / "authority.pem").write_text(authority.shown)
    (folder / "server.pem").write_text(server.shown + server.hidden)
    values: dict[str, Any] = {"{authority}": authority.shown}
    keys: dict[str, Any] = {}
    for number, name in CLIENTS.items():
        card = issue(name, use=ExtendedKeyUsageOID.CLIENT_AUTH, by=authority)
        values |= {f"{{certificate of client {number}}}": card.shown, f"{{key of client {number}}}": card.hidden}
        made, alg = (RSAKey.generate_key(2048), "PS256") if number == "one" else (ECKey.generate_key("P-256"), "ES256")
        named = {"kid": f"conformance-{number}", "alg": alg, "use": "sig"}
        keys[f"{{jwk {number}}}"] = made.as_dict(private=True) | named
    for file in HERE.glob("*.json"):
        if file.name != "clients.json":
            plan = filled(json.loads(file.read_text()), values | keys)
            (folder / "plans" / file.name).write_text(json.dumps(plan, indent=2))
    for client in filled(
        json.loads((HERE / "clients.json").read_text()), {at: public(key) for at, key in keys.items()}
    ):
        (folder / "clients" / f"{client['client_id']}.json").write_text(json.dumps(client, indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
