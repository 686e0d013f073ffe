"""A relying party to copy: signs in, checks the ID token, and shows who came, for whom and with which roles.

Promises: a sign-in ends only in the browser that began it, and no claim is believed before signature, issuer,
audience, time and nonce are checked. Must not know: anything of the provider but its issuer and its own registration.
"""

import json
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, redirect, render_template, request, session
from werkzeug import Response

# What a link to /login may ask: each can only narrow the sign-in, so it does no harm that anyone can write the link.
WISHES = ("ui_locales", "acr_values", "login_hint", "prompt", "max_age")
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True)
class Registration:
    """What was agreed with the provider; `leeway` is asked for the seconds that clocks may differ."""

    issuer: str
    client_id: str
    client_name: str
    client_secret: str
    token_endpoint_auth_method: str
    redirect_uri: str
    post_logout_redirect_uri: str
    scope: str
    role_claim: str = ""
    signing_algorithm: str = "RS256"
    leeway: Callable[[], float] = lambda: 10.0


class Shelf(OrderedDict[str, dict[str, Any]]):
    """What is too large or too secret for a cookie, by random id. With several processes, use Redis in its place."""

    def __setitem__(self, key: str, value: dict[str, Any]) -> None:
        super().__setitem__(key, value)
        if len(self) > 1000:  # or anyone could fill the memory by beginning sign-ins
            self.popitem(last=False)


def check_id_token(
    id_token: str, registration: Registration, *, keys: jwt.PyJWKClient, nonce: str = ""
) -> dict[str, Any]:
    """The claims of a token that is genuine, for us and fresh (OpenID Connect Core §3.1.3.7); else OAuthError.

    `at_hash` is left unchecked (§3.1.3.8 allows it): in the code flow the access token came in the same answer.
    """
    claims = read_token(id_token, registration, keys=keys, required=("iss", "sub", "aud", "exp", "iat"))
    # The nonce ties the token to this browser's attempt; azp tells which of several audiences asked for it.
    asker = claims.get("azp", claims["aud"])
    if (nonce and claims.get("nonce") != nonce) or asker not in (registration.client_id, [registration.client_id]):
        raise OAuthError("invalid_token")
    return claims


def check_logout_token(token: str, registration: Registration, *, keys: jwt.PyJWKClient) -> dict[str, Any]:
    """The claims of a genuine logout token for us (OpenID Connect Back-Channel Logout 1.0 §2.6); else OAuthError."""
    claims = read_token(token, registration, keys=keys, required=("iss", "aud", "exp", "iat", "jti", "events"))
    says_so = isinstance(claims["events"], dict) and isinstance(claims["events"].get(LOGOUT_EVENT), dict)
    # An ID token has a nonce and no event: nobody can log anyone out with one.
    if not says_so or "nonce" in claims or not ("sid" in claims or "sub" in claims):
        raise OAuthError("invalid_token")
    return claims


def read_token(
    token: str, registration: Registration, *, keys: jwt.PyJWKClient, required: Sequence[str]
) -> dict[str, Any]:
    """The claims of a token that the provider signed for us and that is in time; else OAuthError."""
    try:
        return jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            # From the registration, never from the token: an attacker writes its header (RFC 8725 §3.1).
            algorithms=[registration.signing_algorithm],
            issuer=registration.issuer,
            audience=registration.client_id,
            leeway=registration.leeway(),
            options={"require": list(required)},
        )
    except jwt.PyJWKClientConnectionError as failure:
        raise OAuthError("provider_unreachable") from failure
    except jwt.PyJWTError as failure:
        raise OAuthError("invalid_token") from failure


def own_path(target: str, redirect_uri: str) -> str:
    """The path of an address of ours, to go to after a sign-in; `/` for any other: a link must lead nobody astray."""
    here = urlsplit(redirect_uri)
    origin = f"{here.scheme}://{here.netloc}/"
    return "/" + target.removeprefix(origin).lstrip("/\\") if target.startswith(origin) else "/"


