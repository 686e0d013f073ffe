"""What the tests of the digital keys share: people who have enrolled, a store, and an attempt to sign in."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import Engine

from authenticators.credentials import Credentials, metadata
from authenticators.password import PasswordStep, hash_password, wrong_passwords
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Page
from idp.keys.master import MasterKey
from idp.store_memory import MemoryStore
from tests.clock import FakeClock

ELIF = "95612899604"
MARC = "85641299505"
OLGA = "77720199232"
PASSWORD = "Welkom-demo-1"
SEED = "M34W7MW7XMXJFDRJ7W7SRP4Q5TRHDPUJ"
HASH = hash_password(PASSWORD)
ATTEMPT = Attempt("an-unguessable-id", "https://toegang.test", application="Hinderpremie")


def enrolled(engine: Engine, clock: FakeClock) -> Credentials:
    """Elif has every key, Marc has no app, Olga has a password alone."""
    metadata.create_all(engine)
    credentials = Credentials(engine, MasterKey([b"k" * 32]), clock=clock)
    for person in (ELIF, MARC, OLGA):
        credentials.enrol(person, "password", secret=HASH)
    credentials.enrol(ELIF, "totp", secret=SEED)
    credentials.enrol(ELIF, "sms", destination="+32470000005")
    credentials.enrol(MARC, "sms", destination="+32470000013")
    return credentials


Outcome = Identification | Page | AuthenticationFailed


def race(*calls: Callable[[], Identification | Page]) -> list[Outcome]:
    """The outcome of each call, all of them let go at the same instant, each in a thread of its own."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Identification | Page]) -> Outcome:
        start.wait()
        try:
            return call()
        except AuthenticationFailed as failure:
            return failure

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def winners(outcomes: list[Outcome]) -> int:
    """How many were identified."""
    return sum(isinstance(outcome, Identification) for outcome in outcomes)


def password_step(engine: Engine, clock: FakeClock) -> PasswordStep:
    """The step of number and password for the people enrolled; patient, so that a busy machine changes nothing."""
    return PasswordStep(enrolled(engine, clock), wrong_passwords(MemoryStore(clock), clock), patience=60)
