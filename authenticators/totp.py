"""The code of an app (TOTP, RFC 6238) after number and password.

Promises: a code is accepted once, also when two requests send it at the same instant, and also in another attempt;
five tries a sign-in and a hundred wrong codes a day for one person, since six digits withstand no patient guesser.
Must not know: how the seed came into the app.
"""

import hmac
from collections.abc import Mapping
from secrets import token_urlsafe

import pyotp

from authenticators.codes import DAY_SECONDS, WRONG_A_DAY, FinishedSignIn, Tries, code_page, read_code
from authenticators.password import PasswordStep
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Means, Page
from idp.store import Clock, Store, Ticket

STEP_SECONDS = 30
WINDOW = (0, -1, 1)
SIGN_IN_SECONDS = 600
USED_SECONDS = 300
TRIES = 5


class TotpSignIn(Ticket, frozen=True, kw_only=True):
    """Who passed the password in the attempt of this id (sealed), and has yet to give a code."""

    sign_in: str
    person: bytes


class UsedTimestep(Ticket, frozen=True, kw_only=True):
    """A person's code that was accepted: its id is the person's key and the time step."""


class Totp:
    """The key `totp`."""

    name = "totp"
    means = Means("urn:be:vlaanderen:authmech:csamtotp", 26)
    methods = ("pwd", "otp", "mfa")

    def __init__(self, step: PasswordStep, store: Store, *, clock: Clock) -> None:
        self._step = step
        self._credentials = step.credentials
        self._clock = clock
        self._sign_ins = store.repository(TotpSignIn)
        self._used = store.repository(UsedTimestep)
        self._finished = store.repository(FinishedSignIn)
        self._tries = Tries(store, TRIES, clock=clock, seconds=SIGN_IN_SECONDS)
        self._wrong = Tries(store, WRONG_A_DAY, clock=clock, seconds=DAY_SECONDS)

    def begin(self, attempt: Attempt) -> Page:
        """Ask number and password."""
        return self._step.page(attempt, key=self.name)

    def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identification | Page:
        """The code page after the password; who it is after the code; else AuthenticationFailed."""
        if "username" in answer or "password" in answer:
            return self._ask_code(attempt, self._step.check(attempt, answer, key=self.name))
        sign_in = self._sign_ins.get(attempt.id)
        if sign_in is None:
            raise self._step.missing(attempt, answer, key=self.name)
        number = self._credentials.open_person(sign_in.person)
        self._check(sign_in, number, code=read_code(answer))
        if not self._finished.add(FinishedSignIn(id=sign_in.sign_in, expires_at=sign_in.expires_at)):
            raise AuthenticationFailed("the sign-in is over", self.begin(attempt))
        self._credentials.mark_used(number, self.name)
        return Identification(number)

    def _ask_code(self, attempt: Attempt, number: str) -> Page:
        sign_in = TotpSignIn(
            id=attempt.id,
            expires_at=int(self._clock()) + SIGN_IN_SECONDS,
            sign_in=token_urlsafe(32),
            person=self._credentials.seal_person(number),
        )
        if not self._sign_ins.add(sign_in):
            self._sign_ins.replace(sign_in)
        return code_page(self.name, tries_left=TRIES)

    def _check(self, sign_in: TotpSignIn, number: str, *, code: str) -> None:
        person, subject = f"totp:{self._credentials.person_key(number)}", f"totp:{sign_in.sign_in}"
        if not self._wrong.has_left(person):
            raise AuthenticationFailed("too many wrong codes", code_page(self.name, exhausted=True))
        if code and not self._tries.next(subject):
            raise AuthenticationFailed("tries exhausted", code_page(self.name, exhausted=True))
        timestep = self._find_timestep(number, code)
        if code and timestep is None:
            self._wrong.next(person)
        if timestep is None or not self._use(number, timestep):
            left = self._tries.left(subject)
            page = code_page(self.name, wrong=True, exhausted=not left, tries_left=left)
            raise AuthenticationFailed("wrong or used code" if left else "tries exhausted", page)

    def _find_timestep(self, number: str, code: str) -> int | None:
        secret, now = self._credentials.totp_secret(number), int(self._clock()) // STEP_SECONDS
        if secret:
            totp = pyotp.TOTP(secret)
            for timestep in (now + offset for offset in WINDOW):
                if hmac.compare_digest(totp.generate_otp(timestep), code):
                    return timestep
        return None

    def _use(self, number: str, timestep: int) -> bool:
        id = f"{self._credentials.person_key(number)}:{timestep}"
        return self._used.add(UsedTimestep(id=id, expires_at=int(self._clock()) + USED_SECONDS))
