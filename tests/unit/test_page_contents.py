"""What each page says and offers, state by state."""

import re
from collections import Counter
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from idp.pages import Asking, Frame, Pages, translatable
from tests.unit.page_reading import Reading, pages, reading, sample
from tests.unit.page_samples import ROOT, SAMPLES
from tests.unit.page_values import CODE, ERROR, LOGIN


def test_only_the_form_post_page_has_a_script_and_it_is_ours() -> None:
    assert [a["src"] for a in reading("flows/form_post.html", "plain").all("script")] == [
        pages().static_url("form-post.js")
    ]


def test_the_answer_to_an_application_carries_each_field_escaped() -> None:
    fields = {a["name"]: a["value"] for a in reading("flows/form_post.html", "plain").all("input")}
    assert fields == {"code": "c", "state": '"><script>'}


def test_the_key_used_last_stands_first_and_each_key_once() -> None:
    keys = [a["value"] for a in reading("flows/login.html", "plain").all("button")]
    assert keys == ["itsme", "eid", "totp", "passkey", "sms", "acme"]


def test_a_key_of_a_third_party_is_called_by_its_label() -> None:
    assert "Acme-pas" in reading("flows/login.html", "plain").words()


def test_keys_that_fall_short_are_named_with_what_is_asked() -> None:
    words = reading("flows/login.html", "plain").words()
    assert "Hinderpremie vraagt een sleutel waarvan de zekerheid minstens gemiddeld is" in words
    assert "Wachtwoord (zekerheid: laag)" in words


def test_keys_left_out_for_another_reason_than_their_level_are_not_called_weak() -> None:
    words = reading("flows/login.html", "by list").words()
    assert "Hinderpremie aanvaardt deze sleutels niet:" in words
    assert "minstens" not in words


def test_a_step_up_tells_who_is_signed_in() -> None:
    assert "U bent aangemeld als Elif Yilmaz." in reading("flows/login.html", "step-up").words()


def test_a_persona_is_one_form_with_all_its_fields() -> None:
    page = reading("flows/login.html", "personas")
    assert [form["action"] for form in page.all("form")][1:] == ["/op/v1/auth/q1/login/eid"] * 4
    assert [a["value"] for a in page.all("input") if a["name"] == "pin"] == ["1234"] * 4


def test_the_card_of_the_person_is_in_the_reader_else_the_first() -> None:
    def chosen(state: str) -> list[str]:
        options = reading("authenticators/eid.html", state).all("option")
        return [option["value"] for option in options if "selected" in option]

    assert chosen("plain") == ["89661799748"]
    assert chosen("wrong card") == ["68641299833"]


def test_what_the_client_registered_is_shown_on_the_password_page() -> None:
    page = reading("authenticators/password.html", "sms")
    assert [hook for hook in ("img#client-logo", "a#client-policy", "a#client-tos") if not page.has(hook)] == []


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "JAVASCRIPT:x", ""])
def test_an_address_that_is_not_of_the_web_never_becomes_a_link_or_a_picture(address: str) -> None:
    frame = Frame("nl", "/", asking=Asking("x", logo_uri=address, policy_uri=address, tos_uri=address))
    one = sample("authenticators/password.html", "sms")
    page = Reading(pages().render(one.template, one.name, values=one.values, frame=frame))
    assert [hook for hook in ("#client-logo", "#client-policy", "#client-tos") if page.has(hook)] == []


def test_the_names_of_an_application_are_escaped_also_inside_sentences() -> None:
    frame = Frame("nl", "/", asking=Asking("<b>%(x)s", '"&'))
    page = pages().render("flows/login.html", "login", values={**LOGIN, "level": 25}, frame=frame)
    assert "&lt;b&gt;%(x)s" in page
    assert "<b>%" not in page


@pytest.mark.parametrize(
    ("state", "shown", "hidden"),
    [
        ("sms", ["#code", "#code-submit", "#code-resend"], []),
        ("exhausted", ["#code-resend"], ["#code", "#code-submit"]),
        ("totp", ["#code", "#code-submit"], ["#code-resend"]),
        ("totp exhausted", [], ["#code", "#code-submit", "#code-resend"]),
    ],
)
def test_a_code_is_asked_as_long_as_one_can_be_given(state: str, shown: list[str], hidden: list[str]) -> None:
    page = reading("authenticators/code.html", state)
    assert [page.has(hook) for hook in shown + hidden] == [True] * len(shown) + [False] * len(hidden)


def test_the_code_page_says_until_when_and_how_often() -> None:
    words = reading("authenticators/code.html", "wrong").words()
    assert "De code werkt tot 12.12 uur. U kunt nog 1 keer proberen." in words


def test_organisations_stand_before_oneself_and_a_few_have_no_search() -> None:
    page = reading("flows/identity.html", "few")
    assert [a["value"] for a in page.all("button")] == ["EA:0999910147", "EA:0999920243", "LB:0999940435", "BUR:"]
    assert not page.has("#zoek")


def test_the_last_choice_stands_first_and_once() -> None:
    page = reading("flows/identity.html", "last chosen")
    assert [a["value"] for a in page.all("button")] == ["EA:0999920243", "EA:0999910147", "LB:0999940435", "BUR:"]


def test_many_identities_have_search_and_pages_that_keep_the_search() -> None:
    page = reading("flows/identity.html", "middle")
    links = [a["href"] for a in page.all("a") if "blad" in a["href"] and "lang" not in a]
    assert links == ["/op/v1/auth/q1?zoek=&blad=2", "/op/v1/auth/q1?zoek=&blad=4"]
    assert page.has("input#zoek[name=zoek]")


