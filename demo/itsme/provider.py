"""The protocol of the simulated itsme over HTTP: discovery, keys, authorization, token, userinfo.

Promises: answers as the real one documents it (belgianmobileid.github.io/doc/authentication), and refuses what that one
refuses. Must not know: how pages look.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Request, jsonify, redirect, request
from werkzeug import Response

from demo.itsme.accounts import SCOPES
from demo.itsme.asking import ACRS, Asked, NobodyAsks, RequestRefused, check_addressee, read_request
from demo.itsme.client import Assertions, Client, ClientRejected, is_verifier_of
from demo.itsme.sign_ins import Granted, SignIn, SignIns
from demo.itsme.tokens import CONTENT_ALGORITHM, KEY_ALGORITHM, SIGNING_ALGORITHM, Tokens

ID_TOKEN_SECONDS = 300


class TokenRefused(Exception):
    """The token endpoint refuses: the code that it names (RFC 6749 §5.2), and a sentence for the developer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Itsme:
    """The provider of one issuer, for one client."""

    def __init__(self, issuer: str, client: Client, *, sign_ins: SignIns, clock: Callable[[], float]) -> None:
        self.issuer = issuer
        self.client = client
        self.sign_ins = sign_ins
        self.clock = clock
        self.assertions = Assertions(client, f"{issuer}/token", clock=clock)

    @cached_property
    def tokens(self) -> Tokens:
        """What makes its tokens."""
        return Tokens()

    def metadata(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorization",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid", "service", *SCOPES],
            "acr_values_supported": list(ACRS),
            "claims_parameter_supported": True,
            "ui_locales_supported": ["fr", "nl", "de", "en"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": [SIGNING_ALGORITHM],
            **self.token_metadata("id_token"),
            **self.token_metadata("userinfo"),
        }

    def token_metadata(self, kind: str) -> dict[str, Any]:
        """How tokens of a kind are signed and encrypted."""
        return {
            f"{kind}_signing_alg_values_supported": [SIGNING_ALGORITHM],
            f"{kind}_encryption_alg_values_supported": [KEY_ALGORITHM],
            f"{kind}_encryption_enc_values_supported": [CONTENT_ALGORITHM],
        }

    def authorization(self) -> Response:
        """Take a request, and show the page that asks the number."""
        parameters = single(request)
        check_addressee(parameters, self.client)
        try:
            asked = read_request(parameters, self.client)
        except RequestRefused as refusal:
            told = {"error": refusal.code, "error_description": str(refusal), "state": parameters.get("state", "")}
            return redirect(f"{self.client.redirect_uri}?{urlencode(told)}", 303)
        return redirect(f"/v2/sign-in/{self.sign_ins.begin(asked).id}", 303)

    def back(self, sign_in: SignIn, state: str) -> Response:
        """The way back to the relying party, with a code where the person approved, else with an error."""
        if not self.sign_ins.end(sign_in):
            raise NobodyAsks("the sign-in is over")
        answer = {"state": sign_in.asked.state}
        if state == "approved":
            answer["code"] = self.sign_ins.make_code(sign_in)
        else:
            answer |= {"error": "access_denied", "error_description": state}
        return redirect(f"{self.client.redirect_uri}?{urlencode(answer)}", 303)

    def token(self) -> tuple[Response, int]:
        """Exchange a code, for the client that it was made for alone."""
        try:
            self.assertions.check(request.form)
            granted = self._redeem(request.form)
            told = {"access_token": self.sign_ins.make_token(granted), "token_type": "Bearer"}
            claims = self.id_token_claims(granted)
            sealed = {"id_token": self.tokens.nested(claims, self.client.encryption_key())}
            return uncached({**told, **sealed, "expires_in": ID_TOKEN_SECONDS}), 200
        except ClientRejected as rejection:
            return uncached({"error": "invalid_client", "error_description": str(rejection)}), 400
        except TokenRefused as refusal:
            return uncached({"error": refusal.code, "error_description": str(refusal)}), 400

    def userinfo(self) -> tuple[Response, int]:
        """What the scope tells of the holder of an access token."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        granted = self.sign_ins.holder_of(token) if scheme == "Bearer" else None
        if granted is None:
            refused = uncached({"error": "invalid_token"})
            refused.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return refused, 401
        sealed = self.tokens.nested(self.userinfo_claims(granted), self.client.encryption_key())
        return Response(sealed, content_type="application/jwt", headers={"Cache-Control": "no-store"}), 200

    def id_token_claims(self, granted: Granted) -> dict[str, Any]:
        """What the ID token says: who, for whom, when; and of the person what was asked for it claim by claim."""
        asked, now = granted.asked, int(self.clock())
        known = granted.account.claims
        told = {name: known[name] for name in asked.claims.get("id_token", {}) if name in known}
        times = {"iat": now, "exp": now + ID_TOKEN_SECONDS}
        return {**self._about(granted), "nonce": asked.nonce, "acr": asked.acr, **times, **told}

    def userinfo_claims(self, granted: Granted) -> dict[str, Any]:
        """What userinfo says: what the scopes name, and what was asked for it claim by claim."""
        asked, known = granted.asked, granted.account.claims
        scoped = {name for scope in asked.scope for name in SCOPES.get(scope, ())}
        named = scoped | asked.claims.get("userinfo", {}).keys()
        return {**self._about(granted), **{name: known[name] for name in sorted(named) if name in known}}

    def _about(self, granted: Granted) -> dict[str, Any]:
        return {"iss": self.issuer, "aud": self.client.client_id, "sub": granted.account.sub}

    def _redeem(self, form: Mapping[str, str]) -> Granted:
        if form.get("grant_type") != "authorization_code":
            raise TokenRefused("unsupported_grant_type", "grant_type must be authorization_code")
        granted = self.sign_ins.take_code(form.get("code", ""))
        if granted is None:
            raise TokenRefused("invalid_grant", "the code is unknown, used or too old")
        if form.get("redirect_uri") != self.client.redirect_uri:
            raise TokenRefused("invalid_grant", "redirect_uri is another than in the request")
        if not is_verifier(form, granted.asked):
            raise TokenRefused("invalid_grant", "code_verifier does not fit")
        return granted


def mount(app: Flask, itsme: Itsme) -> None:
    """Mount the endpoints of the protocol."""
    app.add_url_rule("/v2/.well-known/openid-configuration", "metadata", lambda: jsonify(itsme.metadata()))
    app.add_url_rule("/v2/keys", "keys", lambda: jsonify(itsme.tokens.key_set()))
    app.add_url_rule("/v2/authorization", "authorization", itsme.authorization, methods=["GET"])
    app.add_url_rule("/v2/token", "token", itsme.token, methods=["POST"])
    app.add_url_rule("/v2/userinfo", "userinfo", itsme.userinfo, methods=["GET", "POST"])


def is_verifier(form: Mapping[str, str], asked: Asked) -> bool:
    """Whether the form holds the verifier of what was asked."""
    return is_verifier_of(form.get("code_verifier", ""), asked.code_challenge)


def single(incoming: Request) -> dict[str, str]:
    """The parameters of an address; NobodyAsks if one stands twice (RFC 6749 §3.1)."""
    if any(len(values) > 1 for values in incoming.args.listvalues()):
        raise NobodyAsks("a parameter stands twice")
    return incoming.args.to_dict()


def uncached(told: Mapping[str, Any]) -> Response:
    """JSON that no cache keeps."""
    answer = jsonify(dict(told))
    answer.headers["Cache-Control"] = "no-store"
    return answer
