"""The simulation: card reader, telephone, inboxes, app and clock for the invented people of a world file.

Promises: each simulated key wraps the real one, so that a sign-in passes the same code as with a real card or phone.
Part of the composition. Must not know: any rule.
"""

from collections.abc import Sequence
from pathlib import Path

from authenticators.card_certificate import BELGIAN_AUTHENTICATION, TrustedIssuers
from authenticators.eid import Eid
from authenticators.password import PasswordStep
from authenticators.simulators import pages, personas
from authenticators.simulators.app import SimulatedApp
from authenticators.simulators.authority import CardAuthority
from authenticators.simulators.card_reader import SimulatedCardReader
from authenticators.simulators.cards import CardBox
from authenticators.simulators.clock import SimulatedClock
from authenticators.simulators.inbox import Inbox
from authenticators.simulators.personas import DemoPerson, SimulatedPhone, new_cards
from authenticators.sms import Sms
from demo.world import read_world
from idm.days import day_of
from idm.identifiers import is_test_number, national_number
from idp.authenticator import Authenticator
from idp.flows.simulators import Simulated
from idp.provider import Shortcut
from idp.store import Store

RSA_CARD_EACH = 8


class Simulation:
    """The simulated keys, the one-click sign-ins, and the pages of the simulators."""

    def __init__(self, world_file: Path, store: Store, *, step: PasswordStep, clock: SimulatedClock) -> None:
        people = demo_people(world_file, clock)
        inbox = Inbox(clock)
        sms = Sms(step, store, clock=clock, sender=inbox)
        self.keys: list[Authenticator] = [
            card_reader(people, store, clock=clock),
            SimulatedPhone(sms, inbox, phone_of=step.credentials.phone),
        ]
        self.tell = inbox.send
        self.shortcuts = tuple(Shortcut(one.label, one.key, one.answer) for one in personas.shortcuts(people))
        self.pages = simulated_pages(inbox, people, clock=clock)


def card_reader(people: Sequence[DemoPerson], store: Store, *, clock: SimulatedClock) -> SimulatedCardReader:
    """A reader with a card of each person who has one, signed by a test CA made just now."""
    authority = CardAuthority(clock)
    eid = Eid(store, TrustedIssuers((authority.certificate,), frozenset({BELGIAN_AUTHENTICATION})), clock=clock)
    box = CardBox(authority, new_cards(people))
    return SimulatedCardReader(eid, box, check_number=test_number)


def simulated_pages(inbox: Inbox, people: Sequence[DemoPerson], *, clock: SimulatedClock) -> Simulated:
    """What the simulators answer over HTTP."""
    return Simulated(
        messages=lambda address: pages.inbox_messages(inbox, address),
        addresses=lambda: pages.inbox_addresses(inbox, people),
        app_codes=SimulatedApp(people, clock).codes,
        clock=lambda: pages.clock_reading(clock),
        set_clock=lambda text: pages.set_clock(clock, text),
    )


def demo_people(world_file: Path, clock: SimulatedClock) -> list[DemoPerson]:
    """The people of a world, as the simulators know them; one card in eight is of the older kind, with RSA."""
    people = read_world(world_file, today=day_of(clock())).people
    return [
        DemoPerson(
            national_number=person.national_number,
            given_name=person.given_name,
            family_name=person.family_name,
            keys=person.keys,
            password=person.password or "",
            eid_pin=person.eid_pin or "",
            totp_secret=person.totp_secret or "",
            phone=person.phone,
            has_rsa_card=place % RSA_CARD_EACH == 1,
        )
        for place, person in enumerate(people)
    ]


def test_number(text: str) -> str:
    """The number if it is one that no real person can have; ValueError otherwise, so that no real one comes in."""
    number = national_number(text, test_numbers=True)
    if not is_test_number(number):
        raise ValueError("the number must be a test number: its month is raised by 60")
    return number
