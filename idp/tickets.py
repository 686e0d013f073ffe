"""The kinds of tickets of the provider: what each remembers between two requests.

Promises: every ticket is found by an unguessable id or by the hash of one; no ticket holds a secret in the clear.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from secrets import token_urlsafe

from msgspec import field

from idp.claims_request import NO_CLAIMS, ClaimsRequest
from idp.store import Ticket

REQUEST_SECONDS = 3600
ELSEWHERE_SECONDS = 900
UNOPENED_SECONDS = 300
CODE_SECONDS = 30
ANSWERED_SECONDS = 10
"""An answered request stays this long, so that a double click gets the same answer and not an error."""


class AuthorizationRequest(Ticket, frozen=True, kw_only=True):
    """A checked authorization request that waits for a person; its id stands in the address of each page.

    `browser` is the hash of the cookie that it is bound to (empty until a browser has opened it); `pushed` the id of
    the pushed request that it came from, `polled` that of the request whose client fetches the answer itself (then
    there is no redirect). `authenticated_at`, `identity`, `floor` and `consent` are progress: when the
    person signed in for this request, what was chosen, the level needed, and a mark of the yes that was given.
    """

    client_id: str
    redirect_uri: str
    response_mode: str
    scope: tuple[str, ...]
    state: str = ""
    nonce: str = ""
    code_challenge: str = ""
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    login_hint: str = ""
    ui_locales: str = ""
    hinted_subject: str = ""
    hinted_identity: str = ""
    audience: tuple[str, ...] = ()
    dpop_jkt: str = ""
    browser: str = ""
    created_at: int = 0
    authenticated_at: int = 0
    identity: str = ""
    floor: int = 0
    consent: str = ""
    pushed: str = ""
    polled: str = ""
    claims: ClaimsRequest = NO_CLAIMS


class AuthorizationCode(Ticket, frozen=True, kw_only=True):
    """What a code stands for; its id is the code's hash."""

    client_id: str
    redirect_uri: str
    code_challenge: str
    nonce: str
    scope: tuple[str, ...]
    person_id: str
    sid: str
    identity: str
    acr: str
    level: int
    methods: tuple[str, ...]
    auth_time: int
    claims: ClaimsRequest = NO_CLAIMS
    audience: tuple[str, ...] = ()
    dpop_jkt: str = ""


class AccessToken(Ticket, frozen=True, kw_only=True):
    """What an access token stands for; its id is the hash of the token or, of a JWT, of its `jti`.

    Without a Grant it is the client's own. `actors` are those who got it in exchange for another's, the last one first;
    `cnf` is the key that whoever presents it must prove to hold (RFC 7800), empty if it is for any bearer.
    """

    client_id: str
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    issued_at: int
    cnf: dict[str, str] = field(default_factory=dict)
    actors: tuple[str, ...] = ()


class AttemptElsewhere(Ticket, frozen=True, kw_only=True):
    """A person who was sent elsewhere to use a key; the id is the attempt's, which comes back as `state`.

    It names the request and the attempt's own address; who comes back is the browser that was sent, or nobody.
    """

    request_id: str
    key: str
    begun: str


class RevokedToken(Ticket, frozen=True, kw_only=True):
    """A JWT access token that was given back before its end; its id is the hash of its `jti`."""


class LogoutRequest(Ticket, frozen=True, kw_only=True):
    """A logout that waits: for the person's yes, or, after a POST from another site, for the browser's cookies.

    `sid` is the session that the person was asked about, `hinted_sid` the one that the client's hint names.
    """

    sid: str = ""
    hinted_sid: str = ""
    client_id: str = ""
    redirect_uri: str = ""
    state: str = ""
    is_switch: bool = False


def new_secret() -> str:
    """256 random bits as text: a code, a token, an id."""
    return token_urlsafe(32)


def hash_of(secret: str) -> str:
    """The id under which a secret of 256 random bits is kept: such a one needs no slow or keyed hash."""
    return sha256(secret.encode()).hexdigest()


def challenge_of(code_verifier: str) -> str:
    """The S256 code challenge of a verifier (RFC 7636 §4.2)."""
    return urlsafe_b64encode(sha256(code_verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
