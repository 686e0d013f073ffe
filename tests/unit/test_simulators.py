"""The simulators: whatever they let through has passed the real key."""

import json
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Engine

from authenticators.card_certificate import BELGIAN_AUTHENTICATION, TrustedIssuers
from authenticators.eid import Eid
from authenticators.password import PasswordStep
from authenticators.simulators.app import SimulatedApp
from authenticators.simulators.authority import CardAuthority, Subject
from authenticators.simulators.card_reader import SimulatedCardReader
from authenticators.simulators.cards import MADE_CARDS_KEPT, CardBox, NewCard
from authenticators.simulators.clock import DAY_SECONDS, FARTHEST_DAYS, SimulatedClock
from authenticators.simulators.inbox import ADDRESSES_KEPT, MESSAGES_KEPT, Inbox
from authenticators.simulators.pages import clock_reading, inbox_addresses, inbox_messages, set_clock
from authenticators.simulators.personas import DemoPerson, SimulatedPhone, new_cards, shortcuts
from authenticators.sms import Sms
from authenticators.totp import Totp
from authenticators.web_eid import Challenge
from idp.authenticator import AuthenticationFailed, Authenticator, Identification, Page
from idp.store_memory import MemoryStore
from tests.clock import FakeClock
from tests.unit.keys import ATTEMPT, ELIF, MARC, OLGA, PASSWORD, SEED, password_step, race, winners

JEF = "66610999365"
PEOPLE = (
    DemoPerson(ELIF, "Elif", "Yilmaz", ("eid", "totp", "sms"), eid_pin="1234", totp_secret=SEED),
    DemoPerson(JEF, "Jef", "Goossens", ("eid",), eid_pin="5678", has_rsa_card=True),
    DemoPerson(MARC, "Marc", "Lambert", ("sms",), password=PASSWORD, phone="+32470000013"),
    DemoPerson(OLGA, "Olga", "Vermeulen", ("password",), password=PASSWORD, totp_secret=SEED),
)


def eleven_digits(typed: str) -> str:
    number = typed.replace(".", "").replace("-", "")
    if len(number) != 11 or not number.isdigit():
        raise ValueError("not a number")
    return number


@pytest.fixture
def box(clock: FakeClock) -> CardBox:
    return CardBox(CardAuthority(clock), new_cards(PEOPLE))


@pytest.fixture
def reader(box: CardBox, clock: FakeClock) -> SimulatedCardReader:
    authority = box.authority.certificate
    trust = TrustedIssuers((authority,), frozenset({BELGIAN_AUTHENTICATION}))
    eid = Eid(MemoryStore(clock), trust, clock=clock)
    return SimulatedCardReader(eid, box, check_number=eleven_digits)


def shown(page: object) -> dict[str, object]:
    assert isinstance(page, Page)
    assert (page.template, page.name) == ("authenticators/eid.html", "eid")
    return dict(page.values)


def fail(reader: SimulatedCardReader, **answer: str) -> AuthenticationFailed:
    with pytest.raises(AuthenticationFailed) as failure:
        reader.finish(ATTEMPT, answer)
    return failure.value


def test_the_reader_shows_the_cards_of_the_people_who_have_one(reader: SimulatedCardReader) -> None:
    page = shown(reader.begin(ATTEMPT))
    assert page["cards"] == [
        {"number": ELIF, "name": "Elif Yilmaz"},
        {"number": JEF, "name": "Jef Goossens"},
    ]
    assert (page["selected"], page["wrong"], page["wrong_card"]) == (ELIF, "", "")


@pytest.mark.parametrize(("hint", "selected"), [(JEF, JEF), ("66.61.09-993.65", JEF), (MARC, ELIF), ("", ELIF)])
def test_the_card_of_the_person_expected_is_in_the_reader(
    reader: SimulatedCardReader, hint: str, selected: str
) -> None:
    assert shown(reader.begin(replace(ATTEMPT, hint=hint)))["selected"] == selected


def test_the_reader_is_the_real_key_by_name_and_means(reader: SimulatedCardReader) -> None:
    assert (reader.name, reader.means, reader.methods) == (Eid.name, Eid.means, Eid.methods)


