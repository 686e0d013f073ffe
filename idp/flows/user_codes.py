"""User codes: what a person types to find the request of the device before them (RFC 8628 §6.1).

Promises: a code is short, spelled without vowels and digits, and read however it was typed; it is kept as a keyed hash,
and guessing is bounded: for strangers by browser and for all together, for whoever is signed in by themselves, so that
no stranger can use up their tries. Must not know: what the code leads to.
"""

import re
import secrets

from idp.errors import ProtocolError
from idp.flows.waiting import Waiting
from idp.http import Request
from idp.provider import Provider
from idp.store import Ticket

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH, HALF = 8, 4
LONGEST_TYPED = 64
PURPOSE = "user code"

WRONG_TRIES, WRONG_SECONDS = 5, 600
"""Wrong codes of one browser or person: more than anyone mistypes."""
LOOKUPS_A_SECOND = 20
"""By all strangers together, since a guesser brings a new one each time: in the ten minutes that a code lives, 12,000
guesses among 20^8 codes find one of a thousand live ones once in two thousand times (RFC 8628 §5.1)."""


class UserCode(Ticket, frozen=True, kw_only=True):
    """What a user code leads to; its id is the keyed hash of the code."""

    polled: str


class WrongCode(Ticket, frozen=True, kw_only=True):
    """One wrong try: its id is the browser or person and the number of the try."""


class CodeLookup(Ticket, frozen=True, kw_only=True):
    """One search for a code: its id is the second, and its number in that second."""


class CodeNotFound(ProtocolError):
    """No device waits under this code, or no longer."""

    code = "invalid_request"


class TooManyTries(ProtocolError):
    """This browser or person has typed too many wrong codes."""

    code = "invalid_request"
    status = 429


class TooManyStrangers(TooManyTries):
    """All strangers together are typing too many: who signs in need not wait."""


class UserCodes:
    """Makes and finds user codes."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)
        self._codes = provider.store.repository(UserCode)
        self._wrong = provider.store.repository(WrongCode)
        self._lookups = provider.store.repository(CodeLookup)

    def make(self, polled: str, *, ends_at: int) -> tuple[str, str]:
        """A new code that leads there, as people read it, and its id."""
        while True:
            letters = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
            id = self.id_of(letters)
            if self._codes.add(UserCode(id=id, expires_at=ends_at, polled=polled)):
                return shown(letters), id

    def id_of(self, letters: str) -> str:
        """The id under which a code is kept: its letters are too few for a plain hash."""
        return self._provider.hasher.keyed_hash(letters, purpose=PURPOSE)

    def find(self, request: Request, typed: str) -> str:
        """What a typed code leads to; CodeNotFound, or TooManyTries without a look."""
        browser, letters = self._provider.cookies.browser(request), letters_of(typed)
        session = self._waiting.session(request)
        who = session.person_id if session else browser.id
        if self._wrong.get(f"{who} {WRONG_TRIES}"):
            raise TooManyTries("Too many codes were tried: wait, and try again.")
        if letters and not session and not self._has_turn():
            raise TooManyStrangers("Too many codes were tried: sign in first, or wait.")
        found = self._codes.get(self.id_of(letters)) if letters else None
        if found is None:
            if session or not browser.is_new:
                self._count_wrong(who)
            raise CodeNotFound("No device waits under this code.")
        return found.polled

    def forget(self, id: str) -> None:
        """The device has its answer: its code leads nowhere any more."""
        if id:
            self._codes.discard(id)

    def _has_turn(self) -> bool:
        now = self._provider.now()
        # Turns are taken in their order: where the last is gone, one read says so, also under a flood.
        if self._lookups.get(f"{now} {LOOKUPS_A_SECOND - 1}"):
            return False
        turns = (CodeLookup(id=f"{now} {turn}", expires_at=now + 2) for turn in range(LOOKUPS_A_SECOND))
        return any(self._lookups.add(turn) for turn in turns)

    def _count_wrong(self, who: str) -> None:
        expires_at = self._provider.now() + WRONG_SECONDS
        tries = (WrongCode(id=f"{who} {number}", expires_at=expires_at) for number in range(1, WRONG_TRIES + 1))
        any(self._wrong.add(one) for one in tries)


def letters_of(typed: str) -> str:
    """The letters of what was typed, in capitals, without what people put between them; empty if it can be no code."""
    letters = re.sub(r"[^A-Z]", "", typed[:LONGEST_TYPED].upper())
    return letters if len(letters) == LENGTH and set(letters) <= set(LETTERS) else ""


def shown(letters: str) -> str:
    """A code as people read it: in two halves."""
    return f"{letters[:HALF]}-{letters[HALF:]}"
