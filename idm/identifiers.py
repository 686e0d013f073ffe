"""Checked numbers: national and BIS numbers, enterprise numbers, OVO codes.

Promises: a number that comes out is well formed and its check digits are right; a message never repeats the number.
Test numbers (month + 60, which no real person has) pass only where the caller says so.
"""

import re

from stdnum.be import nn, ssn, vat
from stdnum.exceptions import ValidationError

_DIGITS = re.compile(r"[0-9]{11}")
_OVO = re.compile(r"OVO[0-9]{6}")
_TEST_MONTHS = range(60, 73)


class IdentifierInvalid(ValueError):
    """The text is not such a number; the message says which kind and why."""


def national_number(text: str, *, test_numbers: bool) -> str:
    """The eleven digits of a national or BIS number, separators aside. Raises IdentifierInvalid."""
    digits = nn.compact(text)
    if not _DIGITS.fullmatch(digits):
        raise IdentifierInvalid("A national number has eleven digits.")
    if is_test_number(digits):
        return _checked_test_number(digits, test_numbers=test_numbers)
    try:
        return ssn.validate(digits)
    except ValidationError:
        raise IdentifierInvalid("The date or the check digits of the national number are wrong.") from None


def _checked_test_number(digits: str, *, test_numbers: bool) -> str:
    if not test_numbers:
        raise IdentifierInvalid("This is a test number (month + 60); test numbers are not accepted here.")
    try:
        nn.get_birth_date(digits)  # checks the digits and the month modulo 20, and leaves the raised month alone
    except ValidationError:
        raise IdentifierInvalid("The check digits of the test number are wrong.") from None
    return digits


def is_test_number(number: str) -> bool:
    """Whether the month of these eleven digits is one of the test numbers' (60 to 72)."""
    return int(number[2:4]) in _TEST_MONTHS


def enterprise_number(text: str) -> str:
    """The ten digits of an enterprise number (KBO), separators and BE aside. Raises IdentifierInvalid."""
    try:
        return vat.validate(text)
    except ValidationError:
        raise IdentifierInvalid(
            "An enterprise number has ten digits, begins with 0 or 1 and ends in two check digits."
        ) from None


def ovo_code(text: str) -> str:
    """An OVO code in capitals. Raises IdentifierInvalid."""
    code = text.strip().upper()
    if not _OVO.fullmatch(code):
        raise IdentifierInvalid("An OVO code is OVO and six digits.")
    return code


def format_national_number(number: str) -> str:
    """The number as people write it: 85.64.12-995.05."""
    return nn.format(number)


def format_enterprise_number(number: str) -> str:
    """The number as people write it: 0999.910.147."""
    return f"{number[:4]}.{number[4:7]}.{number[7:]}"
