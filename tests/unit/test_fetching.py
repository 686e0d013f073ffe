"""What is fetched while somebody waits: bounded in number, in time and in how often a bad address is tried."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from idp.client_keys import STALE_SECONDS, WAIT_SECONDS, ClientKeys
from idp.clients import Client
from idp.deadline import Deadline
from idp.fetching import LEFT_ALONE_SECONDS, MOST_AT_ONCE, Fetching, FetchingBusy
from idp.keys.jwt import TokenRejected, new_key_pair
from idp.outbound import Fetched, Outbound, OutboundFailed, OutboundRefused, OutboundTooSlow
from idp.resolving import MOST_AT_ONCE as MOST_NAMES
from idp.resolving import Resolving
from tests.clock import FakeClock

ONE, OTHER = "https://one.example/keys", "https://other.example/keys"


class Host:
    """Answers what it is told, when it is told; counts how often it was called, and by how many at once."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.for_strangers: list[bool] = []
        self.failures: list[OutboundFailed] = []
        self.body = b"{}"
        self.go = threading.Event()
        self.go.set()
        self.called = threading.Semaphore(0)

    def get(self, uri: str, *, is_stranger: bool = False) -> Fetched:
        self.calls.append(uri)
        self.for_strangers.append(is_stranger)
        self.called.release()
        assert self.go.wait(10)
        if self.failures:
            raise self.failures.pop(0)
        return Fetched(200, "application/json", self.body)

    @property
    def apart(self) -> "Host":
        return self

    def hold(self) -> None:
        """From now on let everybody wait."""
        self.go.clear()


@pytest.fixture
def host() -> Iterator[Host]:
    """A host, which lets everybody go in the end."""
    host = Host()
    yield host
    host.go.set()


def fetch(fetching: Fetching, uri: str, *, is_stranger: bool = False) -> Fetched:
    return fetching.get(uri, is_stranger=is_stranger)


def test_two_fetch_at_once_and_a_third_fails_at_once(host: Host) -> None:
    fetching = Fetching(host, FakeClock())
    host.hold()
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        under_way = [pool.submit(fetch, fetching, f"https://{number}.example/") for number in range(MOST_AT_ONCE)]
        for _ in under_way:
            assert host.called.acquire(timeout=5)
        for _ in range(8):
            with pytest.raises(FetchingBusy):
                fetch(fetching, ONE)
        host.go.set()
        assert [fetch.result().status for fetch in under_way] == [200, 200]
    assert len(host.calls) == MOST_AT_ONCE
    assert fetch(fetching, ONE).status == 200


def test_strangers_hold_one_place_and_leave_the_other(host: Host) -> None:
    fetching = Fetching(host, FakeClock())
    host.hold()
    with ThreadPoolExecutor(2) as pool:
        under_way = [pool.submit(fetch, fetching, "https://stranger.example/", is_stranger=True)]
        assert host.called.acquire(timeout=5)
        with pytest.raises(FetchingBusy):
            fetch(fetching, OTHER, is_stranger=True)
        under_way.append(pool.submit(fetch, fetching, ONE))
        assert host.called.acquire(timeout=5)
        host.go.set()
        assert [one.result().status for one in under_way] == [200, 200]
    assert fetch(fetching, OTHER, is_stranger=True).status == 200


def test_what_a_stranger_makes_fail_is_held_against_strangers_alone(host: Host) -> None:
    fetching = Fetching(host, FakeClock())
    host.failures = [OutboundTooSlow("too slow")]
    for _ in range(2):
        with pytest.raises(OutboundFailed):
            fetch(fetching, ONE, is_stranger=True)
    assert fetch(fetching, ONE).status == 200
    assert len(host.calls) == 2


def test_a_place_comes_free_whatever_happened(host: Host) -> None:
    fetching = Fetching(host, FakeClock())
    for number in range(3 * MOST_AT_ONCE):
        host.failures = [OutboundFailed("nobody there")]
        with pytest.raises(OutboundFailed):
            fetch(fetching, f"https://{number}.example/")
    assert fetch(fetching, ONE).status == 200


