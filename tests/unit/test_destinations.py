"""Where we may call: which hosts, ports and networks, and what the operator can open."""

import pytest

from idp.destinations import Destinations, NotCallable, entry_of, is_private
from idp.outbound import Outbound, OutboundFailed
from idp.settings import SettingsInvalid, read_settings


@pytest.mark.parametrize(
    "address",
    [
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:93.184.215.14",
        "fec0::1",
        "fe80::1",
        "fc00::1",
        "ff0e::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "192.88.99.1",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "240.0.0.1",
        "169.254.169.254",
    ],
)
def test_what_is_not_plainly_public_is_private(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "2a02:578::1", "64:ff9b::5db8:d70e"])
def test_the_public_internet_is_public(address: str) -> None:
    assert not is_private(address)


def may_call(uri: str, *entries: str, addresses: tuple[str, ...] = ("10.1.2.3",)) -> bool:
    destinations = Destinations(entries)
    try:
        destinations.check_addresses(destinations.checked(uri), addresses)
    except NotCallable:
        return False
    return True


@pytest.mark.parametrize(
    ("uri", "entry", "is_open"),
    [
        ("https://keys.internal/", "keys.internal", True),
        ("https://KEYS.internal/", "keys.internal", True),
        ("https://keys.internal:8443/", "keys.internal", True),
        ("https://keys.internal:80/", "keys.internal", True),
        ("https://keys.internal:25/", "keys.internal", False),
        ("https://keys.internal:25/", "keys.internal:25", True),
        ("https://keys.internal:8443/", "keys.internal:8443", True),
        ("https://keys.internal/", "keys.internal:443", True),
        ("https://keys.internal/", "keys.internal:8443", False),
        ("https://keys.internal:9443/", "keys.internal:8443", False),
        ("https://other.internal/", "keys.internal", False),
        ("https://sub.keys.internal/", "keys.internal", False),
        ("https://[fd00::5]:8443/", "[fd00::5]:8443", True),
        ("https://[fd00::5]:9443/", "[fd00::5]:8443", False),
        ("https://[fd00::5]/", "fd00::5", True),
        ("https://10.1.2.3:8443/", "10.1.2.3:8443", True),
    ],
)
def test_an_operator_opens_a_host_or_one_door_of_it(uri: str, entry: str, is_open: bool) -> None:
    assert may_call(uri, entry) is is_open


@pytest.mark.parametrize("port", [22, 25, 110, 631, 1023])
def test_no_port_below_1024_but_those_of_the_web_is_called_anywhere(port: int) -> None:
    assert not may_call(f"https://public.example:{port}/", addresses=("93.184.215.14",))
    assert may_call("https://public.example:8443/", addresses=("93.184.215.14",))


@pytest.mark.parametrize(
    ("addresses", "is_open"),
    [
        (("127.0.0.1",), True),
        (("::1", "127.0.0.1"), True),
        (("10.1.2.3",), False),
        (("127.0.0.1", "10.1.2.3"), False),
        (("93.184.215.14",), False),
    ],
)
def test_without_tls_only_this_machine_is_called(addresses: tuple[str, ...], is_open: bool) -> None:
    assert may_call("http://opened.example:8000/", "opened.example", addresses=addresses) is is_open
    assert may_call("https://opened.example:8000/", "opened.example", addresses=addresses)


def test_without_tls_nobody_is_called_who_was_not_opened() -> None:
    assert not may_call("http://public.example/", addresses=("93.184.215.14",))
    assert not may_call("http://localhost/", addresses=("127.0.0.1",))


def test_the_outbound_client_holds_to_it() -> None:
    with pytest.raises(OutboundFailed, match="port"):
        Outbound(frozenset({"localhost"})).get("http://localhost:25/")
    with pytest.raises(OutboundFailed, match="without TLS"):
        Outbound(frozenset({"inside.example"}), resolve=lambda _host, _port: ["10.0.0.1"]).get("http://inside.example/")


@pytest.mark.parametrize(
    "entry", ["", "a b", "https://a.be", "a.be:", "a.be:0", "a.be:99999", "a.be:b", "*.be", "[::1"]
)
def test_an_entry_is_a_host_with_or_without_a_port(entry: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        entry_of(entry)


def test_a_wrong_entry_is_told_at_the_start() -> None:
    with pytest.raises(SettingsInvalid, match="TOEGANG_OUTBOUND_ALLOW must hold hosts"):
        read_settings({"TOEGANG_OUTBOUND_ALLOW": "good.be, https://bad.be"})
    read = read_settings({"TOEGANG_OUTBOUND_ALLOW": "Good.be, localhost:8001 [::1]:80"})
    assert read.outbound_allow == {"good.be", "localhost:8001", "[::1]:80"}
