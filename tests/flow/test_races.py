"""Whatever serves once, wanted by twenty at the same moment, on every store: one has it, or nobody keeps anything."""

from typing import Any

import jwt
import pytest

from authenticators.eid import Eid
from idp.tickets import hash_of
from tests.flow import asking, devices
from tests.flow.estate import VERIFIER, Arrival, Browser, Estate
from tests.flow.journeys import arrive, at_once, introspect, refresh, sign_in
from tests.flow.proving import Prover
from tests.flow.reading import Page
from tests.flow.test_private_key_jwt import ask, assertion, jwks, register
from tests.unit.keys import ATTEMPT, race, winners
from tests.unit.test_eid import CA, nonce_of, token_for

MANY = 20
LASTING = "openid profile vo hinderpremie offline_access"


def won(answers: list[int], good: int = 200) -> int:
    """How many were answered well; the others were refused, and nothing broke."""
    assert all(status in (good, 400, 401) for status in answers), answers
    return answers.count(good)


def test_an_authorization_code(anywhere: Estate) -> None:
    arrived = arrive(anywhere.browser(), "hinderpremie", "dirk", scope=LASTING)
    answers = at_once(MANY, lambda _: anywhere.redeem("hinderpremie", arrived))
    assert won([answer.status for answer in answers]) == 1
    (first,) = (answer.body for answer in answers if answer.status == 200)
    # The others were thieves, or the first one was: nothing of it lives (RFC 6749 §4.1.2).
    assert anywhere.userinfo(first["access_token"]).status_code == 401
    assert refresh(anywhere, "hinderpremie", first["refresh_token"]).body["error"] == "invalid_grant"
    assert introspect(anywhere, "hinderpremie", first["refresh_token"]) == {"active": False}


def test_a_code_of_a_public_client(anywhere: Estate) -> None:
    arrived = arrive(anywhere.browser(), "burgerprofiel", "hanne")
    answers = at_once(MANY, lambda _: anywhere.redeem("burgerprofiel", arrived, code_verifier=VERIFIER).status)
    assert won(answers) == 1


def test_an_assertion(anywhere: Estate) -> None:
    prover = Prover(anywhere)
    register(anywhere, jwks=jwks(prover))
    sent = assertion(anywhere, prover)
    assert won(at_once(MANY, lambda _: ask(anywhere, sent).status)) == 1


def test_one_assertion_at_several_endpoints(anywhere: Estate) -> None:
    prover = Prover(anywhere)
    register(anywhere, jwks=jwks(prover))
    sent, paths = assertion(anywhere, prover), ("/op/v1/token", "/op/v1/introspect", "/op/v1/revoke")
    assert won(at_once(MANY, lambda number: ask(anywhere, sent, paths[number % 3], token="t").status)) == 1


def test_a_proof_at_the_token_endpoint(anywhere: Estate) -> None:
    headers, secret = Prover(anywhere).sent(), anywhere.client("tijdmeting")["client_secret"]
    form = {"grant_type": "client_credentials"}

    def once(_: int) -> int:
        return anywhere.post("/op/v1/token", form, headers=headers, auth=("tijdmeting", secret)).status_code

    assert won(at_once(MANY, once)) == 1


def test_a_proof_at_userinfo(anywhere: Estate) -> None:
    prover, arrived = Prover(anywhere), arrive(anywhere.browser(), "burgerprofiel", "hanne")
    form = {
        "grant_type": "authorization_code",
        "code": arrived.code,
        "redirect_uri": arrived.address,
        "client_id": "burgerprofiel",
        "code_verifier": VERIFIER,
    }
    token = anywhere.post("/op/v1/token", form, headers=prover.sent()).get_json()["access_token"]
    headers = prover.userinfo(token)
    assert won(at_once(MANY, lambda _: anywhere.get("/op/v1/userinfo", headers=headers).status_code)) == 1


def test_a_rotated_refresh_token(anywhere: Estate) -> None:
    anywhere.register("hinderpremie", refresh_token_rotation=True)
    token = sign_in(anywhere.browser(), "hinderpremie", "dirk", scope=LASTING).body["refresh_token"]
    answers = at_once(MANY, lambda _: refresh(anywhere, "hinderpremie", token))
    assert {answer.status for answer in answers} == {200}
    (successor,) = {answer.body["refresh_token"] for answer in answers}
    assert successor != token
    again = at_once(MANY, lambda _: refresh(anywhere, "hinderpremie", successor).body["refresh_token"])
    assert len(set(again)) == 1
    anywhere.clock.advance(11)
    assert won([answer.status for answer in at_once(MANY, lambda _: refresh(anywhere, "hinderpremie", token))]) == 0
    assert refresh(anywhere, "hinderpremie", again[0]).status == 400


