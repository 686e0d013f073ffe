"""The key eID: a nonce for each attempt, good for one token."""

import json
from dataclasses import replace

import pytest

from authenticators.eid import NONCE_SECONDS, REUSE_SECONDS, Eid
from authenticators.web_eid import Challenge
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Means, Page
from idp.store_memory import MemoryStore
from tests.clock import FakeClock
from tests.unit.cards import P384, Draft, answer, issuer
from tests.unit.keys import ATTEMPT, race, winners

CA = issuer()
CARD = CA.issue(Draft())
ELIF = Identification("95612899604", "Elif", "Yilmaz")


@pytest.fixture
def eid(clock: FakeClock) -> Eid:
    return Eid(MemoryStore(clock), CA.trust(), clock=clock)


def nonce_of(page: Page) -> str:
    return str(page.values["nonce"])


def token_for(nonce: str, attempt: Attempt = ATTEMPT) -> dict[str, str]:
    return {"auth-token": answer(CARD, P384, "ES384", challenge=Challenge(attempt.origin, nonce))}


def fail(eid: Eid, sent: dict[str, str], attempt: Attempt = ATTEMPT) -> AuthenticationFailed:
    with pytest.raises(AuthenticationFailed) as failure:
        eid.finish(attempt, sent)
    return failure.value


def test_it_is_the_strongest_key(eid: Eid) -> None:
    assert eid.means == Means("urn:be:vlaanderen:authmech:eid", 35)
    assert (eid.name, eid.methods) == ("eid", ("hwk", "pin", "mfa"))


def test_a_card_that_signs_the_nonce_identifies_its_holder(eid: Eid) -> None:
    page = eid.begin(ATTEMPT)
    assert (page.template, page.name, page.values["wrong"]) == ("authenticators/eid.html", "eid", "")
    assert len(nonce_of(page)) >= 44
    assert eid.finish(ATTEMPT, token_for(nonce_of(page))) == ELIF


def test_no_two_attempts_get_the_same_nonce(eid: Eid) -> None:
    nonces = {nonce_of(eid.begin(replace(ATTEMPT, id=f"attempt-{n}"))) for n in range(50)}
    assert len(nonces) == 50


def test_a_reloaded_page_shows_the_same_nonce_while_it_lasts(eid: Eid, clock: FakeClock) -> None:
    nonce = nonce_of(eid.begin(ATTEMPT))
    clock.advance(NONCE_SECONDS - REUSE_SECONDS - 1)
    assert nonce_of(eid.begin(ATTEMPT)) == nonce
    clock.advance(2)
    assert nonce_of(eid.begin(ATTEMPT)) != nonce


def test_a_token_is_good_once(eid: Eid) -> None:
    sent = token_for(nonce_of(eid.begin(ATTEMPT)))
    eid.finish(ATTEMPT, sent)
    assert fail(eid, sent).reason == "eid: AlreadyTaken"


def test_of_twenty_requests_with_one_token_at_once_one_wins(eid: Eid) -> None:
    sent = token_for(nonce_of(eid.begin(ATTEMPT)))
    assert winners(race(*[lambda: eid.finish(ATTEMPT, sent)] * 20)) == 1


def test_a_nonce_is_spent_by_a_wrong_token_and_the_page_has_a_new_one(eid: Eid) -> None:
    nonce = nonce_of(eid.begin(ATTEMPT))
    failure = fail(eid, {"auth-token": "{}"})
    assert failure.reason == "eid: Malformed"
    assert failure.page.values["wrong"] == "card"
    assert fail(eid, token_for(nonce)).reason == "eid: WrongSignature"
    assert eid.finish(ATTEMPT, token_for(nonce_of(eid.begin(ATTEMPT)))) == ELIF


def test_a_nonce_lives_five_minutes(eid: Eid, clock: FakeClock) -> None:
    sent = token_for(nonce_of(eid.begin(ATTEMPT)))
    clock.advance(NONCE_SECONDS + 1)
    assert fail(eid, sent).reason == "eid: Absent"


def test_a_nonce_belongs_to_its_attempt(eid: Eid) -> None:
    other = replace(ATTEMPT, id="another-attempt")
    nonce = nonce_of(eid.begin(ATTEMPT))
    assert fail(eid, token_for(nonce), other).reason == "eid: Absent"
    assert fail(eid, token_for(nonce), other).reason == "eid: WrongSignature"
    assert eid.finish(ATTEMPT, token_for(nonce)) == ELIF


def test_a_token_for_another_origin_is_refused(eid: Eid) -> None:
    phishing = replace(ATTEMPT, origin="https://t0egang.test")
    sent = token_for(nonce_of(eid.begin(ATTEMPT)), phishing)
    assert fail(eid, sent).reason == "eid: WrongSignature"


@pytest.mark.parametrize("sent", [{}, {"card": "95612899604", "pin": "1234"}, {"auth-token": "x" * 100_000}])
def test_an_answer_without_a_token_is_refused(eid: Eid, sent: dict[str, str]) -> None:
    eid.begin(ATTEMPT)
    assert fail(eid, sent).reason == "eid: Malformed"


def test_no_failure_tells_what_was_sent(eid: Eid) -> None:
    sent = json.dumps({"format": "web-eid:1.0", "signature": "a secret"})
    eid.begin(ATTEMPT)
    failure = fail(eid, {"auth-token": sent})
    assert "a secret" not in f"{failure!r} {failure.page}"
