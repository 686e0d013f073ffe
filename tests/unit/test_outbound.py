"""The one way out: what it never reaches, never follows and never waits for; against real servers on this machine."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from idp.destinations import is_private
from idp.outbound import MAXIMUM_BODY, Outbound, OutboundFailed

Talk = Callable[[socket.socket], None]
LOCAL = frozenset({"127.0.0.1", "localhost"})


@contextmanager
def serving(talk: Talk, tls: ssl.SSLContext | None = None, *, heard: list[str] | None = None) -> Iterator[int]:
    """A server that reads a request and then talks as it is told; its port. `heard` gathers the requests."""
    listener = socket.create_server(("127.0.0.1", 0))
    talks = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                talks.append(threading.Thread(target=answer, args=(listener.accept()[0],)))
                talks[-1].start()

    def answer(plain: socket.socket) -> None:
        with suppress(OSError), plain, tls.wrap_socket(plain, server_side=True) if tls else plain as connection:
            request = connection.recv(65536).decode("latin-1")
            if heard is not None:
                heard.append(request)
            talk(connection)

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (accepting, *talks):
            thread.join()


def saying(text: str) -> Talk:
    return lambda connection: connection.sendall(text.encode())


def answering(status: str = "200 OK", body: str = "hello", headers: str = "") -> Talk:
    return saying(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}")


def dripping(start: str, drop: str) -> Talk:
    """Says something all the time, and never comes to an end."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(start.encode())
        while True:
            connection.sendall(drop.encode())
            time.sleep(0.05)

    return talk


def to_local(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def failure(port: int, outbound: Outbound, path: str = "/") -> str:
    with pytest.raises(OutboundFailed) as failed:
        outbound.get(f"http://localhost:{port}{path}")
    return str(failed.value)


def test_an_allowed_host_is_fetched_from() -> None:
    with serving(answering(headers="Content-Type: Application/JSON; charset=utf-8\r\n")) as port:
        fetched = Outbound(LOCAL).get(f"http://127.0.0.1:{port}/a?b=c")
    assert (fetched.status, fetched.content_type, fetched.body) == (200, "application/json", b"hello")


def test_an_allowed_host_is_posted_to_and_whatever_it_answers_comes_back() -> None:
    heard: list[str] = []
    with serving(answering("503 Later"), heard=heard) as port:
        fetched = Outbound(LOCAL).post(f"http://localhost:{port}/", body=b"a=b", headers={"X-Own": "1"})
    assert fetched.status == 503
    assert heard[0].startswith("POST / HTTP/1.1\r\n")
    assert "X-Own: 1\r\n" in heard[0]


@pytest.mark.parametrize("path", ["/request", "/request?a=b"])
def test_what_is_asked_is_what_the_address_says(path: str) -> None:
    heard: list[str] = []
    with serving(answering(), heard=heard) as port:
        Outbound(LOCAL).get(f"http://localhost:{port}{path}#fragment")
    assert heard[0].startswith(f"GET {path} HTTP/1.1\r\n")
    assert f"\r\nHost: localhost:{port}\r\n" in heard[0]


@pytest.mark.parametrize(
    "uri",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
    ],
)
def test_a_private_network_is_never_reached(uri: str) -> None:
    with pytest.raises(OutboundFailed, match="private"):
        Outbound().get(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.com/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "gopher://localhost/",
        "https:///path",
        "https://user@localhost/",
        "https://localhost:0/",
        "https://localhost:99999/",
        "https://[::1/",
        "//localhost/",
        "",
        "https://",
    ],
)
def test_what_is_no_https_address_is_not_called(uri: str) -> None:
    with pytest.raises(OutboundFailed):
        Outbound(frozenset({"localhost"})).get(uri)


def test_a_name_that_resolves_to_a_private_address_is_not_called() -> None:
    with serving(answering()) as port, pytest.raises(OutboundFailed, match="private"):
        Outbound(resolve=to_local).get(f"https://public.example:{port}/")


@pytest.mark.parametrize("order", [("127.0.0.1", "93.184.215.14"), ("93.184.215.14", "127.0.0.1")])
def test_one_private_address_among_many_is_enough(order: tuple[str, str]) -> None:
    with pytest.raises(OutboundFailed, match="private"):
        Outbound(resolve=lambda _host, _port: order).get("https://public.example/")


