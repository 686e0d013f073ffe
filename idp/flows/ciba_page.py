"""The page on which a person sees which applications ask for them, and decides (CIBA Core §8).

Promises: whoever is signed in sees what waits for themselves alone, with the application's name and the message that
it shows too; a yes leads through the same steps as any request. Must not know: who asked how.
"""

from dataclasses import dataclass

import msgspec

from idp.authenticator import Page
from idp.clients import Client
from idp.errors import InvalidRequest
from idp.flows.answered import PolledAnswers
from idp.flows.awaiting import Awaiting
from idp.flows.own_pages import visitor
from idp.flows.polling import PolledRequest
from idp.flows.screen import Occasion, show
from idp.flows.waiting import RequestGone, Waiting
from idp.http import Answer, Request, see_other
from idp.provider import Provider
from idp.sessions import Session

ADDRESS = "/op/v1/backchannel/approve"


@dataclass(frozen=True)
class Entry:
    """One request as the page shows it: its id, the application, the message, and until when it waits."""

    id: str
    client: Client
    message: str
    ends_at: int


class BackchannelApproval:
    """The page, and its buttons."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)
        self._awaiting = Awaiting(provider)
        self._answers = PolledAnswers(provider)

    def page(self, request: Request) -> Answer:
        """What waits for whoever is signed in; on to the sign-in if nobody is."""
        visited = visitor(self._provider, request, address=ADDRESS)
        if isinstance(visited, Answer):
            return visited
        person = visited.person
        found = ((one, self._provider.clients.get(one.client_id)) for one in self._awaiting.of_person(person.id))
        entries = [Entry(one.id, client, one.message, one.ends_at) for one, client in found if client]
        page = Page("flows/backchannel.html", "backchannel", {"entries": entries, "action": ADDRESS})
        return show(self._provider, request, page=page, occasion=Occasion(locale=person.locale))

    def decided(self, request: Request) -> Answer:
        """Go on to the steps of a yes, or keep a no. RequestGone for what does not wait for this person."""
        form = self._provider.cookies.check_form(request)
        answer = form.get("answer", "")
        if answer not in ("allow", "deny"):
            raise InvalidRequest("Say yes or no.")
        polled = self._theirs(self._waiting.session(request), form.get("request", ""))
        bound = msgspec.structs.replace(polled.waits, browser=self._provider.cookies.browser(request).id)
        if answer == "deny":
            return self._answers.refuse(request, bound)
        return see_other(f"/op/v1/auth/{self._waiting.keep(bound).id}")

    def _theirs(self, session: Session | None, id: str) -> PolledRequest:
        waits = self._awaiting.of_person(session.person_id) if session else []
        found = next((one for one in waits if one.id == id), None)
        if found is None:
            raise RequestGone("No such request waits for this person.")
        return found
