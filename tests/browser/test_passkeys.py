"""Passkeys and the page of keys in a real Chromium, with its virtual authenticators: within the device and by USB."""

import time
from collections.abc import Mapping
from typing import Any

import pyotp
from playwright.sync_api import CDPSession, Locator, expect

from tests.browser.conftest import NewVisitor
from tests.browser.vocabulary import PEOPLE, Visitor

NEW_NUMBER = "85611277708"
ACR = "urn:toegang:authmech:passkey"


class Device:
    """A virtual authenticator of one tab."""

    def __init__(self, visitor: Visitor, **options: Any) -> None:
        self._session: CDPSession = visitor.page.context.new_cdp_session(visitor.page)
        self._session.send("WebAuthn.enable", {"enableUI": False})
        usual = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": usual | options})
        self._id = made["authenticatorId"]

    @property
    def credentials(self) -> list[dict[str, Any]]:
        """What it keeps."""
        kept = self._session.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        return list(kept["credentials"])

    def give(self, credential: Mapping[str, Any]) -> None:
        """Copy a credential into it."""
        self._session.send("WebAuthn.addCredential", {"authenticatorId": self._id, "credential": dict(credential)})

    def verify(self, is_verified: bool) -> None:
        """Whether it will recognise the person."""
        self._session.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": is_verified})


def see_keys(visitor: Visitor, person: str) -> None:
    """From the start page to one's keys."""
    visitor.page.goto(visitor.demo.at())
    visitor.page.click("#keys")
    visitor.sign_in(person, "eid")
    visitor.sees("keys")


def add_passkey(visitor: Visitor, name: str) -> Locator:
    """Add one; where the list tells of it."""
    visitor.page.click("#add-passkey")
    visitor.sees("key-add")
    visitor.page.fill("#name", name)
    visitor.page.click("#passkey-submit")
    visitor.sees("keys")
    expect(visitor.page.locator("#changed")).to_be_visible()
    return visitor.page.locator("section", has=visitor.page.get_by_role("heading", name=name, exact=True))


def use_passkey(visitor: Visitor) -> None:
    """Come back another day, from an application to the answer of the browser."""
    visitor.page.context.clear_cookies()
    visitor.visit("burgerprofiel")
    visitor.choose_key("passkey")
    visitor.sees("passkey")
    visitor.page.click("#passkey-submit")


def told(visitor: Visitor, person: str) -> str:
    """The last message to somebody's telephone."""
    messages = visitor.page.request.get(visitor.demo.at(f"/simulators/inbox/{PEOPLE[person]['phone']}.json")).json()
    return str(messages[0]["text"])


def test_a_passkey_of_the_device_is_added_used_named_and_removed(visitor: Visitor) -> None:
    device = Device(visitor)
    see_keys(visitor, "hanne")
    add_passkey(visitor, "Mijn telefoon")
    assert "toegevoegd" in told(visitor, "hanne")
    assert device.credentials[0]["isResidentCredential"]
    use_passkey(visitor)
    visitor.arrives("burgerprofiel")
    assert visitor.acr == ACR
    assert visitor.claims["amr"] == ["hwk", "user", "mfa"]
    visitor.page.goto(visitor.demo.at("/sleutels/"))
    visitor.page.click("text=Wijzig of verwijder")
    visitor.sees("key")
    visitor.page.fill("#name", "Mijn oude telefoon")
    visitor.page.click("#key-rename")
    visitor.sees("keys")
    visitor.page.click("text=Wijzig of verwijder")
    visitor.page.click("#key-remove")
    visitor.sees("keys")
    assert "oude telefoon" not in visitor.words
    assert "verwijderd" in told(visitor, "hanne")
    use_passkey(visitor)
    expect(visitor.page.locator(".errors")).to_be_visible()


def test_a_security_key_by_usb_and_a_synced_one_work(visitor: Visitor, new_visitor: NewVisitor) -> None:
    Device(visitor, transport="usb")
    see_keys(visitor, "geert")
    add_passkey(visitor, "Sleutelhanger")
    use_passkey(visitor)
    visitor.arrives("burgerprofiel")
    synced = new_visitor()
    Device(synced, defaultBackupEligibility=True, defaultBackupState=True)
    see_keys(synced, "geert")
    assert "Sleutelhanger" in synced.words
    add_passkey(synced, "In de wolk")
    use_passkey(synced)
    synced.arrives("burgerprofiel")
    assert synced.claims["amr"] == ["swk", "user", "mfa"]


