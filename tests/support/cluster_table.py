# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Print what every node of a lab says of its cluster; exit code 1 unless all see all."""

from __future__ import annotations

import sys

from lab_hosts import Lab


def main() -> int:
    lab = Lab(sys.argv[1])
    wanted = sorted(lab.node_name(host) for host in lab.addresses)
    rows = [("HOST", "NODE", "SYSTEM", "VERSION", "SEES RUNNING", "STOPPED", "COMPLETE")]
    complete = True
    descriptions: set[str] = set()
    for host in lab.addresses:
        broker: dict[str, str] = {}
        for line in lab.emqx(host, "ctl", "broker").stdout.splitlines():
            key, _colon, value = line.partition(":")
            broker[key.strip()] = value.strip()
        view = lab.view(host)
        whole = view["running_nodes"] == wanted and not view["stopped_nodes"]
        complete = complete and whole
        descriptions.add(broker.get("sysdescr", "?"))
        rows.append(
            (
                host,
                lab.node_name(host),
                broker.get("sysdescr", "?"),
                broker.get("version", "?"),
                f"{len(view['running_nodes'])} of {len(wanted)}",
                str(len(view["stopped_nodes"])),
                "yes" if whole else "NO",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    served = "The stand-in node served; give EMQX_PACKAGE=FILE|URL for a vendor package."
    print(served if any("stand-in" in text for text in descriptions) else "EMQX itself served.")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
