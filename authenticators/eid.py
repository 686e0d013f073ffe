"""The electronic identity card, read by Web eID: a nonce to the page, a signed token back, a national number out.

Promises: a nonce is good for one token, one attempt and five minutes; why a token was refused is for the log alone.
Must not know: whether the reader is real, and where the trusted issuers come from; `web_eid` has the mechanism.
"""

import base64
from collections.abc import Mapping
from secrets import token_bytes

from authenticators.card_certificate import TrustedIssuers
from authenticators.rejections import Rejected
from authenticators.web_eid import Challenge, verify
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Means, Page
from idp.store import Absent, AlreadyTaken, Clock, Store, Ticket

NONCE_BYTES = 32
NONCE_SECONDS = 300
REUSE_SECONDS = 120


class EidNonce(Ticket, frozen=True, kw_only=True):
    """A nonce that no token has answered yet; its id is the nonce."""


class EidChallenge(Ticket, frozen=True, kw_only=True):
    """The nonce that was given to the attempt of this id."""

    nonce: str


class Eid:
    """The key `eid`."""

    name = "eid"
    means = Means("urn:be:vlaanderen:authmech:eid", 35)
    methods = ("hwk", "pin", "mfa")

    def __init__(self, store: Store, trust: TrustedIssuers, *, clock: Clock) -> None:
        self._trust = trust
        self._clock = clock
        self._nonces = store.repository(EidNonce)
        self._challenges = store.repository(EidChallenge)

    def begin(self, attempt: Attempt) -> Page:
        """The page that asks the reader to sign a nonce."""
        return self._page(attempt, wrong="")

    def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identification:
        """Whose card signed this attempt's nonce at its origin; else AuthenticationFailed with a new nonce."""
        try:
            challenge = Challenge(attempt.origin, self._take_nonce(attempt))
            token = answer.get("auth-token", "")
            holder = verify(token, challenge, trust=self._trust, at=self._clock())
        except (Rejected, Absent, AlreadyTaken) as refusal:
            reason = f"eid: {type(refusal).__name__}"
            raise AuthenticationFailed(reason, self._page(attempt, wrong="card")) from refusal
        return Identification(holder.national_number, holder.given_name, holder.family_name)

    def nonce(self, attempt: Attempt) -> str:
        """The unused nonce of this attempt: the one given before while it lasts (a reloaded page), else a new one."""
        given = self._challenges.get(attempt.id)
        is_fresh = given is not None and given.expires_at - self._clock() > REUSE_SECONDS
        if given is not None and is_fresh and self._nonces.get(given.nonce):
            return given.nonce
        return self._new_nonce(attempt)

    def _new_nonce(self, attempt: Attempt) -> str:
        nonce = base64.b64encode(token_bytes(NONCE_BYTES)).decode()
        expires_at = int(self._clock()) + NONCE_SECONDS
        self._nonces.add(EidNonce(id=nonce, expires_at=expires_at))
        challenge = EidChallenge(id=attempt.id, expires_at=expires_at, nonce=nonce)
        if not self._challenges.add(challenge):
            self._challenges.replace(challenge)
        return nonce

    def _take_nonce(self, attempt: Attempt) -> str:
        # Taken before the token is looked at: a nonce serves one answer, right or wrong.
        given = self._challenges.get(attempt.id)
        if given is None:
            raise Absent
        return self._nonces.take(given.nonce).id

    def _page(self, attempt: Attempt, *, wrong: str) -> Page:
        return Page("authenticators/eid.html", "eid", {"nonce": self.nonce(attempt), "wrong": wrong})
