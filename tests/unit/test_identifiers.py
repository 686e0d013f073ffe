"""Numbers: what is accepted, in which spelling, and what a refusal says."""

import pytest

from idm.identifiers import (
    IdentifierInvalid,
    enterprise_number,
    format_enterprise_number,
    format_national_number,
    is_test_number,
    national_number,
    ovo_code,
)


@pytest.mark.parametrize("text", ["85073003328", "85.07.30-033.28", " 85 07 30 033 28 ", "17073003384"])
def test_a_national_number_is_read_with_or_without_separators(text: str) -> None:
    assert national_number(text, test_numbers=False) in {"85073003328", "17073003384"}


@pytest.mark.parametrize("text", ["98472899765", "01490700185"])
def test_a_bis_number_is_a_national_number(text: str) -> None:
    assert national_number(text, test_numbers=False) == text


@pytest.mark.parametrize("text", ["67621546751", "41620999332", "94683186177", "00600099734", "85.64.12-995.05"])
def test_a_test_number_passes_only_where_test_numbers_are_on(text: str) -> None:
    assert is_test_number(national_number(text, test_numbers=True))
    with pytest.raises(IdentifierInvalid, match="test number"):
        national_number(text, test_numbers=False)


@pytest.mark.parametrize(
    "text",
    ["", "8507300332", "850730033281", "85073003329", "85133003328", "85641299506", "abc", "٨٥٠٧٣٠٠٣٣٢٨", "0" * 11],
)
def test_what_is_no_national_number_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(IdentifierInvalid) as refused:
        national_number(text, test_numbers=True)
    assert str(refused.value).endswith(".")
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("month", [73, 74, 80, 99])
def test_a_month_beyond_those_of_test_numbers_is_refused(month: int) -> None:
    nine = f"85{month}12995"
    number = f"{nine}{97 - int(nine) % 97:02}"
    with pytest.raises(IdentifierInvalid):
        national_number(number, test_numbers=True)


@pytest.mark.parametrize("text", ["0999910147", "0999.910.147", "BE 0999.910.147", "999910147"])
def test_an_enterprise_number_is_read_in_each_usual_spelling(text: str) -> None:
    assert enterprise_number(text) == "0999910147"


@pytest.mark.parametrize("text", ["", "0999910148", "2999910147", "09999101477", "OVO999505"])
def test_what_is_no_enterprise_number_is_refused(text: str) -> None:
    with pytest.raises(IdentifierInvalid, match="enterprise number"):
        enterprise_number(text)


def test_an_ovo_code_is_put_in_capitals() -> None:
    assert ovo_code(" ovo999505 ") == "OVO999505"


@pytest.mark.parametrize("text", ["", "OVO12345", "OVO1234567", "0999910147", "OVO12345\N{SUPERSCRIPT TWO}"])
def test_what_is_no_ovo_code_is_refused(text: str) -> None:
    with pytest.raises(IdentifierInvalid, match="OVO"):
        ovo_code(text)


def test_numbers_are_shown_as_people_write_them() -> None:
    assert format_national_number("85641299505") == "85.64.12-995.05"
    assert format_enterprise_number("0999910147") == "0999.910.147"
