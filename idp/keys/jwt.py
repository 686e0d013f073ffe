"""JSON Web Tokens and keys: sign, verify, import, publish. The only room that knows a JOSE library.

Promises: a token is signed with the key that it is handed, and verified with no other algorithm than that key's
(RFC 8725 §3.1); keys are parsed once. Signing is written out here, since a token is signed on every sign-in and the
library's general path costs twice as much; reading, which meets hostile input, is the library's.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jwk, jws
from joserfc.errors import JoseError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Claims = Mapping[str, Any]

MAXIMUM_TOKEN = 16 * 1024
MOST_KEYS = 20
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
PUBLIC_MEMBERS = frozenset({"kty", "crv", "x", "y", "n", "e"})
EDWARDS = ("EdDSA", "Ed25519")
"""The same algorithm by its old and by its new name (RFC 9864 §2.2): clients send the one or the other."""
ASYMMETRIC_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", *EDWARDS)
FAPI_ALGORITHMS = ("PS256", "ES256", *EDWARDS)
"""FAPI 2.0 Security Profile §5.4.1."""

# RFC 9864 gives the algorithm another name; until clients use that one, a warning at each token would say nothing.
jws.JWSRegistry.algorithms["EdDSA"].security_warning = None


def admitted_algorithms(registered: str, *, is_fapi: bool = False) -> tuple[str, ...]:
    """What a client may sign by: what it registered, by either name; if none, all that its profile admits."""
    if registered in EDWARDS:
        return EDWARDS
    return (registered,) if registered else FAPI_ALGORITHMS if is_fapi else ASYMMETRIC_ALGORITHMS


class TokenRejected(Exception):
    """The token is malformed, signed by another key or algorithm, or changed."""


@dataclass(frozen=True)
class SigningKey:
    """A private key with all that a signature needs ready: its name, algorithm, and public half as a JWK."""

    kid: str
    alg: str
    active_at: int
    signature_of: Callable[[bytes], bytes]
    public_jwk: Mapping[str, str]
    header: bytes


def new_private_key(alg: str) -> bytes:
    """A new private key for an algorithm (RS256, ES256 or EdDSA), as unencrypted PKCS#8 PEM."""
    makers: dict[str, Any] = {
        "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
    }
    key = cast(PrivateKey, makers[alg]())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def new_key_pair(alg: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A new key pair as two JWKs: private and public."""
    key = jwk.import_key(new_private_key(alg), KEY_TYPES[alg])
    named = {"kid": key.thumbprint(), "alg": alg, "use": "sig"}
    return {**key.as_dict(private=True), **named}, {**key.as_dict(private=False), **named}


def import_key(alg: str, pem: bytes, *, active_at: int) -> SigningKey:
    """Parse a private key; its `kid` is the thumbprint of its public half (RFC 7638)."""
    private_key = cast(PrivateKey, serialization.load_pem_private_key(pem, None))
    public = jwk.import_key(as_public_pem(private_key), KEY_TYPES[alg])
    kid = public.thumbprint()
    members = {name: value for name, value in public.as_dict(private=False).items() if isinstance(value, str)}
    header, public_jwk = header_of(kid, alg, typ="JWT"), members | {"kid": kid, "alg": alg, "use": "sig"}
    return SigningKey(kid, alg, active_at, signer_of(private_key), public_jwk, header)


def header_of(kid: str, alg: str, *, typ: str) -> bytes:
    """The header of a token, encoded."""
    return encode_segment(msgspec.json.encode({"alg": alg, "kid": kid, "typ": typ}))


def as_public_pem(key: PrivateKey) -> bytes:
    """The public half of a key, in PEM."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


KEY_TYPES: dict[str, Any] = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


def encode_segment(raw: bytes) -> bytes:
    """base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(raw).rstrip(b"=")


def sign(claims: Claims, key: SigningKey, *, typ: str = "JWT") -> str:
    """The claims as a signed token in compact form (RFC 7515 §7.1); `typ` tells kinds apart (RFC 8725 §3.11)."""
    header = key.header if typ == "JWT" else header_of(key.kid, key.alg, typ=typ)
    signed = header + b"." + encode_segment(msgspec.json.encode(claims))
    return (signed + b"." + encode_segment(key.signature_of(signed))).decode("ascii")


def signer_of(key: PrivateKey) -> Callable[[bytes], bytes]:
    """What signs with this key, in the form of RFC 7518 §3 (for EC: r and s, 32 bytes each)."""
    if isinstance(key, rsa.RSAPrivateKey):
        return partial(key.sign, padding=padding.PKCS1v15(), algorithm=hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign
    sign_der, algorithm = key.sign, ec.ECDSA(hashes.SHA256())

    def signature_of(signed: bytes) -> bytes:
        r, s = decode_dss_signature(sign_der(signed, algorithm))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return signature_of


def verify(token: str, keys: Sequence[Mapping[str, Any]], *, algorithms: Sequence[str]) -> dict[str, Any]:
    """The claims of a token signed by one of the keys (JWKs); TokenRejected otherwise. Dates are the caller's."""
    if len(token) > MAXIMUM_TOKEN:
        raise TokenRejected("too long")
    kid = named_key(segment(token, 0))
    for key in keys:
        # A key without a name, or a token that names none, is tried: many clients send no kid (RFC 7515 §4.1.4).
        if kid is None or key.get("kid", kid) == kid:
            claims = verified_claims(token, key, algorithms=algorithms)
            if claims is not None:
                return claims
    raise TokenRejected("signed by no key that we know, or changed")


class WideRegistry(jws.JWSRegistry):
    """What a header may be: large enough for the key of a proof (RFC 9449 §4.2), and with members that we ignore."""

    max_header_length = 4096


def verified_claims(token: str, key: Mapping[str, Any], *, algorithms: Sequence[str]) -> dict[str, Any] | None:
    """The claims if this key signed the token by one of the algorithms; else None."""
    try:
        registry = WideRegistry(algorithms=list(algorithms), strict_check_header=False)
        content = jws.deserialize_compact(token.encode(), jwk.import_key(dict(key)), registry=registry)
        claims = msgspec.json.decode(content.payload)
    except (JoseError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def named_key(header: Mapping[str, Any]) -> str | None:
    """The `kid` of a header, None if it names none; TokenRejected if it is no text (RFC 7515 §4.1.4)."""
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise TokenRejected("kid is no text")
    return kid


def unverified_claims(token: str) -> dict[str, Any]:
    """The claims as the token states them, proven by nothing: only to learn whose key should prove them."""
    return segment(token, 1)


def unverified_header(token: str) -> dict[str, Any]:
    """The header as the token states it: only to learn what kind of token it is, before it is verified."""
    return segment(token, 0)


def segment(token: str, index: int) -> dict[str, Any]:
    """The header (0) or the claims (1) of a compact token; TokenRejected if it has none."""
    parts = token.split(".", 3)
    try:
        value = msgspec.json.decode(urlsafe_b64decode(parts[index] + "=" * (-len(parts[index]) % 4)))
    except (ValueError, IndexError, RecursionError):
        raise TokenRejected("not a token") from None
    if not isinstance(value, dict):
        raise TokenRejected("not a token")
    return value


def verify_by_own_key(token: str, *, key_shapes: Mapping[str, tuple[str, str]]) -> tuple[dict[str, Any], str]:
    """The claims of a token that carries the key which signed it, and that key's thumbprint (RFC 7638).

    `key_shapes` are the algorithms admitted, with the `kty` and `crv` that each must have. TokenRejected otherwise.
    """
    header = segment(token, 0)
    key, alg = header.get("jwk"), header.get("alg")
    if not isinstance(key, dict) or not isinstance(alg, str) or alg not in key_shapes:
        raise TokenRejected("no key, or another algorithm")
    if (key.get("kty"), key.get("crv", "")) != key_shapes[alg] or key.keys() & PRIVATE_MEMBERS:
        raise TokenRejected("a key of another kind, or a private one")
    if not is_sound_rsa(key):
        raise TokenRejected("a key that is too short, or too long")
    public = {name: value for name, value in key.items() if name in PUBLIC_MEMBERS}
    claims = verified_claims(token, public, algorithms=(alg,))
    if claims is None:
        raise TokenRejected("not signed by its own key")
    return claims, jwk.import_key(public).thumbprint()


def public_key_of(key: Mapping[str, Any]) -> bytes:
    """The public key of a JWK in one form for comparison (DER); empty if it is none."""
    try:
        found = jwk.import_key({name: value for name, value in key.items() if name in PUBLIC_MEMBERS})
        return b"" if isinstance(found, jwk.OctKey) else found.as_der(private=False)
    except (JoseError, ValueError, KeyError, TypeError):
        return b""


def is_public_key_set(key_set: Mapping[str, Any]) -> bool:
    """Whether this is a key set with public keys alone, each well-formed."""
    keys = key_set.get("keys")
    return isinstance(keys, list) and 0 < len(keys) <= MOST_KEYS and all(is_public_key(key) for key in keys)


def is_public_key(key: Any) -> bool:
    """Whether this is the public half of a key pair, as a JWK."""
    if not isinstance(key, dict) or key.get("kty") not in KEY_TYPES.values() or not is_sound_rsa(key):
        return False
    try:
        return not jwk.import_key(dict(key)).is_private
    except (JoseError, ValueError, KeyError, TypeError):
        return False


def is_sound_rsa(key: Mapping[str, Any]) -> bool:
    """Whether an RSA key is neither too weak (RFC 7518 §3.3) nor so large that each check of a signature takes long."""
    if key["kty"] != "RSA":
        return True
    modulus, exponent = key.get("n"), key.get("e")
    return isinstance(modulus, str) and isinstance(exponent, str) and 341 < len(modulus) < 1400 and len(exponent) < 8
