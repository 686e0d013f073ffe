"""Mijn digitale sleutels: a person sees their keys, adds some, and names or removes those that were enrolled here.

Promises: nobody sees or changes what is another's; a change needs a sign-in of the last minutes, as sure as the key
itself, and is told to the person by other ways than the one that made it. The last key that is sure enough stays.
Must not know: how a key works, or how a message travels.
"""

import logging
from dataclasses import dataclass
from hashlib import sha256

from idp.authenticator import Applicant, Enrolment, EnrolmentFailed, HeldKey, Page
from idp.errors import InvalidRequest
from idp.flows.ending import end_session
from idp.flows.failure import NotFound
from idp.flows.login import full_name
from idp.flows.own_pages import Need, Visitor, visitor
from idp.flows.screen import Occasion, language_of, show
from idp.http import Answer, Request, see_other, with_query
from idp.languages import translatable
from idp.provider import Provider
from idp.store import Ticket
from idp.tickets import new_secret

log = logging.getLogger(__name__)

ADDRESS = "/sleutels/"
FRESH_SECONDS = 300
TOLD_SECONDS = 300
BEGUN_LENGTH = 43
LONGEST_ID = 64
SECURE_LEVEL = 26
"""From here on a key is sure enough to add others: one of these has to stay, or nobody gets back to this page."""

# No name that a person gave stands in a message: who got in would have us send words of theirs.
MESSAGES = {
    "added": translatable("Toegang: er is een digitale sleutel toegevoegd: %(key)s. Was u dat niet? Bel %(helpdesk)s."),
    "removed": translatable(
        "Toegang: er is een digitale sleutel verwijderd: %(key)s. Was u dat niet? Bel %(helpdesk)s."
    ),
    "renamed": translatable(
        "Toegang: een digitale sleutel kreeg een andere naam: %(key)s. Was u dat niet? Bel %(helpdesk)s."
    ),
}
KINDS = {"passkey": translatable("Toegangssleutel (passkey)"), "totp": translatable("Code via een app")}


class ChangeTold(Ticket, frozen=True, kw_only=True):
    """A change that the page has yet to tell of, to the session that made it."""

    sid: str
    change: str
    kind: str


@dataclass(frozen=True)
class Listed:
    """A key as the list shows it; `level` is 0 where no key of its kind can be used here."""

    key: HeldKey
    level: int

    @property
    def url(self) -> str:
        """Where it is changed; empty if it cannot be changed here."""
        return address_of(self.key) if self.key.is_ours else ""


