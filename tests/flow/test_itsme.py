"""itsme as a key: a relying party and a provider that check each other, over real HTTP with real nested tokens."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest

from authenticators.itsme_claims import ADVANCED, BASIC, NATIONAL_NUMBER
from demo.itsme import tokens as simulated
from demo.itsme.sign_ins import ANSWER_SECONDS, PICTURES
from demo.itsme.tokens import Tokens
from idp.composition import House
from tests.clock import FakeClock
from tests.flow.estate import VERIFIER, Arrival, Estate, copy
from tests.flow.itsme import Beside, Person, itsme_beside
from tests.flow.journeys import assert_error_page, at_once
from tests.flow.reading import Page

ITSME = "urn:be:vlaanderen:authmech:itsme"


@pytest.fixture(scope="module")
def prepared(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared estate, with our keys towards itsme: making them takes longer than a test."""
    folder = tmp_path_factory.mktemp("itsme")
    House(copy(prepared, folder), FakeClock()).upstream_keyring.make_first()
    return folder


@pytest.fixture
def beside(estate: Estate) -> Iterator[Beside]:
    """The estate with a simulated itsme beside it."""
    with itsme_beside(estate) as made:
        yield made


@pytest.fixture
def dirk(beside: Beside) -> Person:
    """Dirk, with his telephone."""
    return Person(beside, "dirk")


def assert_failed(page: Page | Arrival, caplog: pytest.LogCaptureFixture, reason: str) -> None:
    """The plain page, and the reason in the log alone."""
    assert isinstance(page, Page), page
    assert (page.name, page.status) == ("itsme-failed", 200), page.words
    told = [record.getMessage() for record in caplog.records if "authentication failed" in record.getMessage()]
    assert any("key=itsme" in line and reason in line for line in told), told
    assert reason not in page.words


# Signing in.


def test_dirk_signs_in_with_itsme(beside: Beside, dirk: Person) -> None:
    arrived = dirk.sign_in("hinderpremie")
    assert isinstance(arrived, Arrival), arrived.words
    claims = beside.estate.redeem("hinderpremie", arrived).claims
    assert (claims["acr"], claims["amr"]) == (ITSME, ["swk", "mfa"])
    assert claims["given_name"] == "Dirk"
    assert not [path for path in beside.asked if "userinfo" in path]


def test_the_request_asks_what_is_needed_and_nothing_else(dirk: Person) -> None:
    away = dirk.browser.submit(dirk.browser.ask("hinderpremie", ui_locales="fr"), ("key", "itsme"))
    assert isinstance(away, Arrival)
    asked = away.parameters
    assert set(asked["scope"].split()) == {"openid", "service:TOEGANG_TEST", "profile", "eid"}
    assert json.loads(asked["claims"])["id_token"].keys() == {NATIONAL_NUMBER, "given_name", "family_name"}
    assert asked["redirect_uri"] == f"{dirk.estate.settings.issuer}/v1/auth/itsme/callback"
    assert (asked["acr_values"], asked["ui_locales"], asked["code_challenge_method"]) == (BASIC, "fr", "S256")
    assert len(asked["state"]) >= 43
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3


def test_the_picture_is_the_same_on_both_screens_and_the_number_is_masked(dirk: Person) -> None:
    waiting = dirk.wait(dirk.leave("hinderpremie"))
    shown = dirk.open(f"/simulators/itsme/{dirk.phone}")
    (on_page,) = [one for one in PICTURES if f"pair-{one}." in waiting.html]
    assert f"pair-{on_page}." in shown.html
    assert dirk.phone not in waiting.words
    assert waiting.name == "itsme-wait"


