# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""As much of an MQTT 3.1.1 client as tests need: connect, publish, and see the connection end."""

from __future__ import annotations

import socket
import ssl


class Client:
    """One connection to a broker; ``accepted`` is whether it answered CONNECT with success."""

    def __init__(self, host: str, port: int, *, tls: bool = False, client_id: str = "test") -> None:
        self._socket = socket.create_connection((host, port), timeout=10)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self._socket = context.wrap_socket(self._socket)
        self._socket.sendall(connect_packet(client_id))
        self.accepted = self._socket.recv(4) == b"\x20\x02\x00\x00"

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 0."""
        self._send(0x31 if retain else 0x30, _text(topic.encode()) + payload)

    def is_open(self) -> bool:
        """Tell whether the broker still answers; False as well after an orderly close."""
        try:
            self._send(0xC0, b"")
            return self._socket.recv(2) == b"\xd0\x00"
        except OSError:
            return False

    def close(self) -> None:
        self._socket.close()

    def _send(self, header: int, body: bytes) -> None:
        self._socket.sendall(packet(header, body))


def connect_packet(client_id: str) -> bytes:
    """Return a CONNECT of MQTT 3.1.1 with a clean session."""
    return packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x3c" + _text(client_id.encode()))


def packet(header: int, body: bytes) -> bytes:
    return bytes([header]) + _length(len(body)) + body


def _text(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def _length(size: int) -> bytes:
    head, tail = size % 128, size // 128
    return bytes([head | 0x80]) + _length(tail) if tail else bytes([head])
