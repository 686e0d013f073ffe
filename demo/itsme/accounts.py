"""Who has itsme in a world: the invented people with that key, by their telephone.

Promises: a number that nobody has is no error. Must not know: sign-ins, tokens.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

CLAIM = "http://itsme.services/v2/claim/"
PHONE = re.compile(r"\+[1-9][0-9]{7,14}", re.ASCII)


@dataclass(frozen=True)
class Account:
    """An account with itsme."""

    phone: str
    national_number: str
    given_name: str
    family_name: str
    locale: str

    @property
    def sub(self) -> str:
        """The account's name towards relying parties: 36 characters, as the real ones have."""
        return sha256(f"itsme {self.phone}".encode()).hexdigest()[:36]

    @property
    def claims(self) -> dict[str, Any]:
        """All that can be told of the person."""
        return {
            "name": f"{self.given_name} {self.family_name}",
            "given_name": self.given_name,
            "family_name": self.family_name,
            "locale": self.locale.upper(),
            "phone_number": f"{self.phone[:3]} {self.phone[3:]}",
            "phone_number_verified": True,
            f"{CLAIM}BENationalNumber": self.national_number,
        }


SCOPES: Mapping[str, tuple[str, ...]] = {
    "profile": ("name", "given_name", "family_name", "locale"),
    "phone": ("phone_number", "phone_number_verified"),
    "eid": (f"{CLAIM}BENationalNumber",),
}
"""What each scope tells, at userinfo alone."""


class Accounts:
    """The accounts, by telephone."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._accounts = {account.phone: account for account in accounts}

    def find(self, phone: str) -> Account | None:
        """The account at this number; None if there is none."""
        return self._accounts.get(phone)


def read_accounts(world: Path) -> Accounts:
    """The accounts of the people of a world who have itsme."""
    people = json.loads(world.read_text(encoding="utf-8"))["persons"]
    return Accounts(
        Account(person["phone"], person["insz"], person["given_name"], person["family_name"], person["locale"])
        for person in people
        if "itsme" in person["keys"]
    )


def read_phone(typed: str) -> str:
    """The number in E.164, also where it was typed as one of Belgium; ValueError if it is none."""
    dense = re.sub(r"[\s./()-]", "", typed[:40])
    if dense.startswith("00"):
        dense = f"+{dense[2:]}"
    elif dense.startswith("0"):
        dense = f"+32{dense[1:]}"
    if not PHONE.fullmatch(dense):
        raise ValueError("not a telephone number")
    return dense
