# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Lab hosts for demo and scenarios: Debian with systemd, reached by SSH."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from . import image, labs, recipe, setup
from .engine import Engine
from .errors import LabError
from .labs import Lab

CACHE = Path(__file__).resolve().parents[3] / ".cache/lab"
DEFAULT_LAB = "demo"


def do_setup(_arguments: argparse.Namespace) -> None:
    """Install this machine's missing packages."""
    installed = setup.install(recipe.packages(image.PACKAGES, "machine"))
    if installed:
        print(f"lab: installed {' '.join(installed)}")


def do_image(_arguments: argparse.Namespace) -> None:
    """Build the host image unless it is there."""
    engine = Engine(CACHE)
    with engine.locked():
        try:
            name = image.ensure(engine)
        finally:
            # With no lab up nothing else would remove the mounts that podman needed.
            if engine.is_up() and not labs.existing(engine):
                engine.teardown()
    print(name)


def do_up(args: argparse.Namespace) -> None:
    """Bring a lab up and print its hosts."""
    lab = Lab(Engine(CACHE), args.name)
    for host in lab.up(args.hosts, args.ipv6):
        print(f"{host.name:<5} {host.address:<15} {host.address6 or '':<24} {host.fqdn}".rstrip())
    print(f"inventory: {lab.state / 'hosts.yml'}")


def do_down(args: argparse.Namespace) -> None:
    """Remove one lab or all."""
    labs.down(Engine(CACHE), None if args.all else args.name)


def do_clean(_arguments: argparse.Namespace) -> None:
    """Remove all labs and the image."""
    engine = Engine(CACHE)
    labs.down(engine, None)
    with engine.locked():
        shutil.rmtree(engine.home, ignore_errors=True)


def do_restart(args: argparse.Namespace) -> None:
    """Reboot one host."""
    Lab(Engine(CACHE), args.name).restart(args.host)


def do_exec(args: argparse.Namespace) -> None:
    """Run a command on a host as root; this process becomes it."""
    engine = Engine(CACHE)
    lab = Lab(engine, args.name)
    if not engine.is_up():
        raise LabError("no lab is up; start one with: lab.py up")
    lab.require(args.host)
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    command = ["exec", "--interactive", *terminal, lab.container(args.host), *args.command]
    argv = engine.argv(*command)
    os.execvpe(argv[0], argv, engine.environment)


def do_status(_arguments: argparse.Namespace) -> None:
    """Print what exists."""
    engine = Engine(CACHE)
    print(f"measures for this machine: {engine.measures.describe()}")
    for name in labs.existing(engine) if engine.is_up() else []:
        lab = Lab(engine, name)
        nets = lab.subnets()
        print(f"lab {name}: {nets.v4 if nets else 'no network'}")
        for host, state in lab.containers().items():
            address = lab.host(host, nets).address if nets else ""
            print(f"  {host:<5} {address:<15} {state}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="lab.py", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    named = argparse.ArgumentParser(add_help=False)
    named.add_argument("--name", default=DEFAULT_LAB, help="the lab (default: %(default)s)")

    def add(name: str, run: object, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=run.__doc__, parents=list(parents))
        command.set_defaults(run=run)
        return command

    add("setup", do_setup)
    add("image", do_image)
    up = add("up", do_up, named)
    up.add_argument("--hosts", type=int, default=3, help="n1..nN (default: %(default)s)")
    up.add_argument("--ipv6", action="store_true", help="give the hosts IPv6 addresses too")
    down = add("down", do_down, named)
    down.add_argument("--all", action="store_true", help="every lab of this checkout")
    add("clean", do_clean)
    add("restart", do_restart, named).add_argument("host")
    execute = add("exec", do_exec, named)
    execute.add_argument("host")
    execute.add_argument("command", nargs="+")
    add("status", do_status)
    return top


def main() -> int:
    """Run one command; an error of the lab is one message and code 1."""
    args = parser().parse_args()
    try:
        if args.run is not do_setup:
            setup.require_root("run labs")
        args.run(args)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; lab.py down removes what was begun", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
