"""Mijn digitale sleutels and the passkey: enrolled, used, named and removed by whose they are, and by nobody else."""

import html
import json
import logging
import re
from typing import Any

import pyotp
import pytest
from sqlalchemy import delete

from authenticators.ceremony import CHALLENGE_SECONDS
from authenticators.credentials import credential
from authenticators.passkeys import id_of
from idp.composition import House
from idp.flows.keys import FRESH_SECONDS
from tests.flow.estate import VERIFIER, Arrival, Browser, Estate
from tests.flow.journeys import arrive, assert_error_page, at_once, sign_in
from tests.flow.reading import Page
from tests.security_key import ELIGIBLE, PRESENT, VERIFIED, SecurityKey

ADDRESS = "/sleutels/"
LONG_PASSWORD = "een lang wachtwoord"
ADD, ADD_APP = f"{ADDRESS}nieuw/passkey", f"{ADDRESS}nieuw/totp"


def page_of(found: Page | Arrival, name: str) -> Page:
    """The page, which is the one of this name."""
    assert isinstance(found, Page), found
    assert found.name == name, (found.name, found.words)
    return found


def options(page: Page) -> dict[str, Any]:
    """What the page asks of the browser."""
    found = re.search('data-options="([^"]*)"', page.html)
    assert found, page.words
    return dict(json.loads(html.unescape(found.group(1))))


def signed_in(browser: Browser, person: str = "dirk", key: str = "eid") -> Browser:
    """The same browser, signed in to the page of keys."""
    page_of(browser.sign_in(browser.open(ADDRESS), person, key), "keys")
    return browser


def add(browser: Browser, key: SecurityKey | None = None, **wrong: Any) -> tuple[SecurityKey, Page]:
    """Add a passkey; it, and the page that follows."""
    key = key or SecurityKey()
    page = page_of(browser.open(ADD), "key-add")
    brought = json.dumps(key.create(options(page), **wrong))
    after = browser.submit(page, credential=brought, name="Mijn telefoon")
    assert isinstance(after, Page)
    return key, after


def chosen(browser: Browser, client: str = "burgerprofiel", **asked: str) -> Page:
    """The page of the passkey, for a sign-in to an application."""
    page = page_of(browser.ask(client, **asked), "login")
    return page_of(browser.submit(page, ("key", "passkey")), "passkey")


def use(browser: Browser, key: SecurityKey, page: Page | None = None, **wrong: Any) -> Page | Arrival:
    """Sign in with a passkey."""
    page = page or chosen(browser)
    return browser.submit(page, credential=json.dumps(key.get(options(page), **wrong)))


def own_page(browser: Browser, key: SecurityKey) -> str:
    """The address of a key's own page."""
    address = f"{ADDRESS}sleutel/{id_of(key.credential_id)}"
    assert address in page_of(browser.open(ADDRESS), "keys").links.values()
    return address


def test_whoever_is_not_signed_in_signs_in_and_sees_the_keys_that_are_theirs(browser: Browser) -> None:
    page_of(browser.open("/"), "start")
    page_of(browser.open(ADDRESS), "login")
    page = page_of(browser.sign_in(browser.open("/sleutels"), "dirk", "eid"), "keys")
    assert page.address == ADDRESS
    assert {"add-passkey", "add-totp"} <= page.ids
    assert "Identiteitskaart (eID)" in page.words
    assert "Toegangssleutel (passkey) Zekerheid" not in page.words


def test_a_passkey_is_added_and_signs_in_its_owner(estate: Estate, browser: Browser) -> None:
    key, page = add(signed_in(browser))
    assert (page.name, "changed" in page.ids) == ("keys", True)
    assert "Mijn telefoon" in page.words
    assert "Nog niet" in page.words
    other = estate.browser()
    arrived = use(other, key)
    assert isinstance(arrived, Arrival), arrived.words
    claims = estate.verified(estate.redeem("burgerprofiel", arrived, code_verifier=VERIFIER), "burgerprofiel")
    assert claims["acr"] == "urn:toegang:authmech:passkey"
    assert claims["amr"] == ["hwk", "user", "mfa"]
    assert "Nog niet" not in page_of(other.open(ADDRESS), "keys").words.partition("Mijn telefoon")[2]


