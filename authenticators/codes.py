"""The second step: what the code page shows, how a typed code is read, and how tries are counted.

Promises: a try is counted by one atomic verb before the code is looked at, so that many requests at once get no more
tries than one after the other. Must not know: where a code comes from, or which key asks for it.
"""

import re
from collections.abc import Mapping

from idp.authenticator import Page
from idp.store import Clock, Store, Ticket

CODE = re.compile("[0-9]{6}", re.ASCII)

WRONG_A_DAY = 100
"""Wrong codes of one person: far more than anyone mistypes, far too few to guess one (NIST SP 800-63B §3.2.2)."""
DAY_SECONDS = 86400


class Try(Ticket, frozen=True, kw_only=True):
    """One try, used: its id is the subject and the number of the try."""


class FinishedSignIn(Ticket, frozen=True, kw_only=True):
    """A sign-in that led to an identification: its id is the sign-in's. To add it is to be the one who wins."""


class Tries:
    """At most `limit` tries for each subject, within `seconds` of the first."""

    def __init__(self, store: Store, limit: int, *, clock: Clock, seconds: int) -> None:
        self._tries = store.repository(Try)
        self._limit = limit
        self._clock = clock
        self._seconds = seconds

    def next(self, subject: str) -> int:
        """The number of this try, from 1, given to one caller only; 0 once all of them are used."""
        expires_at = int(self._clock()) + self._seconds
        for number in range(1, self._limit + 1):
            if self._tries.add(Try(id=f"{subject}:{number}", expires_at=expires_at)):
                return number
        return 0

    def has_left(self, subject: str) -> bool:
        """Whether any try is left, in one read: tries are used in their order."""
        return self._tries.get(f"{subject}:{self._limit}") is None

    def left(self, subject: str) -> int:
        """How many tries of this subject are not used yet."""
        return sum(self._tries.get(f"{subject}:{n}") is None for n in range(1, self._limit + 1))


def read_code(answer: Mapping[str, str]) -> str:
    """The six digits of the answer, however they were grouped; empty if it holds no such code."""
    code = re.sub(r"[\s.-]", "", answer.get("code", "")[:32])
    return code if CODE.fullmatch(code) else ""


def code_page(key: str, **shown: object) -> Page:
    """The page that asks for the code of this key; what is not told is as on its first showing."""
    values = {
        "key": key,
        "destination": "",
        "wrong": False,
        "exhausted": False,
        "tries_left": 0,
        "valid_until": 0,
        "resent": False,
        **shown,
    }
    return Page("authenticators/code.html", "code", values)
