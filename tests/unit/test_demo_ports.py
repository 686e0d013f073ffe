"""The demo's ports, its settings and the throwing away of its state."""

import json
import socket
from pathlib import Path

import pytest

from demo.plan import DemoEnded, read_plan, require_free_ports, settle_environment
from demo.ports import port_of, ports_of_demo, shift_address, visited_clients
from demo.state import DATABASE, ForeignState, discard_state, state_folder


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A small world: a client that people visit, one elsewhere, and one that is a machine."""
    clients = [
        {"client_id": "visited", "redirect_uris": ["http://localhost:8003/callback"]},
        {"client_id": "elsewhere", "redirect_uris": ["https://loket.example.be/callback"]},
        {"client_id": "machine", "redirect_uris": []},
    ]
    path = tmp_path / "world.json"
    path.write_text(json.dumps({"clients": clients}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("address", "shifted"),
    [
        ("http://localhost:8001/callback", "http://localhost:8101/callback"),
        ("http://127.0.0.1:8001/?a=b#c", "http://127.0.0.1:8101/?a=b#c"),
        ("http://localhost/callback", "http://localhost/callback"),
        ("https://loket.example.be:8001/callback", "https://loket.example.be:8001/callback"),
        ("https://localhost.example.be:8001/", "https://localhost.example.be:8001/"),
    ],
)
def test_only_addresses_of_this_machine_are_shifted(address: str, shifted: str) -> None:
    assert shift_address(address, 100) == shifted


def test_a_client_is_served_if_people_visit_it_on_this_machine(world: Path) -> None:
    assert [client["client_id"] for client in visited_clients(world)] == ["visited"]


def test_all_ports_shift_alike(world: Path) -> None:
    assert ports_of_demo(world, 0) == [8000, 8003, 8007]
    assert ports_of_demo(world, 100) == [8100, 8103, 8107]


def test_a_client_without_an_address_has_no_port() -> None:
    assert port_of({}) is None


def test_a_port_in_use_is_named_together_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DemoEnded, match=rf"port {port} is in use.*--port"):
            require_free_ports([port])


def test_the_caller_settings_are_honoured_and_the_others_are_the_demo_own(tmp_path: Path) -> None:
    caller = {"TOEGANG_ISSUER": "https://toegang.test/op", "TOEGANG_LOG_LEVEL": "debug", "TOEGANG_SIMULATORS": ""}
    settled = settle_environment(caller, 8100, state=tmp_path)
    assert settled["TOEGANG_ISSUER"] == "https://toegang.test/op"
    assert settled["TOEGANG_LOG_LEVEL"] == "debug"
    assert settled["TOEGANG_SIMULATORS"] == "on"
    assert settled["TOEGANG_PORT"] == "8100"
    assert settled["TOEGANG_DATABASE_URL"] == f"sqlite:///{tmp_path / DATABASE}"
    assert "toegang.test" in settled["NO_PROXY"].split(",")


def test_the_relying_parties_trust_the_same_authorities_for_keys_as_for_all_else(tmp_path: Path) -> None:
    caller = {"REQUESTS_CA_BUNDLE": "/own/ca.pem", "SSL_CERT_FILE": "/etc/other.pem"}
    assert settle_environment(caller, 8000, state=tmp_path)["SSL_CERT_FILE"] == "/own/ca.pem"
    assert "SSL_CERT_FILE" not in settle_environment({}, 8000, state=tmp_path)


def test_the_port_is_that_of_the_argument_then_of_the_environment() -> None:
    assert read_plan([], {})[0].port == 8000
    assert read_plan([], {"TOEGANG_PORT": "8200"})[0].port == 8200
    assert read_plan(["--port", "8300"], {"TOEGANG_PORT": "8200"})[0].port == 8300
    assert read_plan(["--port", "8300"], {})[0].issuer == "http://localhost:8300/op"


@pytest.mark.parametrize("port", ["0", "80", "70000", "-1", "eight", "8000.5", "８０００"])
def test_a_port_that_is_none_is_refused_in_a_sentence(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        read_plan([f"--port={port}"], {})
    assert ending.value.code == 2
    assert "--port must be a number" in capsys.readouterr().err


def test_state_of_another_port_lies_in_a_folder_of_its_own(tmp_path: Path) -> None:
    assert state_folder(tmp_path, 8000, usual=8000) == tmp_path / "var" / "demo"
    assert state_folder(tmp_path, 8100, usual=8000) == tmp_path / "var" / "demo" / "8100"


def test_a_fresh_start_deletes_this_demo_state_and_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / DATABASE).touch()
    (tmp_path / "nachtverwerking.jwk").touch()
    other = tmp_path / "8100" / DATABASE
    other.parent.mkdir()
    other.touch()
    discard_state(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["8100"]
    assert other.exists()


def test_a_fresh_start_refuses_a_folder_with_something_else_and_deletes_nothing(tmp_path: Path) -> None:
    (tmp_path / DATABASE).touch()
    (tmp_path / "letter.txt").touch()
    with pytest.raises(ForeignState, match=r"letter\.txt"):
        discard_state(tmp_path)
    assert (tmp_path / DATABASE).exists()


def test_a_fresh_start_does_not_follow_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / DATABASE).touch()
    (tmp_path / "demo").symlink_to(elsewhere)
    with pytest.raises(ForeignState):
        discard_state(tmp_path / "demo")
    assert (elsewhere / DATABASE).exists()


def test_a_fresh_start_of_what_never_ran_is_no_fault(tmp_path: Path) -> None:
    discard_state(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
