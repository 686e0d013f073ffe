"""The protocol of a digital key: two verbs, `begin` and `finish`, and the values that they speak in.

Promises: a key answers with an identifier or fails; it never says who the person is to us, what level was asked, or
where the browser goes next. Must not know: idm, sessions, clients, Flask.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Means:
    """What a key proves: the URN that becomes `acr`, and its level (0 to 40, higher is surer)."""

    urn: str
    level: int


@dataclass(frozen=True)
class Attempt:
    """One try to sign in with one key, in one browser; `id` is unguessable and stays the same from `begin` on.

    `origin` is the scheme, host and port of the page (Web eID signs it); `hint` the identifier that the application
    expects, if it said so; `locale` the language of the page (messages to the person are written in it).
    """

    id: str
    origin: str
    locale: str = "nl"
    hint: str = ""
    application: str = ""


@dataclass(frozen=True)
class Page:
    """A page to show: the template, its `data-page` name and its values. Its form posts back to `finish`."""

    template: str
    name: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Redirect:
    """Another address where the person goes on, with the attempt's id as `state`.

    The browser comes back to `{origin}/op/v1/auth/{name of the key}/callback`, a fixed address that can be registered
    there; its parameters are the answer that `finish` is given. The policy of our pages has to know the origin of the
    address (`Provider.key_origins`).
    """

    url: str


@dataclass(frozen=True)
class Identification:
    """Who was proven to sit there: the national number, and the names if the key carries them from a trusted source.

    `methods` are those of this very use, where they are others than the key's usual ones.
    """

    national_number: str
    given_name: str = ""
    family_name: str = ""
    methods: tuple[str, ...] = ()


class AuthenticationFailed(Exception):
    """The person is not proven. `reason` is for the log alone; `page` is what to show, and tells nothing of it."""

    def __init__(self, reason: str, page: Page) -> None:
        super().__init__(reason)
        self.reason = reason
        self.page = page


class Authenticator(Protocol):
    """A digital key. `methods` are the values of `amr` (RFC 8176)."""

    @property
    def name(self) -> str: ...

    @property
    def means(self) -> Means: ...

    @property
    def methods(self) -> tuple[str, ...]: ...

    def begin(self, attempt: Attempt) -> Page | Redirect:
        """Show the first page, or send the person to where the key is used; else AuthenticationFailed."""
        ...

    def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identification | Page | Redirect:
        """Take the person's answer: who it is, or the next page of the same key; else AuthenticationFailed."""
        ...


@dataclass(frozen=True)
class HeldKey:
    """A key that a person has: its kind, the name that they gave it, since when we know it, and when it was last used.

    `is_ours` means that it is enrolled here and can be removed here; `has_name` that it can be named.
    """

    id: str
    kind: str
    created_at: int
    last_used_at: int | None
    name: str = ""
    is_ours: bool = False
    has_name: bool = False


@dataclass(frozen=True)
class Applicant:
    """Who adds a key, in one session of one browser; `id` is unguessable and stays the same from `begin` on.

    `name` is the person's, as the person knows it.
    """

    id: str
    origin: str
    national_number: str
    name: str


class EnrolmentFailed(Exception):
    """The key is not added. `reason` is for the log alone; `page` is what to show."""

    def __init__(self, reason: str, page: Page) -> None:
        super().__init__(reason)
        self.reason = reason
        self.page = page


class Enrolment(Protocol):
    """How people add a key of one kind by themselves; `kind` is the name of the key."""

    @property
    def kind(self) -> str: ...

    def needed_level(self, national_number: str) -> int:
        """How surely this person has to be signed in to add one."""
        ...

    def begin(self, applicant: Applicant) -> Page:
        """The page that adds it. Its form posts back to `finish`."""
        ...

    def finish(self, applicant: Applicant, answer: Mapping[str, str]) -> str:
        """Add the key; the id under which it is now held. EnrolmentFailed if nothing was added."""
        ...

    def picture(self, applicant: Applicant) -> bytes:
        """The picture (SVG) that its page shows; empty if there is none."""
        ...
