"""JSON Web Encryption: encrypt to a client's key, decrypt what was encrypted to one of ours. With `jwt.py`, the only
room that knows a JOSE library.

Promises: the algorithms named here and no other, nothing compressed (RFC 8725 §3.6), each part bounded before it costs
anything; whatever is wrong, the failure is one and the same. Must not know: what is inside, or who may read it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwe, jwk
from joserfc.errors import JoseError

from idp.keys.jwt import PUBLIC_MEMBERS, TokenRejected, as_public_pem, is_public_key, named_key, segment

RSA_ALGORITHMS = ("RSA-OAEP", "RSA-OAEP-256")
AGREEMENTS = ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
ENCRYPTION_ALGORITHMS = (*RSA_ALGORITHMS, *AGREEMENTS)
"""No RSA1_5 (RFC 8725 §3.2), and nothing by a client's secret: we keep only its hash."""
CONTENT_ALGORITHMS = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")
DEFAULT_CONTENT_ALGORITHM = "A128CBC-HS256"

KEY_KINDS = ("RSA-OAEP", "ECDH-ES")
"""Our own keys are of two kinds, each named for the first algorithm that it serves."""
CURVES = frozenset({"P-256", "P-384", "P-521", "X25519"})
MAXIMUM_ENCRYPTED = 32 * 1024
MAXIMUM_HEADER = 4096


@dataclass(frozen=True)
class EncryptionKey:
    """A private key to decrypt with, and its public half as clients find it."""

    kid: str
    alg: str
    active_at: int
    private_key: Any
    public_jwk: Mapping[str, str]


class Registry(jwe.JWERegistry):
    """What the library admits, beside what is checked here."""

    max_protected_header_length = MAXIMUM_HEADER


def new_encryption_key(kind: str) -> bytes:
    """A new private key of a kind, as unencrypted PKCS#8 PEM."""
    is_rsa = kind in RSA_ALGORITHMS
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if is_rsa
        else ec.generate_private_key(ec.SECP256R1())
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def import_encryption_key(kind: str, pem: bytes, *, active_at: int) -> EncryptionKey:
    """Parse a private key; its `kid` is the thumbprint of its public half (RFC 7638)."""
    private = cast(rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, serialization.load_pem_private_key(pem, None))
    kty = "RSA" if kind in RSA_ALGORITHMS else "EC"
    public = jwk.import_key(as_public_pem(private), cast(Any, kty))
    members = {name: value for name, value in public.as_dict(private=False).items() if isinstance(value, str)}
    # No `alg`: the key serves each algorithm of its kind, and a client must not take it for one alone (RFC 7517 §4.4).
    named = members | {"kid": public.thumbprint(), "use": "enc"}
    return EncryptionKey(named["kid"], kind, active_at, jwk.import_key(pem, cast(Any, kty)), named)


def encrypt(content: str | bytes, key: Mapping[str, Any], *, alg: str, enc: str) -> str:
    """A token (text), or plain bytes, for the holder of this public key alone (RFC 7516 §7.1).

    TokenRejected if the key does not serve.
    """
    header = {"alg": alg, "enc": enc, **({"cty": "JWT"} if isinstance(content, str) else {})}
    if isinstance(key.get("kid"), str):
        header["kid"] = key["kid"]
    try:
        public = jwk.import_key({name: value for name, value in key.items() if name in PUBLIC_MEMBERS})
        return jwe.encrypt_compact(header, content, public, registry=Registry(algorithms=[alg, enc]))
    except (JoseError, ValueError, KeyError, TypeError) as failure:
        raise TokenRejected(f"the key does not serve: {type(failure).__name__}") from None


def decrypt(token: str, keys: Sequence[EncryptionKey]) -> str:
    """What was encrypted to one of the keys; TokenRejected otherwise, in the same words whatever it was."""
    header = checked_header(token)
    kid, is_rsa = named_key(header), header["alg"] in RSA_ALGORITHMS
    fitting = [key for key in keys if (key.alg in RSA_ALGORITHMS) == is_rsa and key.kid == (kid or key.kid)]
    for key in fitting:
        content = decrypted(token, key)
        if content is not None:
            return content
    # Whether key, padding or tag was wrong is nobody's business (RFC 7516 §11.5).
    raise TokenRejected("it cannot be decrypted")


def decrypted(token: str, key: EncryptionKey) -> str | None:
    """The content, if this key opens it; else None."""
    registry = Registry(algorithms=[*ENCRYPTION_ALGORITHMS, *CONTENT_ALGORITHMS], strict_check_header=False)
    try:
        content = jwe.decrypt_compact(token.encode("ascii"), key.private_key, registry=registry).plaintext
        return content.decode("ascii") if content else None
    # The library asserts what it expects of a key or header, and `cryptography` fails in ways of its own.
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError):
        return None


def checked_header(token: str) -> dict[str, Any]:
    """The header of an encrypted token, if all that it says may be; TokenRejected otherwise."""
    if len(token) > MAXIMUM_ENCRYPTED or len(token.partition(".")[0]) > MAXIMUM_HEADER or not token.isascii():
        raise TokenRejected("too long")
    header = segment(token, 0)
    if header.get("alg") not in ENCRYPTION_ALGORITHMS or header.get("enc") not in CONTENT_ALGORITHMS:
        raise TokenRejected("another algorithm")
    if "zip" in header or "crit" in header or "b64" in header:
        raise TokenRejected("compressed, or more than we understand")
    return header


def is_encrypted(token: str) -> bool:
    """Whether a compact token has the five parts of an encrypted one; a signed one has three."""
    return token.count(".", 0, MAXIMUM_ENCRYPTED) == 4


def key_for(keys: Sequence[Mapping[str, Any]], alg: str) -> Mapping[str, Any] | None:
    """The client's key to encrypt to: one meant for encryption, else one that is meant for anything; None if none."""
    fitting = [key for key in keys if may_encrypt(key, alg)]
    return next((key for key in fitting if key.get("use") == "enc"), next(iter(fitting), None))


def may_encrypt(key: Mapping[str, Any], alg: str) -> bool:
    """Whether a key is of the right kind for an algorithm, and not kept for signatures or another algorithm."""
    if key.get("use", "enc") != "enc" or key.get("alg", alg) != alg or not is_public_key(key):
        return False
    return key["kty"] == "RSA" if alg in RSA_ALGORITHMS else key["kty"] != "RSA" and key.get("crv") in CURVES