class Eloket:
    """The pages of one relying party."""

    def __init__(self, app: Flask, registration: Registration) -> None:
        self.registration = registration
        self.attempts, self.people, self.told, self.turn = Shelf(), Shelf(), Shelf(), threading.Lock()
        self.client: Any = OAuth(app).register(
            "provider",
            client_id=registration.client_id,
            client_secret=registration.client_secret or None,
            server_metadata_url=f"{registration.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": registration.scope,
                "token_endpoint_auth_method": registration.token_endpoint_auth_method,
                "code_challenge_method": "S256",
                "default_timeout": 10,
            },
        )

    @cached_property
    def keys(self) -> jwt.PyJWKClient:
        """The provider's published keys, read when first needed and again when a token names a new one."""
        return jwt.PyJWKClient(self.provider()["jwks_uri"], timeout=10)

    def provider(self) -> Mapping[str, Any]:
        """What the provider says of itself; OAuthError if it is another one (OpenID Connect Discovery §4.3)."""
        metadata: Mapping[str, Any] = self.client.load_server_metadata()
        if metadata.get("issuer") != self.registration.issuer:
            raise OAuthError("invalid_issuer")
        return metadata

    def home(self) -> Response | str:
        """Who is signed in; after a switch of identity, on to the choice at once."""
        left = session.pop("left", None)
        if left and request.args.get("state") == left["state"] and left["switch"]:
            return redirect("/login", 303)
        person = self.people.get(session.get("person", ""), {})
        claims = json.dumps(person.get("claims"), indent=2, ensure_ascii=False)
        return render_template("home.html", person=person, claims_text=claims, left=left)

    def login(self) -> Response:
        """To the provider; what must come back is kept here, and only the browser's id in the cookie.

        Anyone may link here (OpenID Connect Core §4): OAuthError if the link names another provider than ours.
        """
        if request.values.get("iss", self.registration.issuer) != self.registration.issuer:
            raise OAuthError("invalid_issuer")
        wishes = {name: request.values[name] for name in WISHES if name in request.values}
        self.provider()
        attempt = self.client.create_authorization_url(self.registration.redirect_uri, **wishes)
        attempt["browser"] = session.setdefault("browser", secrets.token_urlsafe(16))
        attempt["target"] = own_path(request.values.get("target_link_uri", ""), self.registration.redirect_uri)
        self.attempts[attempt["state"]] = attempt
        return redirect(attempt["url"], 303)

    def callback(self) -> Response:
        """Back from the provider: signed in, or OAuthError with the reason it gives."""
        if "error" in request.args:
            raise OAuthError(request.args["error"])
        attempt = self.attempts.pop(request.args.get("state", ""), {})
        # Another's code, sent to this browser by a link, ends here (RFC 9700 §4.7).
        if not attempt or attempt["browser"] != session.get("browser"):
            raise OAuthError("unknown_attempt")
        # A code of one provider is not carried to another (RFC 9207 §2.4).
        if request.args.get("iss", self.registration.issuer) != self.registration.issuer:
            raise OAuthError("invalid_issuer")
        code, verifier = request.args.get("code", ""), attempt["code_verifier"]
        tokens = self.client.fetch_access_token(self.registration.redirect_uri, code=code, code_verifier=verifier)
        return self.welcome(tokens, attempt["nonce"], target=attempt["target"])

    def welcome(self, tokens: Mapping[str, Any], nonce: str = "", *, target: str = "/") -> Response:
        """Signed in, as the ID token says; OAuthError if it is not to be believed."""
        claims = check_id_token(tokens.get("id_token", ""), self.registration, keys=self.keys, nonce=nonce)
        self.people.pop(session.get("person", ""), None)
        session["person"] = secrets.token_urlsafe(16)  # new at each sign-in, so that nobody can know it before
        self.people[session["person"]] = {**tokens, "claims": claims}
        return redirect(target, 303)

    def refresh(self) -> Response:
        """New tokens, with the rights of this moment; whoever gets none any more is signed out."""
        with self.turn:  # a second click must not use the same refresh token: that would end the grant
            person = self.people.pop(session.get("person", ""), {})
            if known := person.get("refresh_token"):
                tokens = self.client.fetch_access_token(grant_type="refresh_token", refresh_token=known)
                claims = check_id_token(tokens.get("id_token", ""), self.registration, keys=self.keys)
                if claims["sub"] != person["claims"]["sub"]:  # OpenID Connect Core §12.2
                    raise OAuthError("invalid_token")
                self.people[session["person"]] = {"refresh_token": known, **tokens, "claims": claims}
        return redirect("/", 303)

    def leave(self, switch: bool) -> Response:
        """Out here; also out at the provider, or (switch) there only no longer for the organisation of before."""
        id_token = self.people.pop(session.pop("person", ""), {}).get("id_token", "")
        # Hundreds of roles make too long an address; without the hint the provider asks the person first.
        hint = id_token if len(id_token) < 6000 and not switch else None
        back, client_id = self.registration.post_logout_redirect_uri, self.registration.client_id
        left = self.client.create_logout_url(back, hint, client_id=client_id)
        session["left"] = {"state": left["state"], "switch": switch}
        return redirect(left["url"] + "&switch=true" * switch, 303)

    def end(self) -> Response:
        """The provider tells, server to server, that a session has ended there: whoever came by it is out here too."""
        ended = check_logout_token(request.form.get("logout_token", ""), self.registration, keys=self.keys)
        with self.turn:
            if ended["jti"] in self.told:  # a token that somebody kept is no good a second time
                raise OAuthError("invalid_token")
            self.told[ended["jti"]] = ended
            for shelf_id, person in list(self.people.items()):
                if all(person["claims"].get(name) == ended[name] for name in ("sid", "sub") if name in ended):
                    self.people.pop(shelf_id)
        return Response(status=200)

    def protect(self, response: Response) -> Response:
        """The headers of every page."""
        # form-action names the provider, since Chromium also checks it where the answer to a form redirects to.
        provider = self.registration.issuer.removesuffix(urlsplit(self.registration.issuer).path)
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self' {provider}"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"  # the address of /callback holds the code
        response.headers["Cache-Control"] = "no-store"
        return response


