# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Backups of clusters: how they are named, what they say of themselves, which ones go, and what
speaks against bringing one back."""

from __future__ import annotations

import datetime as dt
import json
import re
import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import compare
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Texts

FORMAT = 1
MANIFEST, DATA = "manifest.json", "data.tar.gz"
ENCRYPTED = ".vault"
_SUBJECT = "emqx_restore_from"
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself. ``made`` is a time such as 20261201T060000Z; ``nodes`` are the
    hosts whose files are in it; ``holds`` counts the records of the cluster by kind, ``roots`` are
    the root keys of cluster.hocon; ``files`` maps the names of its files to their SHA-256."""

    cluster: str
    made: str
    version: str
    edition: str
    nodes: Texts = ()
    holds: t.Mapping[str, int] = field(default_factory=dict)
    roots: Texts = ()
    files: t.Mapping[str, str] = field(default_factory=dict)

    def as_text(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, sort_keys=True) + "\n"


def read_manifest(text: str) -> Manifest:
    """Return the manifest in a text; raise InputError for anything else."""
    try:
        given = json.loads(text)
        if given["format"] != FORMAT:
            raise InputError(
                f"expected a backup of format {FORMAT}, found {given['format']}: bring it back "
                "with a newer version of this collection"
            )
        return Manifest(
            cluster=str(given["cluster"]),
            made=str(given["made"]),
            version=str(given["version"]),
            edition=str(given["edition"]),
            nodes=tuple(map(str, given["nodes"])),
            holds={str(kind): int(count) for kind, count in given["holds"].items()},
            roots=tuple(map(str, given["roots"])),
            files={str(name): str(found) for name, found in given["files"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"expected the manifest of a backup, found something else: {error}"
        ) from None


def stamp(now: dt.datetime) -> str:
    return now.strftime(_STAMP)


def file_name(cluster: str, made: str, encrypted: bool) -> str:
    """Return the name of a backup.

    >>> file_name("emqxcl", "20261201T060000Z", True)
    'emqx-emqxcl-20261201T060000Z.tar.vault'
    """
    return f"emqx-{cluster}-{made}.tar{ENCRYPTED if encrypted else ''}"


def of_cluster(names: t.Iterable[str], cluster: str) -> list[str]:
    """Return the backups of a cluster among the names in a folder, the newest first."""
    name, end = re.escape(cluster), re.escape(ENCRYPTED)
    form = re.compile(rf"emqx-{name}-(\d{{8}}T\d{{6}}Z)\.tar(?:{end})?")
    found = [(match[1], match[0]) for match in map(form.fullmatch, names) if match]
    return [name for _made, name in sorted(found, reverse=True)]


def surplus(names: t.Iterable[str], cluster: str, keep: int) -> list[str]:
    """Return the backups of a cluster that go where ``keep`` of them stay; 0 keeps all."""
    return of_cluster(names, cluster)[keep:] if keep else []


def damaged(manifest: Manifest, sums: t.Mapping[str, str]) -> list[str]:
    """Return the files of a backup that are missing or not what they were."""
    return sorted(name for name, known in manifest.files.items() if sums.get(name) != known)


def findings(
    manifest: Manifest, version: str, edition: str, held: t.Sequence[str], overwrite: bool
) -> t.Iterator[Finding]:
    """Yield what speaks against bringing a backup back to a cluster.

    ``version`` and ``edition`` are those of the cluster; ``held`` is in words what it holds.
    """
    made = f"a backup of EMQX {manifest.version} ({manifest.edition})"
    # EMQX leaves the patch release out of it.
    line = ".".join(version.split(".")[:2])
    if compare(".".join(manifest.version.split(".")[:2]) + ".0", f"{line}.0") > 0:
        yield Finding(
            "backup_newer",
            f"a backup of EMQX {line} or older, as no node takes in what a newer one wrote",
            made,
            f"bring the cluster to {manifest.version} first, or choose an older backup",
            subject=_SUBJECT,
        )
    if manifest.edition == "enterprise" and edition == "opensource":
        yield Finding(
            "backup_edition",
            "a backup of the cluster's own edition, opensource",
            made,
            "bring it back to a cluster of the edition enterprise (emqx_edition)",
            subject=_SUBJECT,
        )
    if held and not overwrite:
        yield Finding(
            "would_overwrite",
            "a cluster that holds nothing yet, as what the backup has takes the place of what has "
            "the same name",
            ", ".join(held),
            "make a backup first, then set emqx_restore_overwrite to true; what the backup does "
            "not have stays",
            subject="emqx_restore_overwrite",
        )


def facts_of(exported: Record) -> dict[str, t.Any]:
    """Return what the module node_data said of an export, as fields of a manifest."""
    return {
        "version": str(exported["version"]),
        "edition": str(exported["edition"]),
        "holds": {str(kind): int(count) for kind, count in exported["holds"].items()},
        "roots": tuple(map(str, exported["roots"])),
    }
