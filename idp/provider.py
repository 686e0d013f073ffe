"""The provider as one frozen value: what the flows are handed at the top, and nothing that changes.

Promises: everything that can vary (where things are kept, who signs people in, what time it is) stands here by name.
Must not know: how any of it is made.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from cryptography.x509 import Certificate

from claims.subject import subject
from idm.directory import Directory
from idm.facts import Person
from idp.authenticator import Authenticator, Enrolment, HeldKey
from idp.browser import Cookies
from idp.client_keys import ClientKeys
from idp.clients import Client
from idp.fetching import Fetching
from idp.identities import Identities
from idp.keys.keyring import Keyring
from idp.levels import Levels
from idp.outbound import Outbound
from idp.pages import Pages
from idp.records.clients import ClientRecords
from idp.records.consents import ConsentRecords
from idp.records.endings import Endings
from idp.records.grants import GrantRecords
from idp.records.outbox import OutboxRecords
from idp.records.registration_tokens import RegistrationTokens
from idp.records.sessions import SessionRecords
from idp.settings import Settings
from idp.store import Clock, Store


class Enrolled(Protocol):
    """Which keys a person is known to have."""

    def kinds(self, national_number: str) -> frozenset[str]:
        """The names of the keys."""
        ...

    def enrol(self, national_number: str, kind: str) -> None:
        """Remember that the person has this key."""
        ...

    def mark_used(self, national_number: str, kind: str) -> None:
        """Remember that this key has just been used."""
        ...

    def held(self, national_number: str) -> tuple[HeldKey, ...]:
        """Every key of a person."""
        ...

    def rename(self, national_number: str, id: str, *, name: str) -> bool:
        """Give a key of a person another name; False if they have none of this id that can have one."""
        ...

    def remove(self, national_number: str, id: str, *, others: Iterable[str]) -> bool:
        """Remove a key of a person; False if there is none, or no other of the kinds `others` would be left."""
        ...

    def phone(self, national_number: str) -> str:
        """The phone at which a person gets codes; empty if there is none."""
        ...


class Sealer(Protocol):
    """Encrypts what waits, under the master key."""

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        """The sealed text; only `open` under the same purpose reads it."""
        ...

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """The plain text; fails if it was sealed otherwise."""
        ...


class Hasher(Protocol):
    """Makes keyed hashes under the master key."""

    def keyed_hash(self, value: str, *, purpose: str) -> str:
        """A hash in hex that nobody can compute without the master key."""
        ...


@dataclass(frozen=True)
class Shortcut:
    """A sign-in by one click (simulators only): what to call it, whose key it is, and what the click answers."""

    label: str
    key: str
    answer: Mapping[str, str]


@dataclass(frozen=True)
class Provider:
    """All that the flows need."""

    settings: Settings
    clock: Clock
    store: Store
    clients: ClientRecords
    sessions: SessionRecords
    grants: GrantRecords
    consents: ConsentRecords
    outbox: OutboxRecords
    endings: Endings
    registration_tokens: RegistrationTokens
    keyring: Keyring
    hasher: Hasher
    sealer: Sealer
    directory: Directory
    identities: Identities
    authenticators: Mapping[str, Authenticator]
    enrolled: Enrolled
    levels: Levels
    fetching: Fetching
    outbound: Outbound
    client_keys: ClientKeys
    authorities: tuple[Certificate, ...]
    upstream_keyring: Keyring
    cookies: Cookies
    pages: Pages
    enrolments: Mapping[str, Enrolment] = field(default_factory=dict)
    tell: Callable[[str, str], None] = lambda _address, _text: None
    shortcuts: tuple[Shortcut, ...] = ()
    close: Callable[[], None] = lambda: None

    @property
    def key_origins(self) -> tuple[str, ...]:
        """Where digital keys are that people use elsewhere."""
        return (self.settings.itsme_issuer,) if self.settings.itsme_issuer else ()

    def now(self) -> int:
        """The time, in whole seconds."""
        return int(self.clock())

    def subject(self, person: Person, client: Client) -> str:
        """The `sub` that a client knows a person by."""
        return subject(person, client.sector, keyed_hash=lambda value: self.hasher.keyed_hash(value, purpose="subject"))

    def with_shortcuts(self, shortcuts: tuple[Shortcut, ...]) -> "Provider":
        """The same provider, with sign-ins by one click."""
        return replace(self, shortcuts=shortcuts)

    def with_messages(self, tell: Callable[[str, str], None]) -> "Provider":
        """The same provider, that brings messages (address, text) to people."""
        return replace(self, tell=tell)
