"""`toegang check`: each rule is broken by what it is about and by nothing else, and says what to do."""

from dataclasses import replace

import msgspec
import pytest

from idp.clients import Client
from idp.grant_rules import CIBA_GRANT
from idp.profiles import FAPI, OAUTH, PROFILES, RULES, findings, report, unserved
from idp.settings import Settings

SETTINGS = Settings(issuer="https://toegang.example.be/op")
SOUND = Client(
    client_id="sound",
    redirect_uris=("https://rp.example.be/cb",),
    token_endpoint_auth_method="private_key_jwt",
    jwks={"keys": []},
    require_pkce=True,
    require_pushed_authorization_requests=True,
    dpop_bound_access_tokens=True,
    id_token_signed_response_alg="ES256",
)


HELD = msgspec.structs.replace(SOUND, profile="fapi2")
SWITCH = f"{FAPI} held-to-it"


def all_broken(client: Client, settings: Settings = SETTINGS) -> set[str]:
    """The names of the rules that are broken, with their profile."""
    return {f"{found.rule.profile} {found.rule.name}" for found in findings([client], settings)}


def broken(client: Client, settings: Settings = SETTINGS) -> set[str]:
    """The same, but for the switch of the profile."""
    return all_broken(client, settings) - {SWITCH}


def both(*names: str) -> set[str]:
    return {f"{profile} {name}" for name in names for profile in PROFILES}


def test_a_sound_client_breaks_nothing() -> None:
    assert all_broken(HELD) == set()
    assert report([HELD], SETTINGS) == "sound\n  OAuth 2.1: nothing to mend\n  FAPI 2.0: nothing to mend"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"require_pkce": False}, both("pkce")),
        ({"dpop_bound_access_tokens": False}, both("bound-access-tokens")),
        ({"require_pushed_authorization_requests": False}, {f"{FAPI} pushed-requests"}),
        ({"id_token_signed_response_alg": "RS256"}, {f"{FAPI} algorithms"}),
        ({"grant_types": (*SOUND.grant_types, CIBA_GRANT)}, {f"{FAPI} signed-backchannel-requests"}),
        (
            {
                "grant_types": (*SOUND.grant_types, CIBA_GRANT),
                "backchannel_authentication_request_signing_alg": "ES256",
            },
            set(),
        ),
        ({"refresh_token_rotation": True}, {f"{FAPI} no-rotation"}),
        ({"redirect_uris": ("http://127.0.0.1/cb",)}, both("redirect-https")),
        ({"redirect_uris": ("http://127.0.0.1/cb",), "application_type": "native"}, set()),
        (
            {"redirect_uris": ("http://localhost/cb",), "application_type": "native"},
            {f"{OAUTH} loopback-by-number"},
        ),
        (
            {"token_endpoint_auth_method": "client_secret_basic"},
            {f"{OAUTH} client-keys", f"{FAPI} client-authentication"},
        ),
        ({"token_endpoint_auth_method": "none"}, {f"{FAPI} client-authentication", f"{FAPI} no-rotation"}),
    ],
    ids=lambda value: " ".join(sorted(value)),
)
def test_each_fault_breaks_its_rules_and_no_other(changes: dict[str, object], expected: set[str]) -> None:
    assert broken(msgspec.structs.replace(SOUND, **changes)) == expected


def test_a_client_that_is_not_held_to_the_profile_breaks_it() -> None:
    assert all_broken(SOUND) == {SWITCH}


def test_the_switch_alone_mends_all_that_the_client_need_not_do_itself() -> None:
    bare = msgspec.structs.replace(
        HELD,
        require_pkce=False,
        require_pushed_authorization_requests=False,
        dpop_bound_access_tokens=False,
        refresh_token_rotation=True,
    )
    assert all_broken(bare) == set()


def test_clients_of_a_profile_need_answers_that_name_us() -> None:
    silent = replace(SETTINGS, iss_parameter=False)
    assert "sound" in unserved([HELD], silent)
    assert unserved([SOUND], silent) == unserved([HELD, SOUND], SETTINGS) == ""


def test_the_settings_count_too() -> None:
    assert broken(SOUND, replace(SETTINGS, iss_parameter=False)) == both("issuer-in-answers")
    assert broken(SOUND, Settings()) == both("https")


def test_a_machine_is_not_asked_what_only_sign_ins_need() -> None:
    machine = msgspec.structs.replace(
        SOUND,
        grant_types=("client_credentials",),
        redirect_uris=(),
        require_pkce=False,
        require_pushed_authorization_requests=False,
        id_token_signed_response_alg="RS256",
    )
    assert broken(machine, replace(SETTINGS, iss_parameter=False)) == set()


def test_every_rule_has_a_name_a_paragraph_and_a_sentence_of_its_own() -> None:
    assert len({(rule.profile, rule.name) for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert "§" in rule.paragraph
        assert rule.sentence.endswith(".")


def test_what_is_printed_says_whose_fault_it_is_where_it_stands_and_what_to_do() -> None:
    poor = msgspec.structs.replace(SOUND, client_id="a-poor-one", require_pkce=False)
    assert report([SOUND, poor], SETTINGS).splitlines()[:3] == [
        "a-poor-one",
        "  OAuth 2.1: 1 to mend",
        "    pkce (RFC 9700 §2.1.1): A request without a code challenge is accepted: set require_pkce.",
    ]
