"""The password: who knows it, who does not, and that nobody can tell the difference from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import argon2
import pytest
from sqlalchemy import Engine

from authenticators.password import (
    HOUR_SECONDS,
    LONGEST_PASSWORD,
    WRONG_AN_HOUR,
    Password,
    PasswordStep,
    hash_password,
)
from authenticators.simulators.inbox import Inbox
from authenticators.sms import Sms
from authenticators.totp import Totp
from idp.authenticator import Attempt, AuthenticationFailed, Authenticator, Identification, Means, Page
from idp.store_memory import MemoryStore
from tests.clock import FakeClock
from tests.unit.keys import ATTEMPT, ELIF, MARC, OLGA, PASSWORD, password_step

WRONG = {
    "an unknown person": ("00000000000", PASSWORD, "password"),
    "no number at all": ("", PASSWORD, "password"),
    "a wrong password": (ELIF, "Welkom-demo-2", "password"),
    "no password at all": (ELIF, "", "password"),
    "a person without an app": (MARC, PASSWORD, "totp"),
    "a person without a phone": (OLGA, PASSWORD, "sms"),
    "a wrong password before an app": (ELIF, "Welkom-demo-2", "totp"),
    "an unknown person before a message": ("00000000000", PASSWORD, "sms"),
}


@pytest.fixture
def step(sqlite_engine: Engine, clock: FakeClock) -> PasswordStep:
    return password_step(sqlite_engine, clock)


@pytest.fixture
def keys(step: PasswordStep, clock: FakeClock) -> dict[str, Authenticator]:
    store = MemoryStore(clock)
    totp, sms = Totp(step, store, clock=clock), Sms(step, store, clock=clock, sender=Inbox(clock))
    return {"password": Password(step), "totp": totp, "sms": sms}


def fail(key: Authenticator, username: str, password: str) -> AuthenticationFailed:
    with pytest.raises(AuthenticationFailed) as failure:
        key.finish(ATTEMPT, {"username": username, "password": password})
    return failure.value


def test_it_is_the_lowest_key(keys: dict[str, Authenticator]) -> None:
    assert keys["password"].means == Means("urn:be:vlaanderen:authmech:csampassword", 5)
    assert (keys["password"].name, keys["password"].methods) == ("password", ("pwd",))


def test_it_begins_with_the_person_whom_the_application_expects(keys: dict[str, Authenticator]) -> None:
    page = keys["password"].begin(Attempt("id", "https://toegang.test", hint=ELIF))
    assert isinstance(page, Page)
    assert (page.template, page.name) == ("authenticators/password.html", "password")
    assert page.values == {"key": "password", "username": ELIF, "wrong": False, "busy": False}


@pytest.mark.parametrize("typed", [ELIF, "95.61.28-996.04", " 95 61 28 996 04 "])
def test_who_knows_the_password_is_identified_however_the_number_is_typed(
    keys: dict[str, Authenticator], typed: str
) -> None:
    answer = {"username": typed, "password": PASSWORD}
    assert keys["password"].finish(ATTEMPT, answer) == Identification(ELIF)


@pytest.mark.parametrize(("username", "password", "key"), WRONG.values(), ids=WRONG.keys())
def test_whatever_is_wrong_looks_the_same_and_costs_one_verification(
    keys: dict[str, Authenticator], monkeypatch: pytest.MonkeyPatch, username: str, password: str, key: str
) -> None:
    verified: list[str] = []
    verify = argon2.PasswordHasher.verify

    def count(self: argon2.PasswordHasher, hash: str, password: bytes) -> bool:
        verified.append(hash)
        return verify(self, hash, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", count)
    failure = fail(keys[key], username, password)
    assert failure.page.values == {"key": key, "username": username, "wrong": True, "busy": False}
    assert len(verified) == 1
    assert "m=19456,t=2,p=1" in verified[0]


def test_the_reason_and_the_page_tell_nothing_that_was_typed(keys: dict[str, Authenticator]) -> None:
    failure = fail(keys["password"], ELIF, "a secret that is wrong")
    assert "a secret" not in f"{failure!r} {failure.page}"
    assert ELIF not in failure.reason


def test_a_password_beyond_the_bound_is_wrong_though_its_beginning_is_right(
    step: PasswordStep, keys: dict[str, Authenticator]
) -> None:
    longest = "a" * LONGEST_PASSWORD
    step.credentials.enrol(OLGA, "password", secret=hash_password(longest))
    assert keys["password"].finish(ATTEMPT, {"username": OLGA, "password": longest}) == Identification(OLGA)
    assert fail(keys["password"], OLGA, longest + "a").page.values["wrong"]


def test_a_letter_with_an_accent_is_one_letter_on_every_keyboard(
    step: PasswordStep, keys: dict[str, Authenticator]
) -> None:
    step.credentials.enrol(OLGA, "password", secret=hash_password("caf\u00e9"))
    typed = {"username": OLGA, "password": "cafe\u0301"}
    assert keys["password"].finish(ATTEMPT, typed) == Identification(OLGA)


def test_what_no_text_can_hold_is_only_wrong(keys: dict[str, Authenticator]) -> None:
    assert fail(keys["password"], "\udcff" + ELIF, "\udcff\x00").page.values["wrong"]


@contextmanager
def held_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Verifications last until the block ends; the event tells that the first has begun."""
    begun, may_end = Event(), Event()

    def wait(self: argon2.PasswordHasher, hash: str, password: bytes) -> bool:
        begun.set()
        return may_end.wait(10)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", wait)
    yield begun
    may_end.set()


def test_a_flood_is_told_to_come_back_and_takes_no_more_than_its_turns(
    step: PasswordStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = Password(PasswordStep(step.credentials, step._wrong, concurrent=1, patience=0.01))
    answer, found = {"username": ELIF, "password": PASSWORD}, []
    with held_up(monkeypatch) as begun:
        first = Thread(target=lambda: found.append(narrow.finish(ATTEMPT, answer)))
        first.start()
        assert begun.wait(10)
        second = fail(narrow, ELIF, PASSWORD)
    first.join()
    assert second.reason == "busy"
    assert second.page.values == {"key": "password", "username": ELIF, "wrong": False, "busy": True}
    assert found == [Identification(ELIF)]
    assert narrow.finish(ATTEMPT, answer) == Identification(ELIF)


def test_wrong_passwords_are_counted_and_then_the_right_one_waits(step: PasswordStep, clock: FakeClock) -> None:
    password = Password(step)
    for _ in range(WRONG_AN_HOUR):
        with pytest.raises(AuthenticationFailed):
            password.finish(ATTEMPT, {"username": ELIF, "password": "wrong"})
    with pytest.raises(AuthenticationFailed) as refused:
        password.finish(ATTEMPT, {"username": ELIF, "password": PASSWORD})
    assert refused.value.page.values["wrong"]
    clock.advance(HOUR_SECONDS + 1)
    assert password.finish(ATTEMPT, {"username": ELIF, "password": PASSWORD}).national_number == ELIF