def test_a_name_is_resolved_once_so_that_it_cannot_change_its_mind() -> None:
    asked = []

    def changing(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with serving(answering()) as port:
        fetched = Outbound(frozenset({"rebinding.example"}), resolve=changing).get(f"http://rebinding.example:{port}/")
    assert fetched.body == b"hello"
    assert asked == ["rebinding.example"]


def test_a_host_without_address_is_told() -> None:
    with pytest.raises(OutboundFailed):
        Outbound(resolve=lambda _host, _port: []).get("https://nowhere.example/")
    with pytest.raises(OutboundFailed):
        Outbound().get("https://nowhere.invalid/")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(status: str) -> None:
    followed = []

    def elsewhere(connection: socket.socket) -> None:
        followed.append(True)
        answering()(connection)

    with serving(elsewhere) as other:
        redirect = answering(status, headers=f"Location: http://localhost:{other}/\r\n")
        with serving(redirect) as port:
            assert failure(port, Outbound(LOCAL)) == f"status {status[:3]}"
    assert not followed


@pytest.mark.parametrize("status", ["201 Created", "404 Not Found", "500 Broken"])
def test_only_200_is_an_answer(status: str) -> None:
    with serving(answering(status)) as port:
        assert failure(port, Outbound(LOCAL)) == f"status {status[:3]}"


def test_a_body_of_the_largest_size_is_taken_and_a_byte_more_is_not() -> None:
    with serving(answering(body="x" * MAXIMUM_BODY)) as port:
        assert len(Outbound(LOCAL).get(f"http://localhost:{port}/").body) == MAXIMUM_BODY
    with serving(answering(body="x" * (MAXIMUM_BODY + 1))) as port:
        assert "larger" in failure(port, Outbound(LOCAL))
    endless = saying("HTTP/1.1 200 OK\r\n\r\n" + "x" * 10 * MAXIMUM_BODY)
    with serving(endless) as port:
        assert "larger" in failure(port, Outbound(LOCAL))


@pytest.mark.parametrize(
    "talk",
    [
        dripping("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", "x"),
        dripping("HTTP/1.1 200 OK\r\n\r\n", "x"),
        dripping("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
        dripping("HTTP/1.1 200 OK\r\n", "X-Long: yes\r\n"),
        dripping("", "HTTP/1.1 200 OK"),
        dripping("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["length", "no length", "chunks", "headers", "status", "continue"],
)
def test_who_drips_holds_nobody_up(talk: Talk) -> None:
    begun = time.monotonic()
    with serving(talk) as port:
        failure(port, Outbound(LOCAL, total=0.4))
        assert time.monotonic() - begun < 3


def test_half_an_answer_is_none_when_its_time_is_up() -> None:
    with serving(dripping("HTTP/1.1 200 OK\r\n\r\n", '{"keys": []}')) as port:
        assert failure(port, Outbound(LOCAL, total=0.4)) == "the answer took too long"


def test_who_says_nothing_is_left_alone() -> None:
    released = threading.Event()

    def talk(_connection: socket.socket) -> None:
        released.wait(5)

    with serving(talk) as port:
        assert failure(port, Outbound(LOCAL, timeout=0.2)) == "TimeoutError"
        released.set()


@pytest.mark.parametrize(
    "talk", [saying(""), saying("hello\r\n\r\n"), saying("HTTP/1.1 200 OK\r\n" + "X: y\r\n" * 500 + "\r\n")]
)
def test_who_speaks_no_http_is_told(talk: Talk) -> None:
    with serving(talk) as port:
        assert failure(port, Outbound(LOCAL))


def test_nobody_there_is_told() -> None:
    with serving(answering()) as port:
        pass
    assert failure(port, Outbound(LOCAL))


@pytest.mark.parametrize("path", ["/a b", "/\r\nX-Injected: 1", "/é", "/\0"])
def test_nothing_is_smuggled_into_a_request(path: str) -> None:
    heard: list[str] = []
    with serving(answering(), heard=heard) as port, suppress(OutboundFailed):
        Outbound(LOCAL).get(f"http://localhost:{port}{path}")
    assert not [line for request in heard for line in request.split("\r\n") if line.startswith("X-Injected")]
    assert len(heard) <= 1


@pytest.mark.parametrize(
    ("address", "is_inside"),
    [
        ("93.184.215.14", False),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", False),
        ("64:ff9b::5db8:d70e", False),
        ("127.0.0.1", True),
        ("0.1.2.3", True),
        ("100.64.0.1", True),
        ("172.16.0.1", True),
        ("224.0.0.1", True),
        ("255.255.255.255", True),
        ("::", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("ff02::1", True),
        ("::ffff:10.0.0.1", True),
        ("2002:7f00:1::", True),
        ("64:ff9b::7f00:1", True),
        ("64:ff9b:1::7f00:1", True),
    ],
)
def test_only_public_addresses_are_public(address: str, is_inside: bool) -> None:
    assert is_private(address) is is_inside


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for right.example with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "right.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("right.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(plain + made.public_bytes(serialization.Encoding.PEM))
    return file


def test_https_is_spoken_with_the_host_whose_certificate_it_is(certificate: Path) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    hosts = frozenset({"right.example", "wrong.example"})
    outbound = Outbound(hosts, resolve=to_local, tls=trusting)
    with serving(answering(), served) as port:
        assert outbound.get(f"https://right.example:{port}/").body == b"hello"
        with pytest.raises(OutboundFailed, match="SSLCertVerificationError"):
            outbound.get(f"https://wrong.example:{port}/")
        with pytest.raises(OutboundFailed, match="SSLCertVerificationError"):
            Outbound(hosts, resolve=to_local).get(f"https://right.example:{port}/")


def test_who_drips_over_https_holds_nobody_up_either(certificate: Path) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    outbound = Outbound(frozenset({"right.example"}), resolve=to_local, tls=trusting, total=0.4)
    begun = time.monotonic()
    with serving(dripping("HTTP/1.1 200 OK\r\n\r\n", "x"), served) as port, pytest.raises(OutboundFailed):
        outbound.get(f"https://right.example:{port}/")
    assert time.monotonic() - begun < 3


def test_a_handshake_that_never_ends_holds_nobody_up() -> None:
    begun = time.monotonic()
    with serving(dripping("", "\x16\x03\x03\x40\x00")) as port, pytest.raises(OutboundFailed):
        Outbound(LOCAL, total=0.4).get(f"https://localhost:{port}/")
    assert time.monotonic() - begun < 3
