"""Live truth: the discovery document is walked, and each thing that it promises is tried against the running provider.

A member without a trial fails, and so does a value that its trial does not know: a new promise demands a trial.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from werkzeug.test import TestResponse

from idp.commands import CommandFailed
from idp.composition import chores
from tests.flow import asking
from tests.flow.estate import Arrival, Estate
from tests.flow.journeys import introspect, sign_in
from tests.flow.listener import listening
from tests.flow.party import CALLBACK, LEFT, Party, delivered, metadata_of, open_to_all, register
from tests.flow.reading import Page
from tests.flow.sealing import Recipient, encrypted
from tests.flow.sealing import public_jwk as certified_jwk
from tests.flow.test_conformance_logout import is_signed_in, leave
from tests.flow.test_mtls import PROXY, Card, issue
from tests.flow.walking import Walk, public_jwk, signed

Trial = Callable[[Walk, Any], None]
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CIBA = "urn:openid:params:grant-type:ciba"
SUBJECT = "CN=machine,O=Voorbeeld,C=BE"


@pytest.fixture
def walk(estate: Estate) -> Iterator[Walk]:
    """The estate with everything on that does not need a proxy."""
    made = open_to_all(estate).configured(outbound_allow=frozenset({"127.0.0.1"}))
    yield Walk(made, metadata_of(made))
    made.application.close()


# Endpoints.


def the_issuer(walk: Walk, value: str) -> None:
    assert value == walk.estate.settings.issuer
    assert register(walk.estate).tokens()["claims"]["iss"] == value


def the_authorization_endpoint(walk: Walk, _: str) -> None:
    party = walk.citizen()
    page = party.browser.open(f"{walk.path('authorization_endpoint')}?client_id={party.client_id}")
    assert isinstance(page, Page)
    assert page.name == "error"
    assert party.arrive().code


def the_token_endpoint(walk: Walk, _: str) -> None:
    path, secret = walk.path("token_endpoint"), walk.estate.client("tijdmeting")["client_secret"]
    answer = walk.estate.post(path, {"grant_type": "client_credentials"}, auth=("tijdmeting", secret))
    assert answer.status_code == 200
    assert answer.get_json().keys() >= {"access_token", "token_type", "expires_in"}
    assert walk.estate.get(path).status_code == 405


def the_userinfo_endpoint(walk: Walk, _: str) -> None:
    path, tokens = walk.path("userinfo_endpoint"), walk.citizen().tokens()
    assert walk.estate.get(path).headers["WWW-Authenticate"].startswith("Bearer")
    answer = walk.estate.get(path, headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert answer.get_json()["sub"] == tokens["claims"]["sub"]


def the_key_set(walk: Walk, _: str) -> None:
    keys = walk.estate.get(walk.path("jwks_uri")).get_json()["keys"]
    token = walk.citizen().tokens()["id_token"]
    assert jwt.get_unverified_header(token)["kid"] in {key["kid"] for key in keys}


def the_introspection_endpoint(walk: Walk, _: str) -> None:
    party = walk.citizen()
    token = party.tokens()["access_token"]
    assert party.call(walk.path("introspection_endpoint"), {"token": token}).get_json()["active"] is True
    assert party.call(walk.path("introspection_endpoint"), {"token": "x"}).get_json() == {"active": False}


def the_revocation_endpoint(walk: Walk, _: str) -> None:
    party = walk.citizen()
    token = party.tokens()["access_token"]
    assert party.call(walk.path("revocation_endpoint"), {"token": token}).status_code == 200
    assert walk.estate.userinfo(token).status_code == 401


def the_end_session_endpoint(walk: Walk, _: str) -> None:
    party = walk.citizen(post_logout_redirect_uris=[LEFT])
    token = party.tokens()["id_token"]
    assert leave(party, id_token_hint=token, post_logout_redirect_uri=LEFT, state="s") == Arrival(LEFT, {"state": "s"})
    assert not is_signed_in(party)


def the_pushed_endpoint(walk: Walk, _: str) -> None:
    party = walk.citizen()
    answer = party.call(walk.path("pushed_authorization_request_endpoint"), party.request())
    assert answer.status_code == 201
    assert 0 < answer.get_json()["expires_in"] < 600
    sent = {"client_id": party.client_id, "request_uri": answer.get_json()["request_uri"]}
    page = party.browser.open(f"/op/v1/auth?client_id={sent['client_id']}&request_uri={sent['request_uri']}")
    assert party.redeem(party.through(page)).status_code == 200


def the_registration_endpoint(walk: Walk, _: str) -> None:
    assert walk.path("registration_endpoint") == "/op/v1/register"
    assert register(walk.estate).tokens()["claims"]["sub"]


def the_device_endpoint(walk: Walk, _: str) -> None:
    by_device(walk)


def the_backchannel_endpoint(walk: Walk, _: str) -> None:
    by_backchannel(walk)


def the_session_frame(walk: Walk, _: str) -> None:
    answer = walk.estate.get(walk.path("check_session_iframe"))
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "X-Frame-Options" not in answer.headers
    assert "session_state" in walk.citizen().arrive().parameters


# What may be asked, and how.


def the_scopes(walk: Walk, value: list[str]) -> None:
    for scope in value:
        if scope == "vo_info":
            party = walk.machine()
            told = party.token({"grant_type": "client_credentials", "scope": scope}).get_json()
        else:
            asked = " ".join(dict.fromkeys(("openid", scope)))
            told = walk.client(scope=f"{asked} profile", person="jef", like="loketlb").tokens(scope=asked)
        assert scope in told["scope"].split()


def the_claims(walk: Walk, value: list[str]) -> None:
    everything = "openid profile rrn vo email phone vo_ovocode vo_kbonummer wettelijkvertegenwoordiger"
    asked = json.dumps({"userinfo": dict.fromkeys(value), "id_token": dict.fromkeys(value)})
    had: set[str] = set()
    for like, person in (("loketlb", "jef"), ("oprichting", "an")):
        party = walk.client(like, person, scope=everything)
        tokens = party.tokens(scope="openid", claims=asked)
        had |= party.userinfo(tokens).keys() | tokens["claims"].keys()
    machine = walk.machine()
    token = machine.token({"grant_type": "client_credentials"}).get_json()["access_token"]
    had |= machine.call("/op/v1/introspect", {"token": token}).get_json().keys()
    assert set(value) - had == set()


def the_claim_types(_: Walk, value: list[str]) -> None:
    assert value == ["normal"]


def the_response_types(walk: Walk, value: list[str]) -> None:
    assert value == ["code"]
    assert walk.citizen().arrive(response_type="code").code


def the_response_modes(walk: Walk, value: list[str]) -> None:
    for mode in value:
        party = walk.citizen()
        answer = party.ask(response_mode=mode, prompt="none")
        assert isinstance(answer, Page) is mode.startswith("form_post"), mode
        arrived = delivered(answer) if isinstance(answer, Page) else answer
        members = arrived.parameters
        if mode.endswith("jwt"):
            assert set(members) == {"response"}
            members = party.verified(members["response"], "RS256")
        assert members["error"] == "login_required", mode


def the_prompts(walk: Walk, value: list[str]) -> None:
    pages = {"none": "", "login": "login", "consent": "consent", "select_account": "identity"}
    for prompt in value:
        party = walk.client()
        party.browser.sign_in(party.ask(), "elif", "eid")
        answer = party.ask(prompt=prompt)
        assert (answer.name if isinstance(answer, Page) else "") == pages[prompt], prompt


def the_languages(walk: Walk, value: list[str]) -> None:
    for language in value:
        page = walk.citizen().ask(ui_locales=f"xx {language}")
        assert isinstance(page, Page)
        assert page.language == language


def the_challenge_methods(walk: Walk, value: list[str]) -> None:
    assert value == ["S256"]
    party = walk.citizen(require_pkce=True)
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    arrived = party.arrive(code_challenge=challenge, code_challenge_method="S256")
    answer = party.redeem(arrived, code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert answer.status_code == 200


def the_acr_values(walk: Walk, value: list[str]) -> None:
    keys = {key.means.urn: key.name for key in walk.estate.application.provider.authenticators.values()}
    for acr in value:
        party = walk.citizen()
        page = party.ask(acr_values=acr)
        assert isinstance(page, Page)
        assert page.keys == [keys[acr]]
        if keys[acr] in ("eid", "totp", "sms", "password"):  # the others have tests of their own, with their devices
            arrived = party.through(party.browser.sign_in(page, "dirk", keys[acr]))
            assert party.checked(party.redeem(arrived).get_json())["acr"] == acr


def the_claims_parameter(walk: Walk, value: bool) -> None:
    assert value is True
    party = walk.citizen()
    tokens = party.tokens(claims=json.dumps({"id_token": {"rrn": None}, "userinfo": {"name": None}}))
    assert tokens["claims"]["rrn"]
    assert party.userinfo(tokens)["name"]


def the_subjects(walk: Walk, value: list[str]) -> None:
    assert set(value) == {"public", "pairwise"}
    one, two = (walk.citizen().tokens()["claims"]["sub"] for _ in range(2))
    other = walk.citizen(subject_type="pairwise").tokens()["claims"]["sub"]
    assert one == two != other


def the_iss_of_answers(walk: Walk, value: bool) -> None:
    assert value is True
    answer = walk.citizen().ask(prompt="none")
    assert isinstance(answer, Arrival)
    assert answer.parameters["iss"] == walk.estate.settings.issuer


# Grants.


def the_grants(walk: Walk, value: list[str]) -> None:
    trials: dict[str, Callable[[Walk], None]] = {
        "authorization_code": lambda walk: the_authorization_endpoint(walk, ""),
        "refresh_token": by_refresh,
        "client_credentials": lambda walk: the_token_endpoint(walk, ""),
        DEVICE: by_device,
        EXCHANGE: by_exchange,
        CIBA: by_backchannel,
    }
    for grant in value:
        trials[grant](walk)


def by_refresh(walk: Walk) -> None:
    party = walk.citizen()
    token = party.tokens(scope="openid offline_access")["refresh_token"]
    answer = party.token({"grant_type": "refresh_token", "refresh_token": token})
    assert answer.get_json().keys() >= {"access_token", "id_token"}


def by_device(walk: Walk) -> None:
    party = walk.citizen(grant_types=["authorization_code", DEVICE])
    told = party.call(walk.path("device_authorization_endpoint"), {"scope": "openid profile"}).get_json()
    assert told.keys() >= {"device_code", "user_code", "verification_uri", "expires_in"}
    asked = {"grant_type": DEVICE, "device_code": told["device_code"]}
    assert party.token(asked).get_json()["error"] == "authorization_pending"
    page = party.browser.submit(party.browser.open(told["verification_uri_complete"]), ("answer", "allow"))
    party.browser.sign_in(page, "hanne", "eid")
    walk.estate.clock.advance(6)
    answer = party.token(asked)
    assert answer.status_code == 200, answer.text
    party.asked = {}
    assert party.checked(answer.get_json())["sub"]


def by_exchange(walk: Walk) -> None:
    trust = {"may_exchange_from": ["hinderpremie"], "may_exchange_for": ["rapport-api"]}
    scope = {"scope": "openid profile vo hinderpremie", "may_know_scopes": "openid profile", "application": ""}
    party = walk.client("hinderpremie", grant_types=[EXCHANGE], redirect_uris=[], choice="none", **scope, **trust)
    asked = {"audience": party.client_id}
    subject = sign_in(walk.estate.browser(), "hinderpremie", "dirk", **asked).body["access_token"]
    kind = {"subject_token_type": "urn:ietf:params:oauth:token-type:access_token", "subject_token": subject}
    answer = party.token({"grant_type": EXCHANGE, "audience": "rapport-api", **kind})
    assert answer.status_code == 200, answer.text
    told = introspect(walk.estate, "rapport-api", answer.get_json()["access_token"])
    assert told["act"] == {"sub": party.client_id}


def by_backchannel(walk: Walk) -> None:
    asking.changed(walk.estate, grant_types=["authorization_code", CIBA], backchannel_token_delivery_mode="poll")
    auth_req_id = asking.begin(walk.estate)
    assert asking.ask(walk.estate, auth_req_id).body["error"] == "authorization_pending"
    asking.approve(walk.estate.browser())
    walk.estate.clock.advance(6)
    assert asking.ask(walk.estate, auth_req_id).claims["sub"]


def the_delivery_modes(walk: Walk, value: list[str]) -> None:
    assert value == ["poll", "ping"]
    with listening() as listener:
        at = {"backchannel_client_notification_endpoint": f"{listener.address}/ping"}
        grants = {"grant_types": ["authorization_code", CIBA], "backchannel_token_delivery_mode": "ping"}
        asking.changed(walk.estate, **grants, **at)
        token = "a-notification-token-of-the-client.0123456789"
        auth_req_id = asking.begin(walk.estate, client_notification_token=token)
        asking.approve(walk.estate.browser())
        for chore in chores(walk.estate.application.provider):
            chore()
        assert [path for path, _ in listener.received] == ["/ping"]
        assert asking.ask(walk.estate, auth_req_id).claims["sub"]


def the_signed_backchannel_requests(walk: Walk, value: list[str]) -> None:
    subject = asking.subject(walk.estate)
    for alg in value:
        now = int(walk.estate.clock())
        grants = {"grant_types": ["authorization_code", CIBA], "backchannel_token_delivery_mode": "poll"}
        signing = {"backchannel_authentication_request_signing_alg": alg, "jwks": {"keys": [public_jwk(alg)]}}
        party = walk.client("hinderpremie", "dirk", **grants, **signing)
        claims = {"iss": party.client_id, "aud": walk.estate.settings.issuer, "jti": f"{alg}-{party.client_id}"}
        dates = {"iat": now, "nbf": now, "exp": now + 300}
        sent = signed(alg, claims | dates | {"scope": "openid vo", "login_hint": subject})
        answer = party.call(walk.path("backchannel_authentication_endpoint"), {"request": sent})
        assert answer.status_code == 200, (alg, answer.text)
        walk.estate.clock.advance(301)  # only so many may wait for one person


def no_user_code(walk: Walk, value: bool) -> None:
    assert value is False
    with pytest.raises(CommandFailed, match="user_code"):
        walk.client("hinderpremie", grant_types=["authorization_code", CIBA], backchannel_user_code_parameter=True)


# Client authentication.


def prove(walk: Walk, path: str, *, methods: list[str], form: dict[str, str]) -> None:
    """Each method proves its client at this endpoint, and a client that does not prove itself is refused there."""
    for method in methods:
        party, proof = proven(walk, method)
        own = {} if method in ("client_secret_basic", "private_key_jwt") else {"client_id": party.client_id}
        answer = walk.estate.post(path, own | form | proof.get("form", {}), **proof.get("options", {}))
        assert error_in(answer) != "invalid_client", (path, method, answer.text)
        if method != "none":
            bare = walk.estate.post(path, {"client_id": party.client_id} | form)
            assert (bare.status_code, error_in(bare)) == (401, "invalid_client"), (path, method)


def error_in(answer: TestResponse) -> str:
    return str(answer.get_json().get("error", "")) if answer.data else ""


def proven(walk: Walk, method: str) -> tuple[Party, dict[str, Any]]:
    """A client of this method, and what proves it in a request."""
    secret = "a-secret-that-is-long-enough-to-be-one"
    if method == "private_key_jwt":
        party = walk.signer("ES256", token_endpoint_auth_method=method)
        return party, {"form": walk.assertion(party, "ES256")}
    if method.endswith("tls_client_auth"):
        return by_certificate(walk, method)
    party = walk.citizen(token_endpoint_auth_method=method)
    return party, {
        "none": {},
        "client_secret_post": {"form": {"client_secret": secret}},
        "client_secret_basic": {"options": {"auth": (party.client_id, secret)}},
    }[method]


def by_certificate(walk: Walk, method: str) -> tuple[Party, dict[str, Any]]:
    """The same, over a connection with a certificate, as a proxy hands it on."""
    if method == "tls_client_auth":
        card = issue(walk.estate, by=walk.authority)
        party = walk.citizen(token_endpoint_auth_method=method, tls_client_auth_subject_dn=SUBJECT)
    else:
        card = issue(walk.estate)
        key = certified_jwk(card.key) | {"x5c": [b64encode(card.der).decode()]}
        party = walk.citizen(token_endpoint_auth_method=method, jwks={"keys": [key]})
    return party, {"options": connection(card)}


def connection(card: Card) -> dict[str, Any]:
    return {"headers": {"Client-Cert": card.header}, "environ_overrides": {"REMOTE_ADDR": PROXY}}


def methods_at(member: str, **form: str) -> Trial:
    """The trial of the methods of an endpoint."""
    return lambda walk, value: prove(walk, walk.path(member), methods=value, form=form)


def assertions_at(member: str, **form: str) -> Trial:
    """The trial of the algorithms of assertions at an endpoint: each registered alone, and another refused."""

    def trial(walk: Walk, value: list[str]) -> None:
        for alg in value:
            signing = {"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": alg}
            party = walk.signer(alg, **signing)
            answer = walk.by_assertion(walk.path(member), party, alg, **form)
            assert error_in(answer) != "invalid_client", (member, alg, answer.text)
            other = {"RS256": "PS256", "ES256": "ES384"}.get(alg)
            if other:
                assert error_in(walk.by_assertion(walk.path(member), party, other, **form)) == "invalid_client"

    return trial


# Signatures and encryption.


def signed_id_tokens(walk: Walk, value: list[str]) -> None:
    for alg in value:
        assert walk.citizen(id_token_signed_response_alg=alg).tokens()["claims"]["sub"]


def signed_userinfo(walk: Walk, value: list[str]) -> None:
    for alg in value:
        party = walk.citizen(userinfo_signed_response_alg=alg)
        answer = walk.estate.userinfo(party.tokens()["access_token"])
        assert answer.headers["Content-Type"].startswith("application/jwt")
        assert party.verified(answer.text, alg)["sub"]


def signed_answers(walk: Walk, value: list[str]) -> None:
    for alg in value:
        party = walk.citizen(authorization_signed_response_alg=alg)
        answer = party.ask(prompt="none", response_mode="jwt")
        assert isinstance(answer, Arrival)
        assert party.verified(answer.parameters["response"], alg)["error"] == "login_required"


def signed_introspection(walk: Walk, value: list[str]) -> None:
    for alg in value:
        party = walk.citizen(introspection_signed_response_alg=alg)
        answer = introspected(party)
        assert party.verified(answer.text, alg)["token_introspection"]["active"] is True


def introspected(party: Party) -> TestResponse:
    """A signed answer of introspection."""
    kind = "application/token-introspection+jwt"
    token = party.tokens()["access_token"]
    answer = party.call("/op/v1/introspect", {"token": token}, headers={"Accept": kind})
    assert answer.headers["Content-Type"].startswith(kind)
    return answer


def signed_requests(walk: Walk, value: list[str]) -> None:
    for alg in value:
        party = walk.signer(alg, request_object_signing_alg=alg)
        answer = party.ask(request=walk.request_object(party, alg, prompt="none"))
        assert isinstance(answer, Arrival)
        assert answer.parameters["error"] == "login_required", (alg, answer.parameters)


def requests_by_value(walk: Walk, value: bool) -> None:
    assert value is True
    signed_requests(walk, ["ES256"])


def requests_by_reference(walk: Walk, value: bool) -> None:
    assert value is True
    with walk.page("") as address:
        party = walk.signer("ES256", request_uris=[address])
    with walk.page(walk.request_object(party, "ES256", prompt="none")) as address:
        walk.estate.register(party.client_id, request_uris=[address])
        walk.estate.clock.advance(1)
        answer = party.ask(request_uri=address)
    assert isinstance(answer, Arrival)
    assert answer.parameters["error"] == "login_required"


def request_uris_are_registered(walk: Walk, value: bool) -> None:
    assert value is True
    with walk.page("a page") as address:
        answer = walk.citizen().ask(request_uri=address)
    assert isinstance(answer, Arrival)
    assert answer.parameters["error"] == "invalid_request_uri"


def requests_need_no_push(walk: Walk, value: bool) -> None:
    assert value is False
    assert walk.citizen().arrive().code
    answer = walk.citizen(require_pushed_authorization_requests=True).ask()
    assert isinstance(answer, Arrival)
    assert answer.parameters["error"] == "invalid_request"


def proofs(walk: Walk, value: list[str]) -> None:
    for alg in value:
        claims = {"jti": f"walk-{alg}", "htm": "POST", "htu": walk.told["token_endpoint"]}
        proof = signed(alg, claims | {"iat": int(walk.estate.clock())}, typ="dpop+jwt", jwk=public_jwk(alg))
        form, secret = {"grant_type": "client_credentials"}, walk.estate.client("tijdmeting")["client_secret"]
        answer = walk.estate.post("/op/v1/token", form, auth=("tijdmeting", secret), headers={"DPoP": proof})
        assert answer.get_json()["token_type"] == "DPoP", alg


ANSWERS: dict[str, Callable[[Party], str]] = {
    "id_token": lambda party: str(party.redeem(party.arrive()).get_json()["id_token"]),
    "userinfo": lambda party: party.estate.userinfo(str(party.redeem(party.arrive()).get_json()["access_token"])).text,
    "authorization": lambda party: str(response_of(party.ask(prompt="none", response_mode="jwt"))),
    "introspection": lambda party: encrypted_introspection(party),
}
"""How each encrypted answer is had."""


def response_of(answer: Page | Arrival) -> str:
    assert isinstance(answer, Arrival)
    return answer.parameters["response"]


def encrypted_introspection(party: Party) -> str:
    token = party.redeem(party.arrive()).get_json()["access_token"]
    headers = {"Accept": "application/token-introspection+jwt"}
    return party.call("/op/v1/introspect", {"token": token}, headers=headers).text


def encrypted_answers(kind: str, member: str) -> Trial:
    """The trial of the algorithms of an encrypted answer: of keys (alg) or of content (enc)."""

    def trial(walk: Walk, value: list[str]) -> None:
        for one in value:
            alg, enc = (one, "A128GCM") if member == "alg" else ("ECDH-ES", one)
            recipient = Recipient(alg)
            names = {f"{kind}_encrypted_response_alg": alg, f"{kind}_encrypted_response_enc": enc}
            party = walk.reader(recipient, **{f"{kind}_signed_response_alg": "ES256"}, **names)
            header, content = recipient.open(ANSWERS[kind](party))
            assert (header["alg"], header["enc"]) == (alg, enc)
            assert party.verified(content.decode(), "ES256")

    return trial


def encrypted_requests(member: str) -> Trial:
    """The trial of the algorithms by which a request may be encrypted to us."""

    def trial(walk: Walk, value: list[str]) -> None:
        keys = walk.estate.get("/op/v1/keys").get_json()["keys"]
        for one in value:
            alg, enc = (one, "A128GCM") if member == "alg" else ("ECDH-ES", one)
            kty = "RSA" if alg.startswith("RSA") else "EC"
            key = next(key for key in keys if key["use"] == "enc" and key["kty"] == kty)
            party = walk.signer("ES256")
            sent = encrypted(walk.request_object(party, "ES256", prompt="none"), key, alg=alg, enc=enc)
            answer = party.ask(request=sent)
            assert isinstance(answer, Arrival)
            assert answer.parameters["error"] == "login_required", (one, answer.parameters)

    return trial


# The end of a session, and certificates.


def told_by_the_back_channel(walk: Walk, value: bool) -> None:
    assert value is True
    with listening() as listener:
        party = walk.citizen(backchannel_logout_uri=f"{listener.address}/told")
        tokens = party.tokens()
        leave(party, id_token_hint=tokens["id_token"])
        for chore in chores(walk.estate.application.provider):
            chore()
        ((_, form),) = listener.received
    token = party.verified(form["logout_token"], "RS256")
    assert (token["sid"], token["sub"]) == (tokens["claims"]["sid"], tokens["claims"]["sub"])


def told_by_the_front_channel(walk: Walk, value: bool) -> None:
    assert value is True
    party = walk.citizen(frontchannel_logout_uri="https://suite.example/out")
    tokens = party.tokens()
    page = leave(party, id_token_hint=tokens["id_token"])
    assert isinstance(page, Page)
    assert f"sid={tokens['claims']['sid']}" in page.html


def tokens_hang_on_certificates(walk: Walk, value: bool) -> None:
    assert value is True
    party, proof = by_certificate(walk, "self_signed_tls_client_auth")
    walk.estate.register(party.client_id, tls_client_certificate_bound_access_tokens=True)
    walk.estate.clock.advance(1)
    form = {
        "grant_type": "authorization_code",
        "code": party.arrive().code,
        "redirect_uri": CALLBACK,
        "client_id": party.client_id,
    }
    token = walk.estate.post("/op/v1/token", form, **proof["options"]).get_json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert walk.estate.get("/op/v1/userinfo", headers=bearer).status_code == 401
    shown = proof["options"] | {"headers": proof["options"]["headers"] | bearer}
    assert walk.estate.get("/op/v1/userinfo", **shown).status_code == 200


def the_other_addresses(walk: Walk, value: dict[str, str]) -> None:
    assert value
    for member, address in value.items():
        assert address == walk.told[member].replace(walk.estate.origin, walk.estate.settings.mtls_origin)
        # A client that names the other host in its proof is answered there: the proxy leads both to us.
        assert (
            walk.estate.post(
                address.partition("/op/")[1] + address.partition("/op/")[2], {"client_id": "x"}
            ).status_code
            == 401
        )


ASKED = {"token": "t"}
TRIALS: dict[str, Trial] = {
    "issuer": the_issuer,
    "authorization_endpoint": the_authorization_endpoint,
    "token_endpoint": the_token_endpoint,
    "userinfo_endpoint": the_userinfo_endpoint,
    "jwks_uri": the_key_set,
    "introspection_endpoint": the_introspection_endpoint,
    "revocation_endpoint": the_revocation_endpoint,
    "end_session_endpoint": the_end_session_endpoint,
    "pushed_authorization_request_endpoint": the_pushed_endpoint,
    "registration_endpoint": the_registration_endpoint,
    "device_authorization_endpoint": the_device_endpoint,
    "backchannel_authentication_endpoint": the_backchannel_endpoint,
    "check_session_iframe": the_session_frame,
    "scopes_supported": the_scopes,
    "claims_supported": the_claims,
    "claim_types_supported": the_claim_types,
    "response_types_supported": the_response_types,
    "response_modes_supported": the_response_modes,
    "prompt_values_supported": the_prompts,
    "ui_locales_supported": the_languages,
    "code_challenge_methods_supported": the_challenge_methods,
    "acr_values_supported": the_acr_values,
    "claims_parameter_supported": the_claims_parameter,
    "subject_types_supported": the_subjects,
    "authorization_response_iss_parameter_supported": the_iss_of_answers,
    "grant_types_supported": the_grants,
    "backchannel_token_delivery_modes_supported": the_delivery_modes,
    "backchannel_authentication_request_signing_alg_values_supported": the_signed_backchannel_requests,
    "backchannel_user_code_parameter_supported": no_user_code,
    "token_endpoint_auth_methods_supported": methods_at("token_endpoint", grant_type="x"),
    "token_endpoint_auth_signing_alg_values_supported": assertions_at("token_endpoint", grant_type="x"),
    "introspection_endpoint_auth_methods_supported": methods_at("introspection_endpoint", **ASKED),
    "introspection_endpoint_auth_signing_alg_values_supported": assertions_at("introspection_endpoint", **ASKED),
    "revocation_endpoint_auth_methods_supported": methods_at("revocation_endpoint", **ASKED),
    "revocation_endpoint_auth_signing_alg_values_supported": assertions_at("revocation_endpoint", **ASKED),
    "id_token_signing_alg_values_supported": signed_id_tokens,
    "userinfo_signing_alg_values_supported": signed_userinfo,
    "authorization_signing_alg_values_supported": signed_answers,
    "introspection_signing_alg_values_supported": signed_introspection,
    "request_object_signing_alg_values_supported": signed_requests,
    "request_parameter_supported": requests_by_value,
    "request_uri_parameter_supported": requests_by_reference,
    "require_request_uri_registration": request_uris_are_registered,
    "require_pushed_authorization_requests": requests_need_no_push,
    "dpop_signing_alg_values_supported": proofs,
    **{
        f"{kind}_encryption_{one}_values_supported": encrypted_answers(kind, one)
        for kind in ANSWERS
        for one in ("alg", "enc")
    },
    **{f"request_object_encryption_{one}_values_supported": encrypted_requests(one) for one in ("alg", "enc")},
    "backchannel_logout_supported": told_by_the_back_channel,
    "backchannel_logout_session_supported": told_by_the_back_channel,
    "frontchannel_logout_supported": told_by_the_front_channel,
    "frontchannel_logout_session_supported": told_by_the_front_channel,
}
BEHIND: dict[str, Trial] = {
    "token_endpoint_auth_methods_supported": TRIALS["token_endpoint_auth_methods_supported"],
    "introspection_endpoint_auth_methods_supported": TRIALS["introspection_endpoint_auth_methods_supported"],
    "revocation_endpoint_auth_methods_supported": TRIALS["revocation_endpoint_auth_methods_supported"],
    "tls_client_certificate_bound_access_tokens": tokens_hang_on_certificates,
    "mtls_endpoint_aliases": the_other_addresses,
}
"""What is promised otherwise, or only, behind a proxy that hands certificates on."""


def test_every_promise_has_a_trial_and_every_trial_a_promise(walk: Walk) -> None:
    assert set(walk.told) == set(TRIALS)


@pytest.mark.parametrize("member", TRIALS)
def test_what_is_promised_is_so(walk: Walk, member: str) -> None:
    TRIALS[member](walk, walk.told[member])


@pytest.fixture
def behind(estate: Estate, tmp_path: Path) -> Iterator[Walk]:
    """The estate with everything on, behind a proxy."""
    authority, file = issue(estate, subject="CN=Our authority,C=BE", ca=True), tmp_path / "authorities.pem"
    file.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    proxy = {
        "trusted_proxies": (ip_network("10.1.0.0/16"),),
        "mtls_ca_file": str(file),
        "mtls_host": "mtls.localhost:8443",
    }
    made = open_to_all(estate).configured(**proxy)
    yield Walk(made, metadata_of(made), authority)
    made.application.close()


def test_behind_a_proxy_every_promise_that_differs_has_a_trial(walk: Walk, behind: Walk) -> None:
    differ = {member for member, value in behind.told.items() if walk.told.get(member) != value}
    assert differ == set(BEHIND)


@pytest.mark.parametrize("member", BEHIND)
def test_what_is_promised_behind_a_proxy_is_so(behind: Walk, member: str) -> None:
    BEHIND[member](behind, behind.told[member])


def test_the_public_documents_may_be_read_from_anywhere(walk: Walk) -> None:
    for path in ("/op/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/op", "/op/v1/keys"):
        answer = walk.estate.get(path, headers={"Origin": "https://anywhere.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