def test_an_initial_access_token(anywhere: Estate) -> None:
    guarded = anywhere.configured(registration="token")
    provider = guarded.application.provider
    provider.registration_tokens.add(hash_of("a-token"), uses=1, seconds=60)
    metadata = {"redirect_uris": ["https://rp.example.be/cb"]}

    def once(_: int) -> int:
        sent: dict[str, Any] = {"json": metadata, "headers": {"Authorization": "Bearer a-token"}}
        return guarded.http().post("/op/v1/register", base_url=guarded.origin, **sent).status_code

    assert won(at_once(MANY, once), 201) == 1
    assert sum(one.is_self_registered for one in provider.clients.all().values()) == 1
    guarded.application.close()


def test_a_code_by_sms_in_one_browser(anywhere: Estate) -> None:
    browser, person = anywhere.browser(), anywhere.person("marc")
    second = code_page(browser, "marc", "sms")
    sent = second.form_with("code").fields | {"code": browser.code(person, "sms")}
    answers = at_once(MANY, lambda _: browser.post(second.form_with("code").action, sent).status_code)
    assert answers.count(303) == 1
    assert set(answers) == {200, 303}


@pytest.mark.parametrize("key", ["sms", "totp"])
def test_a_code_wanted_from_twenty_browsers(anywhere: Estate, key: str) -> None:
    """A code by SMS is of one attempt; a code of an app serves the person once, whoever sends it first."""
    person = "marc" if key == "sms" else "elif"
    browsers = [anywhere.browser() for _ in range(MANY if key == "totp" else 3)]
    pages = [code_page(browser, person, key) for browser in browsers]
    code = browsers[0].code(anywhere.person(person), key)

    def once(number: int) -> int:
        form = pages[number].form_with("code")
        return browsers[number].post(form.action, form.fields | {"code": code}).status_code

    assert at_once(len(browsers), once).count(303) == 1


def code_page(browser: Browser, person_id: str, key: str) -> Page:
    """The page of the second step."""
    person = browser.estate.person(person_id)
    first = browser.submit(browser.ask("burgerprofiel"), ("key", key))
    page = browser.submit(first, username=person.national_number, password=person.password or "")
    assert isinstance(page, Page)
    assert page.name == "code", page.words
    return page


def test_the_nonce_of_a_card(anywhere: Estate) -> None:
    """The simulated reader signs whatever is asked; what counts is one token, sent twenty times."""
    eid = Eid(anywhere.application.provider.store, CA.trust(), clock=anywhere.clock)
    sent = token_for(nonce_of(eid.begin(ATTEMPT)))
    assert winners(race(*[lambda: eid.finish(ATTEMPT, sent)] * MANY)) == 1


def test_the_answer_to_a_consent(anywhere: Estate) -> None:
    """A yes clicked often is one yes, and leads to as many codes as there were sign-ins: one."""
    anywhere.register("burgerprofiel", consent="always")
    browser = anywhere.browser()
    page = browser.sign_in(browser.ask("burgerprofiel"), "hanne", "eid")
    assert isinstance(page, Page)
    form = page.form_with("answer")
    sent = form.fields | {"answer": "allow"}
    resumed = at_once(MANY, lambda _: browser.post(form.action, sent).headers.get("Location", ""))
    assert len({address for address in resumed if address}) == 1
    assert isinstance(browser.open(resumed[0]), Arrival)


def test_the_end_of_a_session(anywhere: Estate) -> None:
    """Many ends at once tell each application once."""
    anywhere.register("hinderpremie", backchannel_logout_uri="https://rp.example.be/told")
    browser = anywhere.browser()
    token = sign_in(browser, "hinderpremie", "dirk").body["id_token"]
    address = f"/op/v1/logout?id_token_hint={token}"
    assert set(at_once(MANY, lambda _: browser.get(address).status_code)) <= {200, 303}
    letters = anywhere.application.provider.outbox
    assert len(letters.claim(limit=MANY)) == 1


def pushed(estate: Estate) -> str:
    """A pushed request of hinderpremie."""
    asked = Browser(estate).request("hinderpremie", prompt="none")
    return str(estate.call("/op/v1/par", "hinderpremie", asked).body["request_uri"])


