"""Proofs of possession (DPoP, RFC 9449): that whoever sends a request holds a private key, for this request alone.

Promises: a proof serves once, for one method and address, for five minutes; a nonce of ours is good for as long without
being kept, since it is a keyed hash of the time. Must not know: what the request asks.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlsplit

from idp.clients import Client
from idp.errors import ProtocolError
from idp.http import Header, Request
from idp.keys.jwt import FAPI_ALGORITHMS, TokenRejected, unverified_header, verify_by_own_key
from idp.provider import Provider
from idp.store import Ticket
from idp.tickets import hash_of

KEY_SHAPES = {
    "RS256": ("RSA", ""),
    "PS256": ("RSA", ""),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
FAPI_SHAPES = {alg: shape for alg, shape in KEY_SHAPES.items() if alg in FAPI_ALGORITHMS}
PROOF_ALGORITHMS = tuple(KEY_SHAPES)
MAXIMUM_PROOF = 8 * 1024
OLDEST_SECONDS = 300
"""How old a proof may be: five minutes of clock skew and queueing; each is remembered as long, so none serves twice."""
AHEAD_SECONDS = 60
NONCE_SECONDS = 150
"""A nonce is good in the slot of its making and the next: two and a half to five minutes."""
NONCE_PURPOSE = "dpop nonce"
DEFAULT_PORTS = {"https": 443, "http": 80}


class InvalidProof(ProtocolError):
    """The proof is missing, malformed, of another request or key, or was used (RFC 9449 §5)."""

    code = "invalid_dpop_proof"


class NonceNeeded(ProtocolError):
    """The proof has no nonce of ours, or an old one; a new one goes with the answer (RFC 9449 §8)."""

    code = "use_dpop_nonce"

    def __init__(self, nonce: str) -> None:
        super().__init__("The proof must carry the nonce of the DPoP-Nonce header.")
        self.headers = (("DPoP-Nonce", nonce),)


class UsedProof(Ticket, frozen=True, kw_only=True):
    """A proof that was seen; its id is the hash of its key and `jti`."""


@dataclass(frozen=True)
class Proof:
    """What a proof says, once its signature and shape have been checked."""

    jkt: str
    jti: str
    method: str
    address: str
    issued_at: float
    nonce: str = ""
    ath: str = ""


class Proofs:
    """Checks the proofs that come with requests."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._used = provider.store.repository(UsedProof)

    def key_of(self, request: Request, *, client: Client, access_token: str = "") -> str:
        """The thumbprint of the key that the request proves to hold, empty if it brings no proof.

        InvalidProof or NonceNeeded if the proof does not do. With an access token, the proof must name it.
        """
        sent = request.headers.get("dpop", "")
        if not sent:
            return ""
        proof = read_proof(sent, FAPI_SHAPES if client.is_fapi else KEY_SHAPES)
        fault = self._fault(proof, request, access_token=access_token)
        if fault:
            raise InvalidProof("The DPoP proof is not valid for this request.", detail=f"proof: {fault}")
        self._check_nonce(proof, client)
        used = UsedProof(id=hash_of(f"{proof.jkt} {proof.jti}"), expires_at=int(proof.issued_at) + OLDEST_SECONDS + 1)
        if not self._used.add(used):
            raise InvalidProof("The DPoP proof is not valid for this request.", detail="proof: jti was used before")
        return proof.jkt

    def fresh_nonce(self, client: Client) -> tuple[Header, ...]:
        """The header that gives a client its next nonce; none for clients that need no nonces (RFC 9449 §8.2)."""
        return (("DPoP-Nonce", self._nonce()),) if self._needs_nonce(client) else ()

    def _fault(self, proof: Proof, request: Request, *, access_token: str) -> str:
        now = self._provider.now()
        if proof.method != request.method:
            return "htm is another method"
        if normalised(proof.address) not in self._addresses(request):
            return "htu is another address"
        if not now - OLDEST_SECONDS <= proof.issued_at <= now + AHEAD_SECONDS:
            return "iat is too old, or ahead of our clock"
        if access_token and proof.ath != ath_of(access_token):
            return "ath is of another token"
        return ""

    def _addresses(self, request: Request) -> frozenset[str]:
        return frozenset(normalised(origin + request.address) for origin in self._provider.settings.origins)

    def _check_nonce(self, proof: Proof, client: Client) -> None:
        if not proof.nonce and not self._needs_nonce(client):
            return
        if proof.nonce not in {self._nonce(), self._nonce(slots_ago=1)}:
            raise NonceNeeded(self._nonce())

    def _needs_nonce(self, client: Client) -> bool:
        rule = self._provider.settings.dpop_nonce
        return rule == "always" or (rule == "registered" and client.dpop_bound_access_tokens)

    def _nonce(self, slots_ago: int = 0) -> str:
        slot = self._provider.now() // NONCE_SECONDS - slots_ago
        return self._provider.hasher.keyed_hash(str(slot), purpose=NONCE_PURPOSE)


def read_proof(sent: str, key_shapes: Mapping[str, tuple[str, str]] = KEY_SHAPES) -> Proof:
    """The proof of a DPoP header, if it is signed by the key that it carries; InvalidProof otherwise."""
    if len(sent) > MAXIMUM_PROOF:
        raise InvalidProof("The DPoP proof is too long.")
    try:
        if unverified_header(sent).get("typ") != "dpop+jwt":
            raise TokenRejected("another typ")
        claims, jkt = verify_by_own_key(sent, key_shapes=key_shapes)
    except TokenRejected as error:
        raise InvalidProof("The DPoP proof is malformed.", detail=f"proof: {error}") from None
    return proof_of(claims, jkt)


def proof_of(claims: Mapping[str, Any], jkt: str) -> Proof:
    """What the claims of a proof say; InvalidProof if one is missing, or of another kind."""
    words = {name: claims.get(name, "") for name in ("jti", "htm", "htu", "nonce", "ath")}
    issued_at = claims.get("iat")
    # Not isinstance: to Python, true is a number.
    if any(type(word) is not str for word in words.values()) or type(issued_at) not in (int, float):
        raise InvalidProof("A claim of the DPoP proof is missing or malformed.")
    if not words["jti"] or not words["htm"] or not words["htu"]:
        raise InvalidProof("A claim of the DPoP proof is missing or malformed.")
    return Proof(
        jkt=jkt,
        jti=words["jti"],
        method=words["htm"],
        address=words["htu"],
        issued_at=claims["iat"],
        nonce=words["nonce"],
        ath=words["ath"],
    )


def normalised(address: str) -> str:
    """An address as RFC 9449 §4.3 compares it: without query and fragment, host in lower case, no default port."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    at = "" if port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{port}"
    return f"{parts.scheme}://{parts.hostname}{at}{unquote(parts.path) or '/'}"


def ath_of(access_token: str) -> str:
    """The hash by which a proof names the access token that it goes with (RFC 9449 §4.2)."""
    return urlsafe_b64encode(sha256(access_token.encode()).digest()).rstrip(b"=").decode("ascii")