@pytest.mark.parametrize(
    ("card", "pin", "holder"),
    [
        (ELIF, "1234", Identification(ELIF, "Elif", "Yilmaz")),
        (JEF, "5678", Identification(JEF, "Jef", "Goossens")),
    ],
    ids=["P-384", "RSA"],
)
def test_a_card_and_its_pin_identify_after_the_page_and_by_one_click(
    reader: SimulatedCardReader, card: str, pin: str, holder: Identification
) -> None:
    reader.begin(ATTEMPT)
    assert reader.finish(ATTEMPT, {"card": card, "pin": pin}) == holder
    assert reader.finish(replace(ATTEMPT, id="one-click"), {"card": card, "pin": pin}) == holder


def test_a_wrong_pin_signs_nothing(reader: SimulatedCardReader) -> None:
    for pin in ("0000", "", "5678", "é"):
        failure = fail(reader, card=ELIF, pin=pin)
        assert failure.reason == "wrong pin"
        assert (failure.page.values["wrong"], failure.page.values["selected"]) == ("pin", ELIF)


def test_a_card_that_is_not_there_signs_nothing(reader: SimulatedCardReader) -> None:
    failure = fail(reader, card=MARC, pin="1234")
    assert (failure.reason, failure.page.values["wrong"]) == ("no such card", "card")


def test_a_token_of_a_real_reader_passes_to_the_real_key(reader: SimulatedCardReader, box: CardBox) -> None:
    nonce = str(shown(reader.begin(ATTEMPT))["nonce"])
    token = box.find(ELIF).answer(Challenge(ATTEMPT.origin, nonce))
    assert reader.finish(ATTEMPT, {"auth-token": token}) == Identification(ELIF, "Elif", "Yilmaz")
    failure = fail(reader, **{"auth-token": token})
    assert failure.reason == "eid: AlreadyTaken"
    assert failure.page.values["wrong"] == "card"
    assert failure.page.values["cards"]


def test_the_cards_of_another_start_are_refused(reader: SimulatedCardReader, clock: FakeClock) -> None:
    other = CardBox(CardAuthority(clock), new_cards(PEOPLE))
    nonce = str(shown(reader.begin(ATTEMPT))["nonce"])
    token = other.find(ELIF).answer(Challenge(ATTEMPT.origin, nonce))
    assert fail(reader, **{"auth-token": token}).reason == "eid: Untrusted"


def test_a_card_answers_in_the_words_of_the_app(box: CardBox) -> None:
    tokens = {n: json.loads(box.find(n).answer(Challenge("https://toegang.test", "n"))) for n in (ELIF, JEF)}
    assert {token["format"] for token in tokens.values()} == {"web-eid:1.0"}
    assert (tokens[ELIF]["algorithm"], tokens[JEF]["algorithm"]) == ("ES384", "RS256")


def test_a_new_card_signs_in_its_holder(reader: SimulatedCardReader) -> None:
    made = {"new_number": "85.64.12-995.05", "new_given_name": " Zoë ", "new_family_name": "Van  den Berg"}
    page = shown(reader.finish(ATTEMPT, {"make": "card", **made}))
    assert (page["selected"], page["wrong_card"]) == (MARC, "")
    answer = {"card": MARC, "pin": "1234"}
    assert reader.finish(ATTEMPT, answer) == Identification(MARC, "Zoë", "Van den Berg")


