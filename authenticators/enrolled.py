"""What a person has enrolled, of every kind together: the keys one has one of, and passkeys.

Promises: to whoever asks what a person has, a passkey is a key like any other; only what was enrolled here is removed
here, and never the last key of those that the caller wants to stay. Must not know: who asks.
"""

from collections.abc import Iterable

from authenticators.credentials import Credentials
from authenticators.passkeys import Passkeys
from idp.authenticator import HeldKey

PASSKEY = "passkey"
REMOVABLE = frozenset({"totp"})
LONGEST_NAME = 40


class EnrolledKeys:
    """The keys of everybody."""

    def __init__(self, credentials: Credentials, passkeys: Passkeys) -> None:
        self._credentials = credentials
        self._passkeys = passkeys

    def kinds(self, national_number: str) -> frozenset[str]:
        """The names of this person's keys."""
        has_passkey = self._passkeys.has_any(national_number)
        return self._credentials.kinds(national_number) | ({PASSKEY} if has_passkey else set())

    def enrol(self, national_number: str, kind: str) -> None:
        """Remember that the person has this key; a passkey is remembered by itself."""
        if kind != PASSKEY:
            self._credentials.enrol(national_number, kind)

    def mark_used(self, national_number: str, kind: str) -> None:
        """Remember that this key has just been used; a passkey remembers it by itself."""
        if kind != PASSKEY:
            self._credentials.mark_used(national_number, kind)

    def held(self, national_number: str) -> tuple[HeldKey, ...]:
        """Every key of this person: those of which there is one, then the passkeys, each the oldest first."""
        single = tuple(
            HeldKey(kind, kind, created_at, last_used_at, is_ours=kind in REMOVABLE)
            for kind, created_at, last_used_at in self._credentials.rows(national_number)
        )
        several = tuple(
            HeldKey(one.id, PASSKEY, one.created_at, one.last_used_at, one.name, is_ours=True, has_name=True)
            for one in self._passkeys.of_person(national_number)
        )
        return (*single, *several)

    def rename(self, national_number: str, id: str, *, name: str) -> bool:
        """Give a key of this person another name; False if there is none of this id that can have one."""
        return self._passkeys.rename(national_number, id, name=spelled(name))

    def remove(self, national_number: str, id: str, *, others: Iterable[str]) -> bool:
        """Remove a key of this person; False if there is none, or no other of the kinds `others` would be left."""
        if id in REMOVABLE:
            return self._passkeys.remove_credential(national_number, id, others=others)
        return self._passkeys.remove(national_number, id, others=others)

    def phone(self, national_number: str) -> str:
        """The phone at which this person gets codes; empty if none is enrolled."""
        return self._credentials.phone(national_number) or ""


def spelled(name: str) -> str:
    """A name as it is kept: one line, not long, and nothing that is not for showing."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST_NAME].strip()