def test_the_same_device_is_not_added_twice(visitor: Visitor) -> None:
    device = Device(visitor)
    see_keys(visitor, "jef")
    add_passkey(visitor, "Laptop")
    visitor.page.click("#add-passkey")
    visitor.sees("key-add")
    visitor.page.click("#passkey-submit")
    expect(visitor.page.locator("#passkey-trouble")).to_be_visible()
    assert len(device.credentials) == 1


def test_a_device_that_does_not_know_the_person_is_no_passkey(visitor: Visitor) -> None:
    device = Device(visitor, isUserVerified=False)
    see_keys(visitor, "ilse")
    visitor.page.click("#add-passkey")
    visitor.sees("key-add")
    visitor.page.click("#passkey-submit")
    expect(visitor.page.locator("#passkey-trouble")).to_be_visible()
    device.verify(True)
    visitor.page.click("#passkey-submit")
    visitor.sees("keys")
    device.verify(False)
    use_passkey(visitor)
    expect(visitor.page.locator("#passkey-trouble")).to_be_visible()
    device.verify(True)
    visitor.page.click("#passkey-submit")
    visitor.arrives("burgerprofiel")


def test_a_copy_of_a_passkey_is_refused(visitor: Visitor, new_visitor: NewVisitor) -> None:
    device = Device(visitor)
    see_keys(visitor, "karim")
    add_passkey(visitor, "Het origineel")
    copied = device.credentials[0]
    for _ in range(2):
        use_passkey(visitor)
        visitor.arrives("burgerprofiel")
    thief = new_visitor()
    Device(thief).give(copied)
    use_passkey(thief)
    expect(thief.page.locator(".errors")).to_be_visible()
    thief.sees("passkey")


def test_the_list_of_the_browser_signs_in_too(visitor: Visitor) -> None:
    Device(visitor)
    see_keys(visitor, "lotte")
    add_passkey(visitor, "Tablet")
    visitor.page.context.clear_cookies()
    visitor.visit("burgerprofiel")
    visitor.choose_key("passkey")
    visitor.sees("passkey")
    visitor.page.focus("#passkey-list")  # the virtual authenticator is what the person would choose in the list
    visitor.arrives("burgerprofiel")


def test_without_javascript_the_page_says_what_is_needed(new_visitor: NewVisitor) -> None:
    plain = new_visitor(java_script_enabled=False)
    plain.visit("burgerprofiel")
    plain.choose_key("passkey")
    plain.sees("passkey")
    assert "Deze sleutel werkt alleen met JavaScript." in plain.words
    plain.page.click("#passkey-submit")
    plain.sees("passkey")
    plain.page.get_by_role("link", name="Kies een andere sleutel", exact=True).click()
    plain.sign_in("dirk", "eid")
    plain.arrives("burgerprofiel")


def test_a_first_time_user_gets_a_passkey_and_an_app_by_what_the_pages_say(visitor: Visitor) -> None:
    Device(visitor)
    page = visitor.page
    page.goto(visitor.demo.at())
    page.get_by_role("link", name="Mijn digitale sleutels").click()
    visitor.choose_key("eid")
    visitor.sees("eid")
    page.click("summary >> nth=0")
    page.fill("#new_number", NEW_NUMBER)
    page.fill("#new_given_name", "Nieuw")
    page.fill("#new_family_name", "Gezicht")
    page.click("#new-card-submit")
    visitor.sees("eid")
    visitor.show_card(NEW_NUMBER, "1234")
    visitor.sees("keys")
    add_passkey(visitor, "Mijn telefoon")
    page.get_by_role("link", name="Code via een app").click()
    visitor.sees("key-add")
    expect(page.locator("#totp-picture")).to_be_visible()
    assert page.evaluate("document.getElementById('totp-picture').naturalWidth") > 0
    seed = page.locator("#totp-seed").inner_text().replace(" ", "")
    page.get_by_label("Kies een wachtwoord").fill("een lang wachtwoord")
    page.get_by_label("Code van 6 cijfers").fill(pyotp.TOTP(seed).now())
    page.get_by_role("button", name="Bewaar de app als sleutel").click()
    visitor.sees("keys")
    page.context.clear_cookies()
    visitor.visit("burgerprofiel")
    visitor.choose_key("totp")
    visitor.sees("password")
    page.fill("#username", NEW_NUMBER)
    page.fill("#password", "een lang wachtwoord")
    page.click("#login-submit")
    visitor.sees("code")
    page.fill(
        "#code", pyotp.TOTP(seed).at(int(time.time()), counter_offset=1)
    )  # the next one: this one was used to confirm
    page.click("#code-submit")
    visitor.arrives("burgerprofiel")
    assert visitor.who == "Nieuw Gezicht"
    use_passkey(visitor)
    visitor.arrives("burgerprofiel")
    assert visitor.acr == ACR