@pytest.mark.parametrize("name", ["x" * 64, "Ж" * 64, "O'Neill-d'Ursel & Söhne"])
def test_a_card_holds_any_name_that_fits(reader: SimulatedCardReader, name: str) -> None:
    made = {"new_number": MARC, "new_given_name": name, "new_family_name": name}
    reader.finish(ATTEMPT, {"make": "card", **made})
    assert reader.finish(ATTEMPT, {"card": MARC, "pin": "1234"}) == Identification(MARC, name, name)


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({}, "number"),
        ({"new_number": "123"}, "number"),
        ({"new_number": "8" * 1000}, "number"),
        ({"new_number": MARC}, "name"),
        ({"new_number": MARC, "new_given_name": "Marc"}, "name"),
        ({"new_number": MARC, "new_given_name": "Marc", "new_family_name": "x" * 65}, "name"),
        ({"new_number": MARC, "new_given_name": "Marc", "new_family_name": "\x00"}, "name"),
        ({"new_number": MARC, "new_given_name": "\udcff", "new_family_name": "Lambert"}, "name"),
    ],
)
def test_a_card_is_not_made_of_anything(reader: SimulatedCardReader, typed: dict[str, str], wrong: str) -> None:
    page = shown(reader.finish(ATTEMPT, {"make": "card", **typed}))
    assert page["wrong_card"] == wrong
    assert fail(reader, card=MARC, pin="1234").reason == "no such card"


def test_the_box_keeps_the_peoples_cards_however_many_are_made(box: CardBox) -> None:
    for number in range(MADE_CARDS_KEPT + 10):
        box.put(NewCard(Subject(f"{number:011}", "A", "B")))
    assert len(box.subjects()) == MADE_CARDS_KEPT + 2
    assert box.find(JEF).subject.given_name == "Jef"
    assert box.find(f"{MADE_CARDS_KEPT + 9:011}")


def test_twenty_at_once_use_one_card_made_once(reader: SimulatedCardReader) -> None:
    attempts = [replace(ATTEMPT, id=f"attempt-{n}") for n in range(20)]
    answer = {"card": JEF, "pin": "5678"}
    assert winners(race(*[lambda one=one: reader.finish(one, answer) for one in attempts])) == 20


@pytest.mark.parametrize("days", [-FARTHEST_DAYS, FARTHEST_DAYS])
def test_cards_are_valid_at_every_time_that_the_clock_can_show(clock: FakeClock, days: int) -> None:
    moved = SimulatedClock(clock)
    authority = CardAuthority(moved)
    box = CardBox(authority, new_cards(PEOPLE))
    eid = Eid(MemoryStore(moved), TrustedIssuers((authority.certificate,)), clock=moved)
    reader = SimulatedCardReader(eid, box, check_number=eleven_digits)
    for number, offset in enumerate((days, -days)):
        moved.set_offset_days(offset)
        attempt = replace(ATTEMPT, id=f"attempt-{number}")
        assert reader.finish(attempt, {"card": ELIF, "pin": "1234"}) == Identification(ELIF, "Elif", "Yilmaz")


def test_the_inbox_shows_the_newest_first(clock: FakeClock) -> None:
    inbox = Inbox(clock)
    inbox.send("+32470000013", "Uw code is 123456.", code="123456")
    clock.advance(1)
    inbox.send("+32470000013", "Uw nummer is gewijzigd.")
    newest, oldest = inbox_messages(inbox, "+32470000013")
    assert newest["code"] is None
    assert oldest["code"] == "123456"
    assert (oldest["to"], oldest["text"]) == ("+32470000013", "Uw code is 123456.")
    assert datetime.fromisoformat(str(newest["at"])).timestamp() == clock.now
    assert datetime.fromisoformat(str(newest["at"])).utcoffset() is not None
    assert inbox_messages(inbox, "+32470000099") == []


def test_the_inbox_forgets_the_oldest_rather_than_grow(clock: FakeClock) -> None:
    inbox = Inbox(clock)
    for number in range(MESSAGES_KEPT + 5):
        inbox.send("kept", str(number))
    for number in range(ADDRESSES_KEPT):
        inbox.send("kept", "again")
        inbox.send(f"address {number}", "text")
    assert len(inbox.messages("kept")) == MESSAGES_KEPT
    assert len(inbox.addresses()) == ADDRESSES_KEPT
    assert inbox.messages("address 0") == []


def test_the_inboxes_are_listed_with_their_owners(clock: FakeClock) -> None:
    inbox = Inbox(clock)
    for address in ("marc@example.be", "+32470000013"):
        inbox.send(address, "text")
    assert inbox_addresses(inbox, PEOPLE) == [
        {"address": "+32470000013", "name": "Marc Lambert"},
        {"address": "marc@example.be", "name": ""},
    ]


