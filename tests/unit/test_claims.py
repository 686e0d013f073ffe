"""What a client learns: scope by scope, in each form of roles, for an organisation, a target group and a citizen."""

from dataclasses import dataclass, replace

import pytest

from claims.release import release, release_machine
from claims.rights import spell_rights
from claims.scopes import CLAIMS, claims_of, scopes_for
from claims.subject import subject
from idm.entitlements import Identity, Role, citizen
from idm.facts import Organisation, Person

PERSON = Person("vo-1", "a" * 40, "85641299505", "Marc", "Lambert", "fr", "+32470000013", "marc@example.be")
KORENAAR = Organisation(id="k", name="Bakkerij De Korenaar BV", target_group="EA", code="0999910147", kbo="0999910147")
NOORD = Organisation(id="n", name="Bouwwerken Noord NV", target_group="EA", code="0999920243", kbo="0999920243")
ROLE = Role(right_id="r", right_name="R", role="Gebruiker", contexts=("Indiener", "Beheerder"))
AS_KORENAAR = Identity(
    target_group="EA", code="0999910147", organisation=KORENAAR, work_email="marc@k.example.be", roles=(ROLE,)
)
AS_NOORD = Identity(
    target_group="EA", code="0999920243", organisation=NOORD, work_email="marc@n.example.be", roles=(ROLE,)
)


def hash_like(value: str) -> str:
    """Something that looks like a keyed hash."""
    return value[::-1]


@dataclass(frozen=True)
class Application:
    """A recipient with everything registered, unless told otherwise."""

    role_claim: str = "app_rol_3d"
    role_form: str = "3d"
    scopes: frozenset[str] = frozenset(CLAIMS) | {"app"}
    choice: str = "organisation"


def released(*scopes: str, identity: Identity = AS_KORENAAR, to: Application | None = None) -> dict[str, object]:
    return release(PERSON, (identity,), recipient=to or Application(), scopes=scopes)


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid", {}),
        (
            "profile",
            {"given_name": "Marc", "family_name": "Lambert", "name": "Marc Lambert", "locale": "fr"},
        ),
        ("rrn", {"rrn": "85641299505"}),
        ("email", {"email": "marc@example.be", "email_verified": False}),
        ("phone", {"phone_number": "+32470000013", "phone_number_verified": False}),
        (
            "vo",
            {
                "vo_id": "vo-1",
                "vo_doelgroepcode": "EA",
                "vo_doelgroepnaam": "Economische Actoren",
                "vo_orgcode": "0999910147",
                "vo_orgnaam": "Bakkerij De Korenaar BV",
                "vo_email": "marc@k.example.be",
            },
        ),
        ("vo_kbonummer", {"vo_kbonummer": "0999910147"}),
        ("vo_ovocode", {}),
        ("wettelijkvertegenwoordiger", {}),
        ("offline_access", {}),
        ("vo_info", {}),
        ("app", {"app_rol_3d": ["Gebruiker-Beheerder:0999910147", "Gebruiker-Indiener:0999910147"]}),
    ],
)
def test_each_scope_gives_its_claims_and_no_others(scope: str, claims: dict[str, object]) -> None:
    assert released(scope) == claims


def test_a_scope_that_is_not_registered_gives_nothing_even_if_granted() -> None:
    to = Application(scopes=frozenset({"openid", "profile"}))
    assert set(released(*CLAIMS, "app", to=to)) == {"given_name", "family_name", "name", "locale"}


def test_a_scope_that_is_not_granted_gives_nothing_even_if_registered() -> None:
    assert released("openid") == {}


def test_an_identity_without_rights_gives_no_role_claim() -> None:
    assert "app_rol_3d" not in released("app", identity=replace(AS_KORENAAR, roles=()))
    assert "app_rol_3d" not in released("app", identity=citizen())


def test_one_role_is_a_list_too() -> None:
    identity = replace(AS_KORENAAR, roles=(replace(ROLE, contexts=()),))
    assert released("app", identity=identity) == {"app_rol_3d": ["Gebruiker:0999910147"]}


def test_the_2d_form_leaves_contexts_out_without_duplicates() -> None:
    assert released("app", to=Application(role_form="2d")) == {"app_rol_3d": ["Gebruiker:0999910147"]}


