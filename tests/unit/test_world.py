"""The demo world: read, loaded once, and refused where it is wrong."""

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from demo.world import WorldInvalid, load_facts, read_world
from idm.model import METADATA
from idp.composition import all_metadata
from idp.database import open_database
from idp.migrations import is_current
from idp.migrations.history import differences, upgrade
from tests.migrating import migrate
from tests.worlds import TODAY, WORLD_FILE, LoadedIdm, PlainSealer

Spoil = Callable[[dict[str, Any]], object]


def test_days_are_resolved_from_the_day_given() -> None:
    world = read_world(WORLD_FILE, today=date(2024, 2, 28))
    lotte = next(grant for grant in world.grants if grant.relation == "lotte-korenaar")
    assert lotte.start == date(2024, 2, 28) + timedelta(days=30)
    assert world.kbo_functions[0].end is None


def test_people_carry_all_that_is_needed_to_sign_in() -> None:
    people = {person.id: person for person in read_world(WORLD_FILE, today=TODAY).people}
    assert people["dirk"].national_number == "89661799748"
    assert people["dirk"].totp_secret == "DDFGJMNJQ3TJEOHVLSGBMF6KYI234S4C"
    assert people["marc"].keys == ("sms", "email", "password")
    assert people["marc"].eid_pin is None


def test_clients_are_as_in_the_file_but_for_the_ports() -> None:
    written = json.loads(WORLD_FILE.read_text(encoding="utf-8"))["clients"]
    assert list(read_world(WORLD_FILE, today=TODAY).clients) == written
    first, *_, machine = read_world(WORLD_FILE, today=TODAY, shift_ports=100).clients
    assert first["redirect_uris"] == ["http://localhost:8101/callback"]
    assert first["backchannel_logout_uri"] == "http://localhost:8101/backchannel-logout"
    assert machine == written[-1]


def test_a_second_load_changes_nothing_and_says_so(engine: Engine) -> None:
    idm = LoadedIdm(engine)
    again = load_facts(idm.world, engine, sealer=PlainSealer())
    assert idm.loaded.has_changed
    assert not again.has_changed
    assert again.present == idm.loaded.added
    assert (again.people, again.organisations) == (idm.loaded.people, idm.loaded.organisations)


def test_a_person_whom_idm_knew_keeps_id_and_subject(sqlite_engine: Engine) -> None:
    upgrade(sqlite_engine, [METADATA])
    idm = LoadedIdm(sqlite_engine)
    dirk = idm.directory.find("89.66.17-997.48")
    assert dirk
    assert idm.loaded.people["dirk"] == dirk.id
    assert "89661799748" not in dirk.subject


def test_the_migrations_make_the_tables_that_the_models_expect(engine: Engine) -> None:
    assert differences(engine, all_metadata())
    assert not is_current(engine)
    upgrade(engine, all_metadata())
    upgrade(engine, all_metadata())
    assert differences(engine, all_metadata()) == []
    assert is_current(engine)


def test_processes_that_start_together_migrate_once(any_database_url: str) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(migrate, [any_database_url] * 2))
    engine = open_database(any_database_url)
    assert is_current(engine)
    engine.dispose()


SPOILED: list[tuple[Spoil, str]] = [
    (lambda w: w["persons"][3].pop("insz"), r"persons\[3\]"),
    (lambda w: w["persons"][3].update(insz="89661799749"), "persons: dirk: insz"),
    (lambda w: w["persons"][3].update(insz="89.66.17-997.48"), "without separators"),
    (lambda w: w["persons"][3].update(shoe_size=43), "shoe_size"),
    (lambda w: w["organisations"][0].update(kbo="0999910148"), "organisations: korenaar: kbo"),
    (lambda w: w["organisations"][1].update(id="korenaar"), "more than once"),
    (lambda w: w["grants"][0].update(start="soon"), r"grants\[0\]: start: not a day"),
    (lambda w: w["grants"][0].update(start="+9999999d"), r"grants\[0\]: start: not a day"),
    (lambda w: w["grants"][0].update(end="-301d"), r"grants\[0\]: end lies before start"),
    (lambda w: w["grants"][1].update(contexts=["Indiener", "Medewerker"]), r"grants\[1\] .*contexts do not fit"),
    (lambda w: w["grants"][1].update(relation="nobody"), r"grants\[1\]: relation: 'nobody' is not in work_relations"),
    (lambda w: w["clients"][0].pop("client_id"), r"clients\[0\]: client_id"),
    (lambda w: w["clients"][0].update(application="none"), "clients: hinderpremie: application"),
    (lambda w: w.update(clients="all"), "clients"),
    (lambda w: w["work_relations"].append("x"), r"work_relations\[13\]"),
]


@pytest.mark.parametrize(("spoil", "complaint"), SPOILED)
def test_a_fault_is_named_by_its_entry(tmp_path: Path, spoil: Spoil, complaint: str) -> None:
    written = json.loads(WORLD_FILE.read_text(encoding="utf-8"))
    spoil(written)
    file = tmp_path / "world.json"
    file.write_text(json.dumps(written), encoding="utf-8")
    with pytest.raises(WorldInvalid, match=complaint):
        read_world(file, today=TODAY)


def test_all_disagreements_are_named_together(tmp_path: Path) -> None:
    written = json.loads(WORLD_FILE.read_text(encoding="utf-8"))
    written["grants"][0]["right"] = "nothing"
    written["kbo_functions"][0]["person"] = "nobody"
    file = tmp_path / "world.json"
    file.write_text(json.dumps(written), encoding="utf-8")
    with pytest.raises(WorldInvalid, match=r"(?s)nobody.*nothing"):
        read_world(file, today=TODAY)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff{}", b'"world"'])
def test_a_file_that_is_no_world_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "world.json"
    file.write_bytes(content)
    with pytest.raises(WorldInvalid, match=r"Name a world file"):
        read_world(file, today=TODAY)
    with pytest.raises(WorldInvalid, match="cannot be read"):
        read_world(tmp_path / "absent.json", today=TODAY)