@pytest.mark.parametrize("alg", [-7, -8, -257])
def test_each_algorithm_and_a_synced_key_works(estate: Estate, browser: Browser, alg: int) -> None:
    key, _ = add(signed_in(browser), SecurityKey(alg=alg, flags=PRESENT | VERIFIED | ELIGIBLE, counts=False))
    for _ in range(2):  # a counter that stays 0 is one that does not count
        arrived = use(estate.browser(), key)
        assert isinstance(arrived, Arrival), arrived.words
    tokens = estate.redeem("burgerprofiel", arrived, code_verifier=VERIFIER)
    assert estate.verified(tokens, "burgerprofiel")["amr"] == ["swk", "user", "mfa"]


def test_what_the_authenticator_keeps_tells_nothing_of_the_person(estate: Estate, browser: Browser) -> None:
    asked = options(page_of(signed_in(browser).open(ADD), "key-add"))
    number = estate.person("dirk").national_number
    assert number not in json.dumps(asked)
    assert asked["user"]["id"] == options(page_of(browser.open(ADD), "key-add"))["user"]["id"]
    other = options(page_of(signed_in(estate.browser(), "hanne").open(ADD), "key-add"))
    assert asked["user"]["id"] != other["user"]["id"]


WRONGS: dict[str, dict[str, Any]] = {
    "no person verified": {"flags": PRESENT},
    "nobody present": {"flags": VERIFIED},
    "another site": {"client": {"origin": "https://evil.example"}},
    "a subdomain": {"client": {"origin": "http://x.localhost:8000"}},
    "another port": {"client": {"origin": "http://localhost:8001"}},
    "another rp": {"rp_id": "evil.example"},
    "in a frame": {"client": {"crossOrigin": True}},
    "another challenge": {"client": {"challenge": "A" * 43}},
    "a challenge that is none": {"client": {"challenge": 7}},
    "the other ceremony": {"client": {"type": "payment.get"}},
}


@pytest.mark.parametrize("wrong", WRONGS.values(), ids=WRONGS.keys())
def test_what_is_wrong_neither_enrols_nor_signs_in(estate: Estate, browser: Browser, wrong: dict[str, Any]) -> None:
    signed_in(browser)
    _, page = add(browser, **wrong)
    assert page_of(page, "key-add")
    assert "Mijn telefoon" not in page_of(browser.open(ADDRESS), "keys").words
    key, _ = add(browser)
    failed = page_of(use(estate.browser(), key, **wrong), "passkey")
    assert "niet aanmelden" in failed.words


