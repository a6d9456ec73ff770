# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Try the links from this host to all members of a cluster at once: names, then TCP connections.

Where no node runs yet, throw-away listeners stand in for it. They run in a process of their own
that ends on request, and by itself after a while: whatever happens to the one who
started it, nothing stays. It is found by an abstract socket, which no file system keeps.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import select
import selectors
import socket
import threading
import time
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._host.sockets import listeners
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options, Record

Node = t.Mapping[str, t.Any]

# Kinds of connections between nodes, and the key of the topology that has their port.
PORTS: t.Mapping[str, str] = {"distribution": "dist_port", "rpc": "rpc_port"}

# Of the module cluster_probe.
OPTIONS: Options = {
    "state": {"type": "str", "choices": ["probed", "listening", "closed"], "default": "probed"},
    "node": {"type": "str", "required": True},
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "ipv6": {"type": "bool", "default": False},
    "timeout": {"type": "float", "default": 3},
    "seconds": {"type": "float", "default": 120},
    "expected_peers": {"type": "int", "default": 0},
}

# Seconds for which hosts that try the links at the same time wait for one another's listeners. They
# are some tenths apart; where it was too short, the links are tried again.
_OVERLAP = 2.0
_AGAIN = 0.05

_STATES: t.Mapping[int, str] = {
    0: "open",
    # Closed by the other end before it was looked at.
    errno.ECONNRESET: "open",
    errno.ECONNREFUSED: "refused",
    errno.EHOSTUNREACH: "no_route",
    errno.ENETUNREACH: "no_route",
}


def read(params: Record) -> Json:
    """Return the answer of the module; raise InputError where ``node`` is none of the nodes."""
    own = [node for node in params["nodes"] if node["name"] == params["node"]]
    if not own:
        raise InputError(
            f"Expected the own node among the nodes, found {params['node']} in none of them.",
            node=params["node"],
        )
    ports = [own[0][key] for key in PORTS.values()]
    if params["state"] == "listening":
        busy = listen(ports, params["ipv6"], params["seconds"], params["expected_peers"])
        return {"busy": {str(port): reason for port, reason in busy.items()}}
    if params["state"] == "closed":
        return {"closed": close(ports)}
    nodes, ipv6, timeout = params["nodes"], params["ipv6"], params["timeout"]
    return {"probe": probe(nodes, params["node"], ipv6, timeout)}


def probe(nodes: t.Sequence[Node], own: str, ipv6: bool, timeout: float) -> Json:
    """Return how this host reaches the nodes; ``own`` is the name of the one that lives here.

    ``nodes`` are those of the topology (name, host, dist_port, rpc_port). The result has

    * ``resolved``: the addresses of each host part of a name, as this host finds them;
    * ``links``: for each other node and port ``to``, ``kind``, ``port``, ``address`` and
      ``state``, one of ``open``, ``refused``, ``filtered``, ``no_route`` and ``unresolved``;
    * ``own_address_local``: whether the own name leads to this host;
    * ``listening``: who listens on the own node's ports, by port.
    """
    resolved = resolve([node["host"] for node in nodes], ipv6, timeout + 2)
    here = next((node for node in nodes if node["name"] == own), None)
    links = [
        {
            "to": node["name"],
            "kind": kind,
            "port": node[key],
            "address": next(iter(resolved[node["host"]]), ""),
        }
        for node in nodes
        for kind, key in PORTS.items()
    ]
    states = dial([(link["address"], link["port"]) for link in links if link["address"]], timeout)
    for link in links:
        link["state"] = states.get((link["address"], link["port"]), "unresolved")
    return {
        "node": own,
        "resolved": resolved,
        "links": links,
        "own_address_local": here is None
        or all(is_local(address) for address in resolved[here["host"]]),
        "listening": {
            str(port): holder
            for port, holder in listeners(
                {here[key] for key in PORTS.values()} if here else ()
            ).items()
        },
    }


def retry(links: t.Sequence[Json]) -> bool:
    """Try the links of a probe that were refused until listeners are there; tell whether all are
    open. Each end counts its peers, so what is open is not tried again."""
    deadline = time.monotonic() + _OVERLAP
    while time.monotonic() < deadline:
        refused = [link for link in links if link["state"] == "refused"]
        if not refused:
            break
        states = dial([(link["address"], link["port"]) for link in refused], _OVERLAP)
        for link in refused:
            link["state"] = states[link["address"], link["port"]]
        time.sleep(_AGAIN)
    return all(link["state"] == "open" for link in links)


