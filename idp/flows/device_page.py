"""The page on which a person types the code of a device, and the picture of it that a device can show.

Promises: before anybody is asked for a key, the page names the application and says what the code is for, since a code
may come from a stranger as well (RFC 8628 §5.4); then the way is that of any request. Must not know: what is asked.
"""

import io

import msgspec
import segno

from idp.authenticator import Page
from idp.errors import InvalidRequest
from idp.flows.answered import PolledAnswers
from idp.flows.device import verification_uri
from idp.flows.failure import NotFound
from idp.flows.own_pages import sign_in
from idp.flows.polling import Polling
from idp.flows.screen import Occasion, show, with_status
from idp.flows.user_codes import CodeNotFound, TooManyStrangers, TooManyTries, UserCodes, letters_of, shown
from idp.flows.waiting import RequestGone, Waiting
from idp.http import Answer, Request, see_other, with_query
from idp.provider import Provider

ADDRESS = "/op/v1/device/verify"
QR_SUFFIX = ".svg"


class DevicePage:
    """`/op/v1/device/verify`, and the pictures beside it."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._waiting = Waiting(provider)
        self._polling = Polling(provider)
        self._user_codes = UserCodes(provider)
        self._answers = PolledAnswers(provider)

    def enter(self, request: Request) -> Answer:
        """Ask for the code; where the address has it, ask whether it is that of the device before the person."""
        parameters = request.query_parameters()
        typed = parameters.get("user_code", "")
        if "code" in parameters:  # back from a sign-in: the session is what we came for, the code is nobody's
            return see_other(address_of(typed))
        if "error" in parameters:
            return self._ask_code(request, wrong="busy", status=TooManyTries.status)
        return self._ask_whether(request, typed=typed) if typed else self._ask_code(request)

    def entered(self, request: Request) -> Answer:
        """Take a code that was typed, or the answer to whether it is theirs. InvalidRequest for any other answer."""
        form = self._provider.cookies.check_form(request)
        typed, answer = form.get("user_code", ""), form.get("answer", "")
        if not answer:
            return self._ask_whether(request, typed=typed)
        if answer not in ("allow", "deny"):
            raise InvalidRequest("Say yes or no.")
        polled = self._polling.open(self._user_codes.find(request, typed))
        if polled is None:
            raise RequestGone("The device has its answer, or waited too long.")
        bound = msgspec.structs.replace(polled.waits, browser=self._provider.cookies.browser(request).id)
        if answer == "deny":
            return self._answers.refuse(request, bound)
        return see_other(f"/op/v1/auth/{self._waiting.keep(bound).id}")

    def picture(self, request: Request) -> Answer:
        """The QR code that leads to this page with a code filled in; NotFound for what cannot be a code.

        Drawn for any code that may be, waiting or not: it tells nobody which ones are.
        """
        name = request.path["user_code"]
        letters = letters_of(name.removesuffix(QR_SUFFIX))
        if not letters or not name.endswith(QR_SUFFIX):
            raise NotFound("No such picture.")
        drawn = io.BytesIO()
        address = with_query(verification_uri(self._provider), [("user_code", shown(letters))])
        segno.make_qr(address).save(drawn, kind="svg", scale=6, light="#fff", title=shown(letters), nl=False)
        return Answer(200, (("Content-Type", "image/svg+xml"), ("Cache-Control", "no-store")), drawn.getvalue())

    def _ask_code(self, request: Request, *, typed: str = "", wrong: str = "", status: int = 200) -> Answer:
        letters = letters_of(typed)
        values = {"wrong": wrong, "user_code": shown(letters) if letters else "", "action": ADDRESS}
        page = Page("flows/device.html", "device", values)
        return with_status(show(self._provider, request, page=page, occasion=Occasion()), status)

    def _ask_whether(self, request: Request, *, typed: str) -> Answer:
        try:
            polled = self._polling.open(self._user_codes.find(request, typed))
        except TooManyStrangers:
            return sign_in(self._provider, self._waiting, address=address_of(typed))
        except TooManyTries as error:
            return self._ask_code(request, wrong="busy", status=error.status)
        except CodeNotFound:
            return self._ask_code(request, typed=typed, wrong="code")
        client = self._provider.clients.get(polled.client_id) if polled else None
        if polled is None or client is None:  # nobody is asked about an application that has no name any more
            return self._ask_code(request, wrong="code")
        return self._confirm(request, Occasion(polled.waits, client), typed=typed)

    def _confirm(self, request: Request, occasion: Occasion, *, typed: str) -> Answer:
        values = {"user_code": shown(letters_of(typed)), "action": ADDRESS}
        page = Page("flows/device_confirm.html", "device-confirm", values)
        return show(self._provider, request, page=page, occasion=occasion)


def address_of(typed: str) -> str:
    """The page with a code filled in, or empty where what was typed can be none."""
    letters = letters_of(typed)
    return with_query(ADDRESS, [("user_code", shown(letters))] if letters else [])
