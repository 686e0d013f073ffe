"""The password: the lowest key by itself, and the first step of the app (TOTP) and of the SMS code.

Promises: an unknown person, a wrong password and a person without the key asked for see the same page and cost the
same work, one argon2id verification; a flood of guesses cannot take all processors. Must not know: what follows.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from secrets import token_urlsafe
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from authenticators.codes import Tries
from authenticators.credentials import Credentials
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Means, Page
from idp.store import Clock, Store

LONGEST_PASSWORD = 1024
LONGEST_USERNAME = 64
WRONG_AN_HOUR, HOUR_SECONDS = 50, 3600

# 19 MiB, two passes, one lane: the smallest of OWASP's equal settings; it keeps memory and start-up low.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """The argon2id hash to enrol for this password."""
    return _hasher.hash(_spell(password))


@cache
def hash_of_nobody() -> str:
    """A hash that no password fits: who is unknown takes as long as who is known, and learns nothing from the time."""
    return hash_password(token_urlsafe(32))


def wrong_passwords(store: Store, clock: Clock) -> Tries:
    """The wrong passwords of a person: more than anyone mistypes, too few to find one by trying."""
    return Tries(store, WRONG_AN_HOUR, clock=clock, seconds=HOUR_SECONDS)


class PasswordStep:
    """Number and password, checked for the key that asks; made once, so that its limit holds for all keys together."""

    def __init__(self, credentials: Credentials, wrong: Tries, *, concurrent: int = 2, patience: float = 2.0) -> None:
        self.credentials = credentials
        self._wrong = wrong
        self._turns = BoundedSemaphore(concurrent)
        self._patience_seconds = patience
        self._nobody = hash_of_nobody()

    def page(self, attempt: Attempt, *, key: str) -> Page:
        """The first page of the key of this name."""
        return _page({"key": key, "username": attempt.hint})

    def missing(self, attempt: Attempt, answer: Mapping[str, str], *, key: str) -> AuthenticationFailed:
        """The failure of an answer that came before the password: an empty form is wrong, a code is only too early."""
        shown = {"key": key, "username": attempt.hint, "wrong": not ("code" in answer or "resend" in answer)}
        return AuthenticationFailed("no password was passed", _page(shown))

    def check(self, attempt: Attempt, answer: Mapping[str, str], *, key: str) -> str:
        """The national number of who knows the password and has this key; else AuthenticationFailed."""
        username = answer.get("username", "")[:LONGEST_USERNAME]
        number = re.sub("[^0-9]", "", username)
        known, kinds = self.credentials.password_hash(number), self.credentials.kinds(number)
        shown = {"key": key, "username": username or attempt.hint}
        person = f"password:{self.credentials.person_key(number)}"
        may_try = self._wrong.has_left(person)
        is_right = self._verify(known or self._nobody, answer.get("password", ""), shown=shown)
        if not (may_try and is_right and known and key in kinds):
            # Counted for numbers that nobody has as well: what is counted must not tell who exists.
            self._wrong.next(person)
            raise AuthenticationFailed("number, password or key is not right", _page({**shown, "wrong": True}))
        return number

    def _verify(self, hashed: str, password: str, *, shown: Mapping[str, object]) -> bool:
        if not self._turns.acquire(timeout=self._patience_seconds):
            raise AuthenticationFailed("busy", _page({**shown, "busy": True}))
        try:
            return _is_password(hashed, password[:LONGEST_PASSWORD]) and len(password) <= LONGEST_PASSWORD
        finally:
            self._turns.release()


class Password:
    """The key `password`: number and password, and nothing more."""

    name = "password"
    means = Means("urn:be:vlaanderen:authmech:csampassword", 5)
    methods = ("pwd",)

    def __init__(self, step: PasswordStep) -> None:
        self._step = step

    def begin(self, attempt: Attempt) -> Page:
        """Ask number and password."""
        return self._step.page(attempt, key=self.name)

    def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identification:
        """Who knows the password; else AuthenticationFailed."""
        number = self._step.check(attempt, answer, key=self.name)
        self._step.credentials.mark_used(number, self.name)
        return Identification(number)


def _page(shown: Mapping[str, object]) -> Page:
    values = {"username": "", "wrong": False, "busy": False, **shown}
    return Page("authenticators/password.html", "password", values)


def _is_password(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, _spell(password))
    except (VerificationError, InvalidHashError):
        return False


def _spell(password: str) -> bytes:
    # One keyboard sends é as one character, another as two (NIST SP 800-63B §3.1.1.2); lone surrogates are no text.
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace")
