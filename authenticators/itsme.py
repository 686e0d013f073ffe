"""The key `itsme`: a relying party of itsme's OpenID Connect (https://belgianmobileid.github.io/doc/authentication/).

Promises: an answer counts once, for the attempt that asked, within fifteen minutes; who it names is believed only out
of a token that itsme signed and encrypted to us, for this very attempt; why one was refused is for the log alone.
Must not know: whether the other side is real, or how a token is opened (it is handed in).
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

import msgspec

from authenticators.itsme_claims import ADVANCED, BASIC, NATIONAL_NUMBER, Expected, check_id_token, identification_of
from authenticators.upstream import Metadata, Upstream, UpstreamFailed, word
from idp.authenticator import Attempt, AuthenticationFailed, Identification, Means, Page, Redirect
from idp.store import Absent, AlreadyTaken, Clock, Store, Ticket

AWAY_SECONDS = 900
ASSERTION_SECONDS = 60
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_CODE = 512
ASKED = {"id_token": {NATIONAL_NUMBER: {"essential": True}, "given_name": None, "family_name": {"essential": True}}}
"""What we ask to be told, and nothing else; in the ID token, as itsme advises."""
ANSWERS_OF_PEOPLE = frozenset({"access_denied", "login_required", "interaction_required"})


class ItsmeSignIn(Ticket, frozen=True, kw_only=True):
    """A person who is away at itsme; the id is that of the attempt, which travels as `state`."""

    nonce: str
    code_verifier: str


@dataclass(frozen=True)
class Registration:
    """What was agreed with itsme; `is_advanced` asks for the itsme code, where a fingerprint would do otherwise."""

    client_id: str
    service: str
    redirect_uri: str
    is_advanced: bool = False


class Itsme:
    """The key `itsme`."""

    name = "itsme"
    means = Means("urn:be:vlaanderen:authmech:itsme", 27)
    methods = ("swk", "mfa")

    def __init__(self, registration: Registration, upstream: Upstream, *, store: Store, clock: Clock) -> None:
        self._registration = registration
        self._upstream = upstream
        self._clock = clock
        self._sign_ins = store.repository(ItsmeSignIn)

    def begin(self, attempt: Attempt) -> Redirect:
        """Send the person to itsme; AuthenticationFailed if it is not to be reached."""
        sign_in = ItsmeSignIn(
            id=attempt.id,
            expires_at=int(self._clock()) + AWAY_SECONDS,
            nonce=token_urlsafe(32),
            code_verifier=token_urlsafe(32),
        )
        try:
            address = self._upstream.metadata().authorization_endpoint
        except UpstreamFailed as failure:
            raise failed(str(failure), "away") from failure
        if not self._sign_ins.add(sign_in):
            raise failed("the attempt was begun before", "failed")
        return Redirect(f"{address}{'&' if '?' in address else '?'}{urlencode(self._request(attempt, sign_in))}")

    def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identification:
        """Whom itsme names in answer to this attempt; else AuthenticationFailed."""
        try:
            # Taken before anything is looked at: an attempt has one answer, right or wrong.
            sign_in = self._sign_ins.take(attempt.id)
            self._check_answer(answer, self._upstream.metadata())
            return self._identify(sign_in, answer["code"])
        except (Absent, AlreadyTaken) as refusal:
            raise failed(f"state: {type(refusal).__name__}", "failed") from refusal
        except UpstreamFailed as refusal:
            raise failed(str(refusal), "denied" if answer.get("error") in ANSWERS_OF_PEOPLE else "failed") from refusal

    def _request(self, attempt: Attempt, sign_in: ItsmeSignIn) -> dict[str, str]:
        mine = self._registration
        return {
            "response_type": "code",
            "client_id": mine.client_id,
            "redirect_uri": mine.redirect_uri,
            "scope": f"openid service:{mine.service} profile eid",
            "acr_values": ADVANCED if mine.is_advanced else BASIC,
            "claims": msgspec.json.encode(ASKED).decode(),
            "ui_locales": attempt.locale,
            "state": attempt.id,
            "nonce": sign_in.nonce,
            "code_challenge": challenge_of(sign_in.code_verifier),
            "code_challenge_method": "S256",
        }

    def _check_answer(self, answer: Mapping[str, str], metadata: Metadata) -> None:
        # Whoever else we may ask some day: an answer of theirs is none of itsme's (RFC 9207 §2.4).
        issuer = answer.get("iss", "")
        is_due = metadata.authorization_response_iss_parameter_supported
        if (issuer or is_due) and issuer != metadata.issuer:
            raise UpstreamFailed("the answer comes from another issuer")
        if "error" in answer:
            raise UpstreamFailed(f"itsme answered {word(answer['error'])}")
        if not 0 < len(answer.get("code", "")) <= LONGEST_CODE:
            raise UpstreamFailed("the answer holds no code")

    def _identify(self, sign_in: ItsmeSignIn, code: str) -> Identification:
        mine, upstream = self._registration, self._upstream
        answered = upstream.token(self._token_request(sign_in, code))
        claims = upstream.open(answered.id_token, "ID token")
        expected = Expected(upstream.issuer, mine.client_id, sign_in.nonce, is_advanced=mine.is_advanced)
        check_id_token(claims, expected, now=self._clock())
        if NATIONAL_NUMBER in claims:
            return identification_of(claims)
        return identification_of(claims | self._told_beside(claims, answered.access_token))

    def _token_request(self, sign_in: ItsmeSignIn, code: str) -> dict[str, str]:
        return {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._registration.redirect_uri,
            "code_verifier": sign_in.code_verifier,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(),
        }

    def _assertion(self) -> str:
        client_id, now = self._registration.client_id, int(self._clock())
        return self._upstream.jose.sign(
            {
                "iss": client_id,
                "sub": client_id,
                "aud": self._upstream.metadata().token_endpoint,
                "jti": token_urlsafe(32),
                "iat": now,
                "exp": now + ASSERTION_SECONDS,
            }
        )

    def _told_beside(self, claims: Mapping[str, Any], access_token: str) -> dict[str, Any]:
        told = self._upstream.userinfo(access_token)
        # Else somebody's facts could be put under another's sign-in (OpenID Connect Core §5.3.2, §5.3.4).
        is_ours = told.get("aud", self._registration.client_id) == self._registration.client_id
        if told.get("sub") != claims["sub"] or told.get("iss", self._upstream.issuer) != self._upstream.issuer:
            raise UpstreamFailed("userinfo: it tells of somebody else, or somebody else tells it")
        if not is_ours:
            raise UpstreamFailed("userinfo: it is meant for another")
        return {name: told[name] for name in (NATIONAL_NUMBER, "given_name", "family_name") if name in told}


def failed(reason: str, shown: str) -> AuthenticationFailed:
    """A failure: the reason for the log, and which of three plain pages to show (`denied`, `away` or `failed`)."""
    return AuthenticationFailed(reason, Page("authenticators/itsme.html", "itsme-failed", {"shown": shown}))


def challenge_of(code_verifier: str) -> str:
    """The S256 code challenge of a verifier (RFC 7636 §4.2)."""
    return urlsafe_b64encode(sha256(code_verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
