"""One-click personas: each invented person with the strongest simulated key they hold, filled in.

Promises: a click sends what the person would have typed, through the real key; nothing is let in by name alone.
Must not know: which of them may do what.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from authenticators.simulators.authority import Subject
from authenticators.simulators.cards import NewCard
from authenticators.simulators.inbox import Inbox
from authenticators.sms import Sms
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Means, Page

PhoneBook = Callable[[str], str | None]
"""The phone number at which the person of this national number gets codes."""


@dataclass(frozen=True)
class DemoPerson:
    """What the simulators know of an invented person."""

    national_number: str
    given_name: str
    family_name: str
    keys: tuple[str, ...]
    password: str = ""
    eid_pin: str = ""
    totp_secret: str = ""
    phone: str = ""
    has_rsa_card: bool = False

    @property
    def name(self) -> str:
        """Given name and family name."""
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True)
class Shortcut:
    """One click: its label, the key it uses, and the form fields that it sends."""

    label: str
    key: str
    answer: Mapping[str, str]


def shortcuts(people: Iterable[DemoPerson]) -> list[Shortcut]:
    """A shortcut for each person who has a card or a phone, in the order given."""
    found = (_shortcut(person) for person in people)
    return [shortcut for shortcut in found if shortcut is not None]


def new_cards(people: Iterable[DemoPerson]) -> list[NewCard]:
    """A card for each person who has the key eid, in the order given."""
    return [
        NewCard(
            Subject(person.national_number, person.given_name, person.family_name),
            pin=person.eid_pin,
            is_rsa=person.has_rsa_card,
        )
        for person in people
        if "eid" in person.keys
    ]


def _shortcut(person: DemoPerson) -> Shortcut | None:
    if "eid" in person.keys:
        return Shortcut(person.name, "eid", {"card": person.national_number, "pin": person.eid_pin})
    if "sms" in person.keys:
        typed = {"username": person.national_number, "password": person.password, "persona": "1"}
        return Shortcut(person.name, "sms", typed)
    return None


class SimulatedPhone:
    """The key `sms` while simulators are on: for a persona, it also looks at the phone and types the code."""

    def __init__(self, sms: Sms, inbox: Inbox, *, phone_of: PhoneBook) -> None:
        self._sms = sms
        self._inbox = inbox
        self._phone_of = phone_of

    @property
    def name(self) -> str:
        """The name of the real key."""
        return self._sms.name

    @property
    def means(self) -> Means:
        """The means of the real key."""
        return self._sms.means

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of the real key."""
        return self._sms.methods

    def begin(self, attempt: Attempt) -> Page:
        """The first page of the real key."""
        return self._sms.begin(attempt)

    def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identification | Page:
        """The answer of the real key; for a persona, also to the code that it sent."""
        if answer.get("persona") != "1":
            return self._sms.finish(attempt, answer)
        phone = self._phone_of(answer.get("username", "")) or ""
        earlier = {id(message) for message in self._inbox.messages(phone)}
        page = self._sms.finish(attempt, answer)
        codes = [m.code for m in self._inbox.messages(phone) if id(m) not in earlier]
        return self._type(attempt, codes, page=page)

    # Two clicks at once put two messages into one inbox; each tries what came in since it asked.
    def _type(self, attempt: Attempt, codes: list[str], *, page: Identification | Page) -> Identification | Page:
        for code in codes:
            try:
                return self._sms.finish(attempt, {"code": code})
            except AuthenticationFailed as failure:
                page = failure.page
        return page