def resolve(hosts: t.Iterable[str], ipv6: bool, timeout: float) -> dict[str, list[str]]:
    """Return the addresses of all hosts; none for what has no answer within ``timeout`` seconds.

    All are asked at the same time, so a dead name server costs its delay only once.
    """
    found: dict[str, list[str]] = {host: [] for host in hosts}
    # The C library's resolver cannot be interrupted: what is late is left to itself.
    threads = [
        threading.Thread(target=_resolve, args=(host, ipv6, found), daemon=True) for host in found
    ]
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(found)


def _resolve(host: str, ipv6: bool, found: dict[str, list[str]]) -> None:
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    try:
        answers = socket.getaddrinfo(host, None, family, socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return
    found[host] = list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def is_local(address: str) -> bool:
    """Tell whether an address is one of this host's: only those can be bound to."""
    with socket.socket(_family(address)) as trial:
        try:
            trial.bind((address, 0))
        except OSError:
            return False
    return True


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET


def dial(targets: t.Iterable[tuple[str, int]], timeout: float) -> dict[tuple[str, int], str]:
    """Return how connections to all (address, port) fare, tried at the same time."""
    states: dict[tuple[str, int], str] = {}
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as pending:
        for target in dict.fromkeys(targets):
            connection = socket.socket(_family(target[0]))
            connection.setblocking(False)
            code = connection.connect_ex(target)
            if code == errno.EINPROGRESS:
                pending.register(connection, selectors.EVENT_WRITE, target)
            else:
                states[target] = _state(code)
                connection.close()
        while pending.get_map() and time.monotonic() < deadline:
            for key, _event in pending.select(deadline - time.monotonic()):
                connection = t.cast("socket.socket", key.fileobj)
                states[key.data] = _state(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
                pending.unregister(connection)
                connection.close()
        for key in list(pending.get_map().values()):
            states[key.data] = "filtered"
            t.cast("socket.socket", key.fileobj).close()
    return states


def _state(code: int) -> str:
    # Such as EPERM, which a rule for outgoing packets of this host causes.
    return _STATES.get(code, "filtered")


def listen(
    ports: t.Sequence[int], ipv6: bool, seconds: float, expected_peers: int = 0
) -> dict[int, str]:
    """Listen on ports for at most ``seconds``, in a process of its own; return the busy ones.

    Busy ports, with the reason, are left alone and the others listened on. An earlier listener
    for the same ports is ended first. With ``expected_peers``, it ends once
    so many came to each port.
    """
    close(ports)
    sockets, busy = _open(ports, ipv6)
    if sockets:
        control = socket.socket(socket.AF_UNIX)
        control.bind(_control(ports))
        control.listen(8)
        _detach(lambda: _serve(sockets, control, seconds, expected_peers))
        control.close()
    for opened in sockets:
        opened.close()
    return busy


def close(ports: t.Sequence[int]) -> bool:
    """End the listener for these ports, and tell whether there was one; its ports are free then."""
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(5)
        try:
            control.connect(_control(ports))
            # It closes its end last of all.
            control.recv(1)
        except OSError:
            return False
    return True


def _control(ports: t.Sequence[int]) -> str:
    return f"\0mqttops.emqx.cluster_probe.{'-'.join(map(str, sorted(ports)))}"


def _open(ports: t.Sequence[int], ipv6: bool) -> tuple[list[socket.socket], dict[int, str]]:
    sockets: list[socket.socket] = []
    busy: dict[int, str] = {}
    for port in ports:
        opened = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind(("", port))
            opened.listen(128)
        except OSError as error:
            busy[port] = error.strerror or str(error)
            opened.close()
            continue
        sockets.append(opened)
    return sockets, busy


def _detach(work: t.Callable[[], None]) -> None:
    """Do the work in a process that belongs to no session of the caller's and holds none of its
    files open, so that the caller's connection can end."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            os.chdir("/")
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            work()
    finally:
        # Not sys.exit: what the caller has open and will clean up is none of this process's.
        os._exit(0)


def _serve(
    sockets: t.Sequence[socket.socket], control: socket.socket, seconds: float, expected_peers: int
) -> None:
    deadline = time.monotonic() + seconds
    came = dict.fromkeys(sockets, 0)
    while time.monotonic() < deadline and not 0 < expected_peers <= min(came.values()):
        ready, _write, _error = select.select(
            [*sockets, control], [], [], max(0.0, deadline - time.monotonic())
        )
        for opened in ready:
            connection, _peer = opened.accept()
            if opened is control:
                for each in (*sockets, control):
                    each.close()
                connection.close()
                return
            connection.close()
            came[opened] += 1
