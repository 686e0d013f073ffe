"""The code by SMS: sent after the password, good for five tries, ten minutes and one sign-in."""

import pytest
from sqlalchemy import Engine

from authenticators.codes import WRONG_A_DAY
from authenticators.password import PasswordStep
from authenticators.simulators.inbox import Inbox
from authenticators.sms import CODE_SECONDS, MESSAGES, TRIES, NotSent, Sms, SmsSignIn, mask, write_text
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Means, Page
from idp.store_memory import MemoryStore
from tests.clock import FakeClock
from tests.unit.keys import ATTEMPT, MARC, OLGA, PASSWORD, password_step, race, winners

PHONE = "+32470000013"
TYPED = {"username": MARC, "password": PASSWORD}


@pytest.fixture
def inbox(clock: FakeClock) -> Inbox:
    return Inbox(clock)


@pytest.fixture
def step(sqlite_engine: Engine, clock: FakeClock) -> PasswordStep:
    return password_step(sqlite_engine, clock)


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
def sms(step: PasswordStep, store: MemoryStore, clock: FakeClock, inbox: Inbox) -> Sms:
    return Sms(step, store, clock=clock, sender=inbox)


def shown(page: object) -> dict[str, object]:
    assert isinstance(page, Page)
    return dict(page.values)


def fail(sms: Sms, answer: dict[str, str]) -> AuthenticationFailed:
    with pytest.raises(AuthenticationFailed) as failure:
        sms.finish(ATTEMPT, answer)
    return failure.value


def newest(inbox: Inbox) -> str:
    return inbox.messages(PHONE)[0].code


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_it_is_a_key_of_two_factors(sms: Sms) -> None:
    assert sms.means == Means("urn:be:vlaanderen:authmech:csamsms", 25)
    assert (sms.name, sms.methods) == ("sms", ("pwd", "sms", "mfa"))
    assert sms.begin(ATTEMPT).values["key"] == "sms"


def test_password_and_code_identify(sms: Sms, inbox: Inbox, clock: FakeClock) -> None:
    page = sms.finish(ATTEMPT, TYPED)
    assert shown(page) == {
        "key": "sms",
        "destination": "+32 4•• •• •• 13",
        "wrong": False,
        "exhausted": False,
        "tries_left": TRIES,
        "valid_until": int(clock.now) + CODE_SECONDS,
        "resent": False,
    }
    assert len(inbox.messages(PHONE)) == 1
    assert sms.finish(ATTEMPT, {"code": newest(inbox)}) == Identification(MARC)


def test_no_message_is_sent_to_who_does_not_know_the_password(sms: Sms, inbox: Inbox) -> None:
    fail(sms, {**TYPED, "password": "another"})
    assert inbox.messages(PHONE) == []


def test_a_code_before_the_password_meets_the_password_page(sms: Sms) -> None:
    for answer in ({"code": "123456"}, {"resend": "1"}):
        failure = fail(sms, answer)
        assert (failure.page.name, failure.page.values["wrong"]) == ("password", False)


def test_a_wrong_code_leaves_four_tries(sms: Sms, inbox: Inbox) -> None:
    sms.finish(ATTEMPT, TYPED)
    failure = fail(sms, {"code": other_than(newest(inbox))})
    assert failure.reason == "wrong code"
    assert (failure.page.values["wrong"], failure.page.values["tries_left"]) == (True, TRIES - 1)
    assert sms.finish(ATTEMPT, {"code": newest(inbox)}) == Identification(MARC)


def test_an_empty_form_costs_no_try(sms: Sms) -> None:
    sms.finish(ATTEMPT, TYPED)
    assert fail(sms, {}).page.values["tries_left"] == TRIES


def test_after_five_tries_only_a_new_code_helps(sms: Sms, inbox: Inbox) -> None:
    sms.finish(ATTEMPT, TYPED)
    failures = [fail(sms, {"code": other_than(newest(inbox))}) for _ in range(TRIES)]
    assert [f.page.values["exhausted"] for f in failures] == [False, False, False, False, True]
    assert failures[-1].reason == "tries exhausted"
    assert fail(sms, {"code": newest(inbox)}).page.values["exhausted"] is True
    page = shown(sms.finish(ATTEMPT, {"resend": "1"}))
    assert (page["resent"], page["exhausted"], page["tries_left"]) == (True, False, TRIES)
    assert sms.finish(ATTEMPT, {"code": newest(inbox)}) == Identification(MARC)


def test_twenty_guesses_at_once_get_five_tries(sms: Sms, inbox: Inbox) -> None:
    sms.finish(ATTEMPT, TYPED)
    wrong = other_than(newest(inbox))
    outcomes = race(*[lambda: sms.finish(ATTEMPT, {"code": wrong})] * 20)
    tried = [o for o in outcomes if isinstance(o, AuthenticationFailed) and o.page.values["wrong"]]
    assert (len(outcomes), len(tried)) == (20, TRIES)


def test_of_twenty_requests_with_the_right_code_at_once_one_wins(sms: Sms, inbox: Inbox) -> None:
    sms.finish(ATTEMPT, TYPED)
    code = newest(inbox)
    assert winners(race(*[lambda: sms.finish(ATTEMPT, {"code": code})] * 20)) == 1