def test_what_the_id_token_holds_not_is_asked_of_userinfo(
    beside: Beside, dirk: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = beside.itsme.id_token_claims
    members = ("iss", "aud", "sub", "nonce", "iat", "exp")
    monkeypatch.setattr(beside.itsme, "id_token_claims", lambda one: {name: told(one)[name] for name in members})
    arrived = dirk.sign_in("hinderpremie")
    assert isinstance(arrived, Arrival)
    assert beside.estate.redeem("hinderpremie", arrived).claims["given_name"] == "Dirk"
    assert [path for path in beside.asked if path == "/v2/userinfo"] == ["/v2/userinfo"]


def test_somebody_unknown_here_comes_in_as_a_citizen_by_the_names_of_itsme(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanne = Person(beside, "hanne")
    changes = {NATIONAL_NUMBER: "00600099734", "given_name": "Zoë", "family_name": "Nieuw"}
    monkeypatch.setattr(beside.itsme, "id_token_claims", without(beside.itsme.id_token_claims, changes))
    arrived = hanne.sign_in("burgerprofiel")
    assert isinstance(arrived, Arrival), arrived.words
    claims = beside.estate.redeem("burgerprofiel", arrived, code_verifier=VERIFIER).claims
    assert (claims["given_name"], claims["family_name"]) == ("Zoë", "Nieuw")


def test_the_advanced_kind_is_asked_and_has_to_be_stated(estate: Estate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with itsme_beside(estate, itsme_acr="advanced") as beside:
        assert isinstance(Person(beside, "dirk").sign_in("hinderpremie"), Arrival)
        lowered = Person(beside, "dirk")
        away = lowered.browser.submit(lowered.browser.ask("hinderpremie"), ("key", "itsme"))
        assert isinstance(away, Arrival)
        assert away.parameters["acr_values"] == ADVANCED
        page = lowered.open(f"{away.address}?{urlencode(away.parameters | {'acr_values': BASIC})}")
        assert_failed(lowered.browser.open(lowered.approve(page)), caplog, "it proves less than was asked")


def test_a_step_up_from_a_lower_key(beside: Beside, dirk: Person) -> None:
    browser = dirk.browser
    assert isinstance(browser.sign_in(browser.ask("hinderpremie"), "dirk", "sms"), Arrival)
    asked = browser.ask("hinderpremie", acr_values=ITSME)
    assert isinstance(asked, Page)
    assert asked.name == "login"
    arrived = browser.open(dirk.approve(dirk.leave_from(asked)))
    assert isinstance(arrived, Arrival)
    assert beside.estate.redeem("hinderpremie", arrived).claims["acr"] == ITSME


def test_a_session_that_is_surer_already_is_not_sent_to_itsme(dirk: Person) -> None:
    browser = dirk.browser
    assert isinstance(browser.sign_in(browser.ask("hinderpremie"), "dirk", "eid"), Arrival)
    assert isinstance(browser.ask("hinderpremie", acr_values=ITSME), Arrival)


def test_only_people_who_have_itsme_are_ever_asked(beside: Beside) -> None:
    ilse = Person(beside, "ilse")
    waiting = ilse.wait(ilse.leave("burgerprofiel"))
    assert "approve" not in ilse.open(f"/simulators/itsme/{ilse.phone}").ids
    dirk = Person(beside, "dirk")
    other = dirk.wait(dirk.leave("burgerprofiel"))
    # An unknown number sees what a known one sees: but for the picture and the address, the very same page.
    assert [form.button_ids for form in waiting.forms] == [form.button_ids for form in other.forms]
    assert waiting.ids == other.ids
    beside.estate.clock.advance(ANSWER_SECONDS)
    address = ilse.go_on(waiting)
    assert isinstance(address, str)
    assert "error=access_denied" in address


# Ways in which it ends.


def test_a_refusal_on_the_telephone_is_told_plainly(dirk: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    waiting = dirk.wait(dirk.leave("hinderpremie"))
    dirk.press("deny")
    address = dirk.go_on(waiting)
    assert isinstance(address, str)
    page = dirk.browser.open(address)
    assert_failed(page, caplog, "itsme answered access_denied")
    assert isinstance(page, Page)
    assert "geweigerd" in page.words
    again = dirk.browser.click(page, "itsme-again")
    assert isinstance(again, Arrival)
    assert isinstance(
        dirk.browser.open(dirk.approve(dirk.open(f"{again.address}?{urlencode(again.parameters)}"))), Arrival
    )


def test_a_question_that_nobody_answers_expires(beside: Beside, dirk: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    waiting = dirk.wait(dirk.leave("hinderpremie"))
    early = dirk.go_on(waiting)
    assert isinstance(early, Page)
    assert (early.name, early.status) == ("itsme-wait", 200)
    shown = dirk.open(f"/simulators/itsme/{dirk.phone}")
    beside.estate.clock.advance(ANSWER_SECONDS)
    late = dirk.submit(shown, answer="approve")
    assert isinstance(late, Page)
    assert "wachtte niet meer" in late.words
    address = dirk.go_on(waiting)
    assert isinstance(address, str)
    assert_failed(dirk.browser.open(address), caplog, "itsme answered access_denied")


def test_a_code_that_comes_too_late_is_refused(beside: Beside, dirk: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    address = dirk.approve(dirk.leave("hinderpremie"))
    beside.estate.clock.advance(180)
    assert_failed(dirk.browser.open(address), caplog, "token endpoint: status 400, invalid_grant")


def test_who_comes_back_after_a_quarter_of_an_hour_begins_anew(beside: Beside, dirk: Person) -> None:
    page = dirk.leave("hinderpremie")
    beside.estate.clock.advance(901)
    assert_error_page(dirk.browser.open(dirk.approve(page)))


def test_an_answer_counts_once(dirk: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    address = dirk.approve(dirk.leave("hinderpremie"))
    assert isinstance(dirk.browser.open(address), Arrival)
    assert_failed(dirk.browser.open(address), caplog, "state: AlreadyTaken")


def test_of_twenty_at_once_one_comes_in(beside: Beside, dirk: Person) -> None:
    address = dirk.approve(dirk.leave("hinderpremie"))
    answers = at_once(20, lambda _: dirk.browser.get(address).status_code)
    assert sorted(answers) == [200] * 19 + [303]
    assert len([path for path in beside.asked if path == "/v2/token"]) == 1


def test_of_twenty_presses_on_the_telephone_one_counts(dirk: Person) -> None:
    waiting = dirk.wait(dirk.leave("hinderpremie"))
    shown = dirk.open(f"/simulators/itsme/{dirk.phone}")
    form = shown.form_of_button("approve")
    pressed = at_once(20, lambda _: dirk.post(form.action, form.fields | {"answer": "approve"}).text)
    assert len([text for text in pressed if "U hebt bevestigd" in text]) == 1
    assert isinstance(dirk.go_on(waiting), str)


def test_two_tabs_go_their_own_ways(dirk: Person) -> None:
    begun = dirk.browser.ask("hinderpremie")
    first = dirk.leave_from(begun)
    second = dirk.leave_from(begun)
    assert isinstance(dirk.browser.open(dirk.approve(second)), Arrival)
    # The abandoned tab, taken up again: the request has had its answer, and a moment later it is gone.
    dirk.estate.clock.advance(60)
    assert_error_page(dirk.browser.open(dirk.approve(first)))


def test_the_person_may_come_back_in_another_tab(dirk: Person) -> None:
    begun = dirk.browser.ask("hinderpremie")
    address = dirk.approve(dirk.leave_from(begun))
    dirk.browser.ask("subsidieloket")  # something else goes on meanwhile
    assert isinstance(dirk.browser.open(address), Arrival)


def test_itsme_that_is_not_there_is_told_and_comes_back(estate: Estate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    own = {"itsme_issuer": "http://localhost:9/v2", "itsme_client_id": "x", "itsme_service": "X"}
    made = estate.configured(**own)
    browser = made.browser()
    page = browser.submit(browser.ask("hinderpremie"), ("key", "itsme"))
    assert_failed(page, caplog, "/v2/.well-known/openid-configuration cannot be read")
    made.application.close()


# Whoever brings an answer that is not theirs.


def test_an_answer_is_worth_nothing_in_another_browser(beside: Beside, dirk: Person) -> None:
    address = dirk.approve(dirk.leave("hinderpremie"))
    other = beside.estate.browser()
    other.ask("hinderpremie")
    page = assert_error_page(other.open(address))
    assert "andere browser" in page.words or page.ids
    assert beside.asked.count("/v2/token") == 0


def test_an_answer_to_somebody_elses_attempt_is_refused(
    beside: Beside, dirk: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """A code of the attacker's, put into the victim's sign-in: verifier and nonce are the victim's."""
    caplog.set_level(logging.INFO)
    theirs = Person(beside, "elif").approve(Person(beside, "elif").leave("hinderpremie"))
    mine = dirk.approve(dirk.leave("hinderpremie"))
    swapped = with_parameters(mine, code=parameters(theirs)["code"])
    assert_failed(dirk.browser.open(swapped), caplog, "token endpoint: status 400, invalid_grant")


@pytest.mark.parametrize("path", ["/op/v1/auth/eid/callback", "/op/v1/auth/unknown/callback"])
def test_an_answer_at_the_address_of_another_key_is_refused(beside: Beside, dirk: Person, path: str) -> None:
    address = dirk.approve(dirk.leave("hinderpremie"))
    assert_error_page(dirk.browser.open(f"{path}?{urlsplit(address).query}"))
    assert beside.asked.count("/v2/token") == 0


@pytest.mark.parametrize(
    "query", ["", "code=x", "state=", "state=unknown&code=x", "state=a&state=b&code=x", "state=" + "a" * 9000]
)
def test_an_answer_to_nothing_ends_on_the_error_page(dirk: Person, query: str) -> None:
    dirk.browser.ask("hinderpremie")
    assert_error_page(dirk.browser.open(f"/op/v1/auth/itsme/callback?{query}"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code": ""}, "the answer holds no code"),
        ({"code": "x" * 600}, "the answer holds no code"),
        ({"code": "made-up"}, "token endpoint: status 400, invalid_grant"),
        ({"iss": "https://idp.example.be"}, "the answer comes from another issuer"),
        ({"error": "server_error"}, "itsme answered server_error"),
        ({"error": "<script>alert(1)</script>\n2026 root"}, "itsme answered an error of no known form"),
    ],
)
def test_an_answer_that_says_anything_else_is_refused(
    dirk: Person, caplog: pytest.LogCaptureFixture, changes: dict[str, str], reason: str
) -> None:
    caplog.set_level(logging.INFO)
    address = dirk.approve(dirk.leave("hinderpremie"))
    assert_failed(dirk.browser.open(with_parameters(address, **changes)), caplog, reason)
    assert "<script" not in caplog.text


def test_a_page_after_a_failure_holds_nothing_of_the_answer(dirk: Person) -> None:
    address = dirk.approve(dirk.leave("hinderpremie"))
    code = parameters(address)["code"]
    dirk.browser.open(address)
    page = dirk.browser.open(address)
    assert isinstance(page, Page)
    assert code not in page.html
    assert parameters(address)["state"] not in page.html


def test_a_link_scanner_that_asks_for_the_head_uses_nothing_up(dirk: Person) -> None:
    address = dirk.approve(dirk.leave("hinderpremie"))
    assert dirk.browser.wsgi.head(dirk.browser.path(address), base_url=dirk.estate.origin).status_code == 405
    assert isinstance(dirk.browser.open(address), Arrival)


# A provider that is not the one, or not what it should be.

OTHER, THEIRS = Tokens(), Tokens().signing_key


class SignedByAnother(Tokens):
    """Signs with a key that is not published, under the name of the one that is."""

    def signed(self, claims: Any) -> str:
        return jwt.encode(dict(claims), OTHER.signing_key, algorithm="RS256", headers={"kid": self.kid})


class SignedBySecret(Tokens):
    """Signs with the published key as if it were a secret (RFC 8725 §2.1)."""

    def signed(self, claims: Any) -> str:
        head = simulated.base64url(json.dumps({"alg": "HS256", "kid": self.kid}).encode())
        signed = f"{head}.{simulated.base64url(json.dumps(claims).encode())}"
        secret = json.dumps(self.key_set()["keys"][0]).encode()
        return f"{signed}.{simulated.base64url(simulated.digest(secret, signed.encode(), 'sha256'))}"


class SignedOtherwise(Tokens):
    """Signs with the published key by another algorithm."""

    def signed(self, claims: Any) -> str:
        return jwt.encode(dict(claims), self.signing_key, algorithm="PS256", headers={"kid": self.kid})


class Unsigned(Tokens):
    """Signs not at all."""

    def signed(self, claims: Any) -> str:
        return jwt.encode(dict(claims), None, algorithm="none", headers={"kid": self.kid})


class Unencrypted(Tokens):
    """Signs, and lets everybody read."""

    def encrypted(self, content: str, _recipient: Any) -> str:
        return content


class EncryptedToAnother(Tokens):
    """Encrypts to another key, under the name of ours."""

    def encrypted(self, content: str, recipient: Any) -> str:
        another = jwt.algorithms.RSAAlgorithm.to_jwk(OTHER.signing_key.public_key(), as_dict=True)
        return super().encrypted(content, {**another, "kid": recipient["kid"]})


class EncryptedFlat(Tokens):
    """Encrypts the claims without signing them: whoever knows our public key could."""

    def nested(self, claims: Any, recipient: Any) -> str:
        return self.encrypted(json.dumps(claims), recipient)


class EncryptedOtherwise(Tokens):
    """Says another algorithm than it used."""

    def encrypted(self, content: str, recipient: Any) -> str:
        _head, *rest = super().encrypted(content, recipient).split(".")
        header = json.dumps({"alg": "RSA1_5", "enc": "A128CBC-HS256", "cty": "JWT", "kid": recipient["kid"]})
        return ".".join((simulated.base64url(header.encode()), *rest))


class Altered(Tokens):
    """A byte of the content is turned over on the way."""

    def encrypted(self, content: str, recipient: Any) -> str:
        head, wrapped, vector, text, tag = super().encrypted(content, recipient).split(".")
        turned = ("B" if text[5] != "B" else "C").join((text[:5], text[6:]))
        return ".".join((head, wrapped, vector, turned, tag))


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        (SignedByAnother, "ID token: signed by no key that we know, or changed"),
        (SignedBySecret, "ID token: signed by no key that we know, or changed"),
        (SignedOtherwise, "ID token: signed by no key that we know, or changed"),
        (Unsigned, "ID token: signed by no key that we know, or changed"),
        (Unencrypted, "ID token: it is not encrypted"),
        (EncryptedToAnother, "ID token: it cannot be decrypted"),
        (EncryptedFlat, "ID token: "),
        (EncryptedOtherwise, "ID token: it is encrypted by another algorithm"),
        (Altered, "ID token: it cannot be decrypted"),
    ],
)
def test_a_token_made_by_any_other_key_or_algorithm_proves_nothing(
    beside: Beside, dirk: Person, caplog: pytest.LogCaptureFixture, *, tokens: type[Tokens], reason: str
) -> None:
    caplog.set_level(logging.INFO)
    address = dirk.approve(dirk.leave("hinderpremie"))
    beside.itsme.tokens = tokens(THEIRS)
    assert_failed(dirk.browser.open(address), caplog, reason)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://idp.prd.itsme.services/v2"}, "it comes from another issuer"),
        ({"iss": None}, "it comes from another issuer"),
        ({"aud": "another"}, "it is meant for another"),
        ({"aud": ["toegang-test", "another"]}, "it is meant for another"),
        ({"aud": None}, "it is meant for another"),
        ({"azp": "another"}, "it is meant for another"),
        ({"nonce": "another"}, "it belongs to another sign-in"),
        ({"nonce": None}, "it belongs to another sign-in"),
        ({"sub": None}, "it names nobody"),
        ({"sub": 7}, "it names nobody"),
        ({"exp": 1}, "it is too old, or not valid yet"),
        ({"exp": None}, "it is too old, or not valid yet"),
        ({"exp": "tomorrow"}, "it is too old, or not valid yet"),
        ({"exp": True}, "it is too old, or not valid yet"),
        ({"iat": 10**11}, "it is too old, or not valid yet"),
        ({"iat": 1, "exp": 10**11}, "it is too old, or not valid yet"),
        ({"iat": None}, "it is too old, or not valid yet"),
        ({"nbf": 10**11}, "it is too old, or not valid yet"),
        ({"acr": "tag:sixdots.be,2016-06:acr_basic"}, "it proves less than was asked"),
        ({"acr": 1}, "it proves less than was asked"),
        ({NATIONAL_NUMBER: ""}, "it holds no national number"),
        ({NATIONAL_NUMBER: 89661799748}, "it holds no national number"),
        ({NATIONAL_NUMBER: "89.66.17-997.48"}, "it holds no national number"),
        ({NATIONAL_NUMBER: "٨٩٦٦١٧٩٩٧٤٨"}, "it holds no national number"),
    ],
)
def test_a_token_that_says_anything_else_proves_nothing(
    beside: Beside,
    dirk: Person,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    reason: str,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(beside.itsme, "id_token_claims", without(beside.itsme.id_token_claims, changes))
    assert_failed(dirk.sign_in("hinderpremie"), caplog, f"ID token: {reason}")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sub": "another"}, "userinfo: it tells of somebody else"),
        ({"iss": "https://idp.prd.itsme.services/v2"}, "userinfo: it tells of somebody else"),
        ({"aud": "another"}, "userinfo: it is meant for another"),
        ({NATIONAL_NUMBER: None}, "it holds no national number"),
    ],
)
def test_userinfo_of_somebody_else_is_not_believed(
    beside: Beside,
    dirk: Person,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    reason: str,
) -> None:
    caplog.set_level(logging.INFO)
    in_token, told = beside.itsme.id_token_claims, beside.itsme.userinfo_claims
    monkeypatch.setattr(beside.itsme, "id_token_claims", without(in_token, {NATIONAL_NUMBER: None}))
    monkeypatch.setattr(beside.itsme, "userinfo_claims", without(told, changes))
    assert_failed(dirk.sign_in("hinderpremie"), caplog, reason)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issuer": "https://idp.prd.itsme.services/v2"}, "cannot be read"),
        ({"authorization_endpoint": "https://idp.example.be/v2/authorization"}, "cannot be read"),
        ({"token_endpoint": None}, "cannot be read"),
        ({"jwks_uri": 7}, "cannot be read"),
    ],
)
def test_a_discovery_document_of_another_is_not_believed(
    beside: Beside,
    dirk: Person,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    reason: str,
) -> None:
    caplog.set_level(logging.INFO)
    told = beside.itsme.metadata
    monkeypatch.setattr(beside.itsme, "metadata", lambda: {**told(), **changes})
    page = dirk.browser.submit(dirk.browser.ask("hinderpremie"), ("key", "itsme"))
    assert_failed(page, caplog, reason)


def test_a_new_key_of_itsme_is_found_by_its_name(beside: Beside, dirk: Person) -> None:
    assert isinstance(dirk.sign_in("hinderpremie"), Arrival)
    beside.estate.clock.advance(60)
    beside.itsme.tokens = Tokens()
    assert isinstance(Person(beside, "elif").sign_in("statistiek"), Arrival)


def test_the_simulator_states_the_issuer_where_it_says_that_it_does(
    beside: Beside, dirk: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    told = beside.itsme.metadata
    is_told = {"authorization_response_iss_parameter_supported": True}
    monkeypatch.setattr(beside.itsme, "metadata", lambda: {**told(), **is_told})
    address = dirk.approve(dirk.leave("hinderpremie"))
    assert_failed(dirk.browser.open(address), caplog, "the answer comes from another issuer")
    address = dirk.approve(dirk.leave("hinderpremie"))
    assert isinstance(dirk.browser.open(with_parameters(address, iss=beside.itsme.issuer)), Arrival)


# Our keys.


def test_our_keys_for_itsme_are_of_their_own(beside: Beside) -> None:
    answer = beside.estate.get("/op/v1/keys/itsme")
    theirs = {key["kid"] for key in beside.estate.get("/op/v1/keys").json["keys"]}
    keys = answer.json["keys"]
    assert [(key["kty"], key["use"]) for key in keys] == [("RSA", "sig"), ("RSA", "enc")]
    assert not {key["kid"] for key in keys} & theirs
    assert not {"d", "p", "q"} & {name for key in keys for name in key}
    assert "max-age=3600" in answer.headers["Cache-Control"]


def test_without_settings_there_is_no_itsme(estate: Estate) -> None:
    page = estate.browser().ask("hinderpremie")
    assert isinstance(page, Page)
    assert "itsme" not in page.keys
    assert estate.get("/op/v1/keys/itsme").status_code == 404
    assert estate.get("/simulators/itsme/+32470000004").status_code == 404


def test_the_telephone_is_found_by_the_providers_address(beside: Beside, dirk: Person) -> None:
    answer = beside.estate.get(f"/simulators/itsme/{dirk.phone}")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{beside.origin}/simulators/itsme/%2B{dirk.phone[1:]}"
    assert dirk.open(answer.headers["Location"]).name == "itsme-phone"


def test_the_policy_of_the_page_of_keys_lets_the_way_to_itsme_through(beside: Beside) -> None:
    browser = beside.estate.browser()
    page = browser.ask("hinderpremie")
    assert isinstance(page, Page)
    policy = browser.get(page.address).headers["Content-Security-Policy"]
    (form_action,) = [one for one in policy.split("; ") if one.startswith("form-action")]
    assert beside.origin in form_action.split()


def parameters(address: str) -> dict[str, str]:
    """What an address brings."""
    return dict(parse_qsl(urlsplit(address).query))


def with_parameters(address: str, **changes: str) -> str:
    """The address with other parameters."""
    return f"{address.partition('?')[0]}?{urlencode(parameters(address) | changes)}"


def without(told: Callable[[Any], dict[str, Any]], changes: dict[str, Any]) -> Callable[[Any], dict[str, Any]]:
    """What is told with changes; None leaves a member out."""
    return lambda one: {name: value for name, value in (told(one) | changes).items() if value is not None}


# Wherever it is kept, and whatever day it is.


def test_it_is_the_same_on_every_store(anywhere: Estate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with itsme_beside(anywhere) as beside:
        dirk = Person(beside, "dirk")
        address = dirk.approve(dirk.leave("hinderpremie"))
        answers = at_once(5, lambda _: dirk.browser.get(address).status_code)
        assert sorted(answers) == [200] * 4 + [303]
        assert_failed(dirk.browser.open(address), caplog, "state: AlreadyTaken")


@pytest.mark.parametrize("days", [31, -31])
def test_on_another_day_of_the_whole_system_it_works_as_well(beside: Beside, dirk: Person, days: int) -> None:
    assert isinstance(dirk.sign_in("burgerprofiel"), Arrival)
    beside.estate.pass_days(days)
    assert isinstance(Person(beside, "hanne").sign_in("burgerprofiel"), Arrival)
