"""The next step of an authorization request: sign in, choose for whom, allow, be refused, be answered. A pure decision.

Promises: the same values always give the same step; a person who cannot reach what is asked ends in a refusal, never
in a loop. Must not know: where anything is kept, or what a page looks like.
"""

from collections.abc import Callable
from dataclasses import dataclass

from claims.scopes import claims_of, scopes_for
from idm.entitlements import Missing, Reason
from idp.authenticator import Authenticator
from idp.clients import Client
from idp.errors import (
    AccessDenied,
    ConsentRequired,
    InteractionRequired,
    LoginRequired,
    UnmetAuthenticationRequirements,
)
from idp.identities import Option, Options
from idp.levels import Levels
from idp.records.consents import Consent
from idp.sessions import Authentication, Session
from idp.tickets import AuthorizationRequest, hash_of

NEVER = float("inf")
NO_LEVEL = 10**9
"""More than any means reaches."""


@dataclass(frozen=True)
class SignIn:
    """A key is needed that reaches `level`."""

    level: int


@dataclass(frozen=True)
class ChooseIdentity:
    """The person has to say on whose behalf."""

    options: tuple[Option, ...]


@dataclass(frozen=True)
class Refuse:
    """The person cannot go on; `missing` says why. `no_key` means that no key of theirs is sure enough."""

    missing: tuple[Missing, ...] = ()
    no_key: bool = False
    level: int = 0


@dataclass(frozen=True)
class AskConsent:
    """The person has to allow what the application would be told."""

    authentication: Authentication
    option: Option


@dataclass(frozen=True)
class Respond:
    """All is known: the application gets its answer."""

    authentication: Authentication
    option: Option


Step = SignIn | ChooseIdentity | AskConsent | Refuse | Respond


@dataclass(frozen=True)
class Known:
    """What a decision is made from.

    `session` is None where nobody is signed in; `subject` is that person's; `known_keys`, `allowed` and `options` are
    asked only when they matter, since each costs a trip to the database.
    """

    request: AuthorizationRequest
    client: Client
    levels: Levels
    now: int
    session: Session | None = None
    subject: Callable[[], str] = str
    known_keys: Callable[[], frozenset[str]] = frozenset
    allowed: Callable[[], Consent | None] = lambda: None
    options: Callable[[Authentication], Options] = lambda _: Options()


def next_step(known: Known) -> Step:
    """What has to happen next; where the application asked for silence, the error that says so."""
    return in_silence(decide(known)) if "none" in known.request.prompt else decide(known)


def decide(known: Known) -> Step:
    """What has to happen next, pages allowed."""
    session = known.session
    authentication = sufficient(known)
    if session is None:
        return sign_in(known)
    if known.request.hinted_subject and known.request.hinted_subject != known.subject():
        return another_person(known)
    if authentication is None:
        return sign_in_again(known, needed_level(known))
    found = known.options(authentication)
    if not found.options:
        return without_options(known, found)
    chosen = chosen_option(known, session, found=found)
    if chosen is None:
        return ChooseIdentity(found.options)
    is_allowed = has_allowed(known, session, option=chosen)
    return Respond(authentication, chosen) if is_allowed else AskConsent(authentication, chosen)


def in_silence(step: Step) -> Step:
    """The step if it shows no page, else its error (OpenID Connect Core §3.1.2.6)."""
    if isinstance(step, SignIn):
        raise LoginRequired("Nobody is signed in, or not surely enough.")
    if isinstance(step, ChooseIdentity):
        raise InteractionRequired("The person has to choose on whose behalf.")
    if isinstance(step, AskConsent):
        raise ConsentRequired("The person has to allow what the application asks.")
    if isinstance(step, Refuse):
        raise AccessDenied("The person may not use this application.")
    return step


def has_allowed(known: Known, session: Session, *, option: Option) -> bool:
    """Whether the person has allowed what is asked: just now, or before, or the client is one that need not ask."""
    request, rule, face = known.request, known.client.consent_rule, known.client.face
    if request.consent == consent_mark(session, option, face=face):
        return True
    if "consent" in request.prompt or rule == "always":
        return False
    allowed = None if rule == "none" else known.allowed()
    asked = frozenset(request.scope)
    claims = claims_asked(request, known.client)
    return rule == "none" or (allowed is not None and allowed.covers(asked, claims, face=face))


