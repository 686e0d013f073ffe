"""The code of an app: at its time, once, after the password."""

from dataclasses import replace

import pyotp
import pytest
from sqlalchemy import Engine

from authenticators.codes import WRONG_A_DAY
from authenticators.password import PasswordStep, wrong_passwords
from authenticators.totp import SIGN_IN_SECONDS, TRIES, Totp, TotpSignIn
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Means, Page
from idp.store_memory import MemoryStore
from tests.clock import FakeClock
from tests.unit.keys import ATTEMPT, ELIF, OLGA, PASSWORD, SEED, enrolled, password_step, race, winners


@pytest.fixture
def totp(sqlite_engine: Engine, clock: FakeClock) -> Totp:
    return Totp(
        password_step(sqlite_engine, clock),
        MemoryStore(clock),
        clock=clock,
    )


def attempt(number: int) -> Attempt:
    return replace(ATTEMPT, id=f"attempt-{number}")


def pass_password(totp: Totp, attempt: Attempt = ATTEMPT) -> Page:
    page = totp.finish(attempt, {"username": ELIF, "password": PASSWORD})
    assert isinstance(page, Page)
    return page


def code_at(moment: float) -> str:
    return pyotp.TOTP(SEED).at(int(moment))


def wrong_code(clock: FakeClock) -> str:
    near = {code_at(clock.now + offset) for offset in (-30, 0, 30)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in near)


def fail(totp: Totp, code: str, attempt: Attempt = ATTEMPT) -> AuthenticationFailed:
    with pytest.raises(AuthenticationFailed) as failure:
        totp.finish(attempt, {"code": code})
    return failure.value


def test_it_is_a_key_of_two_factors(totp: Totp) -> None:
    assert totp.means == Means("urn:be:vlaanderen:authmech:csamtotp", 26)
    assert (totp.name, totp.methods) == ("totp", ("pwd", "otp", "mfa"))
    assert totp.begin(ATTEMPT).values["key"] == "totp"


def test_password_and_code_identify(totp: Totp, clock: FakeClock) -> None:
    page = pass_password(totp)
    assert (page.template, page.name) == ("authenticators/code.html", "code")
    assert page.values == {
        "key": "totp",
        "destination": "",
        "wrong": False,
        "exhausted": False,
        "tries_left": TRIES,
        "valid_until": 0,
        "resent": False,
    }
    assert totp.finish(ATTEMPT, {"code": code_at(clock.now)}) == Identification(ELIF)


def test_a_code_may_be_grouped(totp: Totp, clock: FakeClock) -> None:
    pass_password(totp)
    code = code_at(clock.now)
    assert totp.finish(ATTEMPT, {"code": f" {code[:3]} {code[3:]} "}) == Identification(ELIF)


@pytest.mark.parametrize("drift", [-30, 30])
def test_a_phone_may_be_one_step_off(totp: Totp, clock: FakeClock, drift: int) -> None:
    pass_password(totp)
    assert totp.finish(ATTEMPT, {"code": code_at(clock.now + drift)}) == Identification(ELIF)


@pytest.mark.parametrize("drift", [-60, 60])
def test_a_phone_may_not_be_two_steps_off(totp: Totp, clock: FakeClock, drift: int) -> None:
    pass_password(totp)
    assert fail(totp, code_at(clock.now + drift)).page.values["wrong"]


def test_a_code_before_the_password_meets_the_password_page(totp: Totp, clock: FakeClock) -> None:
    failure = fail(totp, code_at(clock.now))
    assert failure.page.name == "password"
    assert failure.page.values["wrong"] is False


def test_an_empty_form_is_wrong_on_either_page(totp: Totp) -> None:
    with pytest.raises(AuthenticationFailed) as before:
        totp.finish(ATTEMPT, {})
    pass_password(totp)
    with pytest.raises(AuthenticationFailed) as after:
        totp.finish(ATTEMPT, {})
    assert [(f.value.page.name, f.value.page.values["wrong"]) for f in (before, after)] == [
        ("password", True),
        ("code", True),
    ]
    assert after.value.page.values["tries_left"] == TRIES