def test_what_a_browser_sends_stands_on_one_line_of_the_log(
    estate: Estate, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    key, _ = add(signed_in(browser))
    with caplog.at_level(logging.INFO):
        use(estate.browser(), key, client={"origin": "x\nsigned in: key=eid \u202e" + "y" * 999})
    (told,) = [one.getMessage() for one in caplog.records if "authentication failed" in one.getMessage()]
    assert "Unexpected client data origin" in told
    assert "\n" not in told
    assert len(told) < 400


def test_another_persons_handle_or_key_signs_nobody_in(estate: Estate, browser: Browser) -> None:
    key, _ = add(signed_in(browser))
    other, _ = add(signed_in(estate.browser(), "hanne"))
    page_of(use(estate.browser(), key, user_handle=other.user_handle), "passkey")
    swapped = SecurityKey(credential_id=other.credential_id, user_handle=other.user_handle)
    page_of(use(estate.browser(), swapped), "passkey")
    page_of(use(estate.browser(), SecurityKey(user_handle=key.user_handle)), "passkey")


def test_a_challenge_is_of_one_attempt_in_one_browser_and_once(estate: Estate, browser: Browser) -> None:
    key, _ = add(signed_in(browser))
    mine, others = chosen(estate.browser()), chosen(estate.browser())
    victim = estate.browser()
    page = chosen(victim)
    for stolen in (mine, others):
        brought = json.dumps(key.get(options(stolen)))
        failed = page_of(victim.submit(page, credential=brought), "passkey")
        page = failed
    again = page_of(victim.open(page.forms[0].action.partition("?")[0]), "passkey")
    brought = json.dumps(key.get(options(again)))
    assert isinstance(victim.submit(again, credential=brought), Arrival)
    replayed = victim.post(again.forms[0].action, again.forms[0].fields | {"credential": brought})
    assert "code=" not in replayed.headers.get("Location", "")


def test_a_challenge_ends_in_time(estate: Estate, browser: Browser) -> None:
    key, _ = add(signed_in(browser))
    other = estate.browser()
    page = chosen(other)
    estate.clock.advance(CHALLENGE_SECONDS + 1)
    page_of(use(other, key, page), "passkey")


def test_of_twenty_answers_to_one_challenge_one_counts(anywhere: Estate) -> None:
    key, _ = add(signed_in(anywhere.browser()))
    other = anywhere.browser()
    page = chosen(other)
    form = page.form_with("credential")
    answers = [form.fields | {"credential": json.dumps(key.get(options(page)))} for _ in range(20)]
    statuses = at_once(20, lambda number: other.post(form.action, answers[number]).status_code)
    assert sorted(statuses) == [200] * 19 + [303]


def test_of_twenty_that_enrol_with_one_challenge_one_does(anywhere: Estate) -> None:
    browser = signed_in(anywhere.browser())
    page = page_of(browser.open(ADD), "key-add")
    form = page.form_with("credential")
    answers = [form.fields | {"credential": json.dumps(SecurityKey().create(options(page)))} for _ in range(20)]
    statuses = at_once(20, lambda number: browser.post(form.action, answers[number]).status_code)
    assert sorted(statuses) == [200] * 19 + [303]


def test_a_copied_key_is_refused_and_logged(estate: Estate, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    key, _ = add(signed_in(browser))
    assert isinstance(use(estate.browser(), key), Arrival)
    key.count -= 1
    with caplog.at_level(logging.WARNING):
        page_of(use(estate.browser(), key), "passkey")
    assert "passkey cloned" in caplog.text
    key.count = -1  # one that counted says 0
    page_of(use(estate.browser(), key), "passkey")
    key.count = 50
    assert isinstance(use(estate.browser(), key), Arrival)


def test_backup_eligibility_never_changes(estate: Estate, browser: Browser) -> None:
    key, _ = add(signed_in(browser))
    page_of(use(estate.browser(), key, flags=PRESENT | VERIFIED | ELIGIBLE), "passkey")
    assert isinstance(use(estate.browser(), key), Arrival)


def test_a_credential_is_enrolled_once_by_whomever(estate: Estate, browser: Browser) -> None:
    key, _ = add(signed_in(browser))
    _, page = add(browser, key)
    page_of(page, "key-add")
    thief = signed_in(estate.browser(), "hanne")
    copy = SecurityKey(credential_id=key.credential_id)
    page_of(add(thief, copy)[1], "key-add")
    arrived = use(estate.browser(), SecurityKey(**vars(key) | {"user_handle": unhandled(browser)}))
    assert isinstance(arrived, Arrival)


def unhandled(browser: Browser) -> bytes:
    """The handle of the person of this browser, as a new passkey would get it."""
    probe = SecurityKey()
    probe.create(options(page_of(browser.open(ADD), "key-add")))
    return probe.user_handle


def test_a_passkey_is_offered_where_it_reaches_the_level_whoever_comes(browser: Browser, estate: Estate) -> None:
    assert "passkey" in page_of(browser.ask("burgerprofiel", acr_values="urn:toegang:authmech:passkey"), "login").keys
    asked = page_of(browser.ask("burgerprofiel", acr_values="urn:be:vlaanderen:authmech:eid"), "login")
    assert "passkey" not in asked.keys


def test_to_add_one_has_to_be_sure_enough(estate: Estate, browser: Browser) -> None:
    signed_in(browser, "dirk", "sms")
    page = page_of(browser.open(ADD), "login")
    assert "sms" not in page.keys
    page_of(browser.sign_in(page, "dirk", "eid"), "key-add")


def test_to_add_needs_a_sign_in_of_the_last_minutes(estate: Estate, browser: Browser) -> None:
    page = page_of(signed_in(browser).open(ADD), "key-add")
    estate.clock.advance(FRESH_SECONDS + 1)
    page_of(browser.open(ADD), "login")
    brought = json.dumps(SecurityKey().create(options(page)))
    page_of(browser.submit(page, credential=brought), "login")
    assert "Wijzig" not in page_of(browser.open(ADDRESS), "keys").words


def test_whoever_stops_the_fresh_sign_in_is_back_at_the_list(estate: Estate, browser: Browser) -> None:
    signed_in(browser)
    estate.clock.advance(FRESH_SECONDS + 1)
    page = page_of(browser.open(ADD), "login")
    page_of(browser.open(page.address.replace("/login", "/cancel")), "keys")


def test_every_change_is_told_at_the_persons_other_channels(estate: Estate, browser: Browser) -> None:
    key, _ = add(signed_in(browser))
    person = estate.person("dirk")
    for address in (person.phone, person.email):
        assert "toegevoegd: Toegangssleutel" in estate.inbox(address)[0]["text"]
    page = page_of(browser.open(own_page(browser, key)), "key")
    browser.submit(page, ("change", "rename"), name="Bel 0900 12 34 56")
    told = estate.inbox(person.phone)[0]["text"]
    assert "andere naam" in told
    assert "0900" not in told
    page = page_of(browser.open(own_page(browser, key)), "key")
    page_of(browser.submit(page, ("change", "remove")), "keys")
    assert "verwijderd" in estate.inbox(person.phone)[0]["text"]


def test_a_key_is_renamed_and_removed_and_then_signs_nobody_in(
    estate: Estate, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    key, _ = add(signed_in(browser))
    page = page_of(browser.open(own_page(browser, key)), "key")
    with caplog.at_level(logging.INFO):
        listed = page_of(
            browser.submit(page, ("change", "rename"), name="  Laptop\u202e \n<b>thuis</b>" + "x" * 99), "keys"
        )
        assert "Laptop <b>thuis</b>xxx" in listed.words
        assert "<b>thuis" not in listed.html
        page = page_of(browser.open(own_page(browser, key)), "key")
        listed = page_of(browser.submit(page, ("change", "remove")), "keys")
    assert "changed" in listed.ids
    assert "Laptop" not in listed.words
    assert re.search("key renamed: person=.* kind=passkey", caplog.text)
    assert re.search("key removed: person=.* kind=passkey", caplog.text)
    page_of(use(estate.browser(), key), "passkey")


def test_who_is_signed_in_elsewhere_by_a_removed_key_is_signed_out(estate: Estate, browser: Browser) -> None:
    key, _ = add(signed_in(browser))
    thief, at_home, another = estate.browser(), signed_in(estate.browser()), estate.browser()
    assert isinstance(use(thief, key), Arrival)
    others, _ = add(signed_in(estate.browser(), "hanne"))
    assert isinstance(use(another, others), Arrival)
    browser.submit(page_of(browser.open(own_page(browser, key)), "key"), ("change", "remove"))
    page_of(thief.open(ADDRESS), "login")
    for one in (browser, at_home, another):
        page_of(one.open(ADDRESS), "keys")


def test_the_last_key_that_is_sure_enough_stays(estate: Estate, browser: Browser) -> None:
    signed_in(browser, with_only(estate, "password", "totp"), "totp")
    app = f"{ADDRESS}sleutel/totp"
    page = page_of(browser.submit(page_of(browser.open(app), "key"), ("change", "remove")), "key")
    assert "niet verwijderen" in page.words
    key, _ = add(browser)
    page_of(browser.submit(page_of(browser.open(app), "key"), ("change", "remove")), "keys")
    page = page_of(browser.open(own_page(browser, key)), "key")
    page_of(browser.submit(page, ("change", "remove")), "key")
    assert isinstance(use(estate.browser(), key), Arrival)


def test_of_two_keys_removed_at_once_one_stays(anywhere: Estate) -> None:
    browser = signed_in(anywhere.browser(), with_only(anywhere, "password", "totp"), "totp")
    key, _ = add(browser)
    mine = [f"{ADDRESS}sleutel/totp", own_page(browser, key)]
    forms = [page_of(browser.open(address), "key").form_with("change", "remove").fields for address in mine]
    statuses = at_once(2, lambda n: browser.post(mine[n], forms[n] | {"change": "remove"}).status_code)
    assert sorted(statuses) == [200, 303]


def test_anothers_key_is_neither_seen_nor_changed(estate: Estate, browser: Browser) -> None:
    key, _ = add(signed_in(browser))
    address = own_page(browser, key)
    form = page_of(browser.open(address), "key").form_with("change", "remove")
    thief = signed_in(estate.browser(), "hanne")
    page_of(thief.open(address), "keys")
    own_key, _ = add(thief)
    own = page_of(thief.open(own_page(thief, own_key)), "key").form_with("change", "remove").fields
    assert thief.post(address, own | {"change": "remove"}).headers["Location"] == ADDRESS
    assert thief.post(address, form.fields | {"change": "remove"}).status_code == 400
    assert isinstance(use(estate.browser(), key), Arrival)


@pytest.mark.parametrize("csrf", [{}, {"csrf": "0" * 64}])
def test_a_form_of_another_site_changes_nothing(browser: Browser, csrf: dict[str, str]) -> None:
    key, _ = add(signed_in(browser))
    address = own_page(browser, key)
    for form in ({"change": "remove"}, {"change": "rename", "name": "x"}):
        assert browser.post(address, form | csrf).status_code == 400
    page = page_of(browser.open(ADD), "key-add")
    brought = {"credential": json.dumps(SecurityKey().create(options(page)))}
    assert browser.post(page.forms[0].action, brought | csrf).status_code == 400
    assert "Mijn telefoon" in page_of(browser.open(ADDRESS), "keys").words


def test_nobody_adds_to_the_session_of_another_person_in_the_same_browser(estate: Estate, browser: Browser) -> None:
    page = page_of(signed_in(browser).open(ADD), "key-add")
    brought = json.dumps(SecurityKey().create(options(page)))
    login = browser.ask("burgerprofiel", prompt="login")
    assert isinstance(browser.sign_in(login, "hanne", "eid"), Arrival)
    page_of(browser.submit(page, credential=brought), "key-add")
    assert "Mijn telefoon" not in page_of(browser.open(ADDRESS), "keys").words


@pytest.mark.parametrize("address", [f"{ADDRESS}nieuw/eid", f"{ADDRESS}nieuw/x", f"{ADDRESS}sleutel/../x"])
def test_what_is_no_key_has_no_page(browser: Browser, address: str) -> None:
    signed_in(browser)
    assert_error_page(browser.open(address), 404)


@pytest.mark.parametrize("told", ["added", "x" * 43, "<script>"])
def test_a_link_cannot_tell_of_a_change_that_was_none(browser: Browser, told: str) -> None:
    page = page_of(signed_in(browser).open(f"{ADDRESS}?told={told}"), "keys")
    assert "changed" not in page.ids


def app_seed(page: Page) -> str:
    """The seed that the page shows to type."""
    found = re.search('id="totp-seed">([A-Z2-7 ]+)<', page.html)
    assert found, page.words
    return found.group(1).replace(" ", "")


def with_only(estate: Estate, *kinds: str) -> str:
    """Somebody, once all of their keys but these are gone."""
    house = House(estate.settings, estate.clock)
    mine = credential.c.person_key == house.credentials.person_key(estate.person("hanne").national_number)
    with house.engine.begin() as connection:
        connection.execute(delete(credential).where(mine, credential.c.kind.not_in(kinds)))
    house.engine.dispose()
    return "hanne"


def test_an_app_is_added_with_a_password_and_signs_in(estate: Estate, browser: Browser) -> None:
    id = with_only(estate, "eid")
    person = estate.person(id)
    page = page_of(signed_in(browser, id).open(ADD_APP), "key-add")
    seed = app_seed(page)
    picture = html.unescape(re.findall('src="([^"]*beeld[^"]*)"', page.html)[0])
    drawn = browser.get(picture)
    assert (drawn.status_code, drawn.headers["Content-Type"]) == (200, "image/svg+xml")
    assert "data:" not in page.html
    assert estate.browser().get(picture).status_code == 404
    now = int(estate.simulated_clock())
    code = pyotp.TOTP(seed).at(now)
    page = page_of(browser.submit(page, code=code, password="kort"), "key-add")
    assert "12 tekens" in page.words
    assert app_seed(page) == seed
    page = page_of(browser.submit(page, code="000000", password=LONG_PASSWORD), "key-add")
    page_of(browser.submit(page, code=code, password=LONG_PASSWORD), "keys")
    other = estate.browser()
    login = page_of(other.submit(other.ask("burgerprofiel"), ("key", "totp")), "password")
    second = other.submit(login, username=person.national_number, password=LONG_PASSWORD)
    replayed = page_of(other.submit(second, code=code), "code")  # the code that confirmed it is used
    estate.clock.advance(30)
    assert isinstance(other.submit(replayed, code=pyotp.TOTP(seed).at(now + 30)), Arrival)


def test_of_twenty_confirmations_one_counts_and_guesses_end(anywhere: Estate) -> None:
    id = with_only(anywhere, "eid")
    browser = signed_in(anywhere.browser(), id)
    page = page_of(browser.open(ADD_APP), "key-add")
    form = page.form_with("code")
    code = pyotp.TOTP(app_seed(page)).at(int(anywhere.simulated_clock()))
    sent = form.fields | {"code": code, "password": LONG_PASSWORD}
    statuses = at_once(5, lambda _: browser.post(form.action, sent).status_code)
    assert sorted(statuses) == [200] * 4 + [303]
    page = page_of(browser.open(ADD_APP), "key-add")
    form, wrong = page.form_with("code"), "000000" if app_seed(page) else ""
    for _ in range(6):
        browser.post(form.action, form.fields | {"code": wrong})
    right = pyotp.TOTP(app_seed(page)).at(int(anywhere.simulated_clock()))
    assert browser.post(form.action, form.fields | {"code": right}).status_code == 200


def test_a_password_is_set_after_a_surer_key_alone(estate: Estate, browser: Browser) -> None:
    id = with_only(estate, "eid")
    key, _ = add(signed_in(browser, id))
    other = estate.browser()
    assert isinstance(use(other, key), Arrival)
    page = page_of(other.open(ADD_APP), "login")
    assert "passkey" not in page.keys


def test_the_persons_of_the_demo_world_have_the_keys_that_it_says(estate: Estate, browser: Browser) -> None:
    sign_in(browser, "burgerprofiel", "dirk")
    arrive(estate.browser(), "burgerprofiel", "hanne")
    for person in estate.world.people:
        held = estate.application.provider.enrolled.held(person.national_number)
        assert {key.kind for key in held} == set(person.keys)


def test_whose_keys_do_not_reach_is_told_so(browser: Browser) -> None:
    signed_in(browser, "marc", "sms")
    page_of(browser.open(ADD), "no-access")
