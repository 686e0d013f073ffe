"""An OpenID provider that a key relies on: what it says of itself, the keys that it signs with, its two endpoints.

Promises: what it said is held and read again now and then; nobody makes us ask for its keys more than once a minute;
what its tokens say is handed on only once decrypted and verified. Must not know: attempts, pages, or what any claim
means.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec

from idp.store import Clock

FRESH_SECONDS = 3600
STALE_SECONDS = 86400
LOOK_SECONDS = 60
WAIT_SECONDS = 0.5
LONGEST_WORD = 40

log = logging.getLogger(__name__)

Keys = Sequence[Mapping[str, Any]]
T = TypeVar("T")


class UpstreamFailed(Exception):
    """The provider cannot be reached, or what it says proves nothing; the message is for the log alone."""


class Calls(Protocol):
    """What calls the provider, within bounds; each raises ConnectionError, whose message is for the log."""

    def get(self, uri: str, *, bearer: str = "") -> bytes:
        """What stands there, shown to the holder of this token."""
        ...

    def post(self, uri: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer to a form."""
        ...


class Jose(Protocol):
    """Our keys towards the provider; who uses them never sees one."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The claims as a token that we signed."""
        ...

    def open(self, token: str, keys: Keys) -> dict[str, Any]:
        """The claims of a token that was signed by one of these keys and then encrypted to us; else ValueError."""
        ...