class KeysPage:
    """`/sleutels/…`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._told = provider.store.repository(ChangeTold)

    def page(self, request: Request) -> Answer:
        """The keys of whoever is signed in; on to the sign-in if nobody is."""
        found = visitor(self._provider, request, address=ADDRESS)
        if isinstance(found, Answer):
            return found
        told = self._told.get(request.query_parameters().get("told", "")[:BEGUN_LENGTH])
        is_own = told is not None and told.sid == found.session.sid
        held = self._held(found)
        values = {
            "keys": [Listed(key, self._level(key.kind)) for key in held],
            "addable": [(kind, address_to_add(kind)) for kind in self._provider.enrolments],
            "kinds": {key.kind for key in held},
            "change": told.change if told and is_own else "",
            "changed_kind": told.kind if told and is_own else "",
        }
        return self._show(request, found, page=Page("flows/keys.html", "keys", values))

    def add(self, request: Request) -> Answer:
        """The page that adds a key of one kind, for whoever has just signed in as surely as that needs."""
        enrolment = self._enrolment(request)
        found = self._changer(request, address=address_to_add(enrolment.kind), enrolment=enrolment)
        if isinstance(found, Answer):
            return found
        begun = new_secret()
        page = enrolment.begin(self._applicant(request, found, kind=enrolment.kind, begun=begun))
        return self._show_adding(request, found, page=page, begun=begun)

    def added(self, request: Request) -> Answer:
        """Add the key that the page's form brings, or show the page again."""
        self._provider.cookies.check_form(request)
        enrolment = self._enrolment(request)
        found = self._changer(request, address=address_to_add(enrolment.kind), enrolment=enrolment)
        if isinstance(found, Answer):
            return found
        begun = begun_of(request)
        applicant = self._applicant(request, found, kind=enrolment.kind, begun=begun)
        try:
            id = enrolment.finish(applicant, self._provider.cookies.check_form(request))
        except EnrolmentFailed as failure:
            log.info("key not added: kind=%s person=%s reason=%s", enrolment.kind, found.person.id, failure.reason)
            return self._show_adding(request, found, page=failure.page, begun=begun)
        return self._changed(request, found, change="added", key=HeldKey(id, enrolment.kind, 0, None))

    def picture(self, request: Request) -> Answer:
        """The picture of the page that adds a key; NotFound for anybody else than whom the page was shown to."""
        enrolment = self._enrolment(request)
        found = self._changer(request, address=address_to_add(enrolment.kind), enrolment=enrolment)
        if isinstance(found, Answer):
            raise NotFound("No such picture.")
        drawn = enrolment.picture(self._applicant(request, found, kind=enrolment.kind, begun=begun_of(request)))
        if not drawn:
            raise NotFound("No such picture.")
        return Answer(200, (("Content-Type", "image/svg+xml"), ("Cache-Control", "no-store")), drawn)

    def key(self, request: Request) -> Answer:
        """The page of one key, for whoever has just signed in as surely as that key does."""
        found = self._key(request)
        if isinstance(found, Answer):
            return found
        return self._show_key(request, found[0], key=found[1])

    def change(self, request: Request) -> Answer:
        """Rename or remove a key. InvalidRequest for anything else."""
        form = self._provider.cookies.check_form(request)
        found = self._key(request)
        if isinstance(found, Answer):
            return found
        who, key = found
        number, wish = who.person.national_number, form.get("change", "")
        if wish == "rename" and key.has_name:
            is_done = self._provider.enrolled.rename(number, key.id, name=form.get("name", ""))
            return self._changed(request, who, change="renamed", key=key) if is_done else see_other(ADDRESS)
        if wish != "remove":
            raise InvalidRequest("Rename or remove it.")
        if self._provider.enrolled.remove(number, key.id, others=self._surer(key)):
            self._end_elsewhere(who, key)
            return self._changed(request, who, change="removed", key=key)
        log.info("key not removed: person=%s kind=%s key=%s reason=last", who.person.id, key.kind, key.id[:16])
        return self._show_key(request, who, key=key, is_last=True)

    def _end_elsewhere(self, who: Visitor, key: HeldKey) -> None:
        # Whoever removes a key may have lost it: nobody stays signed in elsewhere by a key of that kind.
        for session in self._provider.sessions.of_person(who.person.id):
            if session.sid != who.session.sid and key.kind in {used.key for used in session.authentications}:
                end_session(self._provider, session)

    def _enrolment(self, request: Request) -> Enrolment:
        found = self._provider.enrolments.get(request.path["kind"])
        if found is None:
            raise NotFound("No key of this kind can be added here.")
        return found

    def _changer(self, request: Request, *, address: str, enrolment: Enrolment) -> Visitor | Answer:
        # Twice: how sure one has to be may depend on who it is.
        found = visitor(self._provider, request, address=address, need=need_of(SECURE_LEVEL))
        if isinstance(found, Answer):
            return found
        level = enrolment.needed_level(found.person.national_number)
        return visitor(self._provider, request, address=address, need=need_of(level))

    def _key(self, request: Request) -> tuple[Visitor, HeldKey] | Answer:
        id = request.path["id"]
        address = f"{ADDRESS}sleutel/{id}" if id.isascii() and id.isalnum() and len(id) <= LONGEST_ID else ADDRESS
        # First who it is, then what is theirs: of what is nobody's or another's, all get the same answer.
        found = visitor(self._provider, request, address=address)
        if isinstance(found, Answer):
            return found
        key = next((one for one in self._held(found) if one.id == id and one.is_ours), None)
        if key is None:
            return see_other(ADDRESS)
        sure = visitor(self._provider, request, address=address, need=need_of(self._level(key.kind)))
        return sure if isinstance(sure, Answer) else (sure, key)

    def _changed(self, request: Request, who: Visitor, *, change: str, key: HeldKey) -> Answer:
        log.info("key %s: person=%s kind=%s key=%s", change, who.person.id, key.kind, key.id[:16])
        self._tell(request, who, change=change, kind=key.kind)
        expires_at = self._provider.now() + TOLD_SECONDS
        told = ChangeTold(id=new_secret(), expires_at=expires_at, sid=who.session.sid, change=change, kind=key.kind)
        self._told.add(told)
        return see_other(with_query(ADDRESS, [("told", told.id)]))

    def _tell(self, request: Request, who: Visitor, *, change: str, kind: str) -> None:
        language = language_of(self._provider, request, occasion=Occasion(locale=who.person.locale))
        words = self._provider.pages.sentence
        key = words(language, KINDS[kind]) if kind in KINDS else kind
        text = words(language, MESSAGES[change], key=key, helpdesk=self._provider.settings.helpdesk)
        person = who.person
        for address in {person.phone, self._provider.enrolled.phone(person.national_number), person.email} - {""}:
            self._provider.tell(address, text)

    def _held(self, who: Visitor) -> tuple[HeldKey, ...]:
        return self._provider.enrolled.held(who.person.national_number)

    def _level(self, kind: str) -> int:
        found = self._provider.authenticators.get(kind)
        return found.means.level if found else 0

    def _surer(self, key: HeldKey) -> frozenset[str]:
        level = self._level(key.kind)
        return frozenset(name for name, other in self._provider.authenticators.items() if other.means.level >= level)

    def _applicant(self, request: Request, who: Visitor, *, kind: str, begun: str) -> Applicant:
        browser = self._provider.cookies.browser(request)
        bound = f"{who.session.sid} {browser.id} {kind} {begun}"
        return Applicant(
            id=sha256(bound.encode()).hexdigest(),
            origin=self._provider.settings.origin,
            national_number=who.person.national_number,
            name=full_name(who.person),
        )

    def _show_adding(self, request: Request, who: Visitor, *, page: Page, begun: str) -> Answer:
        here, asked = address_to_add(request.path["kind"]), [("begun", begun)]
        own = {
            "action": with_query(here, asked),
            "picture_url": with_query(f"{here}/beeld", asked),
            "back_url": ADDRESS,
        }
        return self._show(request, who, page=Page(page.template, page.name, {**page.values, **own}))

    def _show_key(self, request: Request, who: Visitor, *, key: HeldKey, is_last: bool = False) -> Answer:
        values = {"key": Listed(key, self._level(key.kind)), "is_last": is_last, "action": address_of(key)}
        return self._show(request, who, page=Page("flows/key.html", "key", {**values, "back_url": ADDRESS}))

    def _show(self, request: Request, who: Visitor, *, page: Page) -> Answer:
        return show(self._provider, request, page=page, occasion=Occasion(locale=who.person.locale))


def need_of(level: int) -> Need:
    """A sign-in of the last minutes, that sure."""
    return Need(level, FRESH_SECONDS, back=ADDRESS)


def begun_of(request: Request) -> str:
    """Which showing of the page this belongs to."""
    return request.query_parameters().get("begun", "")[:BEGUN_LENGTH]


def address_to_add(kind: str) -> str:
    """Where a key of this kind is added."""
    return f"{ADDRESS}nieuw/{kind}"


def address_of(key: HeldKey) -> str:
    """Where a key is changed."""
    return f"{ADDRESS}sleutel/{key.id}"