def test_a_code_belongs_to_the_attempt_that_passed_the_password(totp: Totp, clock: FakeClock) -> None:
    pass_password(totp)
    assert fail(totp, code_at(clock.now), attempt(2)).page.name == "password"


def test_a_code_after_ten_minutes_meets_the_password_page(totp: Totp, clock: FakeClock) -> None:
    pass_password(totp)
    clock.advance(SIGN_IN_SECONDS + 1)
    assert fail(totp, code_at(clock.now)).page.name == "password"


def test_a_code_is_accepted_once_also_in_another_attempt(totp: Totp, clock: FakeClock) -> None:
    code = code_at(clock.now)
    for number in (1, 2):
        pass_password(totp, attempt(number))
    assert totp.finish(attempt(1), {"code": code}) == Identification(ELIF)
    assert fail(totp, code, attempt(2)).page.values["wrong"]
    clock.advance(30)
    assert fail(totp, code, attempt(2)).page.values["wrong"]


def test_a_sign_in_ends_with_its_first_code(totp: Totp, clock: FakeClock) -> None:
    pass_password(totp)
    totp.finish(ATTEMPT, {"code": code_at(clock.now)})
    assert fail(totp, code_at(clock.now + 30)).page.name == "password"
    pass_password(totp)
    clock.advance(60)
    assert totp.finish(ATTEMPT, {"code": code_at(clock.now)}) == Identification(ELIF)


def test_of_twenty_attempts_with_one_code_at_once_one_wins(totp: Totp, clock: FakeClock) -> None:
    code = code_at(clock.now)
    attempts = [attempt(number) for number in range(20)]
    for one in attempts:
        pass_password(totp, one)
    outcomes = race(*[lambda one=one: totp.finish(one, {"code": code}) for one in attempts])
    assert winners(outcomes) == 1


def test_of_twenty_requests_of_one_attempt_at_once_one_wins(totp: Totp, clock: FakeClock) -> None:
    pass_password(totp)
    code = code_at(clock.now)
    assert winners(race(*[lambda: totp.finish(ATTEMPT, {"code": code})] * 20)) == 1


def test_after_five_tries_even_the_right_code_comes_too_late(totp: Totp, clock: FakeClock) -> None:
    pass_password(totp)
    pages = [fail(totp, wrong_code(clock)).page.values for _ in range(TRIES)]
    assert [page["tries_left"] for page in pages] == [4, 3, 2, 1, 0]
    assert [page["exhausted"] for page in pages] == [False, False, False, False, True]
    assert fail(totp, code_at(clock.now)).page.values["exhausted"] is True


def test_a_patient_guesser_meets_a_bound_over_all_attempts(totp: Totp, clock: FakeClock) -> None:
    for number in range(WRONG_A_DAY // TRIES):
        pass_password(totp, attempt(number))
        for _ in range(TRIES):
            fail(totp, wrong_code(clock), attempt(number))
    pass_password(totp)
    assert fail(totp, code_at(clock.now)).reason == "too many wrong codes"
    clock.advance(86_401)
    pass_password(totp)
    assert totp.finish(ATTEMPT, {"code": code_at(clock.now)}) == Identification(ELIF)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "²²²²²²", "1" * 1000])
def test_what_is_no_code_is_wrong_and_costs_no_try(totp: Totp, code: str) -> None:
    pass_password(totp)
    assert fail(totp, code).page.values["tries_left"] == TRIES


def test_an_app_without_a_seed_accepts_no_code(sqlite_engine: Engine, clock: FakeClock) -> None:
    credentials = enrolled(sqlite_engine, clock)
    credentials.enrol(OLGA, "totp")
    totp = Totp(PasswordStep(credentials, wrong_passwords(MemoryStore(clock), clock)), MemoryStore(clock), clock=clock)
    totp.finish(ATTEMPT, {"username": OLGA, "password": PASSWORD})
    assert fail(totp, "123456").page.values["wrong"]


def test_what_waits_in_the_store_does_not_name_the_person(sqlite_engine: Engine, clock: FakeClock) -> None:
    store = MemoryStore(clock)
    pass_password(Totp(password_step(sqlite_engine, clock), store, clock=clock))
    kept = store.repository(TotpSignIn).get(ATTEMPT.id)
    assert kept is not None
    assert ELIF.encode() not in kept.person
