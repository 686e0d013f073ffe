"""Authlib signs in here, as its documentation says: its client for Flask, and its session for scripts."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, jsonify, url_for
from jwt.algorithms import RSAAlgorithm

from tests.flow.estate import Estate
from tests.flow.scripted import go
from tests.flow.serving import prepare_served, serving

CALLBACK = "http://localhost:8001/callback"
SCOPE = "openid profile vo hinderpremie offline_access"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """An estate for all tests here."""
    made = prepare_served(tmp_path_factory.mktemp("served"))
    public = RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "a"}
    changes = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [public]}}
    made.register("hinderpremie", refresh_token_rotation=True)
    made.register("burgerprofiel", **changes, redirect_uris=[CALLBACK])
    with serving(made):
        yield made


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


def flask_application(estate: Estate, **options: Any) -> Flask:
    """The application of Authlib's documentation."""
    app = Flask("of the documentation")
    app.secret_key = "of a test"
    app.config["SERVER_NAME"] = "localhost:8001"
    oauth = OAuth(app)
    oauth.register(
        "toegang",
        client_id="hinderpremie",
        client_secret=estate.client("hinderpremie")["client_secret"],
        server_metadata_url=f"{estate.settings.issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, **options},
    )

    @app.route("/login")
    def login() -> Any:
        return oauth.toegang.authorize_redirect(url_for("callback", _external=True))

    @app.route("/callback")
    def callback() -> Any:
        token = oauth.toegang.authorize_access_token()
        return jsonify(token["userinfo"], oauth.toegang.userinfo(token=token))

    return app


@pytest.mark.parametrize("options", [{}, {"code_challenge_method": "S256"}], ids=["plain", "with PKCE"])
def test_its_flask_client_signs_in(served: Estate, options: dict[str, str]) -> None:
    application = flask_application(served, **options).test_client()
    asked = application.get("/login", base_url="http://localhost:8001")
    arrived = go(served.browser(), asked.headers["Location"], person="dirk")
    back = application.get("/callback", base_url="http://localhost:8001", query_string=arrived.parameters)
    assert back.status_code == 200, back.text
    claims, person = back.get_json()
    assert claims["sub"] == person["sub"]
    assert claims["vo_orgcode"] == person["vo_orgcode"] == "0999910147"


def session_for(estate: Estate, client_id: str, **options: Any) -> OAuth2Session:
    issuer = f"{estate.settings.issuer}/v1"
    return OAuth2Session(
        client_id,
        scope=SCOPE,
        redirect_uri=CALLBACK,
        token_endpoint=f"{issuer}/token",
        code_challenge_method="S256",
        revocation_endpoint_auth_method=options.get("token_endpoint_auth_method"),
        **options,
    )


def fetched(session: OAuth2Session, estate: Estate, **asked: str) -> dict[str, Any]:
    """The tokens of a sign-in."""
    issuer = f"{estate.settings.issuer}/v1"
    url, state = session.create_authorization_url(f"{issuer}/auth", code_verifier="v" * 43, **asked)
    arrived = go(estate.browser(), url, person="dirk")
    back = f"{CALLBACK}?{urlencode(arrived.parameters)}"
    return dict(session.fetch_token(authorization_response=back, state=state, code_verifier="v" * 43))


def test_its_session_renews_asks_and_gives_back(served: Estate) -> None:
    secret = served.client("hinderpremie")["client_secret"]
    session = session_for(served, "hinderpremie", client_secret=secret)
    token = fetched(session, served)
    issuer = f"{served.settings.issuer}/v1"
    assert session.get(f"{issuer}/userinfo").json()["vo_orgcode"] == "0999910147"
    renewed = session.refresh_token(f"{issuer}/token", refresh_token=token["refresh_token"])
    assert renewed["refresh_token"] != token["refresh_token"]
    told = session.introspect_token(f"{issuer}/introspect", token=renewed["access_token"])
    assert told.json()["active"] is True
    assert session.revoke_token(f"{issuer}/revoke", token=renewed["refresh_token"]).status_code == 200
    assert session.get(f"{issuer}/userinfo").status_code == 401


def test_it_proves_itself_by_assertion(served: Estate) -> None:
    endpoint = f"{served.settings.issuer}/v1/token"
    session = session_for(served, "burgerprofiel", client_secret=PEM, token_endpoint_auth_method="private_key_jwt")
    session.scope = "openid profile"
    session.register_client_auth_method(PrivateKeyJWT(endpoint, alg="RS256"))
    token = fetched(session, served)
    assert session.get(f"{served.settings.issuer}/v1/userinfo").json()["given_name"] == "Dirk"
    assert token["id_token"].count(".") == 2


def test_a_machine_of_its_gets_a_token(served: Estate) -> None:
    secret = served.client("tijdmeting")["client_secret"]
    session = OAuth2Session("tijdmeting", secret, token_endpoint=f"{served.settings.issuer}/v1/token")
    assert session.fetch_token(grant_type="client_credentials")["token_type"] == "Bearer"
