"""The sign-ins under way: who is asked what on which telephone, what was answered, and the codes that came of it.

Promises: an answer, a code and a token each count once and in time; what nobody comes back for makes room for new ones.
Must not know: pages, HTTP, the form of tokens.
"""

import secrets
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import RLock
from typing import Generic, TypeVar

from demo.itsme.accounts import Account, Accounts
from demo.itsme.asking import Asked

MOST_KEPT = 1000
ANSWER_SECONDS = 180
CODE_SECONDS = 180
TOKEN_SECONDS = 300
PICTURES = ("bel", "boom", "boot", "paraplu", "tas", "vis")

T = TypeVar("T")


class Shelf(OrderedDict[str, T], Generic[T]):
    """Things by id; the oldest makes room."""

    def __setitem__(self, key: str, value: T) -> None:
        super().__setitem__(key, value)
        if len(self) > MOST_KEPT:
            self.popitem(last=False)


@dataclass(frozen=True)
class SignIn:
    """A sign-in: what is asked; and once a number was typed, at which telephone, with which picture, until when."""

    id: str
    asked: Asked
    phone: str = ""
    picture: str = ""
    question: str = ""
    ends_at: float = 0.0
    answer: str = ""


@dataclass(frozen=True)
class Granted:
    """What a code or an access token stands for."""

    account: Account
    asked: Asked
    ends_at: float


class SignIns:
    """All of them, in memory."""

    def __init__(self, accounts: Accounts, clock: Callable[[], float]) -> None:
        self._accounts = accounts
        self._clock = clock
        self._lock = RLock()
        self._sign_ins: Shelf[SignIn] = Shelf()
        self._codes: Shelf[Granted] = Shelf()
        self._tokens: Shelf[Granted] = Shelf()

    def begin(self, asked: Asked) -> SignIn:
        """A new sign-in."""
        sign_in = SignIn(secrets.token_urlsafe(32), asked)
        with self._lock:
            self._sign_ins[sign_in.id] = sign_in
        return sign_in

    def find(self, id: str) -> SignIn | None:
        """The sign-in of this id; None if it is over, or never was."""
        with self._lock:
            return self._sign_ins.get(id)

    def ask(self, sign_in: SignIn, phone: str) -> None:
        """Ask at this telephone, whoever has it: somebody, or nobody, and then no answer ever comes."""
        question = replace(
            sign_in,
            phone=phone,
            picture=secrets.choice(PICTURES),
            question=secrets.token_urlsafe(32),
            ends_at=self._clock() + ANSWER_SECONDS,
            answer="",
        )
        with self._lock:
            if sign_in.id in self._sign_ins:
                self._sign_ins[sign_in.id] = question
                self._sign_ins.move_to_end(sign_in.id)

    def question_at(self, phone: str) -> SignIn | None:
        """What this telephone shows: the newest question that waits for an answer; None if there is none."""
        if self._accounts.find(phone) is None:
            return None
        with self._lock:
            waiting = [one for one in self._sign_ins.values() if one.phone == phone and self.state_of(one) == "waiting"]
        return waiting[-1] if waiting else None

    def answer(self, question: str, *, phone: str, is_approved: bool) -> bool:
        """Take the answer of this telephone to this question; False if it comes late, twice or to no question."""
        with self._lock:
            shown = [one for one in self._sign_ins.values() if one.question == question and one.phone == phone]
            if not shown or self.state_of(shown[0]) != "waiting" or self._accounts.find(phone) is None:
                return False
            self._sign_ins[shown[0].id] = replace(shown[0], answer="approved" if is_approved else "denied")
            return True

    def state_of(self, sign_in: SignIn) -> str:
        """`new`, `waiting`, `approved`, `denied` or `expired`."""
        if sign_in.answer or not sign_in.question:
            return sign_in.answer or "new"
        return "waiting" if self._clock() < sign_in.ends_at else "expired"

    def end(self, sign_in: SignIn) -> bool:
        """Take the sign-in out, for one caller only."""
        with self._lock:
            return self._sign_ins.pop(sign_in.id, None) is not None

    def make_code(self, sign_in: SignIn) -> str:
        """A code for an approved sign-in: 36 characters, good for three minutes."""
        account = self._accounts.find(sign_in.phone)
        if account is None:
            raise LookupError("nobody has this telephone")
        code = str(uuid.uuid4())
        with self._lock:
            self._codes[code] = Granted(account, sign_in.asked, self._clock() + CODE_SECONDS)
        return code

    def take_code(self, code: str) -> Granted | None:
        """What the code stands for, once and in time; else None."""
        with self._lock:
            granted = self._codes.pop(code, None)
        return granted if granted and self._clock() < granted.ends_at else None

    def make_token(self, granted: Granted) -> str:
        """An access token for what a code stood for."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens[token] = replace(granted, ends_at=self._clock() + TOKEN_SECONDS)
        return token

    def holder_of(self, token: str) -> Granted | None:
        """What an access token stands for; None if it is unknown or has ended."""
        with self._lock:
            granted = self._tokens.get(token)
        return granted if granted and self._clock() < granted.ends_at else None