def test_roles_are_in_the_same_order_whatever_the_order_of_identities() -> None:
    assert spell_rights((AS_KORENAAR, AS_NOORD), "3d") == spell_rights((AS_NOORD, AS_KORENAAR), "3d")


def test_a_client_without_a_role_claim_reads_no_roles() -> None:
    assert released("app", to=Application(role_claim="")) == {}


@pytest.mark.parametrize("identities", [(AS_KORENAAR, AS_NOORD), (AS_KORENAAR,)])
def test_the_choice_of_a_target_group_tells_no_organisation_but_all_roles(identities: tuple[Identity, ...]) -> None:
    to = Application(choice="target group", role_form="2d")
    told = release(PERSON, identities, recipient=to, scopes=[*CLAIMS, "app"])
    assert told["vo_doelgroepcode"] == "EA"
    assert told["app_rol_3d"] == [f"Gebruiker:{identity.code}" for identity in identities]
    assert not {"vo_orgcode", "vo_orgnaam", "vo_email", "wv_orgcode", "vo_kbonummer"} & told.keys()


def test_several_identities_tell_no_single_organisation_whatever_the_choice() -> None:
    told = release(PERSON, (AS_KORENAAR, AS_NOORD), recipient=Application(), scopes=["vo"])
    assert "vo_orgcode" not in told


def test_legal_representation_is_told_only_where_it_holds() -> None:
    legal = replace(AS_KORENAAR, is_legal_representative=True)
    assert released("wettelijkvertegenwoordiger", identity=legal) == {"wv_orgcode": "0999910147"}
    manager = replace(AS_KORENAAR, is_access_manager=True)
    assert released("wettelijkvertegenwoordiger", identity=manager) == {}


def test_a_citizen_has_a_target_group_and_no_organisation() -> None:
    assert released("vo", identity=citizen()) == {
        "vo_id": "vo-1",
        "vo_doelgroepcode": "BUR",
        "vo_doelgroepnaam": "Burgers",
    }


def test_the_ovo_code_is_told_where_the_organisation_has_one() -> None:
    agency = Organisation(id="v", name="Agentschap", target_group="GID", code="OVO999505")
    town = Organisation(id="g", name="Gemeente", target_group="LB", code="0999940435", ovo="OVO999404")
    assert released("vo_ovocode", identity=replace(AS_KORENAAR, organisation=agency)) == {"vo_ovocode": "OVO999505"}
    assert released("vo_ovocode", identity=replace(AS_KORENAAR, organisation=town)) == {"vo_ovocode": "OVO999404"}


def test_what_is_unknown_is_absent() -> None:
    nobody = PERSON._replace(given_name="", family_name="", phone="", email="")
    told = release(nobody, (citizen(),), recipient=Application(), scopes=["profile", "email", "phone"])
    assert told == {"locale": "fr"}


def test_a_machine_with_vo_info_tells_its_application_and_organisation() -> None:
    told = release_machine("Nachtverwerking", KORENAAR, scopes=["vo_info"])
    assert told == {
        "vo_applicatienaam": "Nachtverwerking",
        "vo_orgcode": "0999910147",
        "vo_orgnaam": "Bakkerij De Korenaar BV",
    }
    assert release_machine("Nachtverwerking", None, scopes=["vo_info"]) == {"vo_applicatienaam": "Nachtverwerking"}
    assert release_machine("Nachtverwerking", KORENAAR, scopes=["rapport_lezen"]) == {}


def test_claims_and_scopes_are_found_from_each_other() -> None:
    assert claims_of("app", Application()) == ("app_rol_3d",)
    assert scopes_for("app_rol_3d", Application()) == {"app"}
    assert scopes_for("rrn", Application(scopes=frozenset({"openid"}))) == frozenset()


def test_the_subject_is_public_and_no_number() -> None:
    assert subject(PERSON, "", keyed_hash=hash_like) == "a" * 40


def test_the_subject_of_a_sector_is_shared_in_it_and_tells_nothing_outside() -> None:
    one, other = (subject(PERSON, sector, keyed_hash=hash_like) for sector in ("one.be", "other.be"))
    assert one == subject(PERSON, "one.be", keyed_hash=hash_like)
    assert len({one, other, "a" * 40}) == 3
