"""Values for every template, in every state that changes what it shows; the tests of the pages all read these.

Promises: each template of the repository stands here at least once. Must not know: Flask, stores, or the demo world.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from idp.flows.consent import ROWS, Row
from idp.pages import LANGUAGES, Asking, Frame, Pages
from tests.unit.page_values import (
    ADD_APP,
    ADD_PASSKEY,
    ALONE,
    APPLICATIONS,
    BACKCHANNEL,
    CITIZEN,
    CODE,
    CONSENT,
    DEVICE,
    EID,
    ERROR,
    FROM_APP,
    HINDERPREMIE,
    HOLDINGS,
    IDENTITY,
    ITSME,
    ITSME_PHONE,
    ITSME_WAIT,
    KEY_PAGE,
    KEYS_PAGE,
    KORENAAR,
    LOGGED_OUT,
    LOGIN,
    LOGOUT,
    MESSAGES,
    NO_ACCESS,
    NOON,
    NOORD,
    OTHER_KIND,
    PASSKEY,
    PASSWORD,
    PERSONAS,
    REASONS,
    REGISTERED,
    STEP_UP,
    TOGETHER,
)

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sample:
    """One page in one state."""

    state: str
    template: str
    name: str
    values: Mapping[str, object] = field(default_factory=dict)
    asking: Asking | None = HINDERPREMIE
    simulators: bool = False

    def html(self, pages: Pages, language: str) -> str:
        """The page in this language."""
        frame = Frame(
            language=language,
            path="/op/v1/auth/q1?blad=2",
            csrf="c5rf",
            asking=self.asking,
            simulators=self.simulators,
            now=NOON,
            other_key_url="/op/v1/auth/q1/login",
        )
        return pages.render(self.template, self.name, values=self.values, frame=frame)


def the_pages() -> Pages:
    """The pages as the provider has them."""
    return Pages(ROOT / "templates", ROOT / "translations", static=ROOT / "static")


def _of(
    sample: Sample, states: Mapping[str, Mapping[str, object]], asking: Asking | None = HINDERPREMIE
) -> list[Sample]:
    """The sample, and one more for each further state: the values that differ."""
    more = [replace(sample, state=state, values={**sample.values, **change}) for state, change in states.items()]
    return [replace(one, asking=asking) for one in (sample, *more)]


SAMPLES = [
    *_of(
        Sample("plain", "flows/login.html", "login", LOGIN),
        {
            "never used": {"last_key": "", "missing_keys": []},
            "by list": {"missing_keys": [("eid", 35)], "level": 0},
            "step-up": STEP_UP,
        },
    ),
    Sample("personas", "flows/login.html", "login", {**LOGIN, "shortcuts": PERSONAS}, simulators=True),
    *_of(
        Sample("plain", "authenticators/eid.html", "eid", EID, simulators=True),
        {
            "wrong pin": {"wrong": "pin"},
            "wrong card": {"wrong": "card", "selected": ""},
            "no number": {"wrong_card": "number"},
            "no name": {"wrong_card": "name"},
        },
    ),
    *_of(
        Sample("sms", "authenticators/password.html", "password", PASSWORD),
        {
            "wrong": {"wrong": True, "username": "85641299505"},
            "busy": {"busy": True, "key": "totp"},
            "alone": {"key": "password"},
            "email": {"key": "email"},
        },
        asking=REGISTERED,
    ),
    *_of(
        Sample("sms", "authenticators/code.html", "code", CODE, simulators=True),
        {
            "wrong": {"wrong": True, "tries_left": 1},
            "exhausted": {"wrong": True, "exhausted": True, "tries_left": 0},
            "resent": {"resent": True},
            "email": {"key": "email", "destination": "a•••@example.be"},
            "totp": FROM_APP,
            "totp wrong": {**FROM_APP, "wrong": True},
            "totp exhausted": {**FROM_APP, "exhausted": True},
        },
    ),
    *_of(
        Sample("citizen", "flows/consent.html", "consent", CONSENT),
        {
            "everything": {
                "rows": [Row(kind, ("<Value>",)) for kind, _ in ROWS] + [Row("rights", ("Lezer:1", "Schrijver:1"))],
                "is_lasting": True,
            },
            "nothing but how": {"rows": [], "key_name": "key of a third party"},
            "unknown application": {"is_unknown": True, "place": "een-zeer-lange-naam" * 3 + ".example.be"},
            "unknown program": {"is_unknown": True, "place": "", "is_program": True},
            "unknown device": {"is_unknown": True, "place": ""},
            "another language": {"rows": [Row("language", ("pl",))]},
        },
    ),
    *_of(
        Sample("few", "flows/identity.html", "identity", IDENTITY),
        {
            "last chosen": {"first": NOORD},
            "last citizen": {"first": CITIZEN},
            "many": {"total": 23, "pages": 5, "first": KORENAAR, "other_person_url": ""},
            "middle": {"total": 23, "pages": 5, "page": 3, "identities": [KORENAAR, OTHER_KIND]},
            "searched": {"total": 23, "query": "noord", "identities": [NOORD]},
            "nothing found": {"total": 23, "query": "zzz", "identities": []},
            "together": {"identities": [TOGETHER, CITIZEN], "total": 2},
        },
    ),
    *_of(
        Sample("no right", "flows/no_access.html", "no-access", NO_ACCESS),
        {
            **{f"{one['reason']} {one['on']}": {"reasons": [one], **ALONE} for one in REASONS},
            "no representative": {"reasons": [{**REASONS[22], "organisation": ""}], **ALONE},
            "unknown": {"reasons": [], "person_name": ""},
            "two": {"reasons": REASONS[2:6:2], "try_other_url": "/op/v1/auth/q1/identity"},
            "own": {
                "reasons": REASONS[:1],
                "own_authority": ["Bakkerij De Korenaar BV", "Bouwwerken Noord NV"],
                "administrators": [],
            },
        },
    ),
    *_of(
        Sample("refused", "flows/error.html", "error", ERROR),
        {
            "ours": {"code": "server_error", "advice": ["Ga verder"], "explanation": ""},
            "back": {"code": "not_found", "back_url": "http://localhost:8001/"},
            "busy": {"code": "temporarily_unavailable"},
        },
        asking=None,
    ),
    *_of(
        Sample("plain", "flows/device.html", "device", DEVICE),
        {"wrong": {"wrong": "code", "user_code": "BCDF-GHJK"}, "busy": {"wrong": "busy"}},
        asking=None,
    ),
    *_of(
        Sample("some", "flows/backchannel.html", "backchannel", BACKCHANNEL),
        {"none": {"entries": []}},
        asking=None,
    ),
    Sample("plain", "flows/device_confirm.html", "device-confirm", {"user_code": "BCDF-GHJK", "action": "/verify"}),
    *_of(
        Sample("device", "flows/answered.html", "answered", {"is_approved": True, "is_device": True}),
        {
            "device denied": {"is_approved": False},
            "elsewhere": {"is_device": False},
            "elsewhere denied": {"is_approved": False, "is_device": False},
        },
    ),
    *_of(
        Sample("plain", "flows/logout.html", "logout", LOGOUT),
        {"nobody": {"person_name": "", "applications": [], "request": ""}},
        asking=None,
    ),
    *_of(
        Sample("plain", "flows/logged_out.html", "logged-out", LOGGED_OUT),
        {
            "back": {"back_url": "http://localhost:8001/", "back_name": "Hinderpremie"},
            "nameless": {"back_url": "http://localhost:8001/"},
            "framed": {"back_url": "app.be:/x", "frames": ["http://localhost:8001/out?sid=1"], "is_awaited": True},
        },
        asking=None,
    ),
    *_of(
        Sample("some", "flows/holdings.html", "consents", HOLDINGS),
        {"stopped": {"withdrawn": "Weerbericht"}, "nothing": {"holdings": [], "withdrawn": "Weerbericht"}},
        asking=None,
    ),
    *_of(
        Sample("some", "flows/keys.html", "keys", KEYS_PAGE),
        {
            **{one: {"change": one, "changed_kind": "passkey"} for one in ("added", "removed", "renamed")},
            "nothing": {"keys": [], "kinds": set()},
        },
        asking=None,
    ),
    *_of(Sample("named", "flows/key.html", "key", KEY_PAGE), {"last": {"is_last": True}}, asking=None),
    *_of(Sample("plain", "authenticators/passkey.html", "passkey", PASSKEY), {"wrong": {"wrong": True}}),
    *_of(
        Sample("plain", "authenticators/passkey_enrolment.html", "key-add", ADD_PASSKEY),
        {"wrong": {"wrong": True}},
        asking=None,
    ),
    *_of(
        Sample("plain", "authenticators/totp_enrolment.html", "key-add", ADD_APP),
        {
            "known": {"sets_password": False},
            **{one: {"wrong": one} for one in ("code", "password")},
            "exhausted": {"wrong": "exhausted", "seed": ""},
        },
        asking=None,
    ),
    Sample(
        "plain",
        "flows/form_post.html",
        "form-post",
        {"action": "http://localhost:8001/callback", "fields": {"code": "c", "state": '"><script>'}},
    ),
    Sample("plain", "start.html", "start", {"signed_in_as": "", "applications": []}, asking=None),
    Sample(
        "simulators", "start.html", "start", {"signed_in_as": "An Peeters", "applications": APPLICATIONS}, None, True
    ),
    Sample("plain", "help.html", "help", asking=None),
    Sample("plain", "privacy.html", "privacy", asking=None),
    Sample("plain", "accessibility.html", "accessibility", asking=None),
    *_of(
        Sample(
            "full", "simulators/inbox.html", "inbox", {"address": "+32470000004", "messages": MESSAGES}, simulators=True
        ),
        {"empty": {"messages": []}},
        asking=None,
    ),
    Sample(
        "plain",
        "simulators/inboxes.html",
        "inboxes",
        {"inboxes": [{"address": "+32470000004", "name": "Dirk Maes"}, {"address": "a@b.be", "name": ""}]},
        None,
        True,
    ),
    Sample("plain", "simulators/app.html", "app", {"personas": [{"name": "Dirk Maes", "code": "123456"}]}, None, True),
    Sample("plain", "simulators/clock.html", "clock", {"now": NOON, "offset_days": 31}, None, True),
    *_of(
        Sample("denied", "authenticators/itsme.html", "itsme-failed", {"shown": "denied"}),
        {"away": {"shown": "away"}, "failed": {"shown": "failed"}},
    ),
    *_of(
        Sample("plain", "simulators/itsme.html", "itsme", ITSME, simulators=True),
        {"wrong": {"wrong": True, "phone": "0470"}},
        asking=None,
    ),
    *_of(
        Sample("waits", "simulators/itsme_wait.html", "itsme-wait", ITSME_WAIT, simulators=True),
        {"early": {"is_early": True}, **{one: {"picture": one} for one in ("bel", "boom", "paraplu", "tas", "vis")}},
        asking=None,
    ),
    *_of(
        Sample("asks", "simulators/itsme_phone.html", "itsme-phone", ITSME_PHONE, simulators=True),
        {"nothing": {"picture": ""}, **{one: {"answered": one, "picture": ""} for one in ("approve", "deny", "late")}},
        asking=None,
    ),
    Sample("plain", "simulators/itsme_fault.html", "itsme-fault", {"message": "state is missing"}, None, True),
]
RENDERED = [(sample, language) for sample in SAMPLES for language in LANGUAGES]
