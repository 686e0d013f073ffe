"""OpenID Connect Front-Channel Logout 1.0: the page after logging out frames the applications that asked for it."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from idp.commands import CommandFailed
from tests.flow.estate import Arrival, Browser, Estate
from tests.flow.journeys import arrive, sign_in
from tests.flow.reading import Page

HOME = "http://localhost:8001/"
FRAMED = "https://premie.example.be/out?a=1"
CALLBACKS = [HOME + "callback", "https://premie.example.be/callback"]


@pytest.fixture
def estate(estate: Estate) -> Estate:
    """The estate, in which hinderpremie asked for a frame."""
    asked = {"frontchannel_logout_uri": FRAMED, "frontchannel_logout_session_required": True}
    estate.register("hinderpremie", redirect_uris=CALLBACKS, **asked)
    return estate


def frames_of(page: Page | Arrival) -> list[str]:
    assert isinstance(page, Page), page
    assert (page.name, page.status) == ("logged-out", 200)
    return [unescape(src) for src in re.findall(r'<iframe src="([^"]*)"', page.html)]


def policy(browser: Browser, address: str) -> str:
    return browser.get(address).headers["Content-Security-Policy"]


def test_the_frame_says_whose_session_and_who_speaks(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, "hinderpremie", "dirk")
    (frame,) = frames_of(browser.open(f"/op/v1/logout?id_token_hint={tokens.body['id_token']}"))
    parts = urlsplit(frame)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://premie.example.be/out"
    assert dict(parse_qsl(parts.query)) == {"a": "1", "iss": estate.settings.issuer, "sid": tokens.claims["sid"]}


def test_the_policy_lets_these_frames_and_no_others_in(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, "hinderpremie", "dirk")
    allowed = policy(browser, f"/op/v1/logout?id_token_hint={tokens.body['id_token']}")
    assert "frame-src https://premie.example.be;" in allowed + ";"
    assert "frame-ancestors 'none'" in allowed
    assert "frame-src" not in policy(browser, "/op/v1/logout")


def test_the_person_goes_on_once_the_applications_were_told(estate: Estate, browser: Browser) -> None:
    hint = sign_in(browser, "hinderpremie", "dirk").body["id_token"]
    page = browser.open(f"/op/v1/logout?id_token_hint={hint}&post_logout_redirect_uri={HOME}&state=b%22ye")
    assert len(frames_of(page)) == 1
    assert isinstance(page, Page)
    assert page.links["back"] == f"{HOME}?state=b%22ye"
    assert "/static/logged-out.js" in page.html


def test_an_application_that_was_not_visited_is_not_framed(estate: Estate, browser: Browser) -> None:
    hint = sign_in(browser, "burgerprofiel", "dirk").body["id_token"]
    page = browser.open(f"/op/v1/logout?id_token_hint={hint}")
    assert frames_of(page) == []
    assert isinstance(page, Page)
    assert "logged-out.js" not in page.html


def test_without_a_frame_the_person_goes_back_at_once(estate: Estate, browser: Browser) -> None:
    hint = sign_in(browser, "burgerprofiel", "dirk").body["id_token"]
    back = browser.open(f"/op/v1/logout?id_token_hint={hint}&post_logout_redirect_uri=http://localhost:8004/")
    assert isinstance(back, Arrival)


def test_after_the_question_the_frames_are_there_too(estate: Estate, browser: Browser) -> None:
    arrive(browser, "hinderpremie", "dirk")
    page = browser.open("/op/v1/logout")
    assert isinstance(page, Page)
    form = page.form_of_button("logout-confirm")
    assert len(frames_of(browser.rest(form.action, browser.post(form.action, form.fields)))) == 1


def test_discovery_says_so(estate: Estate) -> None:
    said = estate.get("/op/.well-known/openid-configuration").json
    assert said
    assert said["frontchannel_logout_supported"] is True
    assert said["frontchannel_logout_session_supported"] is True


@pytest.mark.parametrize("name", ["frontchannel_logout_uri", "backchannel_logout_uri"])
@pytest.mark.parametrize(
    "uri", ["http://premie.example.be/out", "javascript:alert(1)", "https://a.be/x#f", "https://a.be/;x y"]
)
def test_an_address_that_is_not_safe_is_not_registered(estate: Estate, name: str, uri: str) -> None:
    with pytest.raises(CommandFailed, match="must be https addresses"):
        estate.register("subsidieloket", **{name: uri})


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/out",
        "http://localhost:8001/out",
        "https://premie.example.be:8443/out",
        "https://sub.premie.example.be/out",
        "https://premie.example.be.evil.example/out",
    ],
)
def test_an_address_of_another_origin_than_the_application_is_not_registered(estate: Estate, uri: str) -> None:
    with pytest.raises(CommandFailed, match="scheme, host and port"):
        estate.register("hinderpremie", redirect_uris=["https://premie.example.be/cb"], frontchannel_logout_uri=uri)


@pytest.mark.parametrize("uri", ["https://PREMIE.example.be:443/out", "https://premie.example.be/a/b?c=d"])
def test_the_same_origin_may_be_written_otherwise(estate: Estate, uri: str) -> None:
    estate.register("hinderpremie", redirect_uris=["https://premie.example.be/cb"], frontchannel_logout_uri=uri)


def test_nobody_registers_a_frame_of_another_site(estate: Estate) -> None:
    metadata = {"redirect_uris": ["https://one.example/cb"], "frontchannel_logout_uri": "https://other.example/out"}
    answer = (
        estate.configured(registration="open").http().post("/op/v1/register", json=metadata, base_url=estate.origin)
    )
    assert answer.status_code == 400
    assert answer.json
    assert answer.json["error"] == "invalid_client_metadata"


def test_a_frame_runs_its_own_scripts_and_leads_nobody_away(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, "hinderpremie", "dirk")
    page = browser.open(f"/op/v1/logout?id_token_hint={tokens.body['id_token']}")
    assert isinstance(page, Page)
    assert re.findall(r'<iframe [^>]*sandbox="([^"]*)"', page.html) == ["allow-scripts allow-same-origin"]
