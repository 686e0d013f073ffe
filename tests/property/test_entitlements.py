"""Whatever the dates: no identity outside those of all that it rests on, no claim of a right that is not valid.

The oracle is written anew here, condition by condition and day by day, so that it shares nothing with the rule.
"""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from claims.release import release
from idm.entitlements import Entitlements, Identity, Role, authorities, entitlements
from idm.facts import (
    Admission,
    Application,
    BtbAppointment,
    Context,
    Dated,
    Facts,
    Grant,
    KboFunction,
    Organisation,
    Person,
    Right,
    WorkRelation,
)
from tests.unit.test_claims import Application as Recipient

FIRST = date(2026, 1, 1)
SPAN = 12
DAYS = [FIRST + timedelta(days=n) for n in range(SPAN)]
LEVELS = ("low", "high")
RIGHT_IDS = ("r1", "r2", "r3")
CONTEXT_IDS = ("a", "b", "c")
PERSON = Person("p", "s", "85641299505", "An", "Peeters", "nl", "", "")

days = st.sampled_from(DAYS)
ends = st.one_of(st.none(), days)
contexts = st.lists(st.sampled_from(CONTEXT_IDS), max_size=3).map(tuple)


@st.composite
def organisations(draw: st.DrawFn, number: int) -> Organisation:
    return Organisation(
        id=f"o{number}",
        name=f"O{number}",
        target_group=draw(st.sampled_from(("EA", "LB"))),
        code=f"{number}",
        kbo=f"{number}",
        begin_on=draw(ends),
        end_on=draw(ends),
    )


@st.composite
def rights(draw: st.DrawFn, id: str) -> Right:
    context = draw(st.sampled_from(("none", "one", "one or more")))
    offered = tuple(Context(c, c.upper()) for c in draw(st.sets(st.sampled_from(CONTEXT_IDS)).map(sorted)))
    return Right(
        id=id,
        name=id.upper(),
        role=f"Role{id}",
        context=context,
        contexts=() if context == "none" else offered,
        target_groups=draw(st.sampled_from((frozenset({"EA"}), frozenset({"EA", "LB"})))),
        approval=draw(st.sampled_from(("none", "organisation", "grant"))),
        minimum_acr=draw(st.sampled_from((None, *LEVELS))),
    )


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    return Grant(
        id="g",
        right_id=draw(st.sampled_from((*RIGHT_IDS, "unknown"))),
        contexts=draw(contexts),
        begin_on=draw(days),
        end_on=draw(ends),
        approval=draw(st.sampled_from(("none", "none", "approved", "waiting", "refused"))),
        voided=draw(st.sampled_from((False, False, False, True))),
    )


@st.composite
def some_facts(draw: st.DrawFn) -> Facts:
    known = [draw(organisations(number)) for number in range(2)]
    organisation = st.sampled_from(known)

    def relation() -> WorkRelation:
        return WorkRelation(
            id="w",
            organisation=draw(organisation),
            email="w@example.be",
            begin_on=draw(days),
            end_on=draw(ends),
            grants=tuple(draw(st.lists(grants(), max_size=4))),
        )

    return Facts(
        application=Application(
            id="x",
            name="X",
            owner_id="y",
            requires=draw(st.sampled_from(("", "", "", "legal representative"))),
            rights=tuple(draw(rights(id)) for id in RIGHT_IDS),
        ),
        relations=tuple(relation() for _ in range(draw(st.integers(0, 3)))),
        functions=tuple(
            KboFunction(
                organisation=draw(organisation),
                code="10002",
                type=draw(st.sampled_from((1, 2))),
                begin_on=draw(days),
                end_on=draw(ends),
            )
            for _ in range(draw(st.integers(0, 3)))
        ),
        appointments=tuple(
            BtbAppointment(organisation=draw(organisation), begin_on=draw(days), end_on=draw(ends))
            for _ in range(draw(st.integers(0, 2)))
        ),
        admissions=tuple(
            Admission(
                organisation_id=draw(organisation).id,
                right_id=draw(st.sampled_from(RIGHT_IDS)),
                begin_on=draw(days),
                end_on=draw(ends),
            )
            for _ in range(draw(st.integers(0, 4)))
        ),
    )


reached_levels = st.sets(st.sampled_from(LEVELS)).map(frozenset)


def holds(dated: Dated, day: date) -> bool:
    return (dated.begin_on is None or day >= dated.begin_on) and (dated.end_on is None or day <= dated.end_on)


def spelled(facts: Facts, day: date, reached: frozenset[str]) -> set[str]:
    """What may be told on that day of rights, read from the facts one condition after the other."""
    assert facts.application
    told = set()
    for relation in facts.relations:
        for grant in relation.grants:
            for right in facts.application.rights:
                if right.id != grant.right_id or grant.voided or grant.approval in ("waiting", "refused"):
                    continue
                if not (holds(relation, day) and holds(relation.organisation, day) and holds(grant, day)):
                    continue
                if relation.organisation.target_group not in right.target_groups:
                    continue
                if right.minimum_acr is not None and right.minimum_acr not in reached:
                    continue
                if right.approval == "grant" and grant.approval != "approved":
                    continue
                if right.approval == "organisation" and not any(
                    holds(a, day) and (a.organisation_id, a.right_id) == (relation.organisation.id, right.id)
                    for a in facts.admissions
                ):
                    continue
                code = relation.organisation.code
                if right.context == "none":
                    told.add(f"{right.role}:{code}")
                offered = {context.id for context in right.contexts}
                told |= {f"{right.role}-{context}:{code}" for context in offered & set(grant.contexts)}
    return told


