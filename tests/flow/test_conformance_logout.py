"""What the RP-initiated, back-channel, front-channel and session OP profiles of OpenID Connect demand, one by one."""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from idp.composition import chores
from tests.flow.estate import Arrival, Estate
from tests.flow.listener import Listener, listening
from tests.flow.party import LEFT, Party, metadata_of, open_to_all, register
from tests.flow.reading import Page

EVENT = "http://schemas.openid.net/event/backchannel-logout"
FRAME = "https://suite.example/test/a/toegang/frontchannel_logout"


@pytest.fixture
def estate(estate: Estate) -> Estate:
    return open_to_all(estate).configured(outbound_allow=frozenset({"127.0.0.1"}))


@pytest.fixture
def party(estate: Estate) -> Party:
    """A client that may send people away to one address."""
    return register(estate, post_logout_redirect_uris=[LEFT])


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server of the suite."""
    with listening() as made:
        yield made


def leave(party: Party, **parameters: str | None) -> Page | Arrival:
    """Go to the end_session_endpoint."""
    sent = urlencode({name: value for name, value in parameters.items() if value is not None})
    address = metadata_of(party.estate)["end_session_endpoint"]
    return party.browser.open(f"{address}?{sent}" if sent else address)


def confirmed(party: Party, page: Page | Arrival) -> Page | Arrival:
    """Say yes, where that is asked."""
    assert isinstance(page, Page), page
    assert page.name == "logout", page.words
    form = page.form_of_button("logout-confirm")
    return party.browser.rest(form.action, party.browser.post(form.action, form.fields))


def is_signed_in(party: Party) -> bool:
    answer = party.ask(prompt="none")
    assert isinstance(answer, Arrival)
    return "code" in answer.parameters


def hint(party: Party) -> str:
    return str(party.tokens()["id_token"])


def test_discovery_names_the_endpoint(estate: Estate) -> None:
    assert metadata_of(estate)["end_session_endpoint"].startswith(estate.settings.issuer)


def test_with_hint_address_and_state_the_person_is_out_and_back(party: Party) -> None:
    left = leave(party, id_token_hint=hint(party), post_logout_redirect_uri=LEFT, state="s-1")
    assert left == Arrival(LEFT, {"state": "s-1"})
    assert not is_signed_in(party)


def test_without_state_none_comes_back(party: Party) -> None:
    assert leave(party, id_token_hint=hint(party), post_logout_redirect_uri=LEFT) == Arrival(LEFT, {})
    assert not is_signed_in(party)


def test_a_post_is_taken_as_a_get(party: Party) -> None:
    sent = {"id_token_hint": hint(party), "post_logout_redirect_uri": LEFT, "state": "s-1"}
    answer = party.browser.post("/op/v1/logout", sent)
    assert party.browser.rest("/op/v1/logout", answer) == Arrival(LEFT, {"state": "s-1"})
    assert not is_signed_in(party)


def test_the_clients_name_alone_is_asked_about_and_leads_back(party: Party) -> None:
    party.tokens()
    page = leave(party, client_id=party.client_id, post_logout_redirect_uri=LEFT, state="s-1")
    assert is_signed_in(party)
    assert confirmed(party, page) == Arrival(LEFT, {"state": "s-1"})
    assert not is_signed_in(party)


@pytest.mark.parametrize("uri", ["https://suite.example/other", f"{LEFT}?extra=1", f"{LEFT}/", LEFT.upper()])
def test_an_address_that_is_not_registered_is_never_gone_to(party: Party, uri: str) -> None:
    page = leave(party, id_token_hint=hint(party), post_logout_redirect_uri=uri, state="s-1")
    assert isinstance(page, Page)
    assert (page.name, page.status) == ("error", 400)


def modified(token: str) -> str:
    head, body, signature = token.split(".")
    return ".".join((head, body, signature[:-8] + ("A" * 8 if signature[-8:] != "A" * 8 else "B" * 8)))


@pytest.mark.parametrize("garbage", [modified, lambda _: "garbage", lambda _: "a.b.c", lambda token: token[:-40]])
def test_a_hint_that_is_none_of_ours_sends_nobody_back(party: Party, garbage: Any) -> None:
    page = leave(party, id_token_hint=garbage(hint(party)), post_logout_redirect_uri=LEFT, state="s-1")
    assert isinstance(page, Page)
    assert page.name == "error"
    assert is_signed_in(party)


def test_a_hint_that_was_signed_by_another_is_none(party: Party) -> None:
    claims = party.tokens()["claims"]
    forged = jwt.encode(claims, "a secret of more than thirty-two bytes, ours", algorithm="HS256")
    page = leave(party, id_token_hint=forged, post_logout_redirect_uri=LEFT)
    assert isinstance(page, Page)
    assert page.name == "error"


def test_without_a_hint_the_address_belongs_to_nobody(party: Party) -> None:
    party.tokens()
    page = leave(party, post_logout_redirect_uri=LEFT, state="s-1")
    assert isinstance(page, Page)
    assert page.name == "error"
    assert is_signed_in(party)


@pytest.mark.parametrize("parameters", [{}, {"state": "s-1"}])
def test_with_nothing_that_names_anyone_the_person_is_asked_and_stays_here(
    party: Party, parameters: dict[str, str]
) -> None:
    party.tokens()
    page = confirmed(party, leave(party, **parameters))
    assert isinstance(page, Page)
    assert page.name == "logged-out"
    assert not is_signed_in(party)


def test_without_an_address_it_ends_on_a_page_of_ours(party: Party) -> None:
    page = leave(party, id_token_hint=hint(party))
    assert isinstance(page, Page)
    assert page.name == "logged-out"
    assert not is_signed_in(party)


def test_an_expired_hint_is_still_a_hint(estate: Estate, party: Party) -> None:
    token = hint(party)
    estate.clock.advance(2 * 3600)
    assert leave(party, id_token_hint=token, post_logout_redirect_uri=LEFT) == Arrival(LEFT, {})


def test_what_language_and_which_person_was_meant_may_be_said(party: Party) -> None:
    token = hint(party)
    page = leave(party, id_token_hint=token, logout_hint="hanne", ui_locales="de")
    assert isinstance(page, Page)
    assert page.language == "de"


def test_the_back_channel_is_told_as_discovery_says(estate: Estate, listener: Listener) -> None:
    said = metadata_of(estate)
    assert said["backchannel_logout_supported"] is True
    assert said["backchannel_logout_session_supported"] is True
    address = f"{listener.address}/backchannel_logout"
    party = register(
        estate,
        backchannel_logout_uri=address,
        backchannel_logout_session_required=True,
        post_logout_redirect_uris=[LEFT],
    )
    tokens = party.tokens()
    leave(party, id_token_hint=tokens["id_token"], post_logout_redirect_uri=LEFT)
    for chore in chores(estate.application.provider):
        chore()
    ((path, form),) = listener.received
    assert (path, list(form)) == ("/backchannel_logout", ["logout_token"])
    token = party.verified(form["logout_token"], "RS256")
    assert token["events"] == {EVENT: {}}
    assert token["sid"] == tokens["claims"]["sid"]
    assert token["sub"] == tokens["claims"]["sub"]
    assert token["jti"]
    assert token["iat"] <= int(estate.clock()) < token["exp"] <= token["iat"] + 120
    assert "nonce" not in token
    assert jwt.get_unverified_header(form["logout_token"])["typ"] == "logout+jwt"


def test_the_front_channel_is_framed_as_discovery_says(estate: Estate) -> None:
    said = metadata_of(estate)
    assert said["frontchannel_logout_supported"] is True
    assert said["frontchannel_logout_session_supported"] is True
    party = register(
        estate,
        frontchannel_logout_uri=FRAME,
        frontchannel_logout_session_required=True,
        post_logout_redirect_uris=[LEFT],
    )
    tokens = party.tokens()
    page = leave(party, id_token_hint=tokens["id_token"], post_logout_redirect_uri=LEFT, state="s-1")
    assert isinstance(page, Page)
    (source,) = re.findall(r'<iframe src="([^"]+)"', page.html)
    sent = urlencode({"iss": estate.settings.issuer, "sid": tokens["claims"]["sid"]})
    assert source.replace("&amp;", "&") == f"{FRAME}?{sent}"
    assert page.links["back"] == f"{LEFT}?state=s-1"


def session_state(party: Party) -> str:
    arrived = party.arrive(prompt="none")
    return arrived.parameters["session_state"]


def test_the_state_of_a_session_can_be_checked_as_discovery_says(estate: Estate, party: Party) -> None:
    frame = metadata_of(estate)["check_session_iframe"]
    answer = party.browser.get(frame)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "X-Frame-Options" not in answer.headers
    party.tokens()
    state = session_state(party)
    assert " " not in state
    told, salt = state.split(".")
    cookie = party.browser.wsgi.get_cookie(estate.settings.cookie_name("state"), domain="localhost")
    assert cookie is not None
    origin = "https://suite.example"
    assert told == sha256(f"{party.client_id} {origin} {cookie.value} {salt}".encode()).hexdigest()


def test_the_state_changes_when_the_person_logs_out(party: Party) -> None:
    token = hint(party)
    name = party.estate.settings.cookie_name("state")
    before = party.browser.wsgi.get_cookie(name, domain="localhost")
    leave(party, id_token_hint=token)
    after = party.browser.wsgi.get_cookie(name, domain="localhost")
    assert before is not None
    assert after is None or after.value != before.value
