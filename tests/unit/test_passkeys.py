"""The room of passkeys: sealed with their place, one owner each, counted by one statement, the last one kept."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select, update

from authenticators.credentials import Credentials
from authenticators.enrolled import LONGEST_NAME, EnrolledKeys, spelled
from authenticators.passkeys import MOST_PASSKEYS, NewPasskey, Owner, Passkeys, id_of, owner, passkey
from idp.keys.master import MasterKey
from tests.clock import FakeClock
from tests.unit.keys import ELIF, MARC, OLGA, enrolled

NEW = NewPasskey(
    credential_id=b"a-credential",
    public_key=b"a-public-key",
    name="Telefoon van Elif",
    sign_count=5,
    transports=("hybrid", "internal"),
    aaguid="00000000-0000-0000-0000-000000000000",
    is_backup_eligible=True,
    is_backed_up=False,
)
ANY = frozenset({"eid", "totp", "passkey"})


@pytest.fixture
def credentials(sqlite_engine: Engine, clock: FakeClock) -> Credentials:
    return enrolled(sqlite_engine, clock)


@pytest.fixture
def passkeys(sqlite_engine: Engine, clock: FakeClock, credentials: Credentials) -> Passkeys:
    """Those of Elif, who has one, and of Marc, who has none."""
    made = Passkeys(sqlite_engine, MasterKey([b"k" * 32]), clock=clock)
    made.user_handle(ELIF)
    made.user_handle(MARC)
    assert made.add(ELIF, NEW) == id_of(NEW.credential_id)
    assert credentials.kinds(ELIF) == {"password", "totp", "sms"}
    return made


def numbered(number: int) -> NewPasskey:
    return replace(NEW, credential_id=b"credential-%d" % number)


def test_what_was_kept_is_found_by_credential_and_by_person(passkeys: Passkeys, clock: FakeClock) -> None:
    found = passkeys.find(NEW.credential_id)
    assert found
    one, whose = found
    assert (one.public_key, one.name, one.transports) == (NEW.public_key, NEW.name, NEW.transports)
    assert (one.created_at, one.last_used_at, one.is_backup_eligible) == (int(clock()), None, True)
    assert whose == Owner(ELIF, passkeys.user_handle(ELIF))
    assert passkeys.of_person(ELIF) == (one,)
    assert (passkeys.of_person(MARC), passkeys.find(b"another")) == ((), None)


def test_the_tables_tell_neither_who_nor_how_it_is_called(sqlite_engine: Engine, passkeys: Passkeys) -> None:
    assert passkeys.has_any(ELIF)
    with sqlite_engine.connect() as connection:
        kept = repr([tuple(row) for table in (owner, passkey) for row in connection.execute(select(table))])
    for secret in (ELIF, MARC, "Telefoon", "a-public-key"):
        assert secret not in kept


def test_a_handle_is_random_and_one_for_all_who_ask_at_once(passkeys: Passkeys) -> None:
    with ThreadPoolExecutor(8) as pool:
        handles = set(pool.map(lambda _: passkeys.user_handle(OLGA), range(20)))
    assert len(handles) == 1
    assert len(handles | {passkeys.user_handle(ELIF), passkeys.user_handle(MARC)}) == 3


def test_a_credential_is_one_persons_for_good(passkeys: Passkeys) -> None:
    assert passkeys.add(MARC, NEW) == ""
    assert passkeys.add(ELIF, NEW) == ""
    assert passkeys.of_person(MARC) == ()


def test_nobody_has_them_without_end(passkeys: Passkeys) -> None:
    added = [passkeys.add(ELIF, numbered(number)) for number in range(MOST_PASSKEYS)]
    assert added[-1] == ""
    assert len(passkeys.of_person(ELIF)) == MOST_PASSKEYS


def test_a_row_that_was_moved_to_another_person_is_worth_nothing(sqlite_engine: Engine, passkeys: Passkeys) -> None:
    with sqlite_engine.begin() as connection:
        marc = connection.scalar(select(owner.c.person_key).where(owner.c.user_handle == passkeys.user_handle(MARC)))
        connection.execute(update(passkey).values(person_key=marc))
    assert passkeys.find(NEW.credential_id) is None


def test_a_number_that_was_moved_to_another_owner_is_worth_nothing(sqlite_engine: Engine, passkeys: Passkeys) -> None:
    handle = passkeys.user_handle(MARC)
    with sqlite_engine.begin() as connection:
        marc = connection.scalar(select(owner.c.person).where(owner.c.user_handle == handle))
        connection.execute(update(owner).where(owner.c.user_handle != handle).values(person=marc))
    assert passkeys.find(NEW.credential_id) is None


@pytest.mark.parametrize(("kept", "said", "counts"), [(5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)])
def test_a_use_counts_where_the_counter_grew(passkeys: Passkeys, kept: int, said: int, counts: bool) -> None:
    assert NEW.sign_count == kept
    assert passkeys.use(id_of(NEW.credential_id), sign_count=said, is_backed_up=True) is counts
    (one,) = passkeys.of_person(ELIF)
    assert (one.is_backed_up, one.last_used_at is not None) == (counts, counts)


def test_one_that_never_counts_is_used_again_and_again(passkeys: Passkeys) -> None:
    id = passkeys.add(MARC, replace(NEW, credential_id=b"b", sign_count=0))
    assert [passkeys.use(id, sign_count=count, is_backed_up=False) for count in (0, 0, 1, 0)] == [1, 1, 1, 0]
    assert not passkeys.use("nobody's", sign_count=1, is_backed_up=False)


def test_only_ones_own_is_renamed_and_removed(passkeys: Passkeys) -> None:
    id = id_of(NEW.credential_id)
    assert not passkeys.rename(MARC, id, name="x")
    assert not passkeys.remove(MARC, id, others=ANY)
    assert passkeys.rename(ELIF, id, name="y")
    assert [one.name for one in passkeys.of_person(ELIF)] == ["y"]
    assert passkeys.remove(ELIF, id, others=ANY)
    assert passkeys.find(NEW.credential_id) is None


def test_the_last_of_the_kinds_that_must_stay_is_kept(passkeys: Passkeys, credentials: Credentials) -> None:
    id = id_of(NEW.credential_id)
    assert not passkeys.remove(ELIF, id, others={"eid", "passkey"})
    assert not passkeys.remove_credential(ELIF, "totp", others={"totp"})
    assert passkeys.remove_credential(ELIF, "totp", others={"totp", "passkey"})
    assert not passkeys.remove(ELIF, id, others=ANY)
    second = passkeys.add(ELIF, numbered(2))
    assert [passkeys.remove(ELIF, one, others=ANY) for one in (id, second)] == [True, False]
    assert credentials.kinds(ELIF) == {"password", "sms"}


def test_all_keys_of_a_person_together(passkeys: Passkeys, credentials: Credentials, clock: FakeClock) -> None:
    keys = EnrolledKeys(credentials, passkeys)
    assert keys.kinds(ELIF) == {"password", "totp", "sms", "passkey"}
    assert keys.kinds(MARC) == {"password", "sms"}
    keys.enrol(MARC, "passkey")  # a sign-in with one enrols nothing
    keys.mark_used(ELIF, "passkey")
    assert keys.kinds(MARC) == {"password", "sms"}
    clock.advance(9)
    keys.mark_used(ELIF, "totp")
    held = {key.kind: key for key in keys.held(ELIF)}
    assert held["totp"].last_used_at == int(clock())
    assert (held["totp"].is_ours, held["sms"].is_ours, held["passkey"].has_name) == (True, False, True)
    assert (keys.phone(MARC), keys.phone(OLGA)) == ("+32470000013", "")
    assert not keys.remove(ELIF, "sms", others=ANY)
    assert not keys.rename(ELIF, "totp", name="x")


@pytest.mark.parametrize(
    ("given", "kept"),
    [("  a \n\t b ", "a b"), ("x" * 99, "x" * LONGEST_NAME), ("\u202ea\x00b", "a b"), ("", ""), ("é", "é")],
)
def test_a_name_is_one_short_line(given: str, kept: str) -> None:
    assert spelled(given) == kept
