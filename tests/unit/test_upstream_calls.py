"""Calls to a provider that we rely on: bounded, to nowhere else, and failing in words that a key understands."""

import threading
from collections.abc import Sequence

import pytest

from idp.outbound import Outbound, OutboundFailed
from idp.upstream import MOST_AT_ONCE, UpstreamCalls, calls_to, ipv4_first
from tests.flow.listener import listening


def test_an_issuer_on_this_machine_opens_its_own_port_and_no_other() -> None:
    with listening() as itsme, listening() as other:
        itsme.pages["/v2/keys"] = b"keys"
        other.pages["/v2/keys"] = b"keys"
        calls = calls_to(f"{itsme.address}/v2", frozenset())
        assert calls.get(f"{itsme.address}/v2/keys") == b"keys"
        with pytest.raises(ConnectionError):
            calls.get(f"{other.address}/v2/keys")


def test_any_other_issuer_opens_nothing() -> None:
    with listening() as private:
        private.pages["/keys"] = b"keys"
        calls = calls_to("https://idp.prd.itsme.services/v2", frozenset())
        with pytest.raises(ConnectionError):
            calls.get(f"{private.address}/keys")
        with pytest.raises(ConnectionError):
            calls.post(f"{private.address}/token", {"code": "x"})
        assert private.received == []


def test_a_form_is_posted_and_any_status_comes_back() -> None:
    with listening() as itsme:
        itsme.statuses.append(400)
        calls = calls_to(f"{itsme.address}/v2", frozenset())
        assert calls.post(f"{itsme.address}/v2/token", {"code": "a b&c"}) == (400, b"")
        assert itsme.received == [("/v2/token", {"code": "a b&c"})]
        assert itsme.headers[0]["Content-Type"] == "application/x-www-form-urlencoded"


def test_what_is_not_there_is_a_failure_without_its_address() -> None:
    with listening() as itsme:
        calls = calls_to(f"{itsme.address}/v2", frozenset())
        with pytest.raises(ConnectionError, match=r"^status 404$"):
            calls.get(f"{itsme.address}/v2/keys", bearer="secret")


def test_a_slow_provider_holds_four_threads_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    released, begun = threading.Event(), threading.Semaphore(0)

    def hang(_self: Outbound, _uri: str, **_headers: object) -> None:
        begun.release()
        released.wait(10)
        raise OutboundFailed("at last")

    monkeypatch.setattr(Outbound, "get", hang)
    calls = UpstreamCalls(Outbound())
    held = [threading.Thread(target=expect_failure, args=(calls, "at last")) for _ in range(MOST_AT_ONCE)]
    for thread in held:
        thread.start()
    for _ in held:
        assert begun.acquire(timeout=10)
    expect_failure(calls, "too much is being asked of it")
    released.set()
    for thread in held:
        thread.join()
    expect_failure(calls, "at last")


def expect_failure(calls: UpstreamCalls, words: str) -> None:
    """The call fails, in these words."""
    with pytest.raises(ConnectionError, match=words):
        calls.get("https://idp.example.be/v2/keys")


def test_addresses_of_ipv4_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(_host: str, _port: int) -> Sequence[str]:
        return ["::1", "127.0.0.1"]

    monkeypatch.setattr("idp.upstream.resolve", both)
    assert ipv4_first("localhost", 80) == ["127.0.0.1", "::1"]
