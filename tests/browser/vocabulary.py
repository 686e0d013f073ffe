"""What people do in the demo, in their words: visit an application, sign in with a key, choose for whom, read.

Promises: nothing here sleeps; each verb waits for the page that it needs. Must not know: anything of the provider but
the hooks of its pages and the demo world.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pyotp
from playwright.sync_api import Locator, Page, expect

from demo.plan import WORLD
from demo.ports import PROVIDER_PORT, shift_address

THE_WORLD = json.loads(WORLD.read_text(encoding="utf-8"))
PEOPLE: Mapping[str, Mapping[str, Any]] = {person["id"]: person for person in THE_WORLD["persons"]}
CLIENTS: Mapping[str, Mapping[str, Any]] = {client["client_id"]: client for client in THE_WORLD["clients"]}

ACR = {
    "itsme": "urn:be:vlaanderen:authmech:itsme",
    "eid": "urn:be:vlaanderen:authmech:eid",
    "totp": "urn:be:vlaanderen:authmech:csamtotp",
    "sms": "urn:be:vlaanderen:authmech:csamsms",
}
KORENAAR, NOORD, VELDEKE = "0999910147", "0999920243", "0999940435"
REFUSAL = "U beschikt niet over de rechten om aan te melden op de toepassing"


@dataclass(frozen=True)
class Demo:
    """Where a demo answers."""

    port: int

    def at(self, path: str = "/") -> str:
        """An address of the provider."""
        return f"http://localhost:{self.port}{path}"

    def application(self, client_id: str) -> str:
        """The address of an application, which ends in a slash."""
        return shift_address(CLIENTS[client_id]["post_logout_redirect_uris"][0], self.port - PROVIDER_PORT)


class Visitor:
    """Somebody at a browser tab, in front of this demo."""

    def __init__(self, page: Page, demo: Demo) -> None:
        self.page, self.demo = page, demo

    def another_tab(self) -> "Visitor":
        """The same browser, in another tab."""
        return Visitor(self.page.context.new_page(), self.demo)

    def visit(self, client_id: str, **wishes: str) -> None:
        """Go to an application and let it ask to sign in."""
        query = f"?{urlencode(wishes)}" if wishes else ""
        self.page.goto(f"{self.demo.application(client_id)}login{query}")

    def sign_in(self, person: str, key: str) -> None:
        """From the choice of keys to wherever the key leads."""
        self.choose_key(key)
        if key == "eid":
            self.show_card(PEOPLE[person]["insz"], PEOPLE[person]["eid_pin"])
            return
        if key == "itsme":
            self.give_phone(person)
            self.press_on_phone(person, "approve")
            return
        self.give_password(person)
        if key != "password":
            self.sees("code")
            self.page.fill("#code", self.code(person, key))
            self.page.click("#code-submit")

    def choose_key(self, key: str) -> None:
        """Press the button of a key."""
        self.sees("login")
        self.page.click(f"button[name=key][value={key}]")

    def show_card(self, number: str, pin: str) -> None:
        """Put a card into the simulated reader and type its PIN."""
        self.sees("eid")
        self.page.select_option("#card", number)
        self.page.fill("#pin", pin)
        self.page.click("#submit")

    def give_phone(self, person: str) -> None:
        """Type the number of the telephone at the simulated itsme."""
        self.sees("itsme")
        self.page.fill("#phone", PEOPLE[person]["phone"])
        self.page.click("#itsme-submit")
        self.sees("itsme-wait")

    def press_on_phone(self, person: str, id: str) -> None:
        """Look at the telephone, by the provider's address, see that the picture is the same, and press a button."""
        phone = self.another_tab()
        phone.page.goto(self.demo.at(f"/simulators/itsme/{PEOPLE[person]['phone']}"))
        phone.sees("itsme-phone")
        assert phone.picture == self.picture
        phone.page.click(f"#{id}")
        expect(phone.page.locator("#itsme-answered")).to_be_visible()
        phone.page.close()

    @property
    def picture(self) -> str | None:
        """The pairing picture on the page."""
        return self.page.locator("#itsme-picture").get_attribute("src")

    def give_password(self, person: str) -> None:
        """Type number and password."""
        self.sees("password")
        self.page.fill("#username", PEOPLE[person]["insz"])
        self.page.fill("#password", PEOPLE[person]["password"])
        self.page.click("#login-submit")

    def code(self, person: str, key: str) -> str:
        """The code that a person's app or telephone shows now."""
        if key == "totp":
            return pyotp.TOTP(PEOPLE[person]["totp_secret"]).now()
        messages = self.page.request.get(self.demo.at(f"/simulators/inbox/{PEOPLE[person]['phone']}.json")).json()
        return str(messages[0]["code"])

    def choose_identity(self, value: str) -> None:
        """Press the button of an identity."""
        self.sees("identity")
        self.page.click(f'button[name=identity][value="{value}"]')

    def set_clock(self, days: int) -> None:
        """Set the clock of the whole demo, on its page."""
        self.page.goto(self.demo.at("/simulators/clock.html"))
        self.page.fill("#offset_days", str(days))
        self.page.click("#clock-submit")
        expect(self.page.locator("#offset_days")).to_have_value(str(days))

    def sees(self, name: str) -> Locator:
        """Wait until the page of this name is there, as it shall look: with the stylesheet too."""
        body = self.page.locator(f'body[data-page="{name}"]')
        expect(body).to_be_visible()
        self.page.wait_for_load_state()
        return body

    def arrives(self, client_id: str) -> None:
        """Wait until this application has signed the person in."""
        expect(self.page).to_have_url(self.demo.application(client_id))
        expect(self.page.locator("#who")).to_be_visible()
        self.page.wait_for_load_state()

    def is_refused(self, client_id: str, code: str) -> None:
        """Wait until this application tells that the sign-in failed, and why."""
        expect(self.page).to_have_url(re.compile("^" + re.escape(f"{self.demo.application(client_id)}callback?")))
        expect(self.page.locator("#error-code")).to_have_text(code)

    @property
    def who(self) -> str:
        """Who the application says is signed in."""
        return self.page.locator("#who").inner_text()

    @property
    def organisation(self) -> str:
        """For whom the application says that the person acts."""
        return self.page.locator("#organisation").inner_text()

    @property
    def acr(self) -> str:
        """The means that the application was told of."""
        return self.page.locator("#acr").inner_text()

    @property
    def roles(self) -> list[str]:
        """The roles that the application shows, sorted."""
        return sorted(self.page.locator("#roles li").all_inner_texts())

    @property
    def claims(self) -> dict[str, Any]:
        """All that the application was told."""
        told: dict[str, Any] = json.loads(self.page.locator("#claims").text_content() or "{}")
        return told

    @property
    def words(self) -> str:
        """What the page says."""
        return self.page.locator("main").inner_text()

    @property
    def language(self) -> str | None:
        """The language of the page."""
        return self.page.locator("html").get_attribute("lang")

    @property
    def keys(self) -> set[str | None]:
        """The keys that are offered."""
        return {button.get_attribute("value") for button in self.page.locator("button[name=key]").all()}

    @property
    def identities(self) -> list[str | None]:
        """The identities that are offered, in their order."""
        return [button.get_attribute("value") for button in self.page.locator("button[name=identity]").all()]
