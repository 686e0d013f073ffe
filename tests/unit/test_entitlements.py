"""Entitlements on the demo world: each person's outcome; and each reason for a refusal, one by one."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from idm.entitlements import Entitlements, Identity, Reason, authorities, citizen, entitlements
from idm.facts import (
    Admission,
    Application,
    BtbAppointment,
    Context,
    Facts,
    Grant,
    KboFunction,
    Organisation,
    Right,
    WorkRelation,
)
from tests.worlds import HIGH, ITSME, SMS, TODAY, LoadedIdm

DAY = timedelta(days=1)


@pytest.fixture
def idm(sqlite_engine: Engine) -> LoadedIdm:
    return LoadedIdm(sqlite_engine)


def held(found: Entitlements) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    return {identity.value: [(role.role, role.contexts) for role in identity.roles] for identity in found.identities}


def reasons(found: Entitlements) -> list[Reason]:
    return [missing.reason for missing in found.missing]


def test_dirk_has_one_identity_with_one_context(idm: LoadedIdm) -> None:
    found = idm.entitlements("dirk", "hinderpremie")
    assert held(found) == {"EA:0999910147": [("HinderpremieGebruiker", ("Indiener",))]}
    assert not found.missing
    assert found.identities[0].work_email == "dirk@korenaar.example.be"
    assert found.identities[0].until == found.identities[0].lasts_until == TODAY + 1000 * DAY


def test_elif_has_two_identities_with_different_contexts(idm: LoadedIdm) -> None:
    assert held(idm.entitlements("elif", "hinderpremie")) == {
        "EA:0999910147": [("HinderpremieGebruiker", ("Indiener",))],
        "EA:0999920243": [("HinderpremieGebruiker", ("Medewerker",))],
    }


def test_elif_can_use_the_subsidieloket_for_noord_only_with_two_contexts(idm: LoadedIdm) -> None:
    found = idm.entitlements("elif", "subsidieloket")
    assert held(found) == {"EA:0999920243": [("SubsidieloketGebruiker", ("Aanvrager", "Ondertekenaar"))]}


def test_elif_has_both_organisations_at_statistiek(idm: LoadedIdm) -> None:
    assert list(held(idm.entitlements("elif", "statistiek"))) == ["EA:0999910147", "EA:0999920243"]


def test_jef_has_two_contexts_of_one_right(idm: LoadedIdm) -> None:
    found = idm.entitlements("jef", "loketlb")
    assert held(found) == {"LB:0999940435": [("LoketLB", ("mandaatGebruiker", "berichtenGebruiker"))]}


@pytest.mark.parametrize(
    ("person", "reason", "on"),
    [
        ("fatima", Reason.NO_RIGHT, None),
        ("geert", Reason.RIGHT_ENDED, TODAY - 10 * DAY),
        ("lotte", Reason.RIGHT_NOT_BEGUN, TODAY + 30 * DAY),
        ("nadia", Reason.WORK_RELATION_ENDED, TODAY - DAY),
        ("hanne", Reason.NO_WORK_RELATION, None),
        ("an", Reason.NO_WORK_RELATION, None),
    ],
)
def test_each_refusal_at_hinderpremie_has_its_own_reason(
    idm: LoadedIdm, person: str, reason: Reason, on: date | None
) -> None:
    found = idm.entitlements(person, "hinderpremie")
    assert not found.identities
    assert [(missing.reason, missing.on) for missing in found.missing] == [(reason, on)]


def test_a_refusal_names_the_right_and_the_organisation(idm: LoadedIdm) -> None:
    missing = idm.entitlements("fatima", "hinderpremie").missing[0]
    assert missing.right_name == "Hinderpremie Gebruiker"
    assert missing.organisation
    assert missing.organisation.code == "0999910147"


def test_lotte_has_her_right_from_its_first_day(idm: LoadedIdm) -> None:
    assert not idm.entitlements("lotte", "hinderpremie", on=TODAY + 29 * DAY).identities
    assert idm.entitlements("lotte", "hinderpremie", on=TODAY + 30 * DAY).identities
    assert idm.entitlements("lotte", "hinderpremie", on=TODAY + 31 * DAY).identities


def test_an_is_legal_representative_without_any_grant(idm: LoadedIdm) -> None:
    assert [i.value for i in idm.entitlements("an", "oprichting").identities] == ["EA:0999910147"]
    (authority,) = idm.authorities("an")
    assert (authority.value, authority.is_legal_representative, authority.is_access_manager) == (
        "EA:0999910147",
        True,
        False,
    )


@pytest.mark.parametrize("person", ["geert", "hanne", "bram", "dirk"])
def test_an_ended_function_a_skill_and_an_appointment_make_no_legal_representative(idm: LoadedIdm, person: str) -> None:
    found = idm.entitlements(person, "oprichting")
    assert not found.identities
    assert reasons(found) == [Reason.NOT_LEGAL_REPRESENTATIVE]


def test_bram_is_access_manager_by_the_btb(idm: LoadedIdm) -> None:
    assert [(i.value, i.is_access_manager, i.is_legal_representative) for i in idm.authorities("bram")] == [
        ("EA:0999910147", True, False)
    ]


def test_an_unknown_application_gives_nothing(idm: LoadedIdm) -> None:
    assert idm.entitlements("dirk", "nowhere") == Entitlements()


def test_a_citizen_acts_for_nobody_else() -> None:
    assert citizen() == Identity(target_group="BUR", code="")
    assert citizen().value == "BUR:"


ORGANISATION = Organisation(id="o", name="O", target_group="EA", code="0999910147")
OPEN_RIGHT = Right(id="r", name="R", role="Role", target_groups=frozenset({"EA"}))
GRANT = Grant(id="g", right_id="r", begin_on=TODAY, end_on=TODAY)
RELATION = WorkRelation(id="w", organisation=ORGANISATION, begin_on=TODAY, end_on=TODAY, grants=(GRANT,))


def facts(
    *, right: Right = OPEN_RIGHT, relation: WorkRelation = RELATION, admissions: tuple[Admission, ...] = ()
) -> Facts:
    application = Application(id="a", name="A", owner_id="x", rights=(right,))
    return Facts(application=application, relations=(relation,), admissions=admissions)


def granted(**changes: Any) -> WorkRelation:
    return replace(RELATION, grants=(replace(GRANT, **changes),))


def decide(known: Facts, today: date = TODAY) -> Entitlements:
    return entitlements(known, today, reached={SMS})


def test_the_first_and_the_last_day_count() -> None:
    assert held(decide(facts())) == {"EA:0999910147": [("Role", ())]}


@pytest.mark.parametrize(
    ("known", "reason", "on"),
    [
        (facts(relation=granted(end_on=TODAY - DAY)), Reason.RIGHT_ENDED, TODAY - DAY),
        (facts(relation=granted(begin_on=TODAY + DAY)), Reason.RIGHT_NOT_BEGUN, TODAY + DAY),
        (facts(relation=granted(voided=True)), Reason.NO_RIGHT, None),
        (facts(relation=granted(approval="waiting")), Reason.WAITING_FOR_APPROVAL, None),
        (facts(relation=granted(approval="refused")), Reason.REFUSED, None),
        (facts(right=replace(OPEN_RIGHT, approval="grant")), Reason.WAITING_FOR_APPROVAL, None),
        (facts(right=replace(OPEN_RIGHT, approval="organisation")), Reason.ORGANISATION_NOT_ADMITTED, None),
        (facts(right=replace(OPEN_RIGHT, target_groups=frozenset({"LB"}))), Reason.NO_RIGHT, None),
        (facts(right=replace(OPEN_RIGHT, minimum_acr=ITSME)), Reason.LEVEL_TOO_LOW, None),
        (facts(right=replace(OPEN_RIGHT, context="one", contexts=(Context("c", "C"),))), Reason.NO_RIGHT, None),
        (facts(relation=replace(RELATION, begin_on=TODAY + DAY)), Reason.WORK_RELATION_NOT_BEGUN, TODAY + DAY),
        (facts(relation=replace(RELATION, end_on=TODAY - DAY)), Reason.WORK_RELATION_ENDED, TODAY - DAY),
        (
            facts(relation=replace(RELATION, organisation=replace(ORGANISATION, end_on=TODAY - DAY))),
            Reason.ORGANISATION_ENDED,
            TODAY - DAY,
        ),
    ],
)
def test_each_condition_that_fails_refuses_under_its_reason(known: Facts, reason: Reason, on: date | None) -> None:
    found = decide(known)
    assert not found.identities
    assert [(m.reason, m.on, m.right_name) for m in found.missing] == [(reason, on, "R")]


def test_a_level_too_low_says_which_level_to_reach() -> None:
    right = replace(OPEN_RIGHT, minimum_acr=ITSME)
    assert decide(facts(right=right)).missing[0].minimum_acr == ITSME
    assert entitlements(facts(right=right), TODAY, reached=HIGH).identities


def test_an_admission_opens_the_right_and_its_end_limits_it() -> None:
    right = replace(OPEN_RIGHT, approval="organisation")
    relation = replace(RELATION, end_on=None, grants=(replace(GRANT, end_on=None),))
    admission = Admission(organisation_id="o", right_id="r", begin_on=TODAY, end_on=TODAY + 5 * DAY)
    (identity,) = decide(facts(right=right, relation=relation, admissions=(admission,))).identities
    assert identity.until == TODAY + 5 * DAY
    elsewhere = replace(admission, organisation_id="other")
    assert not decide(facts(right=right, relation=relation, admissions=(elsewhere,))).identities


def test_an_approved_grant_counts() -> None:
    right = replace(OPEN_RIGHT, approval="grant")
    assert decide(facts(right=right, relation=granted(approval="approved"))).identities


def test_grants_of_one_right_merge_into_one_role_that_lasts_as_its_shortest_context() -> None:
    right = replace(OPEN_RIGHT, context="one or more", contexts=(Context("a", "A"), Context("b", "B")))
    grants = tuple(
        replace(GRANT, id=name, contexts=contexts, end_on=TODAY + days * DAY)
        for name, contexts, days in (("1", ("b", "a"), 2), ("2", ("a",), 9), ("3", ("gone",), 1))
    )
    (identity,) = decide(facts(right=right, relation=replace(RELATION, end_on=None, grants=grants))).identities
    (role,) = identity.roles
    assert (role.contexts, role.context_names, role.until) == (("a", "b"), ("A", "B"), TODAY + 2 * DAY)
    assert (identity.until, identity.lasts_until) == (TODAY + 2 * DAY, TODAY + 9 * DAY)


def test_contexts_that_are_rights_need_no_list() -> None:
    right = replace(OPEN_RIGHT, context="one or more", contexts_are_rights=True)
    (identity,) = decide(facts(right=right, relation=granted(contexts=("z", "a")))).identities
    assert identity.roles[0].contexts == ("a", "z")


def test_a_right_that_counts_is_not_missing_because_an_older_grant_of_it_ended() -> None:
    older = replace(GRANT, id="old", end_on=TODAY - DAY)
    found = decide(facts(relation=replace(RELATION, grants=(older, GRANT))))
    assert found.identities
    assert not found.missing


def test_an_identity_lasts_no_longer_than_the_legal_function_that_a_token_may_tell_of() -> None:
    function = KboFunction(organisation=ORGANISATION, code="10002", type=1, end_on=TODAY + DAY)
    relation = replace(RELATION, end_on=None, grants=(replace(GRANT, end_on=None),))
    (identity,) = decide(replace(facts(relation=relation), functions=(function,))).identities
    assert identity.is_legal_representative
    assert (identity.until, identity.lasts_until) == (TODAY + DAY, None)


def test_authority_ends_with_the_function_the_appointment_or_the_organisation() -> None:
    organisation = replace(ORGANISATION, end_on=TODAY + 3 * DAY)
    known = Facts(
        functions=(KboFunction(organisation=organisation, code="10002", type=1),),
        appointments=(BtbAppointment(organisation=organisation, end_on=TODAY + DAY),),
    )
    (both,) = authorities(known, TODAY)
    assert (both.until, both.lasts_until) == (TODAY + DAY, TODAY + 3 * DAY)
    (after,) = authorities(known, TODAY + 2 * DAY)
    assert (after.is_legal_representative, after.is_access_manager) == (True, False)
    assert not authorities(known, TODAY + 4 * DAY)


def test_for_legal_representatives_only_the_function_that_lasts_longest_counts() -> None:
    application = Application(id="a", name="A", owner_id="x", requires="legal representative")
    short = KboFunction(organisation=ORGANISATION, code="10002", type=1, end_on=TODAY)
    known = Facts(
        application=application,
        functions=(short, replace(short, end_on=TODAY + 7 * DAY)),
        appointments=(BtbAppointment(organisation=ORGANISATION, end_on=TODAY),),
        relations=(replace(RELATION, email="w@o.example.be"),),
    )
    (identity,) = decide(known).identities
    assert (identity.until, identity.work_email, identity.roles) == (TODAY + 7 * DAY, "w@o.example.be", ())


def test_what_helps_most_comes_first() -> None:
    ended = replace(RELATION, id="w2", organisation=replace(ORGANISATION, id="p", name="A"), end_on=TODAY - DAY)
    known = replace(facts(right=replace(OPEN_RIGHT, minimum_acr=ITSME)), relations=(ended, RELATION))
    assert reasons(decide(known)) == [Reason.LEVEL_TOO_LOW, Reason.WORK_RELATION_ENDED]


def test_an_organisation_that_was_never_admitted_is_told_so_where_nothing_was_granted() -> None:
    right = replace(OPEN_RIGHT, approval="organisation")
    assert reasons(decide(facts(right=right, relation=replace(RELATION, grants=())))) == [
        Reason.ORGANISATION_NOT_ADMITTED
    ]


def test_relations_on_a_day_are_those_that_hold_with_organisations_that_do() -> None:
    ended = replace(RELATION, id="w2", organisation=replace(ORGANISATION, end_on=TODAY - DAY))
    known = replace(facts(), relations=(RELATION, ended))
    assert known.relations_on(TODAY) == (RELATION,)
    assert known.relations_on(TODAY + DAY) == ()
