"""The sign-ins of the demo world, over HTTP: who gets in, for whom, with which roles; and who does not, and why."""

import pytest

from tests.flow.estate import VERIFIER, Arrival, Browser, Estate
from tests.flow.reading import Page

EID = "urn:be:vlaanderen:authmech:eid"


def signed_in(estate: Estate, browser: Browser, client_id: str, arrived: "Page | Arrival") -> dict:
    """The verified claims that an application gets for what the browser brought."""
    assert isinstance(arrived, Arrival), arrived.words
    verifier = VERIFIER if client_id == "burgerprofiel" else ""
    tokens = estate.redeem(client_id, arrived, code_verifier=verifier)
    assert tokens.status == 200, tokens.body
    return estate.verified(tokens, client_id)


def test_dirk_with_his_card_is_signed_in_without_a_choice(estate: Estate, browser: Browser) -> None:
    page = browser.ask("hinderpremie")
    assert page.name == "login"
    arrived = browser.sign_in(page, "dirk", "eid")
    assert arrived.parameters["state"] == "the-state"
    assert arrived.parameters["iss"] == estate.settings.issuer
    claims = signed_in(estate, browser, "hinderpremie", arrived)
    assert claims["vo_orgcode"] == "0999910147"
    assert claims["vo_doelgroepcode"] == "EA"
    assert claims["hinderpremie_rol_3d"] == ["HinderpremieGebruiker-Indiener:0999910147"]
    assert claims["acr"] == EID
    assert claims["nonce"] == "the-nonce"
    assert "rrn" not in claims


def test_elif_chooses_and_the_next_application_asks_no_key_again(estate: Estate, browser: Browser) -> None:
    page = browser.sign_in(browser.ask("hinderpremie"), "elif", "totp")
    assert page.name == "identity"
    assert sorted(page.identities) == ["EA:0999910147", "EA:0999920243"]
    arrived = browser.submit(page, ("identity", "EA:0999920243"))
    claims = signed_in(estate, browser, "hinderpremie", arrived)
    assert claims["hinderpremie_rol_3d"] == ["HinderpremieGebruiker-Medewerker:0999920243"]
    second = browser.ask("statistiek")
    assert isinstance(second, Arrival)
    claims = signed_in(estate, browser, "statistiek", second)
    assert claims["statistiek_rol_2d"] == ["StatistiekGebruiker:0999910147", "StatistiekGebruiker:0999920243"]


def test_elif_at_subsidieloket_has_one_organisation_and_two_roles(estate: Estate, browser: Browser) -> None:
    page = browser.ask("subsidieloket")
    assert "eid" in page.keys
    assert not {"sms", "totp", "password"} & set(page.keys)
    claims = signed_in(estate, browser, "subsidieloket", browser.sign_in(page, "elif", "eid"))
    assert claims["vo_orgcode"] == "0999920243"
    assert sorted(claims["subsidieloket_rol_3d"]) == [
        "SubsidieloketGebruiker-Aanvrager:0999920243",
        "SubsidieloketGebruiker-Ondertekenaar:0999920243",
    ]
    assert claims["rrn"] == estate.person("elif").national_number


def test_jef_comes_from_an_old_application_without_state_nonce_or_pkce(estate: Estate, browser: Browser) -> None:
    arrived = browser.sign_in(browser.ask("loketlb", state=None, nonce=None), "jef", "sms")
    assert "state" not in arrived.parameters
    claims = signed_in(estate, browser, "loketlb", arrived)
    assert sorted(claims["abb_loketLB_rol_3d"]) == [
        "LoketLB-berichtenGebruiker:0999940435",
        "LoketLB-mandaatGebruiker:0999940435",
    ]
    assert "nonce" not in claims


def test_hanne_is_a_citizen_at_a_public_client(estate: Estate, browser: Browser) -> None:
    arrived = browser.sign_in(browser.ask("burgerprofiel"), "hanne", "totp")
    claims = signed_in(estate, browser, "burgerprofiel", arrived)
    assert claims["rrn"] == estate.person("hanne").national_number
    assert not [name for name in claims if "_rol_" in name]


def test_a_public_client_without_pkce_is_refused(browser: Browser) -> None:
    arrived = browser.ask("burgerprofiel", code_challenge=None, code_challenge_method=None)
    assert arrived.parameters["error"] == "invalid_request"


def test_marc_reads_french_and_his_tokens_end_with_his_grant(estate: Estate, browser: Browser) -> None:
    page = browser.ask("hinderpremie", ui_locales="fr")
    assert page.language == "fr"
    arrived = browser.sign_in(page, "marc", "sms")
    tokens = estate.redeem("hinderpremie", arrived)
    assert tokens.body["expires_in"] == 3600
    assert tokens.claims["acr"] == "urn:be:vlaanderen:authmech:csamsms"


