"""What people see of the simulated itsme: the page for the number, the page that waits, and the telephone itself.

Promises: an unknown number sees exactly what a known one sees, and is never answered; the telephone and the page that
waits show the same picture. Must not know: the protocol behind.
"""

from urllib.parse import quote

from flask import Flask, jsonify, redirect, request
from werkzeug import Response

from demo.itsme.accounts import read_phone
from demo.itsme.asking import NobodyAsks
from demo.itsme.pages import LANGUAGES, Pages, frame_of
from demo.itsme.provider import Itsme
from demo.itsme.sign_ins import SignIn

VISIBLE_DIGITS = 2


class Screens:
    """The pages of one simulated itsme."""

    def __init__(self, itsme: Itsme, pages: Pages) -> None:
        self._itsme = itsme
        self._sign_ins = itsme.sign_ins
        self._pages = pages

    def ask(self, id: str) -> Response:
        """The page that asks the number."""
        return self._ask(self._find(id), wrong=False, typed="")

    def asked(self, id: str) -> Response:
        """Ask at the telephone of this number."""
        sign_in = self._find(id)
        self._check(sign_in.id)
        typed = request.form.get("phone", "")[:40]
        try:
            phone = read_phone(typed)
        except ValueError:
            return self._ask(sign_in, wrong=True, typed=typed)
        self._sign_ins.ask(sign_in, phone)
        return redirect(f"/v2/sign-in/{sign_in.id}/wait", 303)

    def wait(self, id: str) -> Response:
        """The page that waits for the telephone."""
        return self._wait(self._find(id), is_early=False)

    def go_on(self, id: str) -> Response:
        """Back to the relying party, if the telephone has answered, or will no more."""
        sign_in = self._find(id)
        self._check(sign_in.id)
        if self._sign_ins.state_of(sign_in) == "waiting":
            return self._wait(sign_in, is_early=True)
        return self._itsme.back(sign_in, self._sign_ins.state_of(sign_in))

    def state(self, id: str) -> Response:
        """Whether the page that waits can go on."""
        sign_in = self._sign_ins.find(id)
        answer = jsonify({"is_settled": sign_in is None or self._sign_ins.state_of(sign_in) != "waiting"})
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def stop(self, id: str) -> Response:
        """Back to the relying party without an answer."""
        return self._itsme.back(self._find(id), "stopped")

    def phone(self, number: str) -> Response:
        """The telephone: what it asks now."""
        return self._phone(number, answered="")

    def answered(self, number: str) -> Response:
        """What the person pressed on the telephone."""
        answer = request.form.get("answer", "")
        if answer not in ("approve", "deny"):
            raise NobodyAsks("no such answer")
        question, is_approved = request.form.get("csrf", ""), answer == "approve"
        is_taken = self._sign_ins.answer(question, phone=own_number(number), is_approved=is_approved)
        return self._phone(number, answered=answer if is_taken else "late")

    def _find(self, id: str) -> SignIn:
        found = self._sign_ins.find(id)
        if found is None:
            raise NobodyAsks("the sign-in is over")
        return found

    def _check(self, id: str) -> None:
        if request.form.get("csrf") != id:
            raise NobodyAsks("the form is not of this page")

    def _ask(self, sign_in: SignIn, *, wrong: bool, typed: str) -> Response:
        frame = frame_of(sign_in.asked.language, csrf=sign_in.id)
        action = f"/v2/sign-in/{sign_in.id}"
        values = {"action": action, "wrong": wrong, "phone": typed, "stop_url": f"{action}/stop"}
        return self._pages.show("itsme", frame, values=values)

    def _wait(self, sign_in: SignIn, *, is_early: bool) -> Response:
        if not sign_in.question:
            return redirect(f"/v2/sign-in/{sign_in.id}", 303)
        action = f"/v2/sign-in/{sign_in.id}"
        values = {
            "action": f"{action}/wait",
            "state_url": f"{action}/state",
            "stop_url": f"{action}/stop",
            "phone_url": f"/simulators/itsme/{quote(sign_in.phone)}",
            "phone": f"{sign_in.phone[:3]} •••• {sign_in.phone[-VISIBLE_DIGITS:]}",
            "picture": sign_in.picture,
            "is_early": is_early,
        }
        return self._pages.show("itsme-wait", frame_of(sign_in.asked.language, csrf=sign_in.id), values=values)

    def _phone(self, number: str, *, answered: str) -> Response:
        phone = own_number(number)
        question = self._sign_ins.question_at(phone)
        language = question.asked.language if question else request.accept_languages.best_match(LANGUAGES)
        frame = frame_of(language or "nl", csrf=question.question if question else "")
        # In full, so that whoever came here by another address still answers to this one.
        action = f"{request.host_url}simulators/itsme/{quote(phone)}"
        picture = question.picture if question else ""
        values = {"action": action, "phone": phone, "picture": picture, "answered": answered}
        return self._pages.show("itsme-phone", frame, values=values)


def own_number(number: str) -> str:
    """The number of a telephone in an address; NobodyAsks if it is none."""
    try:
        return read_phone(number)
    except ValueError:
        raise NobodyAsks("no such telephone") from None


def mount(app: Flask, screens: Screens) -> None:
    """Mount the pages."""
    sign_in = "/v2/sign-in/<id>"
    app.add_url_rule(sign_in, "ask", screens.ask, methods=["GET"])
    app.add_url_rule(sign_in, "asked", screens.asked, methods=["POST"])
    app.add_url_rule(f"{sign_in}/wait", "wait", screens.wait, methods=["GET"])
    app.add_url_rule(f"{sign_in}/wait", "go_on", screens.go_on, methods=["POST"])
    app.add_url_rule(f"{sign_in}/state", "state", screens.state, methods=["GET"])
    app.add_url_rule(f"{sign_in}/stop", "stop", screens.stop, methods=["GET"])
    app.add_url_rule("/simulators/itsme/<number>", "phone", screens.phone, methods=["GET"])
    app.add_url_rule("/simulators/itsme/<number>", "answered", screens.answered, methods=["POST"])
