"""What applications hold of a person: what was allowed and the Grants, shown to that person alone, who may end them.

Promises: nobody sees or ends what is another's; what is ended is dead at once, tokens too. Whoever is not signed in is
led through the same sign-in as for any application. Must not know: how a key works, or what a token looks like.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from claims.scopes import CLAIMS, claims_of, scopes_for
from idm.facts import Person
from idp.authenticator import Page
from idp.clients import Client
from idp.errors import InvalidRequest
from idp.flows.consent import ROWS, SILENT
from idp.flows.own_pages import visitor
from idp.flows.polling import Polling
from idp.flows.screen import Occasion, show
from idp.flows.start import login_of
from idp.flows.waiting import Waiting
from idp.http import Answer, Request, see_other, with_query
from idp.provider import Provider
from idp.records.consents import Consent
from idp.records.grants import Grant
from idp.sessions import Session

log = logging.getLogger(__name__)

ADDRESS = "/op/v1/consents"
WHOLE_NAME = ("given_name", "family_name")


@dataclass(frozen=True)
class Holding:
    """What one application holds: the kinds of facts, since when, when it last asked (None if unknown), how long."""

    client: Client
    kinds: tuple[str, ...]
    since: int
    used_at: int | None
    is_lasting: bool

    @property
    def logo_uri(self) -> str:
        """Its logo; none of a stranger's, whose server would be told who looks here, and when."""
        return "" if self.client.is_self_registered else self.client.logo_uri


class Holdings:
    """The page, and its button."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)
        self._polling = Polling(provider)

    def page(self, request: Request) -> Answer:
        """What applications hold of whoever is signed in; on to the sign-in if nobody is."""
        found = visitor(self._provider, request, address=ADDRESS)
        if isinstance(found, Answer):
            return found
        withdrawn = request.query_parameters().get("withdrawn", "")
        return self._show(request, found.session, person=found.person, withdrawn=withdrawn)

    def withdraw(self, request: Request) -> Answer:
        """End all that one application holds of this person. InvalidRequest without a session of theirs."""
        form = self._provider.cookies.check_form(request)
        session = self._waiting.session(request)
        if session is None:
            raise InvalidRequest("Nobody is signed in any more.")
        client = self._provider.clients.get(form.get("client", ""))
        if client is None:  # what was removed holds nothing
            return see_other(ADDRESS)
        self._polling.withdraw(session.person_id, client.client_id)
        self._provider.consents.withdraw(session.person_id, client.client_id)
        log.info("withdrawn: person=%s client=%s", session.person_id, client.client_id)
        return see_other(with_query(ADDRESS, [("withdrawn", client.client_id)]))

    def _show(self, request: Request, session: Session, *, person: Person, withdrawn: str) -> Answer:
        held = holdings(self._provider, session.person_id)
        # A link can say anything: what it names is told to be ended only if it is.
        ended = self._provider.clients.get(withdrawn)
        is_ended = ended is not None and withdrawn not in {one.client.client_id for one in held}
        issuer = self._provider.settings.issuer
        values = {
            "holdings": [{"held": one, "url": login_of(one.client, issuer=issuer)} for one in held],
            "withdrawn": ended.name if ended and is_ended else "",
            "action": ADDRESS,
        }
        occasion = Occasion(locale=person.locale, images=tuple(one.logo_uri for one in held))
        return show(self._provider, request, page=Page("flows/holdings.html", "consents", values), occasion=occasion)


def holdings(provider: Provider, person_id: str) -> list[Holding]:
    """What applications hold of a person, by the name of the application; nothing of one that is gone."""
    consents = {one.client_id: one for one in provider.consents.of_person(person_id)}
    grants = provider.consents.grants_of(person_id)
    used_at = provider.consents.last_uses(person_id)
    clients = (provider.clients.get(name) for name in {*consents, *(grant.client_id for grant in grants)})
    held = [
        holding(
            client,
            [grant for grant in grants if grant.client_id == client.client_id],
            consent=consents.get(client.client_id),
            used_at=used_at.get(client.client_id),
        )
        for client in clients
        if client
    ]
    return sorted(held, key=lambda one: (one.client.name.casefold(), one.client.client_id))


def holding(client: Client, grants: list[Grant], *, consent: Consent | None, used_at: int | None) -> Holding:
    """What one application holds, by what was allowed and by its live Grants."""
    names = set(consent.claims) if consent else set[str]()
    for grant in grants:
        names |= {name for scope in grant.scope for name in claims_of(scope, client)}
        names |= {name for name in grant.claims.names if scopes_for(name, client)}
    times = [grant.auth_time for grant in grants] + ([consent.given_at] if consent else [])
    is_lasting = any(grant.offline for grant in grants)
    return Holding(client, kinds_of(names), min(times), used_at, is_lasting)


def kinds_of(names: Iterable[str]) -> tuple[str, ...]:
    """The kinds of facts that claims tell, as the page of consent names them."""
    told = set(names) - SILENT - set(CLAIMS["openid"])
    if "name" in told:
        told -= set(WHOLE_NAME)
    known = {name for _, claims in ROWS for name in claims}
    kinds = [kind for kind, claims in ROWS if told & set(claims)]
    return (*kinds, *(["rights"] if told - known else []))
