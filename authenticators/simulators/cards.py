"""The simulated cards: a key, a certificate and a PIN each, and the box that holds them.

Promises: a card signs exactly what the Web eID app would sign and answers in its words; its key is made when it is
first needed, and never shown. Must not know: attempts, pages, stores.
"""

import base64
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from authenticators.simulators.authority import CardAuthority, CardKey, Subject
from authenticators.web_eid import Challenge, signed_value

PIN_OF_NEW_CARDS = "1234"
MADE_CARDS_KEPT = 1000
COORDINATE_BYTES = 48


class NoSuchCard(Exception):
    """The reader holds no card of this number."""


@dataclass(frozen=True)
class NewCard:
    """What a card is made from; `is_rsa` as the older cards are."""

    subject: Subject
    pin: str = PIN_OF_NEW_CARDS
    is_rsa: bool = False


class Card:
    """A card in the reader."""

    def __init__(self, new: NewCard, authority: CardAuthority) -> None:
        self.subject = new.subject
        self._new = new
        self.authority = authority
        self._lock = Lock()
        self._made: tuple[CardKey, str] | None = None

    def has_pin(self, pin: str) -> bool:
        """Whether this is the card's PIN."""
        return hmac.compare_digest(self._new.pin.encode(), pin.encode("utf-8", "replace"))

    def answer(self, challenge: Challenge) -> str:
        """The token (JSON) that the Web eID app gives for this card and this challenge."""
        key, certificate = self._make()
        algorithm, signature = _sign(key, challenge)
        token = {
            "unverifiedCertificate": certificate,
            "algorithm": algorithm,
            "signature": base64.b64encode(signature).decode(),
            "format": "web-eid:1.0",
            "appVersion": "https://web-eid.eu/web-eid-app/releases/2.7.0+965",
        }
        return json.dumps(token)

    def _make(self) -> tuple[CardKey, str]:
        with self._lock:
            if self._made is None:
                key = _new_key(is_rsa=self._new.is_rsa)
                certificate = self.authority.issue(self.subject, key).public_bytes(Encoding.DER)
                self._made = key, base64.b64encode(certificate).decode()
            return self._made


class CardBox:
    """The cards of the invented people, by national number, in the order in which they came."""

    def __init__(self, authority: CardAuthority, cards: Iterable[NewCard] = ()) -> None:
        self.authority = authority
        self._lock = Lock()
        self._cards = {new.subject.number: Card(new, authority) for new in cards}
        self._room = len(self._cards) + MADE_CARDS_KEPT

    def put(self, new: NewCard) -> None:
        """Add a card, in place of an earlier one of its number; the last but this one makes room in a full box."""
        with self._lock:
            if new.subject.number not in self._cards and len(self._cards) >= self._room:
                self._cards.popitem()
            self._cards[new.subject.number] = Card(new, self.authority)

    def find(self, number: str) -> Card:
        """The card of this number; raises NoSuchCard."""
        with self._lock:
            if number not in self._cards:
                raise NoSuchCard
            return self._cards[number]

    def subjects(self) -> list[Subject]:
        """Whose cards there are."""
        with self._lock:
            return [card.subject for card in self._cards.values()]


def _new_key(*, is_rsa: bool) -> CardKey:
    if is_rsa:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP384R1())


def _sign(key: CardKey, challenge: Challenge) -> tuple[str, bytes]:
    if isinstance(key, rsa.RSAPrivateKey):
        signed = signed_value(challenge, "RS256")
        return "RS256", key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    r, s = decode_dss_signature(key.sign(signed_value(challenge, "ES384"), ec.ECDSA(hashes.SHA384())))
    return "ES384", r.to_bytes(COORDINATE_BYTES) + s.to_bytes(COORDINATE_BYTES)
