"""What a template is handed in one plain state, and the changes that make it another.

Promises: invented people, organisations and numbers alone. Must not know: which states are shown.
"""

from dataclasses import dataclass, replace
from datetime import date

from idp.authenticator import HeldKey
from idp.clients import Client
from idp.flows.ciba_page import Entry
from idp.flows.consent import Row
from idp.flows.holdings import Holding
from idp.flows.keys import Listed
from idp.pages import Asking

NOON = 1795518128
HINDERPREMIE = Asking("Hinderpremie", "Agentschap Voorbeeld")
REGISTERED = replace(
    HINDERPREMIE,
    logo_uri="https://hinderpremie.example.be/logo.svg",
    policy_uri="https://hinderpremie.example.be/privacy",
    tos_uri="https://hinderpremie.example.be/voorwaarden",
)


@dataclass(frozen=True)
class Key:
    """A digital key, as the choice of keys gets it."""

    name: str
    level: int
    label: str = ""


@dataclass(frozen=True)
class Identity:
    """An identity to choose, as the choice gets it."""

    value: str
    target_group: str
    name: str
    number: str = ""
    roles: tuple[str, ...] = ()
    until: date | None = None
    soon_days: int | None = None


KEYS = (
    Key("eid", 35),
    Key("itsme", 27),
    Key("totp", 26),
    Key("passkey", 26),
    Key("sms", 25),
    Key("acme", 20, "Acme-pas"),
)
WEAK = [("email", 10), ("password", 5)]
PERSONAS = [
    {"label": name, "key": key, "action": "/op/v1/auth/q1/login/eid", "fields": {"card": "68641299833", "pin": "1234"}}
    for name, key in (
        ("An Peeters", "eid"),
        ("Fatima El Amrani", "eid"),
        ("Marc Lambert", "sms"),
        ("Olga Vermeulen", "eid"),
    )
]
LOGIN: dict[str, object] = {
    "keys": KEYS,
    "last_key": "itsme",
    "missing_keys": WEAK,
    "level": 25,
    "step_up": False,
    "person_name": "",
    "shortcuts": [],
    "action": "/op/v1/auth/q1/login",
    "cancel_url": "/op/v1/auth/q1/cancel",
}
STEP_UP = {
    "keys": KEYS[:1],
    "last_key": "sms",
    "missing_keys": [("sms", 25)],
    "level": 35,
    "step_up": True,
    "person_name": "Elif Yilmaz",
}
CARDS = [{"number": "68641299833", "name": "An Peeters"}, {"number": "89661799748", "name": "Dirk Maes"}]
EID = {"cards": CARDS, "selected": "89661799748", "wrong": "", "wrong_card": "", "action": "/login/eid?begun=b"}
PASSWORD = {"key": "sms", "username": "", "wrong": False, "busy": False, "action": "/login/sms?begun=b"}
CODE: dict[str, object] = {
    "key": "sms",
    "destination": "+32 4•• •• •• 04",
    "wrong": False,
    "exhausted": False,
    "tries_left": 5,
    "valid_until": NOON + 600,
    "resent": False,
    "action": "/login/sms?begun=b",
}
FROM_APP = {"key": "totp", "destination": "", "valid_until": 0, "tries_left": 4}
KORENAAR = Identity("EA:0999910147", "EA", "Bakkerij De Korenaar BV", "0999910147", ("Indiener",), date(2029, 8, 20))
NOORD = Identity(
    "EA:0999920243",
    "EA",
    "Bouwwerken Noord NV",
    "0999920243",
    ("Aanvrager", "Medewerker", "Ondertekenaar"),
    date(2026, 12, 14),
    20,
)
VELDEKE = Identity("LB:0999940435", "LB", "Gemeente Veldeke", "0999940435", ("Lezer", "Schrijver"), None, 0)
OTHER_KIND = Identity("XX:1", "XX", "Iets anders", "1")
CITIZEN = Identity("BUR:", "BUR", "")
TOGETHER = Identity("EA:", "EA", "Bakkerij De Korenaar BV, Bouwwerken Noord NV", roles=("Statistiek Gebruiker",))
IDENTITY: dict[str, object] = {
    "identities": [KORENAAR, NOORD, VELDEKE, CITIZEN],
    "first": None,
    "query": "",
    "page": 1,
    "pages": 1,
    "total": 4,
    "person_name": "Elif Yilmaz",
    "key_name": "itsme",
    "action": "/op/v1/auth/q1/identity",
    "other_person_url": "/op/v1/auth/q1/login",
}
CONSENT: dict[str, object] = {
    "rows": [
        Row("name", ("Hanne Willems",)),
        Row("national_number", ("00621599684",)),
        Row("language", ("nl",)),
    ],
    "key_name": "eid",
    "is_lasting": False,
    "is_unknown": False,
    "place": "burgerprofiel.example.be",
    "is_program": False,
    "mark": "a-mark",
    "action": "/op/v1/auth/q1/consent",
    "other_person_url": "/op/v1/auth/q1/login",
}
BACKCHANNEL: dict[str, object] = {
    "entries": [
        Entry("r1", Client(client_id="h", client_name="Hinderpremie"), "", NOON + 300),
        Entry(
            "r2", Client(client_id="l", client_name="Loket", owner_name="Gemeente Veldeke"), "Loket 4: <K7>-22", NOON
        ),
    ],
    "action": "/op/v1/backchannel/approve",
}
DEVICE = {"wrong": "", "user_code": "", "action": "/op/v1/device/verify"}
REASONS = [
    {
        "reason": name,
        "organisation": "Bakkerij De Korenaar BV",
        "right": "Hinderpremie Gebruiker",
        "on": on,
        "keys": keys,
    }
    | {"minimum_level": 27}
    for name in (
        "no_work_relation",
        "work_relation_ended",
        "work_relation_not_begun",
        "no_right",
        "right_ended",
        "right_not_begun",
        "organisation_not_admitted",
        "waiting_for_approval",
        "refused",
        "level_too_low",
        "organisation_ended",
        "not_legal_representative",
        "no_key_reaches",
        "something_new",
    )
    for on, keys in ((date(2026, 12, 14), ["eid", "itsme", "acme"]), (None, []))
]
NO_ACCESS: dict[str, object] = {
    "person_name": "Fatima El Amrani",
    "reasons": [reason for reason in REASONS if reason["reason"] == "no_right"][:1],
    "administrators": [
        {"name": "Carla Wouters", "email": "carla@korenaar.example.be", "organisation": "Bakkerij De Korenaar BV"},
        {"name": "Jan Maes", "email": "", "organisation": "Bakkerij De Korenaar BV"},
    ],
    "own_authority": [],
    "reference": "T7K2-94QX",
    "try_other_url": "/op/v1/auth/q1/login",
    "other_key_url": "/op/v1/auth/q1/login",
    "back_url": "/op/v1/auth/q1/cancel",
}
ALONE = {"administrators": [], "own_authority": [], "try_other_url": "", "other_key_url": "", "back_url": ""}
ERROR: dict[str, object] = {
    "code": "invalid_request",
    "explanation": "Ga terug naar de toepassing en begin opnieuw.",
    "reference": "T7K2-94QX",
    "at": NOON,
    "back_url": "",
    "advice": [],
}
LOGOUT = {
    "person_name": "Dirk Maes",
    "applications": [{"name": "Hinderpremie"}, {"name": "Burgerprofiel"}],
    "action": "/op/v1/logout",
    "request": "r1",
    "cancel_url": "/",
}
HOLDINGS: dict[str, object] = {
    "holdings": [
        {
            "held": Holding(
                Client(
                    client_id="burgerprofiel", client_name="Burgerprofiel", logo_uri="https://rp.example.be/logo.svg"
                ),
                ("name", "national_number", "language", "organisation", "rights"),
                NOON - 86400,
                NOON,
                True,
            ),
            "url": "http://localhost:8004/",
        },
        {"held": Holding(Client(client_id="weer"), (), NOON, None, False), "url": "be.example.weer:/"},
    ],
    "withdrawn": "",
    "action": "/op/v1/consents",
}
KEY = HeldKey("ab12", "passkey", NOON - 86400, NOON, "Mijn <telefoon>", True, True)
KEYS_PAGE: dict[str, object] = {
    "keys": [
        Listed(HeldKey("eid", "eid", NOON - 9 * 86400, None), 35),
        Listed(HeldKey("acme", "acme", NOON, None), 0),
        Listed(HeldKey("totp", "totp", NOON, NOON, is_ours=True), 26),
        Listed(KEY, 26),
    ],
    "addable": [("passkey", "/sleutels/nieuw/passkey"), ("totp", "/sleutels/nieuw/totp"), ("acme", "/x")],
    "kinds": {"eid", "acme", "totp", "passkey"},
    "change": "",
    "changed_kind": "",
}
KEY_PAGE: dict[str, object] = {
    "key": Listed(KEY, 26),
    "is_last": False,
    "action": "/sleutels/sleutel/ab12",
    "back_url": "/sleutels/",
}
PASSKEY = {"options": '{"challenge": "c"}', "wrong": False, "action": "/login/passkey?begun=b"}
ADDING = {
    "action": "/sleutels/nieuw/x?begun=b",
    "picture_url": "/sleutels/nieuw/x/beeld?begun=b",
    "back_url": "/sleutels/",
}
ADD_PASSKEY = {"options": '{"user": {}}', "wrong": False, "longest_name": 40, **ADDING}
ADD_APP = {
    "seed": "M34W 7MW7 XMXJ FDRJ 7W7S RP4Q 5TRH DPUJ",
    "sets_password": True,
    "shortest_password": 12,
    "wrong": "",
    **ADDING,
}
LOGGED_OUT: dict[str, object] = {"back_url": "", "back_name": "", "frames": [], "is_awaited": False}
APPLICATIONS = [{"name": "Hinderpremie", "url": "http://localhost:8001/"}]
MESSAGE = {"at": "2026-11-24T13:22:08+00:00", "to": "+32470000004", "text": "123456 is uw code voor Hinderpremie."}
MESSAGES = [MESSAGE | {"code": "123456"}, MESSAGE | {"code": None, "text": "Er is iets veranderd."}]

ITSME = {"action": "/v2/sign-in/q1", "wrong": False, "phone": "", "stop_url": "/v2/sign-in/q1/stop"}
ITSME_WAIT = {
    "action": "/v2/sign-in/q1/wait",
    "state_url": "/v2/sign-in/q1/state",
    "stop_url": "/v2/sign-in/q1/stop",
    "phone_url": "/simulators/itsme/%2B32470000005",
    "phone": "+32 •••• 05",
    "picture": "boot",
    "is_early": False,
}
ITSME_PHONE = {"action": "/simulators/itsme/x", "phone": "+32470000005", "picture": "boot", "answered": ""}
