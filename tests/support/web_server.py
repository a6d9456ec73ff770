# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A small web server on the loopback, for tests of who asks it."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """What somebody asked; the names of headers are in lower case."""

    method: str
    path: str
    headers: t.Mapping[str, str]
    body: bytes


# Status and text.
Reply = t.Tuple[int, bytes]


@contextmanager
def web_server(
    reply: t.Callable[[Request], Reply], tls: ssl.SSLContext | None = None
) -> t.Iterator[str]:
    """Answer GET and POST by ``reply``, and yield the URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._reply()

        def do_GET(self) -> None:
            self._reply()

        def _reply(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            status, text = reply(Request(self.command, self.path, headers, body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_arguments: t.Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def finish_request(self, request: t.Any, client_address: t.Any) -> None:
            # In the thread of the connection: who shakes no hands does not hold up the others.
            wrapped = tls.wrap_socket(request, server_side=True) if tls else request
            super().finish_request(wrapped, client_address)

        def handle_error(self, request: t.Any, client_address: t.Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def closed_port() -> str:
    """Return a URL where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{bound.getsockname()[1]}"
