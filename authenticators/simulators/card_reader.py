"""The simulated card reader: the real eID key, with the reader and its cards drawn on the page.

Promises: it decides nothing about who someone is; a card signs and the real `Eid` verifies, as it does for a token
that comes from a real reader, which passes through untouched. Must not know: idm, or what makes a number right.
"""

import re
from collections.abc import Callable, Mapping

from authenticators.eid import Eid
from authenticators.simulators.authority import Subject
from authenticators.simulators.cards import CardBox, NewCard, NoSuchCard
from authenticators.web_eid import Challenge
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Means, Page

LONGEST_NAME = 64
LONGEST_NUMBER = 32

NumberCheck = Callable[[str], str]
"""The eleven digits of a number as typed; ValueError if it may not have a card."""


class SimulatedCardReader:
    """The key `eid` while simulators are on."""

    def __init__(self, eid: Eid, box: CardBox, *, check_number: NumberCheck) -> None:
        self._eid = eid
        self._box = box
        self._check_number = check_number

    @property
    def name(self) -> str:
        """The name of the real key."""
        return self._eid.name

    @property
    def means(self) -> Means:
        """The means of the real key."""
        return self._eid.means

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of the real key."""
        return self._eid.methods

    def begin(self, attempt: Attempt) -> Page:
        """The reader, with the card of the person expected in it, else the first."""
        return self._draw(self._eid.begin(attempt), selected=re.sub("[^0-9]", "", attempt.hint))

    def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identification | Page:
        """A token passes on; a card and its PIN make one; names and a number make a card; else failure."""
        if "auth-token" in answer:
            return self._pass_on(attempt, answer["auth-token"], selected="")
        if answer.get("make") == "card":
            return self._make(attempt, answer)
        return self._use(attempt, answer.get("card", ""), pin=answer.get("pin", ""))

    def _use(self, attempt: Attempt, number: str, *, pin: str) -> Identification:
        try:
            card = self._box.find(number)
        except NoSuchCard as missing:
            page = self._draw(self._eid.begin(attempt), wrong="card")
            raise AuthenticationFailed("no such card", page) from missing
        if not card.has_pin(pin):
            page = self._draw(self._eid.begin(attempt), selected=number, wrong="pin")
            raise AuthenticationFailed("wrong pin", page)
        token = card.answer(Challenge(attempt.origin, self._eid.nonce(attempt)))
        return self._pass_on(attempt, token, selected=number)

    def _pass_on(self, attempt: Attempt, token: str, *, selected: str) -> Identification:
        try:
            return self._eid.finish(attempt, {"auth-token": token})
        except AuthenticationFailed as failure:
            page = self._draw(failure.page, selected=selected, wrong="card")
            raise AuthenticationFailed(failure.reason, page) from failure

    def _make(self, attempt: Attempt, answer: Mapping[str, str]) -> Page:
        page = self._eid.begin(attempt)
        try:
            number = self._check_number(answer.get("new_number", "")[:LONGEST_NUMBER])
        except ValueError:
            return self._draw(page, wrong_card="number")
        names = [_read_name(answer.get(field, "")) for field in ("new_given_name", "new_family_name")]
        if not all(names):
            return self._draw(page, wrong_card="name")
        self._box.put(NewCard(Subject(number, *names)))
        return self._draw(page, selected=number)

    def _draw(self, page: Page, *, selected: str = "", wrong: str = "", wrong_card: str = "") -> Page:
        subjects = self._box.subjects()
        cards = [{"number": s.number, "name": f"{s.given_name} {s.family_name}"} for s in subjects]
        numbers = [subject.number for subject in subjects]
        if selected not in numbers:
            selected = numbers[0] if numbers else ""
        shown = {"cards": cards, "selected": selected, "wrong": wrong, "wrong_card": wrong_card}
        return Page(page.template, page.name, {**page.values, **shown})


def _read_name(typed: str) -> str:
    # What a certificate's subject cannot hold (X.520 bounds a name at 64) is no name.
    name = " ".join(typed.split())
    return name if len(name) <= LONGEST_NAME and name.isprintable() else ""
