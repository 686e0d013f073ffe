"""What signing in and enrolling by WebAuthn have in common: challenges, and what a browser sends, read with care.

Promises: a challenge is one attempt's and is used up by the first answer that names it, right or wrong; whatever a
browser sends either is of the form that it should be, or is refused. Must not know: whose credential it is.
"""

import binascii
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from typing import Any
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from webauthn.helpers.exceptions import WebAuthnException

from idp.store import Absent, AlreadyTaken, Clock, Store, Ticket

CHALLENGE_SECONDS = 600
CHALLENGE_BYTES = 32
LONGEST_ANSWER = 32 * 1024
LONGEST_CHALLENGE = 100
LONGEST_REASON = 200
LONGEST_CREDENTIAL_ID = 1023  # WebAuthn §7.1 step 25

MALFORMED = (
    *(WebAuthnException, UnsupportedAlgorithm, ValueError, TypeError, LookupError, AttributeError),
    *(OverflowError, RecursionError, struct.error, NotImplementedError, MemoryError, EOFError),
)
"""All that the library lets through where what it parses is not what it should be."""


class Refused(Exception):
    """What the browser sent proves nothing; the message is for the log."""


class PasskeyChallenge(Ticket, frozen=True, kw_only=True):
    """A challenge that waits; its id is the hash of the attempt and the challenge."""


@dataclass(frozen=True)
class Answered:
    """What a browser answered: the credential as JSON, and the challenge that it signed."""

    credential: Mapping[str, Any]
    challenge: bytes

    def member(self, name: str) -> str:
        """A member of the response, as text; Refused if it is not there."""
        found = self.credential["response"].get(name)
        if not isinstance(found, str) or not found:
            raise Refused(f"{name} is missing")
        return found

    @property
    def credential_id(self) -> bytes:
        """The id of the credential; Refused if it is longer than any may be."""
        found = self.credential.get("rawId")
        if not isinstance(found, str) or not 0 < len(found) <= LONGEST_CREDENTIAL_ID * 4 // 3 + 4:
            raise Refused("no credential id")
        return decoded(found)


class Challenges:
    """The challenges of all attempts."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._waiting = store.repository(PasskeyChallenge)
        self._clock = clock

    def new(self, attempt_id: str) -> str:
        """A challenge for this attempt."""
        challenge = token_bytes(CHALLENGE_BYTES)
        expires_at = int(self._clock()) + CHALLENGE_SECONDS
        self._waiting.add(PasskeyChallenge(id=ticket_id(attempt_id, challenge), expires_at=expires_at))
        return encoded(challenge)

    def take(self, attempt_id: str, answer: Mapping[str, str]) -> Answered:
        """The answer of this attempt, whose challenge is used up by it; Refused if it is none, or a second one."""
        answered = read(answer.get("credential", ""))
        try:
            self._waiting.take(ticket_id(attempt_id, answered.challenge))
        except (Absent, AlreadyTaken) as gone:
            raise Refused(f"the challenge is not one that waits: {gone}") from None
        return answered


def read(text: str) -> Answered:
    """What a browser sent, as far as its form can be told before its challenge is known; Refused if it is no answer."""
    if not text or len(text) > LONGEST_ANSWER:
        raise Refused("no answer, or one too long")
    try:
        credential = msgspec.json.decode(text, type=dict[str, Any])
        client = msgspec.json.decode(decoded(credential["response"]["clientDataJSON"]), type=dict[str, Any])
        challenge = client["challenge"]
        if not isinstance(challenge, str) or len(challenge) > LONGEST_CHALLENGE:
            raise Refused("no challenge")
        # Nobody may frame our pages, so an honest browser never says either (WebAuthn §7.2 steps 14 and 15).
        if client.get("crossOrigin") or client.get("topOrigin"):
            raise Refused("made in a frame of another site")
        return Answered(credential, decoded(challenge))
    except MALFORMED as malformed:
        raise Refused(f"malformed: {type(malformed).__name__}") from None


def reason_of(failure: BaseException) -> str:
    """What the library says, as one short line of the log: it repeats what the browser sent."""
    said = f"{type(failure).__name__}: {failure}"[:LONGEST_REASON]
    return "".join(letter if letter.isprintable() else " " for letter in said)


def rp_id_of(origin: str) -> str:
    """The host of our origin: what credentials are bound to."""
    return urlsplit(origin).hostname or ""


def encoded(value: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def decoded(text: str) -> bytes:
    """The bytes of base64url; Refused if it is none."""
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError, AttributeError, TypeError):
        raise Refused("not base64url") from None


def ticket_id(attempt_id: str, challenge: bytes) -> str:
    """The id under which a challenge of an attempt waits."""
    return sha256(attempt_id.encode() + b" " + challenge).hexdigest()