def test_an_identity_tells_roles_number_and_last_day() -> None:
    words = reading("flows/identity.html", "few").words()
    assert "0999.920.243" in words
    assert "U bent daar Aanvrager, Medewerker en Ondertekenaar" in words
    assert "Tot en met 14 december 2026" in words
    assert "Nog 20 dagen" in words


def test_a_choice_of_target_group_names_its_organisations() -> None:
    words = reading("flows/identity.html", "together").words()
    assert "Mijn ondernemingen" in words
    assert "Bakkerij De Korenaar BV, Bouwwerken Noord NV" in words


def test_the_refusal_is_the_fixed_sentence() -> None:
    words = reading("flows/no_access.html", "no right").words()
    assert "U beschikt niet over de rechten om aan te melden op de toepassing" in words
    assert "T7K2-94QX" in words
    assert "1700" in words


def test_each_reason_is_told_in_a_sentence_of_its_own() -> None:
    states = [
        one.state for one in SAMPLES if one.template == "flows/no_access.html" and one.state.endswith("2026-12-14")
    ]
    told = [
        re.sub(r".*Wat er ontbreekt(.*?)(Hulp nodig|Hoe krijgt).*", r"\1", reading("flows/no_access.html", s).words())
        for s in states
    ]
    assert len(states) == 14
    assert len(set(told)) == 14


def test_administrators_are_shown_only_where_they_are_handed_in() -> None:
    assert (
        Counter(
            "administrator" in a.get("class", "").split() for a in reading("flows/no_access.html", "no right").all("li")
        )[True]
        == 2
    )
    assert "Lokale Beheerder" not in reading("flows/no_access.html", "no_work_relation None").words()


def test_someone_with_authority_is_told_that_they_may_give_the_right() -> None:
    assert "Bakkerij De Korenaar BV en Bouwwerken Noord NV" in reading("flows/no_access.html", "own").words()


def test_ways_out_are_left_out_when_there_are_none() -> None:
    page, alone = reading("flows/no_access.html", "two"), reading("flows/no_access.html", "no_right None")
    assert [page.has(hook) for hook in ("#try-other", "#back-to-application")] == [True, True]
    assert [alone.has(hook) for hook in ("#try-other", "#back-to-application")] == [False, False]


def test_what_explains_an_error_is_translated_and_never_markup() -> None:
    frame = Frame("fr", "/")
    shown = {**ERROR, "explanation": "<b>100%</b>", "advice": [translatable("Ga verder")]}
    page = pages().render("flows/error.html", "error", values=shown, frame=frame)
    assert "&lt;b&gt;100%&lt;/b&gt;" in page
    assert "<li>Continuer</li>" in page


def test_a_value_that_a_template_needs_and_does_not_get_is_an_error() -> None:
    values = {name: value for name, value in CODE.items() if name != "destination"}
    with pytest.raises(UndefinedError, match="destination"):
        pages().render("authenticators/code.html", "code", values=values, frame=Frame("nl", "/"))


@pytest.mark.parametrize(("path", "link"), [("/a", "/a?ui_locales=fr"), ("/a?b=c", "/a?b=c&ui_locales=fr")])
def test_a_language_is_a_link_to_this_same_page(path: str, link: str) -> None:
    page = Reading(pages().render("help.html", "help", values={}, frame=Frame("nl", path)))
    assert [a["href"] for a in page.all("a") if a.get("lang") == "fr"] == [link]


def test_a_helpdesk_without_a_number_is_no_telephone_link() -> None:
    def numbers(helpdesk: str) -> set[str]:
        page = Reading(pages().render("help.html", "help", values={}, frame=Frame("nl", "/", helpdesk=helpdesk)))
        return {a["href"] for a in page.all("a") if "tel" in a["href"]}

    assert numbers("+32 2 553 17 00") == {"tel:+3225531700"}
    assert numbers("hulp@example.be") == set()


def test_a_static_file_has_its_version_in_its_address(tmp_path: Path) -> None:
    for folder in ("templates", "static"):
        (tmp_path / folder).mkdir()
    file = tmp_path / "static" / "style.css"
    file.write_text("a")
    first = Pages(tmp_path / "templates", ROOT / "translations", static=tmp_path / "static").static_url("style.css")
    file.write_text("b")
    second = Pages(tmp_path / "templates", ROOT / "translations", static=tmp_path / "static").static_url("style.css")
    assert re.fullmatch(r"/static/style\.css\?v=[0-9a-f]{12}", first)
    assert first != second
    with pytest.raises(KeyError):
        pages().static_url("../pyproject.toml")


def test_a_sentence_outside_a_page_is_translated_and_filled() -> None:
    assert pages().sentence("fr", "%(hour)s.%(minute)s uur", hour="14", minute="02") == "14\u00a0h\u00a002"
    assert pages().sentence("nl", "Ga verder") == "Ga verder"
    assert pages().sentence("de", "Dit staat nergens") == "Dit staat nergens"


@pytest.mark.parametrize(
    ("level", "word", "icon"), [(27, "hoog", 3), (26, "gemiddeld", 2), (25, "gemiddeld", 2), (24, "laag", 1)]
)
def test_a_level_is_a_word_and_its_bars(level: int, word: str, icon: int) -> None:
    shown = {**LOGIN, "keys": [{"name": "eid", "level": level}], "missing_keys": []}
    page = pages().render("flows/login.html", "login", values=shown, frame=Frame("nl", "/"))
    assert f"Zekerheid: {word}" in page
    assert f"icons/level-{icon}.svg" in page
