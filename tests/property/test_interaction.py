"""The decision on the next step: whatever is asked, whoever is there, it never gives too much and never goes round."""

from dataclasses import dataclass, replace
from typing import NoReturn

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from claims.scopes import CLAIMS
from idm.entitlements import Identity, Missing, Reason
from idp.authenticator import Means
from idp.claims_request import ClaimsRequest
from idp.clients import Client
from idp.errors import (
    AccessDenied,
    ConsentRequired,
    InteractionRequired,
    LoginRequired,
    UnmetAuthenticationRequirements,
)
from idp.flows.interaction import (
    AskConsent,
    ChooseIdentity,
    Known,
    Refuse,
    Respond,
    SignIn,
    Step,
    consent_mark,
    fresh_since,
    needed_level,
    next_step,
    offered_keys,
)
from idp.identities import Option, Options
from idp.levels import Levels
from idp.records.consents import Consent
from idp.sessions import Authentication, Session
from idp.tickets import AuthorizationRequest

NOW = 1_000_000


@dataclass(frozen=True)
class Key:
    """A digital key, of which the decision needs to know only what it proves; using it fails the test."""

    name: str
    means: Means
    methods: tuple[str, ...] = ()

    def begin(self, attempt: object) -> NoReturn:
        raise AssertionError(f"the decision used a key: {attempt}")

    def finish(self, attempt: object, answer: object) -> NoReturn:
        raise AssertionError(f"the decision used a key: {attempt} {answer}")


KEYS = tuple(
    Key(name, Means(f"urn:be:vlaanderen:authmech:{urn}", level))
    for name, urn, level in (
        ("eid", "eid", 35),
        ("itsme", "itsme", 27),
        ("totp", "csamtotp", 26),
        ("sms", "csamsms", 25),
        ("password", "csampassword", 5),
    )
)
LEVELS = Levels(KEYS)
ACRS = [key.means.urn for key in KEYS]
OPENID, PROFILE = frozenset(CLAIMS["openid"]), frozenset(CLAIMS["profile"])
VALUES = ["EA:1", "EA:2", "LB:3", "BUR:"]

acrs = st.sampled_from(["", *ACRS, "urn:be:vlaanderen:authmech:eidashigh"])
some_keys = st.frozensets(st.sampled_from(KEYS))


def authentication(key: Key, at: int) -> Authentication:
    return Authentication(key=key.name, acr=key.means.urn, level=key.means.level, methods=(), at=at)


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    used = draw(st.dictionaries(st.sampled_from(KEYS), st.integers(0, 100), min_size=1))
    return Session(
        sid="sid",
        cookie_hash="",
        person_id="me",
        browser_id="the browser",
        authentications=tuple(authentication(key, NOW - age) for key, age in used.items()),
        created_at=NOW - 100,
        expires_at=NOW + 100,
        identities=draw(st.dictionaries(st.just("client"), st.sampled_from(VALUES))),
    )


@st.composite
def consents(draw: st.DrawFn) -> Consent:
    return Consent(
        person_id="me",
        client_id="client",
        scopes=draw(st.sampled_from([frozenset({"openid"}), frozenset({"openid", "profile"})])),
        claims=draw(st.sampled_from([OPENID, OPENID | PROFILE])),
    )


