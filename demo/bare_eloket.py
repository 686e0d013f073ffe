"""A relying party of the old kind, as many are still in use: no state, no nonce, no PKCE. NOT to be copied.

Promises: signs in with nothing but a code and a secret, so that the demo shows that the provider still serves these.
Why it is weak: nothing ties the answer to the browser that asked. A link to `/callback` with another's code signs its
reader in as that other (RFC 9700 §4.7), and a code that leaks can be slipped into anyone's browser (§4.5).
"""

from urllib.parse import urlencode

import requests
from authlib.integrations.flask_client import OAuthError
from flask import redirect, request
from werkzeug import Response

from demo.eloket import WISHES, Eloket


class BareEloket(Eloket):
    """The same pages, with the two steps of the sign-in as they were once written by hand."""

    def login(self) -> Response:
        """To the provider, with nothing that must come back."""
        wishes = {name: request.args[name] for name in WISHES if name in request.args}
        asked = {
            "response_type": "code",
            "client_id": self.registration.client_id,
            "redirect_uri": self.registration.redirect_uri,
            "scope": self.registration.scope,
        }
        return redirect(f"{self.provider()['authorization_endpoint']}?{urlencode(asked | wishes)}", 303)

    def callback(self) -> Response:
        """Signed in with whatever code arrives; OAuthError if the provider or its token is refused."""
        if "error" in request.args:
            raise OAuthError(request.args["error"])
        form = {
            "grant_type": "authorization_code",
            "code": request.args.get("code", ""),
            "redirect_uri": self.registration.redirect_uri,
        }
        proof = (self.registration.client_id, self.registration.client_secret)
        answer = requests.post(self.provider()["token_endpoint"], data=form, auth=proof, timeout=10).json()
        if "error" in answer:
            raise OAuthError(answer["error"])
        return self.welcome(answer)