def test_an_address_where_nobody_answers_is_left_alone_for_a_minute(host: Host) -> None:
    clock = FakeClock()
    fetching = Fetching(host, clock)
    host.failures = [OutboundFailed("nobody there")]
    for _ in range(3):
        with pytest.raises(OutboundFailed):
            fetch(fetching, ONE)
    assert host.calls == [ONE]
    clock.advance(LEFT_ALONE_SECONDS)
    assert fetch(fetching, ONE).status == 200


def test_a_slow_host_is_left_alone_at_all_its_addresses_and_no_other_host(host: Host) -> None:
    fetching = Fetching(host, FakeClock())
    host.failures = [OutboundTooSlow("too slow")]
    for path in ("keys", "keys?again", "other"):
        with pytest.raises(OutboundFailed):
            fetch(fetching, f"https://one.example/{path}")
    assert len(host.calls) == 1
    assert fetch(fetching, OTHER).status == 200


def test_a_failure_of_one_address_hides_no_other_of_its_host(host: Host) -> None:
    fetching = Fetching(host, FakeClock())
    host.failures = [OutboundFailed("larger than 64 kB")]
    with pytest.raises(OutboundFailed):
        fetch(fetching, "https://one.example/evil")
    assert fetch(fetching, ONE).status == 200


def test_what_was_not_there_yet_may_be_asked_again_at_once(host: Host) -> None:
    fetching = Fetching(host, FakeClock())
    host.failures = [OutboundRefused("status 404")]
    with pytest.raises(OutboundFailed):
        fetch(fetching, ONE)
    assert fetch(fetching, ONE).status == 200


@pytest.mark.parametrize("uri", ["", "https://[::1/", "nothing"])
def test_what_is_no_address_fails_and_breaks_nothing(uri: str) -> None:
    fetching = Fetching(Outbound(), FakeClock())
    for _ in range(2):
        with pytest.raises(OutboundFailed):
            fetch(fetching, uri)


# How long it takes


def elapsed(call: Callable[[], object]) -> float:
    begun = time.monotonic()
    with pytest.raises(OutboundFailed):
        call()
    return time.monotonic() - begun


def test_the_look_up_of_a_name_counts() -> None:
    released = threading.Event()

    def hanging(_host: str, _port: int) -> Sequence[str]:
        released.wait(10)
        return ["93.184.215.14"]

    outbound = Outbound(resolve=hanging, total=0.3)
    assert elapsed(lambda: outbound.get(ONE)) < 2
    released.set()


def test_look_ups_that_hang_are_bounded_and_come_free_again() -> None:
    released = threading.Event()

    def hanging(_host: str, _port: int) -> Sequence[str]:
        released.wait(10)
        return ["93.184.215.14"]

    resolving = Resolving(hanging, most=2)
    for _ in range(2):
        with Deadline(0.05) as deadline, pytest.raises(TimeoutError, match="not found in time"):
            resolving.addresses("slow.example", 443, deadline=deadline)
    with Deadline(5) as deadline, pytest.raises(TimeoutError, match="too many"):
        resolving.addresses("slow.example", 443, deadline=deadline)
    released.set()
    for _ in range(100):
        try:
            with Deadline(5) as deadline:
                assert resolving.addresses("slow.example", 443, deadline=deadline) == ["93.184.215.14"]
            return
        except TimeoutError:
            time.sleep(0.02)
    pytest.fail("no place came free")


def test_names_of_strangers_that_hang_take_no_place_of_others(clock: FakeClock) -> None:
    released = threading.Event()

    def resolve(host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"] if host == "one.example" or released.wait(20) else []

    fetching = Fetching(Outbound(resolve=resolve, total=0.05), clock)
    for number in range(MOST_NAMES + 1):
        with pytest.raises(OutboundTooSlow):
            fetch(fetching, f"https://s{number}.example/keys", is_stranger=True)
    with pytest.raises(OutboundFailed, match="private network"):
        fetch(fetching, ONE)
    released.set()


def test_connecting_counts() -> None:
    # A listener whose queue is full lets whoever connects wait.
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        outbound = Outbound(frozenset({"localhost"}), resolve=lambda _host, _port: ["127.0.0.1"], timeout=8, total=0.3)
        assert elapsed(lambda: outbound.get(f"http://localhost:{port}/")) < 3


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "a..example", "\u00fc" * 70])
def test_what_is_no_name_is_not_found(name: str) -> None:
    with pytest.raises(OutboundFailed):
        Outbound().get(f"https://{name}/")