def test_a_code_is_used_once(sms: Sms, inbox: Inbox) -> None:
    sms.finish(ATTEMPT, TYPED)
    sms.finish(ATTEMPT, {"code": newest(inbox)})
    failure = fail(sms, {"code": newest(inbox)})
    assert (failure.reason, failure.page.name) == ("the sign-in is over", "password")


def test_who_has_signed_in_may_sign_in_anew_in_the_same_attempt(sms: Sms, inbox: Inbox) -> None:
    for _ in range(2):
        sms.finish(ATTEMPT, TYPED)
        assert sms.finish(ATTEMPT, {"code": newest(inbox)}) == Identification(MARC)


def test_a_code_lives_ten_minutes(sms: Sms, inbox: Inbox, clock: FakeClock) -> None:
    sms.finish(ATTEMPT, TYPED)
    clock.advance(CODE_SECONDS + 1)
    assert fail(sms, {"code": newest(inbox)}).page.name == "password"


def test_a_new_code_makes_the_old_one_void(sms: Sms, inbox: Inbox) -> None:
    sms.finish(ATTEMPT, TYPED)
    old = newest(inbox)
    sms.finish(ATTEMPT, {"resend": "1"})
    if old != newest(inbox):
        assert fail(sms, {"code": old}).reason == "wrong code"
    assert sms.finish(ATTEMPT, {"code": newest(inbox)}) == Identification(MARC)


def test_a_sign_in_sends_four_messages_also_when_twenty_are_asked_at_once(sms: Sms, inbox: Inbox) -> None:
    sms.finish(ATTEMPT, TYPED)
    race(*[lambda: sms.finish(ATTEMPT, {"resend": "1"})] * 20)
    assert len(inbox.messages(PHONE)) == MESSAGES == 4
    failure = fail(sms, {"resend": "1"})
    assert failure.reason == "messages exhausted"
    assert (failure.page.values["resent"], failure.page.values["exhausted"]) == (False, False)


def test_a_patient_guesser_meets_a_bound_over_all_sign_ins(sms: Sms, inbox: Inbox, clock: FakeClock) -> None:
    for _ in range(WRONG_A_DAY // TRIES):
        sms.finish(ATTEMPT, TYPED)
        for _ in range(TRIES):
            fail(sms, {"code": other_than(newest(inbox))})
    sms.finish(ATTEMPT, TYPED)
    assert fail(sms, {"code": newest(inbox)}).reason == "too many wrong codes"
    clock.advance(86_401)
    sms.finish(ATTEMPT, TYPED)
    assert sms.finish(ATTEMPT, {"code": newest(inbox)}) == Identification(MARC)


def test_a_person_whose_phone_is_not_known_gets_no_further(step: PasswordStep, sms: Sms) -> None:
    step.credentials.enrol(OLGA, "sms")
    assert fail(sms, {**TYPED, "username": OLGA}).reason == "no phone is enrolled"


class DeadNetwork:
    """A sender that reaches nobody."""

    def __init__(self) -> None:
        self.lost: list[tuple[str, str, str]] = []

    def send(self, to: str, text: str, *, code: str) -> None:
        self.lost.append((to, text, code))
        raise NotSent


def test_a_message_that_cannot_be_sent_is_a_failure_that_may_be_tried_again(
    step: PasswordStep, store: MemoryStore, clock: FakeClock
) -> None:
    network = DeadNetwork()
    sms = Sms(step, store, clock=clock, sender=network)
    for answer in (TYPED, {"resend": "1"}):
        failure = fail(sms, answer)
        assert (failure.reason, failure.page.name) == ("message not sent", "code")
        assert failure.page.values["resent"] is False
    assert [to for to, _, _ in network.lost] == [PHONE, PHONE]


def test_neither_code_nor_person_stands_readable_in_the_store(sms: Sms, store: MemoryStore, inbox: Inbox) -> None:
    sms.finish(ATTEMPT, TYPED)
    kept = repr(store.repository(SmsSignIn).get(ATTEMPT.id))
    assert "code_hash" in kept
    for secret in (newest(inbox), MARC, PHONE):
        assert secret not in kept


def test_no_failure_tells_the_code(sms: Sms, inbox: Inbox) -> None:
    sms.finish(ATTEMPT, TYPED)
    wrong = other_than(newest(inbox))
    failure = fail(sms, {"code": wrong})
    for secret in (newest(inbox), wrong, PHONE, MARC):
        assert secret not in f"{failure!r} {failure.page}"


@pytest.mark.parametrize(
    ("locale", "warning"),
    [
        ("nl", "Geef deze code aan niemand door"),
        ("fr", "Ne le donnez à personne"),
        ("de", "Geben Sie ihn niemandem weiter"),
        ("en", "Do not pass it on to anyone"),
        ("xx", "Geef deze code aan niemand door"),
    ],
)
def test_the_message_warns_in_the_language_of_the_page(locale: str, warning: str) -> None:
    text = write_text(Attempt("id", "https://toegang.test", locale=locale, application="Hinder\npremie"), "123456")
    assert warning in text
    assert text.startswith("123456 ")
    assert "Hinder premie" in text
    assert len(text) <= 160


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("+32470000004", "+32 4•• •• •• 04"), ("+31612345678", "+31 ••••••• 78"), ("+3223456789", "+32 •••••• 89")],
)
def test_a_masked_number_is_known_to_its_owner_alone(phone: str, masked: str) -> None:
    assert mask(phone) == masked