def test_tokens_are_cut_at_the_end_of_the_last_day_of_a_grant(estate: Estate, browser: Browser) -> None:
    # The estate's clock stands at 9 a.m. in Brussels: 20 days and 14.5 hours on, half an hour of Marc's grant is left.
    estate.clock.advance(20 * 86400 + 14.5 * 3600)
    arrived = browser.sign_in(browser.ask("hinderpremie"), "marc", "sms")
    tokens = estate.redeem("hinderpremie", arrived)
    assert tokens.body["expires_in"] == 1800
    assert tokens.claims["exp"] - tokens.claims["iat"] == 1800


def test_marc_is_told_that_none_of_his_keys_is_sure_enough(estate: Estate, browser: Browser) -> None:
    browser.sign_in(browser.ask("hinderpremie"), "marc", "sms")
    page = browser.ask("subsidieloket")
    assert (page.name, page.status) == ("no-access", 403)
    assert "eID" in page.words
    other = browser.click(page, "try-other")
    assert other.name == "login"
    assert "sms" not in other.keys


def test_an_is_legal_representative_without_any_grant(estate: Estate, browser: Browser) -> None:
    claims = signed_in(estate, browser, "oprichting", browser.sign_in(browser.ask("oprichting"), "an", "eid"))
    assert claims["wv_orgcode"] == "0999910147"


@pytest.mark.parametrize("person", ["hanne", "geert"])
def test_a_skill_or_an_ended_function_makes_no_legal_representative(browser: Browser, person: str) -> None:
    page = browser.sign_in(browser.ask("oprichting"), person, "eid")
    assert page.name == "no-access"


def test_fatima_is_refused_and_told_of_carla(browser: Browser) -> None:
    page = browser.sign_in(browser.ask("hinderpremie"), "fatima", "eid")
    assert (page.name, page.status) == ("no-access", 403)
    assert "U beschikt niet over de rechten om aan te melden op de toepassing" in page.words
    assert "Carla Wouters" in page.words
    assert "1700" in page.words
    arrived = browser.click(page, "back-to-application")
    assert arrived.parameters["error"] == "access_denied"
    assert arrived.parameters["state"] == "the-state"


def test_each_refusal_has_its_own_reason(estate: Estate) -> None:
    said = {}
    for person in ("fatima", "geert", "lotte", "nadia", "hanne", "an"):
        page = estate.browser()
        refused = page.sign_in(page.ask("hinderpremie", ui_locales="nl"), person, "eid")
        assert refused.name == "no-access", person
        said[person] = refused.words.replace(refused.reference, "")
    for person in ("geert", "lotte"):
        assert "Carla Wouters" in said[person]
    for person in ("nadia", "hanne"):
        assert "Carla" not in said[person]
        assert "1700" in said[person]
    assert "Gebruikersbeheer" in said["an"]
    reasons = {person: words.replace(estate.person(person).given_name, "") for person, words in said.items()}
    assert len(set(reasons.values())) == len(reasons)


def test_lotte_is_signed_in_once_her_right_has_begun(estate: Estate, browser: Browser) -> None:
    estate.pass_days(31)
    claims = signed_in(estate, browser, "hinderpremie", browser.sign_in(browser.ask("hinderpremie"), "lotte", "eid"))
    assert claims["hinderpremie_rol_3d"] == ["HinderpremieGebruiker-Medewerker:0999910147"]


def test_somebody_whom_idm_does_not_know_becomes_a_citizen(estate: Estate, browser: Browser) -> None:
    page = browser.submit(browser.ask("burgerprofiel"), ("key", "eid"))
    number = "85641299109"
    page = browser.submit(page, ("make", "card"), new_number=number, new_given_name="Nieuwe", new_family_name="Burger")
    assert number in page.options["card"]
    arrived = browser.submit(page, card=number, pin="1234")
    claims = signed_in(estate, browser, "burgerprofiel", arrived)
    assert claims["rrn"] == number
    assert claims["name"] == "Nieuwe Burger"


def test_the_clock_answers_json_whoever_asks_and_has_a_page_beside_it(estate: Estate, browser: Browser) -> None:
    asked = {"Accept": "text/html,*/*"}
    answer = estate.http().get("/simulators/clock", base_url="http://localhost:8000", headers=asked)
    assert (answer.json["offset_days"], answer.json["now"][-6:]) == (0, "+00:00")
    page = browser.submit(browser.open("/simulators/clock.html"), offset_days="31")
    assert (page.name, estate.simulated_clock.offset_days) == ("clock", 31)