def test_a_deadline_stops_what_is_told_to_it_too_late() -> None:
    stopped = threading.Event()
    with Deadline(0.01) as deadline:
        while not deadline.is_over:
            time.sleep(0.01)
        deadline.stops_by(stopped.set)
    assert stopped.is_set()


# The keys of clients

_, PUBLIC = new_key_pair("ES256")


def known(client_id: str, *, is_self_registered: bool = False) -> Client:
    return Client(client_id=client_id, jwks_uri=ONE, is_self_registered=is_self_registered)


def key_set(*kids: str) -> bytes:
    return json.dumps({"keys": [PUBLIC | {"kid": kid} for kid in kids]}).encode()


def kids_of(keys: ClientKeys, client: Client, *, renewed: bool = False) -> set[str]:
    return {str(key["kid"]) for key in keys.keys_of(client, renewed=renewed)}


def test_who_waits_for_a_slow_key_set_does_not_wait_long(host: Host) -> None:
    keys = ClientKeys(host, FakeClock())
    host.hold()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(keys.keys_of, known("a"))
        assert host.called.acquire(timeout=5)
        begun = time.monotonic()
        assert [fetch.result() for fetch in [pool.submit(keys.keys_of, known("a")) for _ in range(7)]] == [()] * 7
        assert time.monotonic() - begun < WAIT_SECONDS + 1.5
        begun = time.monotonic()
        assert keys.keys_of(known("a")) == ()
        assert time.monotonic() - begun < WAIT_SECONDS / 2
        host.body = key_set("one")
        host.go.set()
        assert [key["kid"] for key in first.result()] == ["one"]
    assert kids_of(keys, known("a")) == {"one"}
    assert len(host.calls) == 1


def test_while_keys_are_looked_for_anew_the_old_ones_serve(host: Host) -> None:
    clock = FakeClock()
    keys = ClientKeys(host, clock)
    host.body = key_set("one")
    assert kids_of(keys, known("a")) == {"one"}
    assert host.called.acquire(timeout=5)
    clock.advance(STALE_SECONDS // 2)
    host.hold()
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(keys.keys_of, known("a"))
        assert host.called.acquire(timeout=5)
        assert kids_of(keys, known("a")) == {"one"}
        host.go.set()
        renewing.result()


def test_a_key_set_that_found_no_place_is_looked_for_at_the_next_request(host: Host) -> None:
    keys = ClientKeys(host, FakeClock())
    host.failures, host.body = [FetchingBusy("busy")], key_set("one")
    assert keys.keys_of(known("a")) == ()
    assert kids_of(keys, known("a")) == {"one"}


def test_one_client_pushes_no_other_out(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idp.client_keys.MOST_SETS", 10)
    keys = ClientKeys(host, FakeClock())
    host.body = key_set("one")
    keys.keys_of(known("kept"))
    for number in range(50):
        keys.keys_of(Client(client_id="restless", jwks_uri=f"https://restless.example/{number}"))
        keys.keys_of(known(f"stranger {number}", is_self_registered=True))
    before = len(host.calls)
    assert kids_of(keys, known("kept")) == {"one"}
    assert len(host.calls) == before


def test_keys_are_fetched_for_whom_they_are(host: Host) -> None:
    keys = ClientKeys(host, FakeClock())
    for is_self_registered in (False, True):
        keys.keys_of(known(f"a {is_self_registered}", is_self_registered=is_self_registered))
    assert host.for_strangers == [False, True]


def test_keys_belong_to_an_address(host: Host) -> None:
    keys = ClientKeys(host, FakeClock())
    host.body = key_set("one")
    assert kids_of(keys, known("a")) == {"one"}
    host.failures = [OutboundFailed("nobody there")]
    assert keys.keys_of(Client(client_id="a", jwks_uri=OTHER)) == ()


def test_garbage_is_refused_and_leaves_nothing_under_way(host: Host) -> None:
    keys = ClientKeys(host, FakeClock())
    host.body = b"garbage"
    for _ in range(2):
        with pytest.raises(TokenRejected):
            keys.verify(known("a"), "a.b.c", algorithms=("ES256",))
    assert keys.keys_of(known("a")) == ()
