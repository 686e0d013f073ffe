"""Which language a person reads, and how days, times and numbers are written in it."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.languages import LANGUAGES, choose_language, local, write_day, write_grouped


@pytest.mark.parametrize(
    ("candidates", "language"),
    [
        ((), "nl"),
        (("",), "nl"),
        (("fr",), "fr"),
        (("fr-BE",), "fr"),
        (("DE_be",), "de"),
        (("it en fr",), "en"),
        (("", "de"), "de"),
        (("it", "pt", "fr"), "fr"),
        (("en", "fr"), "en"),
        (("it-IT,it;q=0.9,de;q=0.5,en;q=0.8",), "en"),
        (("fr;q=0, en;q=0.1",), "en"),
        (("fr ; q=0.2 , de; q = 0.3",), "fr"),
        (("*",), "nl"),
        (("*;q=1, de;q=0.1",), "de"),
        (("nl-BE,fr;q=0.999",), "nl"),
        (("fra",), "nl"),
        (("en;q=2, de;q=0.5",), "de"),
        (("en;q=nan, de;q=-1, fr;q=0.0001",), "nl"),
        (("en;q=٠.٥",), "nl"),
        (("ｆｒ",), "nl"),
    ],
)
def test_the_first_candidate_that_names_one_of_ours_decides(candidates: tuple[str, ...], language: str) -> None:
    assert choose_language(*candidates) == language


def test_equal_weights_keep_their_order() -> None:
    assert choose_language("de;q=0.5,fr;q=0.5,en;q=0.5") == "de"


@pytest.mark.parametrize("filler", ["x", ",", ";", " ", "q=", "-", "it,", ";q=0.", "\x00", "é"])
def test_what_stands_far_back_in_a_huge_list_is_not_read(filler: str) -> None:
    assert choose_language(filler * 500_000 + ",fr") == "nl"


@given(st.lists(st.text(max_size=400), max_size=4))
def test_any_input_gives_one_of_ours(candidates: list[str]) -> None:
    assert choose_language(*candidates) in LANGUAGES


@given(st.sampled_from(LANGUAGES), st.text(max_size=40))
def test_a_language_named_first_is_taken_whatever_follows(language: str, rest: str) -> None:
    assert choose_language(f"{language};q=1, {rest}") == language


@pytest.mark.parametrize(
    ("language", "written"),
    [("nl", "1 december 2026"), ("fr", "1 décembre 2026"), ("de", "1. Dezember 2026"), ("en", "1 December 2026")],
)
def test_a_day_is_written_in_words(language: str, written: str) -> None:
    assert write_day(date(2026, 12, 1), language) == written


def test_a_moment_is_that_of_brussels_in_winter_and_in_summer() -> None:
    assert write_day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "nl") == "1 januari 2027"
    assert local("2026-07-01T22:30:00+00:00").isoformat() == "2026-07-02T00:30:00+02:00"
    assert local(0).isoformat() == "1970-01-01T01:00:00+01:00"


def test_a_day_is_not_moved() -> None:
    assert local(date(2026, 7, 1)) == date(2026, 7, 1)


@pytest.mark.parametrize(
    ("number", "grouped"),
    [
        ("0999910147", "0999.910.147"),
        ("85641299505", "85.64.12-995.05"),
        ("999901", "999901"),
        ("OVO999505", "OVO999505"),
        ("٠٩٩٩٩١٠١٤٧", "٠٩٩٩٩١٠١٤٧"),
        ("", ""),
    ],
)
def test_enterprise_and_national_numbers_are_grouped_and_others_left(number: str, grouped: str) -> None:
    assert write_grouped(number) == grouped