def show_failure(failure: Exception) -> tuple[str, int]:
    """The page that says in plain words why nobody is signed in, and how to try again."""
    code = str(failure.error) if isinstance(failure, OAuthError) else "provider_unreachable"
    # The code may come from the address, where anyone can write anything.
    return render_template("failure.html", code=code if re.fullmatch("[a-z_]{1,60}", code) else "unknown_error"), 400


def create_eloket(registration: Registration, pages: type[Eloket] = Eloket) -> Flask:
    """The application of one relying party."""
    app = Flask(__name__)
    app.secret_key = secrets.token_bytes(32)  # a restart signs everyone out: the shelves are empty then too
    here = urlsplit(registration.redirect_uri)
    app.config.update(
        SESSION_COOKIE_NAME=f"eloket-{here.port or here.scheme}",  # cookies do not tell ports apart (RFC 6265 §8.5)
        SESSION_COOKIE_SECURE=here.scheme == "https",
        SESSION_COOKIE_SAMESITE="Lax",  # a form of another site can't sign anyone out
    )
    eloket = pages(app, registration)
    app.add_url_rule("/", "home", eloket.home)
    app.add_url_rule("/login", "login", eloket.login, methods=["GET", "POST"])
    app.add_url_rule("/callback", "callback", eloket.callback)
    app.add_url_rule("/refresh", "refresh", eloket.refresh, methods=["POST"])
    app.add_url_rule("/logout", "logout", eloket.leave, methods=["POST"], defaults={"switch": False})
    app.add_url_rule("/switch", "switch", eloket.leave, methods=["POST"], defaults={"switch": True})
    app.add_url_rule("/backchannel-logout", "end", eloket.end, methods=["POST"])
    app.register_error_handler(OAuthError, show_failure)
    app.register_error_handler(requests.RequestException, show_failure)
    app.context_processor(lambda: {"client": registration})
    app.after_request(eloket.protect)
    return app
