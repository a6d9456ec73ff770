# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A small name server on the loopback, for tests of who asks it."""

from __future__ import annotations

import socket
import threading
import typing as t
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.rrset

Zone = t.Dict[t.Tuple[str, str], t.List[str]]


@contextmanager
def name_server(zone: Zone, address: str = "127.0.0.1", port: int = 0) -> t.Iterator[int]:
    """Answer with the records of a zone, (absolute name, type) -> texts, and yield the port.

    What is changed in the zone counts from then on. Names below ``broken.`` fail.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((address, port))
        listening.settimeout(0.1)
        end = threading.Event()
        thread = threading.Thread(target=_serve, args=(listening, zone, end))
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            end.set()
            thread.join()


def _serve(listening: socket.socket, zone: Zone, end: threading.Event) -> None:
    while not end.is_set():
        try:
            question, peer = listening.recvfrom(4096)
        except TimeoutError:
            continue
        listening.sendto(_reply(question, zone), peer)


def _reply(question: bytes, zone: Zone) -> bytes:
    query = dns.message.from_wire(question)
    answer = dns.message.make_response(query)
    name, kind = str(query.question[0].name), query.question[0].rdtype.name
    records = zone.get((name, kind))
    if records:
        answer.answer.append(dns.rrset.from_text(name, 10, "IN", kind, *records))
    elif name.startswith("broken."):
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif not any(name == known for known, _kind in zone):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer.to_wire()
