"""The sign-ins of the demo world, as people and applications see them: who gets in, for whom, with which roles."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.running import running_demo
from tests.browser.vocabulary import ACR, KORENAAR, NOORD, PEOPLE, REFUSAL, VELDEKE, Visitor

MEDEWERKER = "HinderpremieGebruiker-Medewerker"


def test_dirk_with_his_card_is_signed_in_without_a_choice(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("dirk", "eid")
    visitor.arrives("hinderpremie")
    assert visitor.who == "Dirk Maes"
    assert visitor.organisation == f"Bakkerij De Korenaar BV ({KORENAAR})"
    assert visitor.roles == [f"HinderpremieGebruiker-Indiener:{KORENAAR}"]
    assert visitor.acr == ACR["eid"]
    claims = visitor.claims
    assert (claims["vo_orgcode"], claims["vo_doelgroepcode"]) == (KORENAAR, "EA")
    assert claims["hinderpremie_rol_3d"] == visitor.roles
    assert "rrn" not in claims


def test_elif_chooses_and_the_next_application_asks_no_key_again(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("elif", "totp")
    visitor.sees("identity")
    assert set(visitor.identities) == {f"EA:{KORENAAR}", f"EA:{NOORD}"}
    visitor.choose_identity(f"EA:{NOORD}")
    visitor.arrives("hinderpremie")
    assert visitor.organisation == f"Bouwwerken Noord NV ({NOORD})"
    assert visitor.roles == [f"{MEDEWERKER}:{NOORD}"]
    assert visitor.acr == ACR["totp"]
    visitor.visit("statistiek")
    visitor.arrives("statistiek")
    assert visitor.who == "Elif Yilmaz"
    assert visitor.roles == [f"StatistiekGebruiker:{KORENAAR}", f"StatistiekGebruiker:{NOORD}"]


def test_elif_at_subsidieloket_has_one_organisation_and_two_roles(visitor: Visitor) -> None:
    visitor.visit("subsidieloket")
    visitor.sees("login")
    assert "eid" in visitor.keys
    assert not visitor.keys & {"sms", "totp", "email", "password"}
    visitor.sign_in("elif", "eid")
    visitor.arrives("subsidieloket")
    assert visitor.organisation == f"Bouwwerken Noord NV ({NOORD})"
    assert visitor.roles == [
        f"SubsidieloketGebruiker-Aanvrager:{NOORD}",
        f"SubsidieloketGebruiker-Ondertekenaar:{NOORD}",
    ]


def test_jef_comes_from_an_old_application_without_state_nonce_or_pkce(visitor: Visitor) -> None:
    visitor.visit("loketlb")
    visitor.sign_in("jef", "sms")
    visitor.arrives("loketlb")
    assert visitor.roles == [f"LoketLB-berichtenGebruiker:{VELDEKE}", f"LoketLB-mandaatGebruiker:{VELDEKE}"]
    assert visitor.acr == ACR["sms"]
    assert "nonce" not in visitor.claims


def test_hanne_is_a_citizen_at_a_public_application(visitor: Visitor) -> None:
    visitor.visit("burgerprofiel")
    visitor.sign_in("hanne", "totp")
    visitor.arrives("burgerprofiel")
    assert (visitor.who, visitor.organisation) == ("Hanne Willems", "voor uzelf")
    assert visitor.claims["rrn"] == PEOPLE["hanne"]["insz"]
    expect(visitor.page.locator("#no-roles")).to_be_visible()


def test_a_public_application_without_pkce_is_refused_before_any_key_is_asked(visitor: Visitor) -> None:
    callback = f"{visitor.demo.application('burgerprofiel')}callback"
    asked = {"client_id": "burgerprofiel", "redirect_uri": callback, "response_type": "code", "scope": "openid"}
    visitor.page.goto(visitor.demo.at(f"/op/v1/auth?{urlencode(asked)}"))
    visitor.is_refused("burgerprofiel", "invalid_request")


def test_marc_reads_french_and_his_token_ends_with_his_grant(visitor: Visitor) -> None:
    visitor.visit("hinderpremie", ui_locales="fr")
    visitor.choose_key("sms")
    visitor.sees("password")
    assert visitor.language == "fr"
    expect(visitor.page.locator("label[for=password]")).to_have_text("Mot de passe")
    visitor.give_password("marc")
    visitor.sees("code")
    assert visitor.language == "fr"
    visitor.page.fill("#code", visitor.code("marc", "sms"))
    visitor.page.click("#code-submit")
    visitor.arrives("hinderpremie")
    assert visitor.roles == [f"{MEDEWERKER}:{KORENAAR}"]
    claims = visitor.claims
    assert 0 < claims["exp"] - claims["iat"] <= 3600


def test_marc_is_told_that_none_of_his_keys_is_sure_enough_and_how_to_get_one(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("marc", "sms")
    visitor.arrives("hinderpremie")
    visitor.visit("subsidieloket")
    visitor.sees("no-access")
    assert "Hoe krijgt u een sterkere sleutel?" in visitor.words
    assert "eID" in visitor.words
    visitor.page.click("#try-other")
    visitor.sees("login")
    assert "sms" not in visitor.keys


def test_elif_opens_statistiek_for_all_her_organisations_at_once(visitor: Visitor) -> None:
    visitor.visit("statistiek")
    visitor.sign_in("elif", "eid")
    visitor.arrives("statistiek")
    assert visitor.organisation == visitor.claims["vo_doelgroepnaam"]
    assert visitor.claims["vo_doelgroepcode"] == "EA"
    assert visitor.roles == [f"StatistiekGebruiker:{KORENAAR}", f"StatistiekGebruiker:{NOORD}"]


def test_an_is_legal_representative_without_any_grant(visitor: Visitor) -> None:
    visitor.visit("oprichting")
    visitor.sign_in("an", "eid")
    visitor.arrives("oprichting")
    assert visitor.claims["wv_orgcode"] == KORENAAR
    assert KORENAAR in visitor.organisation


REFUSED = {
    "fatima": "maar u hebt daar nog geen recht voor Hinderpremie",
    "geert": "liep tot en met",
    "lotte": "begint op",
    "nadia": "U werkte voor Bakkerij De Korenaar BV tot en met",
    "hanne": "We vinden geen organisatie waarvoor u werkt",
    "an": "U hebt zelf nog geen recht voor Hinderpremie",
}
TOLD_WHO = {"fatima", "geert", "lotte"}


@pytest.mark.parametrize("person", REFUSED)
def test_a_refusal_says_why_and_names_administrators_only_to_colleagues(visitor: Visitor, person: str) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in(person, "eid")
    visitor.sees("no-access")
    expect(visitor.page.locator("h1#no-access")).to_have_text(REFUSAL)
    assert REFUSED[person] in visitor.words
    assert [reason for other, reason in REFUSED.items() if other != person and reason in visitor.words] == []
    assert ("Carla Wouters" in visitor.words) is (person in TOLD_WHO)
    assert visitor.page.locator(".administrator").count() == (person in TOLD_WHO)
    assert ("U mag daar rechten geven in Gebruikersbeheer" in visitor.words) is (person == "an")
    assert "1700" in visitor.words
    expect(visitor.page.locator("#no-access-reference")).not_to_be_empty()


def test_from_a_refusal_the_way_back_tells_the_application(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("fatima", "eid")
    visitor.sees("no-access")
    visitor.page.click("#back-to-application")
    visitor.is_refused("hinderpremie", "access_denied")
    expect(visitor.page.locator("#reason")).to_contain_text("of u hebt geen recht voor deze dienst")


def test_from_a_refusal_somebody_else_can_sign_in(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("fatima", "eid")
    visitor.sees("no-access")
    visitor.page.click("#try-other")
    visitor.sign_in("dirk", "eid")
    visitor.arrives("hinderpremie")
    assert visitor.who == "Dirk Maes"


def test_lotte_is_signed_in_once_her_right_has_begun(new_visitor: NewVisitor) -> None:
    with running_demo() as own:  # its clock is nobody else's
        visitor = new_visitor(own)
        visitor.set_clock(31)
        visitor.visit("hinderpremie")
        visitor.sign_in("lotte", "eid")
        visitor.arrives("hinderpremie")
        assert visitor.roles == [f"{MEDEWERKER}:{KORENAAR}"]
        visitor.set_clock(0)
        today = new_visitor(own)
        today.visit("hinderpremie")
        today.sign_in("lotte", "eid")
        today.sees("no-access")