class Metadata(msgspec.Struct, frozen=True):
    """What we read of a discovery document (OpenID Connect Discovery 1.0 §3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    authorization_response_iss_parameter_supported: bool = False


class Answered(msgspec.Struct, frozen=True):
    """What we read of a token answer (RFC 6749 §5.1)."""

    id_token: str
    access_token: str


class Refusal(msgspec.Struct, frozen=True):
    """What we read of a refusal (RFC 6749 §5.2)."""

    error: str = ""


@dataclass(frozen=True)
class Held:
    """A document or key set as it was read; `value` is None while it could not be. Due again at `due_at`."""

    read_at: float
    tried_at: float
    due_at: float
    value: Any

    def is_due(self, now: float, *, renewed: bool) -> bool:
        """Whether to read it again; also where the clock was set back."""
        is_old = now >= self.due_at or now < self.tried_at
        return is_old or (renewed and now - self.tried_at >= LOOK_SECONDS)


class Upstream:
    """The provider of one issuer."""

    def __init__(self, issuer: str, calls: Calls, *, jose: Jose, clock: Clock) -> None:
        self.issuer = issuer
        self.jose = jose
        self._calls = calls
        self._clock = clock
        self._lock = Lock()
        self._held: dict[str, Held] = {}

    def metadata(self) -> Metadata:
        """What the provider says of itself; UpstreamFailed if it says nothing, or names another issuer."""
        found: Metadata = self._read(f"{self.issuer}/.well-known/openid-configuration", read=self._document)
        return found

    def token(self, form: Mapping[str, str]) -> Answered:
        """The answer of the token endpoint; UpstreamFailed, with the error that it names, if it refuses."""
        try:
            status, body = self._calls.post(self.metadata().token_endpoint, form)
        except ConnectionError as failure:
            raise UpstreamFailed(f"token endpoint: {failure}") from failure
        if status != 200:
            raise UpstreamFailed(
                f"token endpoint: status {status}, {word(decoded(body, Refusal, name='refusal').error)}"
            )
        return decoded(body, Answered, name="token answer")

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """What the userinfo endpoint says of the holder of this token, decrypted and verified; else UpstreamFailed."""
        address = self.metadata().userinfo_endpoint
        if not address:
            raise UpstreamFailed("userinfo: there is no such endpoint")
        try:
            return self.open(self._calls.get(address, bearer=access_token).decode("ascii", "replace"), "userinfo")
        except ConnectionError as failure:
            raise UpstreamFailed(f"userinfo: {failure}") from failure

    def open(self, token: str, name: str) -> dict[str, Any]:
        """The claims of a token that the provider signed and encrypted to us; UpstreamFailed, by this name, if not."""
        keys = self._keys()
        try:
            return self.jose.open(token, keys)
        except ValueError as refusal:
            renewed = self._keys(renewed=True)  # it may have changed its keys
            if renewed is keys:
                raise UpstreamFailed(f"{name}: {refusal}") from refusal
        try:
            return self.jose.open(token, renewed)
        except ValueError as refusal:
            raise UpstreamFailed(f"{name}: {refusal}") from refusal

    def _keys(self, *, renewed: bool = False) -> Keys:
        found: Keys = self._read(self.metadata().jwks_uri, read=keys_of, renewed=renewed)
        return found

    def _read(self, address: str, *, read: Callable[[bytes], Any], renewed: bool = False) -> Any:
        held = self._held.get(address)
        if held is None or held.is_due(self._clock(), renewed=renewed):
            held = self._look(address, read=read, renewed=renewed)
        if held.value is None:
            raise UpstreamFailed(f"{urlsplit(address).path} cannot be read")
        return held.value

    def _look(self, address: str, *, read: Callable[[bytes], Any], renewed: bool) -> Held:
        # One thread asks. The others go on with what is held; who needs what it finds waits for it, but not for long: a
        # slow provider must not hold them all.
        held = self._held.get(address)
        is_usable = held is not None and held.value is not None
        if not self._lock.acquire(timeout=0 if is_usable and not renewed else WAIT_SECONDS):
            if held is None or not is_usable:
                raise UpstreamFailed("it is being asked already")
            return held
        try:
            held, now = self._held.get(address), self._clock()
            if held is None or held.is_due(now, renewed=renewed):
                held = self._held[address] = self._looked(address, held, read=read)
            return held
        finally:
            self._lock.release()

    def _looked(self, address: str, held: Held | None, *, read: Callable[[bytes], Any]) -> Held:
        now = self._clock()
        try:
            return Held(now, now, now + FRESH_SECONDS, read(self._calls.get(address)))
        except (ConnectionError, UpstreamFailed) as failure:
            log.warning("upstream: %s cannot be read: %s", address, failure)
            # What was read before serves on for a day: a provider that hiccups must not shut our door.
            if held is None or not 0 <= now - held.read_at < STALE_SECONDS:
                return Held(now, now, now + LOOK_SECONDS, None)
            return Held(held.read_at, now, now + LOOK_SECONDS, held.value)

    def _document(self, body: bytes) -> Metadata:
        found = decoded(body, Metadata, name="discovery document")
        if found.issuer != self.issuer:  # Discovery §4.3: or it speaks for somebody else
            raise UpstreamFailed("the discovery document names another issuer")
        # Where a browser is sent is a promise to people: nowhere but to the provider that the operator named.
        if origin_of(found.authorization_endpoint) != origin_of(self.issuer):
            raise UpstreamFailed("the authorization endpoint is elsewhere than the issuer")
        return found


def keys_of(body: bytes) -> Keys:
    """The keys of a key set that may sign; those that we cannot read are left for `Jose` to pass over."""
    found = decoded(body, dict, name="key set").get("keys")
    if not isinstance(found, list):
        raise UpstreamFailed("not a key set")
    return [key for key in found if isinstance(key, dict) and key.get("use", "sig") == "sig"]


def decoded(body: bytes, kind: type[T], *, name: str) -> T:
    """JSON of this kind; UpstreamFailed, by this name, if it is not."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise UpstreamFailed(f"not a {name}") from None


def word(text: str) -> str:
    """An error's name as it may stand in a log: letters and underscores, and not many."""
    is_word = text.isascii() and text.replace("_", "").isalpha() and len(text) <= LONGEST_WORD
    return text if is_word else "an error of no known form"


def origin_of(address: str) -> tuple[str, str]:
    """Scheme and host of an address, without the case of letters."""
    parts = urlsplit(address)
    return parts.scheme.lower(), parts.netloc.lower()
