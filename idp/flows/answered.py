"""The answer to a request whose client fetches it itself: kept for the client, and a page for the person.

Promises: the first decision counts; whoever comes second is told that it is over, but for the same person clicking
twice. Must not know: how the person was found, or what the client may have.
"""

from idp.authenticator import Page
from idp.flows.ping import notices
from idp.flows.polling import DEVICE_GRANT, NOBODY, PolledRequest, Polling
from idp.flows.screen import Occasion, show
from idp.flows.user_codes import UserCodes
from idp.flows.waiting import RequestGone
from idp.http import Answer, Request
from idp.provider import Provider
from idp.tickets import AuthorizationCode, AuthorizationRequest


class PolledAnswers:
    """Keeps what a person decided, and tells them that they may go back."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._polling = Polling(provider)
        self._user_codes = UserCodes(provider)

    def approve(self, request: Request, waiting: AuthorizationRequest, *, code: AuthorizationCode) -> Answer:
        """A yes, with all that it took to give it; RequestGone if somebody else was first, or time is up."""
        return self._page(request, waiting, decided=self.decide(waiting.polled, code), by=code.sid)

    def refuse(self, request: Request, waiting: AuthorizationRequest) -> Answer:
        """A no; RequestGone if it comes after a yes, or time is up."""
        return self._page(request, waiting, decided=self.decide(waiting.polled, None), by=NOBODY)

    def decide(self, polled: str, approved: AuthorizationCode | None) -> PolledRequest | None:
        """Note the first decision, and let its client know if it wants to; the request, None if it was over."""
        decided = self._polling.decide(polled, approved)
        if decided:
            self._user_codes.forget(decided.user_code)
            self._provider.outbox.put(notices(decided))
        return decided

    def _page(
        self, request: Request, waiting: AuthorizationRequest, *, decided: PolledRequest | None, by: str
    ) -> Answer:
        found = decided or self._polling.find(waiting.polled)
        if found is None or found.decided_by != by:
            raise RequestGone("The request was decided before, or took too long.")
        values = {"is_approved": by != NOBODY, "is_device": found.grant_type == DEVICE_GRANT}
        page = Page("flows/answered.html", "answered", values)
        occasion = Occasion(waiting, self._provider.clients.get(waiting.client_id))
        return show(self._provider, request, page=page, occasion=occasion)
