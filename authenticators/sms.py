"""A code by SMS after number and password.

Promises: a code lives ten minutes, knows five tries, is accepted once and is void when a new one is sent; a sign-in
sends four messages at most; no code is kept readable. Must not know: how a message travels; a `Sender` is handed in.
"""

import hmac
import re
from collections.abc import Mapping
from secrets import randbelow, token_urlsafe
from typing import Protocol

from authenticators.codes import DAY_SECONDS, WRONG_A_DAY, FinishedSignIn, Tries, code_page, read_code
from authenticators.password import PasswordStep
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Means, Page
from idp.store import Clock, Store, Ticket

CODE_SECONDS = 600
TRIES = 5
MESSAGES = 4
# Longer than four codes live one after the other, so that no count starts anew within a sign-in.
COUNT_SECONDS = 3600

TEXTS = {
    "nl": "{code} is uw code voor {application}. Geef deze code aan niemand door. Ook wij vragen er nooit naar.",
    "fr": "{code} est votre code pour {application}. Ne le donnez à personne. Nous ne vous le demanderons jamais.",
    "de": "{code} ist Ihr Code für {application}. Geben Sie ihn niemandem weiter. Auch wir fragen nie danach.",
    "en": "{code} is your code for {application}. Do not pass it on to anyone. We will never ask you for it.",
}


class NotSent(Exception):
    """The message could not be handed to the network."""


class Sender(Protocol):
    """Who brings a message to a phone."""

    def send(self, to: str, text: str, *, code: str) -> None:
        """Send the text, which holds the code, to this number (E.164); raises NotSent."""
        ...


class SmsSignIn(Ticket, frozen=True, kw_only=True):
    """Who passed the password in the attempt of this id (sealed), and the keyed hash of the code last sent."""

    sign_in: str
    person: bytes
    destination: str
    message: int = 0
    code_hash: str = ""


class Sms:
    """The key `sms`."""

    name = "sms"
    means = Means("urn:be:vlaanderen:authmech:csamsms", 25)
    methods = ("pwd", "sms", "mfa")

    def __init__(self, step: PasswordStep, store: Store, *, clock: Clock, sender: Sender) -> None:
        self._step = step
        self._credentials = step.credentials
        self._clock = clock
        self._sender = sender
        self._sign_ins = store.repository(SmsSignIn)
        self._finished = store.repository(FinishedSignIn)
        self._tries = Tries(store, TRIES, clock=clock, seconds=COUNT_SECONDS)
        self._messages = Tries(store, MESSAGES, clock=clock, seconds=COUNT_SECONDS)
        self._wrong = Tries(store, WRONG_A_DAY, clock=clock, seconds=DAY_SECONDS)

    def begin(self, attempt: Attempt) -> Page:
        """Ask number and password."""
        return self._step.page(attempt, key=self.name)

    def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identification | Page:
        """The code page after the password or a wish for a new code; who it is after the code; else failure."""
        if "username" in answer or "password" in answer:
            number = self._step.check(attempt, answer, key=self.name)
            return self._send(attempt, number, sign_in=self._start(attempt, number), resent=False)
        sign_in = self._sign_ins.get(attempt.id)
        if sign_in is None:
            raise self._step.missing(attempt, answer, key=self.name)
        number = self._credentials.open_person(sign_in.person)
        if "resend" in answer:
            return self._send(attempt, number, sign_in=sign_in, resent=True)
        self._check(sign_in, number, code=read_code(answer))
        if not self._finished.add(FinishedSignIn(id=sign_in.sign_in, expires_at=self._now() + COUNT_SECONDS)):
            raise AuthenticationFailed("the sign-in is over", self.begin(attempt))
        self._credentials.mark_used(number, self.name)
        return Identification(number)

    def _start(self, attempt: Attempt, number: str) -> SmsSignIn:
        return SmsSignIn(
            id=attempt.id,
            expires_at=self._now() + CODE_SECONDS,
            sign_in=token_urlsafe(32),
            person=self._credentials.seal_person(number),
            destination=mask(self._credentials.phone(number) or ""),
        )

    def _send(self, attempt: Attempt, number: str, *, sign_in: SmsSignIn, resent: bool) -> Page:
        phone = self._credentials.phone(number)
        if not phone:
            raise AuthenticationFailed("no phone is enrolled", self.begin(attempt))
        message, code = self._messages.next(f"sms:{sign_in.sign_in}"), f"{randbelow(10**6):06}"
        if not message:
            raise AuthenticationFailed("messages exhausted", self._page(sign_in))
        sent = self._keep(sign_in, message, code=code)
        try:
            self._sender.send(phone, write_text(attempt, code), code=code)
        except NotSent as failure:
            raise AuthenticationFailed("message not sent", self._page(sent)) from failure
        return self._page(sent, resent=resent)

    def _keep(self, sign_in: SmsSignIn, message: int, *, code: str) -> SmsSignIn:
        # Kept before it is sent, and in place of the earlier one: the code that arrives is the only one that works.
        kept = SmsSignIn(
            id=sign_in.id,
            expires_at=self._now() + CODE_SECONDS,
            sign_in=sign_in.sign_in,
            person=sign_in.person,
            destination=sign_in.destination,
            message=message,
            code_hash=self._hash(sign_in.sign_in, message, code=code),
        )
        if not self._sign_ins.add(kept):
            self._sign_ins.replace(kept)
        return kept

    def _check(self, sign_in: SmsSignIn, number: str, *, code: str) -> None:
        person, subject = f"sms:{self._credentials.person_key(number)}", self._subject(sign_in)
        if not self._wrong.has_left(person):
            raise AuthenticationFailed("too many wrong codes", self._page(sign_in, exhausted=True))
        if code and not self._tries.next(subject):
            raise AuthenticationFailed("tries exhausted", self._page(sign_in))
        if not hmac.compare_digest(self._hash(sign_in.sign_in, sign_in.message, code=code), sign_in.code_hash):
            if code:
                self._wrong.next(person)
            page = self._page(sign_in, wrong=True)
            raise AuthenticationFailed("tries exhausted" if page.values["exhausted"] else "wrong code", page)

    def _page(self, sign_in: SmsSignIn, **shown: object) -> Page:
        left = self._tries.left(self._subject(sign_in))
        values = {"destination": sign_in.destination, "valid_until": sign_in.expires_at, "tries_left": left}
        return code_page(self.name, **{**values, "exhausted": not left, **shown})

    def _subject(self, sign_in: SmsSignIn) -> str:
        return f"sms:{sign_in.sign_in}:{sign_in.message}"

    def _hash(self, sign_in: str, message: int, *, code: str) -> str:
        return self._credentials.hash_code(f"{sign_in}:{message}:{code}")

    def _now(self) -> int:
        return int(self._clock())


def write_text(attempt: Attempt, code: str) -> str:
    """The message in the language of the attempt: what the code is for, and that it is for nobody else."""
    application = " ".join(attempt.application[:60].split()) or "Toegang"
    return TEXTS.get(attempt.locale, TEXTS["nl"]).format(code=code, application=application)


def mask(phone: str) -> str:
    """As much of a number as its owner needs to know it again: +32 4•• •• •• 04."""
    if re.fullmatch(r"\+324[0-9]{8}", phone):
        return f"+32 4•• •• •• {phone[-2:]}"
    return f"{phone[:3]} {'•' * (len(phone) - 5)} {phone[-2:]}"