def represents(facts: Facts, organisation_id: str, day: date) -> bool:
    return any(
        f.type == 1 and f.organisation.id == organisation_id and holds(f, day) and holds(f.organisation, day)
        for f in facts.functions
    )


def manages(facts: Facts, organisation_id: str, day: date) -> bool:
    return any(
        a.organisation.id == organisation_id and holds(a, day) and holds(a.organisation, day)
        for a in facts.appointments
    )


def released(identity: Identity) -> dict[str, object]:
    scopes = ("app", "vo", "wettelijkvertegenwoordiger")
    return release(PERSON, (identity,), recipient=Recipient(role_claim="roles"), scopes=scopes)


def entries(identity: Identity) -> list[str]:
    roles = released(identity).get("roles", [])
    assert isinstance(roles, list)
    return roles


def by_organisation(found: Entitlements) -> dict[str, Identity]:
    return {identity.organisation.id: identity for identity in found.identities if identity.organisation}


def is_plain(facts: Facts) -> bool:
    return facts.application is not None and not facts.application.requires


@settings(max_examples=200, deadline=None)
@given(facts=some_facts(), today=days, reached=reached_levels)
def test_exactly_the_rights_that_are_valid_are_told(facts: Facts, today: date, reached: frozenset[str]) -> None:
    found = entitlements(facts, today, reached=reached)
    told = [entry for identity in found.identities for entry in entries(identity)]
    assert len(told) == len(set(told))
    assert set(told) == (spelled(facts, today, reached) if is_plain(facts) else set())
    if is_plain(facts):
        assert all(identity.roles for identity in found.identities)


@settings(max_examples=200, deadline=None)
@given(facts=some_facts(), today=days, reached=reached_levels)
def test_all_that_a_token_tells_holds_until_its_end(facts: Facts, today: date, reached: frozenset[str]) -> None:
    for identity in entitlements(facts, today, reached=reached).identities:
        assert identity.organisation
        for day in (d for d in DAYS if today <= d and (identity.until is None or d <= identity.until)):
            assert set(entries(identity)) <= spelled(facts, day, reached)
            if "wv_orgcode" in released(identity):
                assert represents(facts, identity.organisation.id, day)


@settings(max_examples=150, deadline=None)
@given(facts=some_facts(), today=days, reached=reached_levels)
def test_no_end_lies_beyond_those_of_the_facts(facts: Facts, today: date, reached: frozenset[str]) -> None:
    for identity in entitlements(facts, today, reached=reached).identities:
        assert identity.organisation
        assert identity.until is None or identity.until >= today
        assert identity.lasts_until is None or (identity.until is not None and identity.until <= identity.lasts_until)
        for bound in (identity.organisation.end_on, *(role.until for role in identity.roles)):
            assert bound is None or (identity.until is not None and identity.until <= bound)
        for role in identity.roles:
            assert_role_ends_with_its_facts(facts, identity, role, today)


def assert_role_ends_with_its_facts(facts: Facts, identity: Identity, role: Role, today: date) -> None:
    """Some grant of the role lasts as long as the role says, with its work relation and, if need be, an admission."""
    last_day = role.until or DAYS[-1]
    assert identity.organisation
    assert any(
        grant.right_id == role.right_id and holds(grant, last_day) and holds(relation, last_day)
        for relation in facts.relations
        if relation.organisation.id == identity.organisation.id
        for grant in relation.grants
        if holds(grant, today) and holds(relation, today)
    )


@settings(max_examples=150, deadline=None)
@given(facts=some_facts(), today=days, reached=reached_levels)
def test_derived_authority_is_that_of_the_registers_today(facts: Facts, today: date, reached: frozenset[str]) -> None:
    found = {identity.organisation.id: identity for identity in authorities(facts, today) if identity.organisation}
    for id in ("o0", "o1"):
        is_anything = represents(facts, id, today) or manages(facts, id, today)
        assert (id in found) == is_anything
    given_by_rights = by_organisation(entitlements(facts, today, reached=reached))
    for id, identity in [*found.items(), *given_by_rights.items()]:
        assert identity.is_legal_representative == represents(facts, id, today)
        assert identity.is_access_manager == manages(facts, id, today)
    for id, identity in found.items():
        last_day = identity.until or DAYS[-1]
        assert represents(facts, id, last_day) or not identity.is_legal_representative
        assert manages(facts, id, last_day) or not identity.is_access_manager


@settings(max_examples=150, deadline=None)
@given(facts=some_facts(), today=days)
def test_an_application_for_legal_representatives_is_open_to_them_alone(facts: Facts, today: date) -> None:
    if not is_plain(facts):
        found = by_organisation(entitlements(facts, today, reached=frozenset()))
        assert set(found) == {id for id in ("o0", "o1") if represents(facts, id, today)}


@settings(max_examples=150, deadline=None)
@given(facts=some_facts(), today=days, reached=reached_levels)
def test_where_there_is_no_identity_there_is_a_reason(facts: Facts, today: date, reached: frozenset[str]) -> None:
    found = entitlements(facts, today, reached=reached)
    assert found.identities or found.missing
    told = {(missing.organisation.id, missing.right_id) for missing in found.missing if missing.organisation}
    given_roles = {(id, role.right_id) for id, identity in by_organisation(found).items() for role in identity.roles}
    assert not told & given_roles
