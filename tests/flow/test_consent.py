"""Consent: when it is asked, what the page shows, and what a yes and a no are worth."""

import json
from typing import Any

import pytest

from idp.records.consents import Consent
from tests.flow.estate import VERIFIER, Arrival, Browser, Estate
from tests.flow.journeys import at_once, error_of, refresh
from tests.flow.reading import Page

CLIENT = "burgerprofiel"
ALLOW, DENY = ("answer", "allow"), ("answer", "deny")


def register(estate: Estate, consent: str, client_id: str = CLIENT) -> None:
    estate.register(client_id, consent=consent)


def asked(browser: Browser, person: str = "hanne", client_id: str = CLIENT, **parameters: str | None) -> Page:
    """The page of consent, after whatever comes before it."""
    page = browser.ask(client_id, **parameters)
    if isinstance(page, Page) and page.name == "login":
        page = browser.sign_in(page, person, "eid")
    assert isinstance(page, Page)
    assert page.name == "consent", page.words
    return page


def allow(browser: Browser, page: Page | Arrival) -> Arrival:
    arrived = browser.submit(page, ALLOW)
    assert isinstance(arrived, Arrival)
    return arrived


def held(estate: Estate, person_id: str = "hanne") -> tuple[Consent, ...]:
    """What the person allows, by client."""
    return estate.application.provider.consents.of_person(id_of(estate, person_id))


def id_of(estate: Estate, person_id: str) -> str:
    person = estate.application.provider.directory.find(estate.person(person_id).national_number)
    assert person is not None
    return person.id


def test_without_a_rule_nobody_is_asked(browser: Browser) -> None:
    assert isinstance(browser.sign_in(browser.ask(CLIENT), "hanne", "eid"), Arrival)