def consent_mark(session: Session, option: Option, *, face: str) -> str:
    """What a yes is tied to: the person, on whose behalf they come, and what they saw of the client."""
    return hash_of(f"{session.person_id} {option.value} {face}")


def claims_asked(request: AuthorizationRequest, client: Client) -> frozenset[str]:
    """The names of all claims that a request asks, by scope or one by one, and that its client may have."""
    by_scope = {name for scope in request.scope for name in claims_of(scope, client)}
    return frozenset(by_scope | {name for name in request.claims.names if scopes_for(name, client)})


def needed_level(known: Known) -> int:
    """The lowest level that serves: the client's minimum, or what an earlier decision found to be needed."""
    return max(known.levels.level(known.client.minimum_acr), known.request.floor)


def sufficient(known: Known) -> Authentication | None:
    """The sign-in of the session that meets what is asked, in kind, level and age; None if none does."""
    if known.session is None:
        return None
    level, essential = needed_level(known), known.request.claims.essential_acrs
    acrs = known.levels.acceptable(essential or known.request.acr_values, minimum=level)
    # What is essential is meant exactly: a surer means is another one (OpenID Connect Core §5.5.1.1).
    enough = NO_LEVEL if essential else min((known.levels.level(acr) for acr in acrs), default=level)
    return known.session.strongest(acrs=acrs, level=enough, since=fresh_since(known))


def fresh_since(known: Known) -> float:
    """From when on a sign-in counts: any time, `max_age` ago, or only for this very request."""
    request = known.request
    if request.authenticated_at:
        return request.authenticated_at
    if request.max_age == 0 or "login" in request.prompt:
        return NEVER
    return 0 if request.max_age is None else known.now - request.max_age


def offered_keys(known: Known, level: int) -> tuple[Authenticator, ...]:
    """The keys that this request may be signed in with."""
    essential = known.request.claims.essential_acrs
    if essential:
        return tuple(key for key in known.levels.offered(essential, minimum=level) if key.means.urn in essential)
    return known.levels.offered(known.request.acr_values, minimum=level)


def sign_in(known: Known) -> SignIn:
    """A sign-in; UnmetAuthenticationRequirements where no key here would serve, whoever comes."""
    level = needed_level(known)
    if not offered_keys(known, level):
        raise UnmetAuthenticationRequirements("No digital key here is as sure as the application asks.")
    return SignIn(level)


def sign_in_again(known: Known, level: int) -> Step:
    """A step-up or a fresh sign-in, unless no key that the person is known to have would serve.

    Then it is a refusal; UnmetAuthenticationRequirements where the application named the only means that would do.
    """
    offered = offered_keys(known, level)
    used = {used.key for used in known.session.authentications} if known.session else set()
    serving = {key.name for key in offered}
    if serving & used or serving & known.known_keys():
        return SignIn(level)
    if known.request.claims.essential_acrs:
        raise UnmetAuthenticationRequirements("The person has no digital key of the means that the application asks.")
    return Refuse(no_key=True, level=level)


def another_person(known: Known) -> Step:
    """The application expects somebody else: they may sign in, but only once for this request."""
    if known.request.authenticated_at:
        raise LoginRequired("Somebody else signed in than the application expected.")
    return sign_in(known)


def without_options(known: Known, found: Options) -> Step:
    """Nothing may be chosen: a step-up where only the level is in the way, else a refusal."""
    too_low = [missing for missing in found.missing if missing.reason is Reason.LEVEL_TOO_LOW]
    levels = [
        known.levels.level(m.minimum_acr) for m in too_low if m.minimum_acr and known.levels.is_known(m.minimum_acr)
    ]
    return sign_in_again(known, min(levels)) if levels else Refuse(found.missing)


def chosen_option(known: Known, session: Session, *, found: Options) -> Option | None:
    """What was chosen for this request, or for this client in this session, or the only thing there is."""
    if known.request.identity:
        return found.find(known.request.identity)
    if "select_account" in known.request.prompt:
        return None
    if len(found.options) == 1:
        return found.options[0]
    if known.request.hinted_identity and (hinted := found.find(known.request.hinted_identity)):
        return hinted
    return found.find(session.identities.get(known.client.client_id, ""))
