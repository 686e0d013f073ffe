"""An application's own little server: keeps what it is sent, and answers as it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl


@dataclass
class Listener:
    """What came in, as (address, form), and with which statuses to answer, one after the other; then 200.

    `bodies` and `headers` are the same as they came; `pages` are what can be read there.
    """

    address: str
    received: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    pages: dict[str, bytes] = field(default_factory=dict)
    before_answer: threading.Event | None = None


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener on a free port of this machine."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if listener.before_answer:
                listener.before_answer.wait(10)
            listener.received.append((self.path, dict(parse_qsl(body))))
            listener.bodies.append(body)
            listener.headers.append(dict(self.headers))
            self.send_response(listener.statuses.pop(0) if listener.statuses else 200)
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200 if self.path in listener.pages else 404)
            self.end_headers()
            self.wfile.write(listener.pages.get(self.path, b""))

        def log_message(self, format: str, *values: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    listener = Listener(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