def test_a_pushed_request_in_one_browser(anywhere: Estate) -> None:
    browser = anywhere.browser()
    arrive(browser, "hinderpremie", "dirk")
    address = f"/op/v1/auth?client_id=hinderpremie&request_uri={pushed(anywhere)}"
    answers = at_once(MANY, lambda _: browser.rest(address, browser.get(address)))
    codes = {one.parameters["code"] for one in answers if isinstance(one, Arrival) and "code" in one.parameters}
    assert len(codes) == 1


def test_a_pushed_request_in_many_browsers(anywhere: Estate) -> None:
    browsers = [anywhere.browser() for _ in range(5)]
    for browser in browsers:
        arrive(browser, "hinderpremie", "dirk")
    address = f"/op/v1/auth?client_id=hinderpremie&request_uri={pushed(anywhere)}"
    answers = at_once(MANY, lambda number: browsers[number % 5].get(address).headers.get("Location", ""))
    assert len({answer for answer in answers if "code=" in answer}) == 1


def test_a_token_that_is_given_back_while_it_is_used(anywhere: Estate) -> None:
    token = sign_in(anywhere.browser(), "hinderpremie", "dirk").body["access_token"]

    def one(number: int) -> int:
        if number % 2:
            return anywhere.call("/op/v1/revoke", "hinderpremie", {"token": token}).status
        return anywhere.userinfo(token).status_code

    assert set(at_once(MANY, one)) <= {200, 401}
    assert anywhere.userinfo(token).status_code == 401


def test_the_code_of_a_device(anywhere: Estate) -> None:
    anywhere.register("hinderpremie", grant_types=["authorization_code", devices.GRANT])
    device = devices.begin(anywhere)
    devices.approve(anywhere.browser(), device)
    anywhere.clock.advance(6)
    answers = at_once(MANY, lambda _: devices.ask(anywhere, device))
    assert won([answer.status for answer in answers]) == 1
    assert {answer.body["error"] for answer in answers if answer.status != 200} <= {"invalid_grant", "slow_down"}


def test_a_request_for_a_person(anywhere: Estate) -> None:
    grants = ["authorization_code", asking.GRANT]
    anywhere.register("hinderpremie", grant_types=grants, backchannel_token_delivery_mode="poll")
    auth_req_id = asking.begin(anywhere)
    asking.approve(anywhere.browser())
    anywhere.clock.advance(6)
    answers = at_once(MANY, lambda _: asking.ask(anywhere, auth_req_id))
    assert won([answer.status for answer in answers]) == 1


def test_the_places_in_which_requests_wait_for_a_person(anywhere: Estate) -> None:
    grants = ["authorization_code", asking.GRANT]
    anywhere.register("hinderpremie", grant_types=grants, backchannel_token_delivery_mode="poll")
    hint = asking.subject(anywhere)
    answers = at_once(MANY, lambda _: asking.send(anywhere, login_hint=hint).status)
    assert (answers.count(200), answers.count(403)) == (10, 10)


def test_a_signed_request_for_a_person(anywhere: Estate) -> None:
    prover, grants = Prover(anywhere), ["authorization_code", asking.GRANT]
    keys = {"jwks": jwks(prover), "backchannel_authentication_request_signing_alg": "ES256"}
    anywhere.register("hinderpremie", grant_types=grants, backchannel_token_delivery_mode="poll", **keys)
    now = int(anywhere.clock())
    dates = {"iat": now, "nbf": now, "exp": now + 300, "jti": "once"}
    claims = {"iss": "hinderpremie", "aud": anywhere.settings.issuer, "scope": "openid vo"}
    sent = jwt.encode(claims | dates | {"login_hint": asking.subject(anywhere)}, prover.key, algorithm="ES256")
    answers = at_once(MANY, lambda _: asking.send(anywhere, request=sent).status)
    assert won(answers) == 1


def test_a_yes_and_a_no_for_the_same_device(anywhere: Estate) -> None:
    """Whichever comes first counts, and the device hears of one alone."""
    anywhere.register("hinderpremie", grant_types=["authorization_code", devices.GRANT])
    device, browsers = devices.begin(anywhere), [anywhere.browser() for _ in range(2)]
    for browser in browsers:
        arrive(browser, "burgerprofiel", "dirk")
    pages = [browser.open(device["verification_uri_complete"]) for browser in browsers]
    at_once(2, lambda number: browsers[number].submit(pages[number], ("answer", ("allow", "deny")[number])))
    anywhere.clock.advance(6)
    first = devices.ask(anywhere, device)
    assert first.status == 200 or first.body["error"] in ("access_denied", "authorization_pending"), first.body
