"""On whose behalf: the choice of an identity for one application, remembered for the session.

Promises: only what IDM allows today can be chosen, looked up again when it is; what was chosen last stands first.
Must not know: how identities are found, or what a token tells of one.
"""

from dataclasses import dataclass
from datetime import date

from idm.days import day_of
from idp.authenticator import Page
from idp.errors import InvalidRequest
from idp.flows.interaction import ChooseIdentity, decide, sufficient
from idp.flows.login import full_name
from idp.flows.screen import show
from idp.flows.waiting import Waiting
from idp.http import Answer, Request, see_other
from idp.identities import CITIZEN, Option
from idp.provider import Provider
from idp.sessions import Session
from idp.tickets import AuthorizationRequest

PAGE_SIZE = 20
SOON_DAYS = 30


@dataclass(frozen=True)
class Tile:
    """An option as the page shows it."""

    value: str
    target_group: str
    name: str
    number: str
    roles: tuple[str, ...]
    until: date | None
    soon_days: int | None


class IdentityChoice:
    """The page of choice, for a request that waits."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)

    def show(self, request: Request) -> Answer:
        """Show the identities; back to the resume if there is nothing to choose."""
        waiting = self._waiting.find(request)
        session = self._waiting.session(request)
        step = decide(self._waiting.known(waiting, session))
        if session is None or not isinstance(step, ChooseIdentity):
            return see_other(f"/op/v1/auth/{waiting.id}")
        return self._page(request, waiting, session=session, options=step.options)

    def chosen(self, request: Request) -> Answer:
        """Keep the choice for this client; InvalidRequest for what the person may not choose."""
        waiting = self._waiting.find(request)
        value = self._provider.cookies.check_form(request).get("identity", "")
        session = self._waiting.session(request)
        if session and self._may_choose(waiting, session, value=value):
            self._provider.sessions.change(session.sid, lambda now: now.with_identity(waiting.client_id, value))
            self._provider.sessions.keep_choice(session.person_id, waiting.client_id, identity=value)
            self._waiting.advance(waiting, identity=value)
        elif session and value:
            raise InvalidRequest("This choice is not possible, or no longer.")
        return see_other(f"/op/v1/auth/{waiting.id}")

    def _may_choose(self, waiting: AuthorizationRequest, session: Session, *, value: str) -> bool:
        known = self._waiting.known(waiting, session)
        authentication = sufficient(known)
        return bool(authentication and known.options(authentication).find(value))

    def _page(
        self, request: Request, waiting: AuthorizationRequest, *, session: Session, options: tuple[Option, ...]
    ) -> Answer:
        today = day_of(self._provider.clock())
        tiles = [tile(option, today) for option in options]
        query = request.query_parameters()
        last = self._provider.sessions.last_choice(session.person_id, waiting.client_id)
        person = self._provider.directory.person(session.person_id)
        wanted = query.get("zoek", "")[:100]
        found = [one for one in tiles if matches(one, wanted)]
        pages = max(1, -(-len(found) // PAGE_SIZE))
        number = min(page_number(query.get("blad", "")), pages)
        values = {
            "identities": found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE],
            "first": next((one for one in tiles if one.value == last), None),
            "query": wanted,
            "page": number,
            "pages": pages,
            "total": len(tiles),
            "person_name": full_name(person),
            "key_name": max(session.authentications, key=lambda used: used.at).key,
            "action": f"/op/v1/auth/{waiting.id}/identity",
            "other_person_url": f"/op/v1/auth/{waiting.id}/login",
        }
        page = Page("flows/identity.html", "identity", values)
        occasion = self._waiting.occasion(waiting, person.locale if person else "")
        return show(self._provider, request, page=page, occasion=occasion)


def tile(option: Option, today: date) -> Tile:
    """An option as the page shows it; a group of organisations is named by them."""
    first = option.identities[0]
    held = [role for identity in option.identities for role in identity.roles]
    roles = dict.fromkeys(name for role in held for name in role.context_names or (role.right_name,))
    days = (option.lasts_until - today).days if option.lasts_until else None
    return Tile(
        value=option.value,
        target_group=option.target_group,
        name=", ".join(identity.organisation.name for identity in option.identities if identity.organisation),
        number=first.code if len(option.identities) == 1 and option.target_group != CITIZEN else "",
        roles=tuple(roles),
        until=option.lasts_until,
        soon_days=days if days is not None and days <= SOON_DAYS else None,
    )


def matches(one: Tile, wanted: str) -> bool:
    """Whether a search by name or number finds it; dots in a number do not matter."""
    plain = wanted.casefold().strip()
    return plain in one.name.casefold() or (bool(one.number) and plain.replace(".", "") in one.number.casefold())


def page_number(text: str) -> int:
    """The page asked for; 1 where it is no sensible number."""
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
