# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""MQTT clients that go elsewhere when their node does not serve them.

A publisher sends a QoS 1 stream to two subscribers on different nodes: what is acknowledged, what
arrives, and how many clients are connected meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
import typing as t

from mqtt import connect_packet, packet

TOPIC = b"fleet/stream"
PUBACK, PUBLISH, SUBACK = 4, 3, 9
_PAUSE = 0.2
_PING_EVERY = 20.0


class Connection:
    """One connection to a broker."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, address: str, port: int, client_id: str) -> Connection:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 5)
        found = cls(reader, writer)
        found.send(connect_packet(client_id))
        kind, body = await asyncio.wait_for(found.read(), 5)
        if kind != 2 or body[1:2] != b"\x00":
            found.close()
            raise ConnectionError(f"refused: {body!r}")
        return found

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def read(self) -> tuple[int, bytes]:
        """Return the next packet, by its kind; a ping is sent where none comes."""
        while True:
            try:
                head = await asyncio.wait_for(self._reader.readexactly(1), _PING_EVERY)
                break
            except asyncio.TimeoutError:
                self.send(packet(0xC0, b""))
        size, factor, more = 0, 1, 0x80
        while more & 0x80:
            more = (await self._reader.readexactly(1))[0]
            size, factor = size + (more & 0x7F) * factor, factor * 128
        return head[0] >> 4, await self._reader.readexactly(size)

    def close(self) -> None:
        self._writer.close()


class Fleet:
    """Clients ``count`` on the nodes at ``addresses``. ``acknowledged`` are the numbers that a
    broker took over, ``received`` has by subscriber those that came; ``lowest`` is the least
    number of clients that were connected at once after all had been."""

    def __init__(self, addresses: t.Sequence[str], count: int, port: int = 1883) -> None:
        self._addresses, self._port, self._count = list(addresses), port, count
        self._end = threading.Event()
        self._whole = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._online: dict[str, float] = {}
        self.acknowledged: set[int] = set()
        self.received: dict[str, set[int]] = {"first": set(), "last": set()}
        self.lowest = count
        self.longest_gap = 0.0

    def __enter__(self) -> Fleet:
        self._thread.start()
        assert self._whole.wait(60), f"{len(self._online)} of {self._count} clients connected"
        return self

    def __exit__(self, *_ignored: object) -> None:
        self._end.set()
        self._thread.join(30)

    @property
    def lost(self) -> set[int]:
        """What was acknowledged and came to no subscriber."""
        return self.acknowledged - set().union(*self.received.values())

    async def _run(self) -> None:
        rounds = [self._addresses[n % len(self._addresses) :] for n in range(self._count)]
        jobs = [
            self._client(f"c{n}", [*own, *self._addresses], self._idle)
            for n, own in enumerate(rounds[: self._count - 3])
        ]
        # Each of the two keeps to nodes of its own, of which one runs at any time.
        jobs.append(self._client("first", self._addresses[:2], self._subscribe))
        jobs.append(self._client("last", self._addresses[:-3:-1], self._subscribe))
        jobs.append(self._client("publisher", self._addresses, self._publish))
        tasks = [asyncio.create_task(job) for job in jobs]
        while not self._end.is_set():
            await asyncio.sleep(_PAUSE)
            if len(self._online) == self._count:
                self._whole.set()
            if self._whole.is_set():
                self.lowest = min(self.lowest, len(self._online))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _client(
        self,
        name: str,
        addresses: t.Sequence[str],
        work: t.Callable[[str, Connection], t.Awaitable[None]],
    ) -> None:
        """Do the work of a client on one node after the other, for as long as each serves it."""
        left = time.monotonic()
        for address in itertools.cycle(addresses):
            with contextlib.suppress(OSError, EOFError, asyncio.TimeoutError):
                connection = await Connection.open(address, self._port, f"{name}-fleet")
                try:
                    if self._whole.is_set():
                        self.longest_gap = max(self.longest_gap, time.monotonic() - left)
                    self._online[name] = time.monotonic()
                    await work(name, connection)
                finally:
                    self._online.pop(name, None)
                    left = time.monotonic()
                    connection.close()
            await asyncio.sleep(_PAUSE)

    async def _idle(self, _name: str, connection: Connection) -> None:
        while True:
            await connection.read()

    async def _subscribe(self, name: str, connection: Connection) -> None:
        topic = len(TOPIC).to_bytes(2, "big") + TOPIC
        connection.send(packet(0x82, b"\x00\x01" + topic + b"\x01"))
        while True:
            kind, body = await connection.read()
            if kind == PUBLISH:
                rest = body[2 + len(TOPIC) :]
                connection.send(packet(0x40, rest[:2]))
                self.received[name].add(int(rest[2:]))

    async def _publish(self, _name: str, connection: Connection) -> None:
        while True:
            number = max(self.acknowledged, default=0) + 1
            topic = len(TOPIC).to_bytes(2, "big") + TOPIC
            packet_id = (number % 65535 + 1).to_bytes(2, "big")
            connection.send(packet(0x32, topic + packet_id + str(number).encode()))
            kind, body = await asyncio.wait_for(connection.read(), 10)
            while (kind, body[:2]) != (PUBACK, packet_id):
                kind, body = await asyncio.wait_for(connection.read(), 10)
            self.acknowledged.add(number)
            await asyncio.sleep(0.05)
