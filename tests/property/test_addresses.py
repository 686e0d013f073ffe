"""Every address of the map, whatever is sent there, by whom and how: an answer, and never a failure of ours.

The addresses are read from the application: a new one is tried without being named here.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client as WsgiClient

from idp.routes import Route
from tests.clock import FakeClock
from tests.flow.estate import Browser, Estate, prepare
from tests.flow.journeys import arrive
from tests.property.test_http import header_text, tokens, words

METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")
NAMES = (
    *("client_id", "client_secret", "redirect_uri", "grant_type", "code", "refresh_token", "device_code", "user_code"),
    *(
        "scope",
        "state",
        "request",
        "request_uri",
        "token",
        "csrf",
        "client",
        "answer",
        "key",
        "identity",
        "code_verifier",
    ),
    *("withdrawn", "begun", "zoek", "blad", "ui_locales", "post_logout_redirect_uri", "id_token_hint", "auth_req_id"),
    *(
        "login_hint",
        "client_assertion",
        "client_assertion_type",
        "subject_token",
        "username",
        "password",
        "offset_days",
    ),
)
KNOWN = ("hinderpremie", "authorization_code", "openid", "eid", "allow", "sms", "nl", "1", "0", "-1", "none")
CONTENT_TYPES = (
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain",
    "multipart/form-data; boundary=a",
)
HEADERS = ("Authorization", "DPoP", "Cookie", "Client-Cert", "Origin", "Accept", "Accept-Language", "X-Forwarded-For")


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """The provider with all that can be on."""
    clock = FakeClock()
    made = Estate(prepare(tmp_path_factory.mktemp("estate"), clock), clock).configured(registration="open")
    yield made
    made.application.close()


@pytest.fixture(scope="module")
def visitors(estate: Estate) -> tuple[WsgiClient, ...]:
    """Nobody, a browser that has begun, and one in which somebody is signed in."""
    begun, signed_in = Browser(estate), Browser(estate)
    begun.ask("hinderpremie")
    arrive(signed_in, "hinderpremie", "dirk")
    return estate.http(), begun.wsgi, signed_in.wsgi


def routes(estate: Estate) -> list[Route]:
    """Every address of the map."""
    return [rule.endpoint for rule in estate.application._flask.url_map.iter_rules()]


parameters = st.dictionaries(st.sampled_from(NAMES) | words, words | tokens | st.sampled_from(KNOWN), max_size=6)
header_values = header_text.map(lambda text: "".join(one for one in text if one not in "\r\n\0"))
headers = st.dictionaries(
    st.sampled_from(HEADERS),
    st.tuples(st.sampled_from(["", "Basic ", "Bearer ", "DPoP ", ":"]), header_values).map("".join),
    max_size=3,
)
bodies = parameters | st.binary(max_size=300) | tokens.map(str.encode)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_is_sent_anywhere_is_answered(
    estate: Estate, visitors: tuple[WsgiClient, ...], data: st.DataObject
) -> None:
    route = data.draw(st.sampled_from(routes(estate)))
    sent: dict[str, Any] = {"query_string": data.draw(parameters), "headers": data.draw(headers)}
    method = data.draw(st.sampled_from(route.methods.split()) | st.sampled_from(METHODS))
    if method in ("POST", "PUT", "PATCH"):
        sent |= {"data": data.draw(bodies), "content_type": data.draw(st.sampled_from(CONTENT_TYPES))}
    address = filled(route.address, data.draw(words | tokens | st.sampled_from(KNOWN)))
    visitor = data.draw(st.sampled_from(visitors))
    answer = visitor.open(address, method=method, base_url=estate.origin, **sent)
    assert answer.status_code < 500, (method, address, answer.text)
    assert "Traceback" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def filled(address: str, part: str) -> str:
    """The address with something in each of its places."""
    pieces = address.split("<")
    return pieces[0] + "".join(quote(part[:200], safe="") + piece.partition(">")[2] for piece in pieces[1:])
