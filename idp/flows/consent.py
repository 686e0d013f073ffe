"""Consent: a person sees what the application would be told of them, and allows it or not.

Promises: shows the claims themselves, all that would be told and nothing else; what was allowed is what was shown.
Must not know: when consent is asked (`interaction.py` decides), or how claims are found.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from claims.release import release
from claims.scopes import scopes_for
from idm.facts import Person
from idp.addresses import LOOPBACK_ADDRESSES, host_of
from idp.authenticator import Page
from idp.clients import Client
from idp.errors import InvalidRequest
from idp.flows.interaction import AskConsent, claims_asked, consent_mark, decide
from idp.flows.screen import show
from idp.flows.waiting import Waiting
from idp.http import Answer, Request, see_other
from idp.provider import Provider
from idp.records.consents import Consent
from idp.sessions import Session
from idp.tickets import AuthorizationRequest

ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("name", ("name",)),
    ("given_name", ("given_name",)),
    ("family_name", ("family_name",)),
    ("national_number", ("rrn",)),
    ("language", ("locale",)),
    ("email", ("email",)),
    ("phone", ("phone_number",)),
    ("organisation", ("vo_orgnaam", "vo_orgcode")),
    ("target_group", ("vo_doelgroepnaam", "vo_doelgroepcode")),
    ("work_email", ("vo_email",)),
    ("reference", ("vo_id",)),
    ("legal_representative", ("wv_orgcode",)),
    ("ovo_code", ("vo_ovocode",)),
    ("enterprise_number", ("vo_kbonummer",)),
)
"""The rows of the page, in their order, each with the claims that stand in it; any other claim tells rights."""

SILENT = frozenset({"email_verified", "phone_number_verified"})
"""Claims that only say something of another."""


@dataclass(frozen=True)
class Row:
    """One line of what is told: what kind it is, and its values."""

    kind: str
    values: tuple[str, ...]


class ConsentQuestion:
    """The page, for a request that waits."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)

    def show(self, request: Request) -> Answer:
        """Show what would be told; back to the resume if there is nothing to ask."""
        waiting = self._waiting.find(request)
        session = self._waiting.session(request)
        step = decide(self._waiting.known(waiting, session))
        person = self._provider.directory.person(session.person_id) if session else None
        if session is None or person is None or not isinstance(step, AskConsent):
            return see_other(f"/op/v1/auth/{waiting.id}")
        client, place = self._waiting.client(waiting), place_of(waiting.redirect_uri)
        values = {
            "rows": told(waiting, client, step=step, person=person),
            "key_name": step.authentication.key,
            "is_lasting": "offline_access" in waiting.scope,
            "is_unknown": client.is_self_registered,
            "place": place,
            "is_program": bool(waiting.redirect_uri) and not place,
            "mark": consent_mark(session, step.option, face=client.face),
            "action": f"/op/v1/auth/{waiting.id}/consent",
            "other_person_url": f"/op/v1/auth/{waiting.id}/login",
        }
        page = Page("flows/consent.html", "consent", values)
        return show(self._provider, request, page=page, occasion=self._waiting.occasion(waiting, person.locale))

    def answered(self, request: Request) -> Answer:
        """Keep a yes; a no goes back to the application. InvalidRequest for what is neither."""
        waiting = self._waiting.find(request)
        form = self._provider.cookies.check_form(request)
        if form.get("answer") == "deny":
            return see_other(f"/op/v1/auth/{waiting.id}/cancel")
        if form.get("answer") != "allow":
            raise InvalidRequest("Say yes or no.")
        session = self._waiting.session(request)
        step = decide(self._waiting.known(waiting, session))
        client = self._waiting.client(waiting)
        if session and isinstance(step, AskConsent):
            mark = consent_mark(session, step.option, face=client.face)
            # Somebody else, on behalf of another, or an application that looked otherwise: a yes to something else.
            if form.get("mark") == mark:
                self._provider.consents.allow(consent_given(waiting, session, client=client))
                self._waiting.advance(waiting, consent=mark)
        return see_other(f"/op/v1/auth/{waiting.id}")


def consent_given(waiting: AuthorizationRequest, session: Session, *, client: Client) -> Consent:
    """What a yes to this request allows."""
    return Consent(
        person_id=session.person_id,
        client_id=waiting.client_id,
        scopes=frozenset(waiting.scope),
        claims=claims_asked(waiting, client),
        face=client.face,
    )


def place_of(redirect_uri: str) -> str:
    """Where an answer goes, as people can judge it: the host; empty for a program on the person's own device."""
    host = host_of(redirect_uri)
    return "" if host in LOOPBACK_ADDRESSES or host == "localhost" else host


def told(waiting: AuthorizationRequest, client: Client, *, step: AskConsent, person: Person) -> list[Row]:
    """The lines of all that the client would be told, by its scopes and by the claims that it asks one by one."""
    identities, scopes = step.option.identities, frozenset(waiting.scope)
    asked = frozenset[str]().union(*(scopes_for(name, client) for name in waiting.claims.names))
    beyond = release(person, identities, recipient=client, scopes=asked)
    by_name = {name: value for name, value in beyond.items() if name in waiting.claims.names}
    return rows_of(release(person, identities, recipient=client, scopes=scopes) | by_name)


def rows_of(claims: Mapping[str, object]) -> list[Row]:
    """Claims as lines: each claim stands in one, but names that stand in the whole name too, and what is silent."""
    left = {name: value for name, value in claims.items() if name not in SILENT}
    if "name" in left:
        left = {name: value for name, value in left.items() if name not in ("given_name", "family_name")}
    rows = [Row(kind, tuple(str(left[name]) for name in names if name in left)) for kind, names in ROWS]
    known = {name for _, names in ROWS for name in names}
    rights = [value for name, value in left.items() if name not in known]
    held = tuple(str(one) for value in rights for one in (value if isinstance(value, list) else [value]))
    return [row for row in (*rows, Row("rights", held)) if row.values]
