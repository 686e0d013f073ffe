"""The directory on SQLite and PostgreSQL: finding, registering, administrators, and a catalogue that stays fresh."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from idm import model
from idm.directory import Directory
from idm.entitlements import Reason
from idm.identifiers import IdentifierInvalid
from tests.worlds import TODAY, LoadedIdm, PlainSealer

STRANGER = "67621546751"


@pytest.fixture
def idm(engine: Engine) -> LoadedIdm:
    return LoadedIdm(engine)


def test_a_person_is_found_by_number_id_and_subject(idm: LoadedIdm) -> None:
    dirk = idm.directory.find("89.66.17-997.48")
    assert dirk
    assert (dirk.national_number, dirk.given_name, dirk.email) == ("89661799748", "Dirk", "dirk@example.be")
    assert idm.directory.person(dirk.id) == dirk


@pytest.mark.parametrize("number", [STRANGER, "85073003328", "nobody", ""])
def test_an_unknown_number_and_no_number_find_nobody(idm: LoadedIdm, number: str) -> None:
    assert idm.directory.find(number) is None
    assert idm.directory.person(number) is None


def test_where_test_numbers_are_off_none_is_found_or_registered(idm: LoadedIdm) -> None:
    strict = Directory(idm.engine, PlainSealer(), test_numbers=False)
    assert strict.find("89661799748") is None
    with pytest.raises(IdentifierInvalid):
        strict.register_citizen(STRANGER, given_name="A", family_name="B", locale="nl")


def test_numbers_are_nowhere_in_the_table(idm: LoadedIdm) -> None:
    with idm.engine.connect() as connection:
        rows = connection.execute(select(model.Person.__table__)).all()
    assert len(rows) == 16
    assert not [row for row in rows for person in idm.world.people if person.national_number in str(row)]


def test_a_citizen_registered_by_many_at_once_is_one_person(idm: LoadedIdm) -> None:
    def register(_: int) -> str:
        return idm.directory.register_citizen(STRANGER, given_name="Nora", family_name="Specimen", locale="fr").id

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(register, range(24)))
    assert len(ids) == 1
    citizen = idm.directory.find(STRANGER)
    assert citizen
    assert (citizen.given_name, citizen.locale, len(citizen.subject)) == ("Nora", "fr", 40)
    assert idm.entitlements_of(citizen.id, "hinderpremie").missing[0].reason is Reason.NO_WORK_RELATION


def test_only_real_numbers_are_real(idm: LoadedIdm) -> None:
    assert not idm.directory.has_real_number()
    real = Directory(idm.engine, PlainSealer(), test_numbers=False)
    real.register_citizen("85073003328", given_name="R", family_name="B", locale="nl")
    assert idm.directory.has_real_number()


def test_a_real_person_does_not_come_in_among_invented_ones(idm: LoadedIdm) -> None:
    with pytest.raises(IdentifierInvalid):
        idm.directory.register_citizen("85073003328", given_name="R", family_name="B", locale="nl")
    assert not idm.directory.has_real_number()


def test_administrators_are_those_of_today(idm: LoadedIdm) -> None:
    korenaar, noord = idm.loaded.organisations["korenaar"], idm.loaded.organisations["noord"]
    (carla,) = idm.directory.administrators([korenaar, noord], TODAY)
    assert (carla.name, carla.email) == ("Carla Wouters", "carla@korenaar.example.be")
    assert (carla.organisation_id, carla.organisation_name) == (korenaar, "Bakkerij De Korenaar BV")
    assert idm.directory.administrators([korenaar], TODAY + timedelta(days=1001)) == ()
    assert idm.directory.administrators([korenaar], TODAY - timedelta(days=301)) == ()
    assert idm.directory.administrators([], TODAY) == ()


def test_an_administrator_whose_grant_relation_or_organisation_is_gone_is_none(idm: LoadedIdm) -> None:
    organisations = {name: idm.loaded.organisations[name] for name in ("korenaar", "linde", "veldeke")}
    yesterday = TODAY - timedelta(days=1)
    with Session(idm.engine) as session, session.begin():
        relations = {r.organisation_id: r for r in session.scalars(select(model.WorkRelation).order_by("id"))}
        relations[organisations["linde"]].end_on = yesterday
        session.get_one(model.Organisation, organisations["veldeke"]).end_on = yesterday
        for grant in session.scalars(select(model.RightGrant).where(model.RightGrant.right_id == "hlb")):
            grant.voided = (
                session.get_one(model.WorkRelation, grant.work_relation_id).organisation_id
                == (organisations["korenaar"])
            )
    assert idm.directory.administrators(organisations.values(), TODAY) == ()


def test_an_organisation_is_found_by_id(idm: LoadedIdm) -> None:
    linde = idm.directory.organisation(idm.loaded.organisations["linde"])
    assert linde
    assert (linde.name, linde.target_group, linde.code, linde.kbo) == (
        "Basisschool De Linde",
        "OV",
        "999901",
        "0999930339",
    )
    assert idm.directory.organisation("linde") is None


def test_a_change_of_a_right_is_seen_at_once_by_every_directory(idm: LoadedIdm) -> None:
    assert idm.entitlements("dirk", "hinderpremie").identities
    with Session(idm.engine) as session, session.begin():
        session.get_one(model.ApplicationRight, "hinderpremie-gebruiker").target_groups = ["LB"]
    assert not idm.entitlements("dirk", "hinderpremie").identities


def test_a_change_of_an_application_is_seen_at_once(idm: LoadedIdm) -> None:
    assert not idm.entitlements("an", "hinderpremie").identities
    with Session(idm.engine) as session, session.begin():
        session.get_one(model.Application, "hinderpremie").requires = "legal representative"
    assert [i.value for i in idm.entitlements("an", "hinderpremie").identities] == ["EA:0999910147"]


def test_an_unknown_application_has_no_catalogue_but_the_facts_of_authority(idm: LoadedIdm) -> None:
    facts = idm.directory.facts(idm.loaded.people["an"], "nowhere")
    assert facts.application is None
    assert [function.code for function in facts.functions] == ["10007"]


def test_one_statement_answers_what_a_person_may_do(idm: LoadedIdm) -> None:
    idm.entitlements("elif", "subsidieloket")
    statements: list[str] = []
    with idm.counted(statements):
        idm.entitlements("elif", "subsidieloket")
    assert len(statements) == 1