def test_the_page_shows_all_that_would_be_told(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    page = asked(browser)
    assert page.status == 200
    assert "Burgerprofiel" in page.words
    assert "Hanne Willems" in page.words
    assert "Nederlands" in page.words
    assert {"consent-allow", "consent-deny"} <= {id for form in page.forms for id in form.button_ids}
    number = estate.person("hanne").national_number
    assert number[-2:] in page.words
    assert number[:2] + "." in page.words


def test_a_yes_answers_the_application(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    arrived = allow(browser, asked(browser))
    assert estate.redeem(CLIENT, arrived, code_verifier=VERIFIER).claims["given_name"] == "Hanne"


def test_a_no_answers_access_denied_and_nothing_is_kept(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    assert error_of(browser.submit(asked(browser), DENY)) == "access_denied"
    assert held(estate) == ()
    asked(browser)


def test_once_is_once_also_in_another_browser(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    allow(browser, asked(browser))
    assert isinstance(browser.ask(CLIENT), Arrival)
    other = estate.browser()
    assert isinstance(other.sign_in(other.ask(CLIENT), "hanne", "eid"), Arrival)


def test_always_is_each_time(estate: Estate, browser: Browser) -> None:
    register(estate, "always")
    allow(browser, asked(browser))
    allow(browser, asked(browser))
    assert error_of(browser.ask(CLIENT, prompt="none")) == "consent_required"


def test_what_was_allowed_covers_the_same_or_fewer_scopes(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    allow(browser, asked(browser, scope="openid profile"))
    assert isinstance(browser.ask(CLIENT, scope="openid profile"), Arrival)
    assert isinstance(browser.ask(CLIENT, scope="openid"), Arrival)
    allow(browser, asked(browser, scope="openid rrn"))
    assert isinstance(browser.ask(CLIENT, scope="openid profile rrn"), Arrival)


def test_a_claim_asked_by_name_is_asked_like_a_scope(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    claims = json.dumps({"userinfo": {"rrn": None}})
    allow(browser, asked(browser, scope="openid profile"))
    page = asked(browser, scope="openid profile", claims=claims)
    assert "Rijksregisternummer" in page.words
    allow(browser, page)
    assert isinstance(browser.ask(CLIENT, scope="openid profile", claims=claims), Arrival)
    asked(browser, scope="openid profile rrn")


def test_a_claim_that_would_not_be_told_need_not_be_allowed(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    allow(browser, asked(browser))
    claims = json.dumps({"userinfo": {"email": None, "unknown": {"essential": True}}})
    assert isinstance(browser.ask(CLIENT, claims=claims), Arrival)


def test_one_claim_shows_one_line(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    page = asked(browser, scope="openid", claims=json.dumps({"id_token": {"locale": None}}))
    assert "Nederlands" in page.words
    assert "Hanne" not in page.words
    assert "Rijksregisternummer" not in page.words


@pytest.mark.parametrize("rule", ["none", "once", "always"])
def test_prompt_consent_asks_whatever_the_rule(estate: Estate, browser: Browser, rule: str) -> None:
    register(estate, rule)
    allow(browser, asked(browser, prompt="consent"))
    allow(browser, asked(browser, prompt="consent"))


def test_prompts_combine(estate: Estate, browser: Browser) -> None:
    first = browser.sign_in(browser.ask(CLIENT), "hanne", "eid")
    assert isinstance(first, Arrival)
    page = browser.ask(CLIENT, prompt="login consent")
    assert isinstance(page, Page)
    assert page.name == "login"
    page = browser.sign_in(page, "hanne", "eid")
    assert isinstance(page, Page)
    assert page.name == "consent"
    allow(browser, page)


def test_in_silence_it_is_required_until_it_was_given(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    page = asked(browser)
    assert error_of(browser.ask(CLIENT, prompt="none")) == "consent_required"
    allow(browser, page)
    assert isinstance(browser.ask(CLIENT, prompt="none"), Arrival)


def test_a_choice_of_identity_comes_before_it_and_shows_in_it(estate: Estate, browser: Browser) -> None:
    register(estate, "once", "hinderpremie")
    page = browser.sign_in(browser.ask("hinderpremie"), "elif", "eid")
    assert isinstance(page, Page)
    assert page.name == "identity"
    first, second = page.identities[:2]
    page = browser.submit(page, ("identity", first))
    assert isinstance(page, Page)
    assert page.name == "consent"
    assert first.partition(":")[2][-3:] in page.words
    assert second.partition(":")[2] not in page.words


def test_a_yes_that_was_shown_for_another_counts_for_nothing(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    page = asked(browser)
    form = page.form_of_button("consent-allow")
    for mark in ("", "evil"):
        again = browser.rest(form.action, browser.post(form.action, {**form.fields, "mark": mark, "answer": "allow"}))
        assert isinstance(again, Page)
        assert again.name == "consent"
    assert held(estate) == ()


def test_a_yes_of_one_person_is_not_anothers(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    page = asked(browser)
    other = browser.sign_in(browser.open(page.address.rpartition("/")[0] + "/login"), "dirk", "eid")
    assert isinstance(other, Page)
    assert other.name == "consent"
    assert "Dirk" in other.words
    again = browser.submit(page, ALLOW)
    assert isinstance(again, Page)
    assert again.name == "consent"
    assert held(estate, "hanne") == ()
    assert held(estate, "dirk") == ()


def test_neither_yes_nor_no_is_refused(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    form = asked(browser).form_of_button("consent-allow")
    assert browser.post(form.action, form.fields).status_code == 400
    assert browser.post(form.action, {**form.fields, "answer": "maybe"}).status_code == 400


def test_a_yes_from_elsewhere_is_refused(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    form = asked(browser).form_of_button("consent-allow")
    assert browser.post(form.action, {"mark": form.fields["mark"], "answer": "allow"}).status_code == 400
    stranger = estate.browser()
    assert stranger.post(form.action, {**form.fields, "answer": "allow"}).status_code == 400
    assert held(estate) == ()


def test_the_page_is_shown_only_when_it_is_asked(estate: Estate, browser: Browser) -> None:
    page = browser.ask(CLIENT)
    assert isinstance(page, Page)
    place = page.address.rpartition("/")[0] + "/consent"
    again = browser.open(place)
    assert isinstance(again, Page)
    assert again.name == "login"


def test_many_yeses_at_once_are_one(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    form = asked(browser).form_of_button("consent-allow")
    answers = at_once(8, lambda _: browser.post(form.action, {**form.fields, "answer": "allow"}))
    assert {answer.status_code for answer in answers} == {303}
    assert [one.client_id for one in held(estate)] == [CLIENT]


def test_lasting_access_is_said(estate: Estate, browser: Browser) -> None:
    register(estate, "once", "hinderpremie")
    page = asked(browser, "dirk", "hinderpremie", scope="openid offline_access")
    assert "Ook wanneer u niet aangemeld bent" in page.words
    assert "Ook wanneer" not in asked(browser, "dirk", "hinderpremie", scope="openid").words


def test_what_is_taken_back_ends_what_the_application_holds(estate: Estate, browser: Browser) -> None:
    register(estate, "once", "hinderpremie")
    arrived = allow(browser, asked(browser, "dirk", "hinderpremie", scope="openid profile offline_access"))
    tokens = estate.redeem("hinderpremie", arrived)
    assert [one.client_id for one in held(estate, "dirk")] == ["hinderpremie"]
    estate.application.provider.consents.withdraw(id_of(estate, "dirk"), "hinderpremie")
    assert held(estate, "dirk") == ()
    assert estate.userinfo(tokens.body["access_token"]).status_code == 401
    assert refresh(estate, "hinderpremie", tokens.body["refresh_token"]).body["error"] == "invalid_grant"
    asked(browser, "dirk", "hinderpremie", scope="openid profile")


@pytest.mark.parametrize("language", ["nl", "fr", "de", "en"])
def test_the_page_speaks_the_language_asked(estate: Estate, browser: Browser, language: str) -> None:
    register(estate, "once")
    assert asked(browser, ui_locales=language).language == language


# A client that nobody vouches for


@pytest.fixture
def open_house(estate: Estate) -> Estate:
    """The estate, in which anyone may register."""
    return estate.configured(registration="open")


def self_registered(estate: Estate, **metadata: Any) -> dict[str, Any]:
    """A client that registered itself."""
    sent = {"redirect_uris": ["https://kaartclub.example/cb"], "client_name": "Kaartclub", **metadata}
    answer = estate.http().post("/op/v1/register", json=sent, base_url=estate.origin)
    assert answer.status_code == 201, answer.text
    estate.registered[str((answer.json or {})["client_id"])] = dict(answer.json or {})
    return dict(answer.json or {})


def update(estate: Estate, client: dict[str, Any], **changes: Any) -> None:
    """Let the client change itself."""
    kept = {name: client[name] for name in ("client_id", "redirect_uris", "client_name")}
    answer = estate.http().put(
        client["registration_client_uri"].removeprefix(estate.origin),
        json=kept | changes,
        headers={"Authorization": f"Bearer {client['registration_access_token']}"},
        base_url=estate.origin,
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("https://kaartclub.example/cb", "Uw gegevens gaan naar kaartclub.example."),
        ("https://sub.kaartclub.example:8443/cb", "Uw gegevens gaan naar sub.kaartclub.example."),
        ("http://127.0.0.1/cb", "Uw gegevens gaan naar een programma op uw toestel."),
        ("http://localhost:5000/cb", "Uw gegevens gaan naar een programma op uw toestel."),
        ("be.kaartclub.app:/cb", "Uw gegevens gaan naar een programma op uw toestel."),
    ],
)
def test_the_page_says_that_nobody_vouches_for_it_and_where_the_answer_goes(
    open_house: Estate, uri: str, words: str
) -> None:
    client = self_registered(open_house, redirect_uris=[uri], client_name="Vlaamse overheid")
    page = asked(open_house.browser(), client_id=client["client_id"], scope="openid")
    assert "Deze toepassing heeft zichzelf bij ons aangemeld. Wij weten niet van wie ze is." in page.words
    assert words in page.words


def test_of_a_client_of_an_administrator_it_says_no_such_thing(estate: Estate, browser: Browser) -> None:
    register(estate, "once")
    assert "unknown-application" not in asked(browser).html


@pytest.mark.parametrize(
    "changes",
    [
        {"client_name": "Vlaamse overheid"},
        {"redirect_uris": ["https://kaartclub.example/cb", "https://evil.example/cb"]},
        {"logo_uri": "https://kaartclub.example/logo.png"},
        {"client_uri": "https://evil.example/"},
    ],
    ids=str,
)
def test_a_yes_is_to_what_was_shown_and_not_to_what_becomes_of_it(open_house: Estate, changes: dict[str, Any]) -> None:
    client, browser = self_registered(open_house), open_house.browser()
    allow(browser, asked(browser, client_id=client["client_id"], scope="openid profile"))
    update(open_house, client, contacts=["a@kaartclub.example"])
    assert isinstance(browser.ask(client["client_id"], scope="openid profile"), Arrival)
    update(open_house, client, **changes)
    assert error_of(browser.ask(client["client_id"], scope="openid profile", prompt="none")) == "consent_required"
    allow(browser, asked(browser, client_id=client["client_id"], scope="openid"))
    asked(browser, client_id=client["client_id"], scope="openid profile")


def test_a_yes_to_a_page_that_is_no_longer_true_counts_for_nothing(open_house: Estate) -> None:
    client, browser = self_registered(open_house), open_house.browser()
    page = asked(browser, client_id=client["client_id"])
    update(open_house, client, client_name="Vlaamse overheid")
    again = browser.submit(page, ALLOW)
    assert isinstance(again, Page)
    assert again.name == "consent"
    assert "Vlaamse overheid" in again.words
    assert held(open_house) == ()
    allow(browser, again)


def test_a_yes_does_not_outlive_the_client(open_house: Estate) -> None:
    client, browser = self_registered(open_house), open_house.browser()
    allow(browser, asked(browser, client_id=client["client_id"]))
    assert [one.client_id for one in held(open_house)] == [client["client_id"]]
    open_house.application.provider.clients.remove(client["client_id"])
    assert held(open_house) == ()
