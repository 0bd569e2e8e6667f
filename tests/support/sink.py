"""Somebody's web server in a thread, for clients that are no coroutines: takes what it is sent."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Sink(ThreadingHTTPServer):
    """Answers one in four with 500. `arrived` are the ids of webhooks and the paths of uploads."""

    daemon_threads = True

    def __init__(self, luck: random.Random) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.luck = luck
        self.arrived: set[str] = set()

    @property
    def rule(self) -> str:
        """What `webhooks.allow` has to say, so that it is reached."""
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """The sender was killed."""


class _Handler(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        answer = 500 if self.server.luck.random() < 0.25 else 204
        if answer == 204:
            self.server.arrived.add(self.headers.get("webhook-id", self.path))
        self.send_response(answer)
        self.send_header("content-length", "0")
        self.end_headers()

    do_PUT = do_POST

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def sink(luck: random.Random) -> Iterator[Sink]:
    with Sink(luck) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