def test_the_clock_moves_by_days_and_is_read_in_iso_8601(clock: FakeClock) -> None:
    moved = SimulatedClock(clock)
    assert set_clock(moved, "31") == clock_reading(moved)
    assert moved() == clock.now + 31 * DAY_SECONDS
    reading = clock_reading(moved)
    assert reading["offset_days"] == 31
    assert datetime.fromisoformat(str(reading["now"])).timestamp() == moved()
    assert set_clock(moved, " -2 ")["offset_days"] == -2


@pytest.mark.parametrize("typed", ["", "x", "1.5", "3661", "-3661", "0000031", "1e3", "٣"])
def test_the_clock_is_not_moved_by_anything_else(clock: FakeClock, typed: str) -> None:
    moved = SimulatedClock(clock)
    with pytest.raises(ValueError, match="days"):
        set_clock(moved, typed)
    assert moved.offset_days == 0


@pytest.fixture
def inbox(clock: FakeClock) -> Inbox:
    return Inbox(clock)


@pytest.fixture
def step(sqlite_engine: Engine, clock: FakeClock) -> PasswordStep:
    return password_step(sqlite_engine, clock)


@pytest.fixture
def phone(step: PasswordStep, clock: FakeClock, inbox: Inbox) -> SimulatedPhone:
    sms = Sms(step, MemoryStore(clock), clock=clock, sender=inbox)
    return SimulatedPhone(sms, inbox, phone_of=step.credentials.phone)


def test_each_persona_clicks_the_strongest_simulated_key(reader: SimulatedCardReader, phone: SimulatedPhone) -> None:
    clicks = shortcuts(PEOPLE)
    assert [(click.label, click.key) for click in clicks] == [
        ("Elif Yilmaz", "eid"),
        ("Jef Goossens", "eid"),
        ("Marc Lambert", "sms"),
    ]
    keys: dict[str, Authenticator] = {"eid": reader, "sms": phone}
    who = [keys[click.key].finish(replace(ATTEMPT, id=click.label), click.answer) for click in clicks]
    assert [found.national_number for found in who if isinstance(found, Identification)] == [ELIF, JEF, MARC]


def test_the_phone_is_the_real_key_by_name_and_means(phone: SimulatedPhone) -> None:
    assert (phone.name, phone.means, phone.methods) == (Sms.name, Sms.means, Sms.methods)
    assert phone.begin(ATTEMPT).values["key"] == "sms"


def test_who_types_by_hand_gets_the_code_page(phone: SimulatedPhone, inbox: Inbox) -> None:
    page = phone.finish(ATTEMPT, {"username": MARC, "password": PASSWORD})
    assert isinstance(page, Page)
    code = inbox.messages("+32470000013")[0].code
    assert phone.finish(ATTEMPT, {"code": code}) == Identification(MARC)


def test_a_persona_without_the_password_gets_nowhere(phone: SimulatedPhone, inbox: Inbox) -> None:
    with pytest.raises(AuthenticationFailed):
        phone.finish(ATTEMPT, {"username": MARC, "password": "wrong", "persona": "1"})
    assert inbox.messages("+32470000013") == []


def test_two_clicks_at_once_both_sign_in(phone: SimulatedPhone) -> None:
    click = {"username": MARC, "password": PASSWORD, "persona": "1"}
    attempts = [replace(ATTEMPT, id=f"attempt-{n}") for n in range(2)]
    assert winners(race(*[lambda one=one: phone.finish(one, click) for one in attempts])) == 2


def test_the_app_shows_the_code_that_the_key_accepts(step: PasswordStep, clock: FakeClock) -> None:
    clock.advance(10)
    [shown] = SimulatedApp(PEOPLE, clock).codes()
    assert (shown["name"], shown["number"], shown["seconds_left"]) == ("Elif Yilmaz", ELIF, 20)
    totp = Totp(step, MemoryStore(clock), clock=clock)
    totp.finish(ATTEMPT, {"username": ELIF, "password": PASSWORD})
    assert totp.finish(ATTEMPT, {"code": str(shown["code"])}) == Identification(ELIF)