@st.composite
def requests(draw: st.DrawFn) -> AuthorizationRequest:
    return AuthorizationRequest(
        id="request",
        expires_at=NOW + 100,
        client_id="client",
        redirect_uri="",
        response_mode="",
        scope=draw(st.sampled_from([("openid",), ("openid", "profile")])),
        prompt=draw(st.frozensets(st.sampled_from(["login", "select_account", "consent"]))),
        max_age=draw(st.none() | st.integers(0, 100)),
        acr_values=tuple(draw(st.lists(st.sampled_from([*ACRS, "urn:unknown"]), max_size=3))),
        claims=ClaimsRequest(essential_acrs=tuple(draw(st.lists(st.sampled_from([*ACRS, "urn:unknown"]), max_size=2)))),
        hinted_subject=draw(st.sampled_from(["", "", "subject of me", "subject of somebody else"])),
        hinted_identity=draw(st.sampled_from(["", *VALUES])),
        identity=draw(st.sampled_from(["", "", *VALUES])),
        authenticated_at=draw(st.sampled_from([0, 0, NOW - 50])),
        floor=draw(st.sampled_from([0, 0, *(key.means.level for key in KEYS)])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> Known:
    """A request, and all around it. What may be chosen depends on the level, as in IDM."""
    needed = draw(st.dictionaries(st.sampled_from(VALUES), acrs))
    held = draw(some_keys)
    consent = draw(st.none() | consents())
    return Known(
        request=draw(requests()),
        client=Client(
            client_id="client",
            minimum_acr=draw(acrs),
            scope="openid profile",
            consent=draw(st.sampled_from(["none", "once", "always"])),
        ),
        levels=Levels(draw(some_keys)),
        now=NOW,
        session=draw(st.none() | sessions()),
        subject=lambda: "subject of me",
        known_keys=lambda: frozenset(key.name for key in held),
        allowed=lambda: consent,
        options=lambda used: options(needed, used.level),
    )


def options(needed: dict[str, str], level: int) -> Options:
    reached = [value for value, acr in needed.items() if LEVELS.level(acr) <= level]
    too_low = [acr for value, acr in needed.items() if value not in reached]
    return Options(
        tuple(Option(value, (identity(value),)) for value in reached),
        tuple(Missing(reason=Reason.LEVEL_TOO_LOW, minimum_acr=acr) for acr in too_low)
        or (Missing(reason=Reason.NO_WORK_RELATION),),
    )


def identity(value: str) -> Identity:
    target_group, _, code = value.partition(":")
    return Identity(target_group=target_group, code=code)


def outcome(known: Known) -> Step | str:
    """What is decided, or the error by its name."""
    try:
        return next_step(known)
    except (
        LoginRequired,
        InteractionRequired,
        ConsentRequired,
        AccessDenied,
        UnmetAuthenticationRequirements,
    ) as error:
        return error.code


@given(worlds())
def test_the_same_values_give_the_same_step(known: Known) -> None:
    assert outcome(known) == outcome(known)


@given(worlds())
def test_an_answer_rests_on_a_sign_in_that_is_sure_and_fresh_enough(known: Known) -> None:
    step = outcome(known)
    if not isinstance(step, Respond):
        return
    assert known.session is not None
    assert step.authentication in known.session.authentications
    assert step.authentication.level >= needed_level(known)
    assert step.authentication.at >= fresh_since(known)
    essential = known.request.claims.essential_acrs
    if essential:
        assert step.authentication.acr in essential
    else:
        acceptable = known.levels.acceptable(known.request.acr_values, minimum=needed_level(known))
        assert step.authentication.level >= min(map(LEVELS.level, acceptable), default=0)
    if known.request.hinted_subject:
        assert known.request.hinted_subject == known.subject()


@given(worlds())
def test_an_answer_is_for_somebody_whom_the_person_may_act_for(known: Known) -> None:
    step = outcome(known)
    if isinstance(step, Respond):
        assert step.option in known.options(step.authentication).options
        assert known.request.identity in ("", step.option.value)
    if isinstance(step, ChooseIdentity):
        assert step.options


@given(worlds())
def test_silence_shows_no_page(known: Known) -> None:
    silent = replace(known, request=msgspec.structs.replace(known.request, prompt=frozenset({"none"})))
    assert isinstance(outcome(silent), Respond | str)


@given(worlds(), st.data())
def test_every_sign_in_leads_on_and_no_two_of_them_ask_the_same(known: Known, chosen: st.DataObject) -> None:
    asked = []
    while isinstance(step := outcome(known), SignIn):
        asked.append(step.level)
        request = msgspec.structs.replace(known.request, floor=step.level)
        offered = offered_keys(replace(known, request=request), step.level)
        assert offered
        key = chosen.draw(st.sampled_from(offered))
        known = signed_in(replace(known, request=request), authentication(key, NOW))
    assert asked == sorted(set(asked))
    assert isinstance(step, Respond | ChooseIdentity | AskConsent | Refuse | str)


@given(worlds(), st.data())
def test_a_choice_that_was_made_is_not_asked_again(known: Known, chosen: st.DataObject) -> None:
    step = outcome(known)
    if isinstance(step, ChooseIdentity):
        value = chosen.draw(st.sampled_from(step.options)).value
        after = outcome(replace(known, request=msgspec.structs.replace(known.request, identity=value)))
        assert isinstance(after, Respond | AskConsent)
        assert after.option.value == value


@given(worlds())
def test_nobody_is_told_more_than_was_allowed(known: Known) -> None:
    step = outcome(known)
    if not isinstance(step, Respond) or known.client.consent == "none":
        assert not isinstance(step, Respond) or "consent" not in known.request.prompt
        return
    allowed = known.allowed()
    assert known.client.consent == "once"
    assert "consent" not in known.request.prompt
    assert allowed is not None
    assert set(known.request.scope) <= allowed.scopes


@given(worlds())
def test_a_yes_is_not_asked_again_and_is_for_nobody_else(known: Known) -> None:
    step = outcome(known)
    if isinstance(step, AskConsent):
        assert known.session is not None
        yes = msgspec.structs.replace(known.request, consent=consent_mark(known.session, step.option, face=""))
        after = outcome(replace(known, request=yes))
        assert isinstance(after, Respond)
        assert after.option == step.option
        other = msgspec.structs.replace(known.session, person_id="somebody else")
        assert not isinstance(outcome(replace(known, request=yes, session=other)), Respond)


@given(worlds())
def test_who_is_asked_to_step_up_has_a_key_that_serves(known: Known) -> None:
    step = outcome(known)
    expected_somebody_else = known.request.hinted_subject not in ("", known.subject())
    if known.session and isinstance(step, SignIn) and not expected_somebody_else:
        held = known.known_keys() | {used.key for used in known.session.authentications}
        assert held & {key.name for key in offered_keys(known, step.level)}


@given(worlds())
def test_nobody_is_refused_before_they_are_known(known: Known) -> None:
    nobody = replace(known, session=None)
    assert isinstance(outcome(nobody), SignIn) == bool(offered_keys(known, needed_level(known)))


def signed_in(known: Known, used: Authentication) -> Known:
    """The world after that sign-in, as the login leaves it."""
    session = known.session.with_authentication(used) if known.session else None
    new = Session(
        sid="sid",
        cookie_hash="",
        person_id="me",
        browser_id="the browser",
        authentications=(used,),
        created_at=NOW,
        expires_at=NOW + 100,
    )
    request = msgspec.structs.replace(known.request, authenticated_at=used.at, identity="")
    return replace(known, session=session or new, request=request)
