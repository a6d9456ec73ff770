# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a host needs for its node to talk TLS to its peers, and whether it may get it now.

A running node never gets other certificates by a deployment: that is left to the playbook
rotate_certs (see rotation.py).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    Layout,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import certificates, x509
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.authority import (
    About,
    Authority,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.certificate_health import (
    PARTS,
    judge,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.certificates import (
    Judged,
    Wanted,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.control_files import Reader

_PLAYBOOK = "run the playbook rotate_certs"
_GIVEN = {part: f"emqx_tls_{part}" for part in ("certificate", "key", "ca")}
_MODE = "0640"


@dataclass(frozen=True)
class TlsPlan:
    """What has to be done on a host for its node to talk TLS.

    ``pending`` tells whether files have to be written before the node starts, ``modes_todo``
    whether others may read them; ``complete`` whether the host has all that it needs; ``renew``
    whether its certificate is not the desired one, be it replaced now or not. ``ca_missing``: the
    CA is yet to be made; ``ca`` is its certificate, or the given ones, as PEM.
    """

    findings: tuple[Finding, ...] = ()
    pending: bool = False
    complete: bool = True
    renew: bool = False
    ca_missing: bool = False
    ca: str = ""
    modes_todo: bool = False
    wanted: Wanted = field(default_factory=Wanted)
    authority: Authority = field(default_factory=Authority)
    observed: t.Mapping[str, str] = field(repr=False, default_factory=dict)

    @property
    def todo(self) -> bool:
        return self.pending or self.modes_todo

    def certificates_role_vars(self) -> Json:
        """Return the variables of the role certificates for a deployment."""
        return self._role_vars(dataclasses.replace(self.wanted, replace=self.pending))

    def rotation_role_vars(self, trust: str, renew: bool) -> Json:
        """Return the same for one step of a rotation.

        ``trust`` is the PEM of the CAs to be trusted, "" for no change; ``renew`` tells whether
        the host gets its certificate in this step.
        """
        wanted = self.wanted
        if not renew:
            wanted = Wanted(
                ca=wanted.ca if trust else "",
                trust=trust,
                owner=wanted.owner,
                group=wanted.group,
                mode=wanted.mode,
            )
        elif not trust:
            wanted = dataclasses.replace(wanted, ca="")
        elif trust != self.ca:
            wanted = dataclasses.replace(wanted, trust=trust)
        return self._role_vars(wanted)

    def _role_vars(self, wanted: Wanted) -> Json:
        return {
            "certificates_ca_dir": self.authority.directory,
            "certificates_ca_name": self.authority.name,
            "certificates_ca_passphrase": self.authority.passphrase,
            "certificates_ca_days": self.authority.days,
            "certificates_days": self.authority.certificate_days,
            "certificates_renew_days": self.authority.renew_days,
            "certificates_wanted": [wanted.as_option()],
            "certificates_found": [dict(self.observed)],
        }


def plan(
    settings: Settings,
    node: Node,
    layout: Layout,
    host: HostState,
    files: Reader,
    now: dt.datetime,
    rotates: bool = False,
) -> TlsPlan:
    """Compare what a host has with what the settings ask for.

    ``files`` reads those of the control node; ``now`` is in UTC without a zone; ``rotates`` tells
    that certificates of running nodes are about to be replaced.
    """
    if not settings.tls:
        return TlsPlan()
    wanted, authority = _wanted(settings, node, layout), _authority(settings)
    renew_days = "emqx_tls_renew_days"
    about = About(node.inventory_host, "emqx_tls_", renew_days, _GIVEN, _PLAYBOOK)
    observed, active = host.certificates, host.service.active
    judged = certificates.judge(wanted, authority, observed, files, now, about)
    complete = all(observed.get(part) for part in PARTS)
    other_ca = x509.authorities(observed.get("ca", "")) != x509.authorities(judged.trust)
    changes = judged.renew or other_ca
    findings = judged.findings
    if complete and changes and active and not rotates and judged.sound:
        findings += tuple(_left_to_rotation(settings, node, observed, judged, other_ca, now, about))
    return TlsPlan(
        findings=findings,
        pending=not complete or (changes and not active),
        complete=complete,
        renew=judged.renew or not complete,
        ca_missing=judged.ca_missing,
        ca=judged.trust,
        modes_todo=not _guarded(wanted, host),
        wanted=wanted,
        authority=authority,
        observed=observed,
    )


def _wanted(settings: Settings, node: Node, layout: Layout) -> Wanted:
    paths = layout.certificates
    return Wanted(
        certificate=paths["certificate"],
        key=paths["key"],
        ca=paths["ca"],
        names=(node.host,),
        owner="root",
        group=layout.user,
        mode=_MODE,
        given_certificate=settings.tls_certificate,
        given_key=settings.tls_key,
        trust=settings.tls_ca,
        given=not settings.own_ca,
    )


def _authority(settings: Settings) -> Authority:
    return Authority(
        directory=settings.tls_ca_dir,
        name=f"EMQX cluster {settings.cluster_name}",
        passphrase=settings.tls_ca_passphrase,
        days=settings.tls_ca_days,
        certificate_days=settings.tls_days,
        renew_days=settings.tls_renew_days,
        needs_passphrase=True,
    )


def _guarded(wanted: Wanted, host: HostState) -> bool:
    """Tell whether mode and group of all files are right; an upgrade or a hand may change them."""
    states = [host.file(path) for path in wanted.files]
    return all(
        state.mode == wanted.mode and wanted.group in (state.group, state.gid) for state in states
    )


def _left_to_rotation(
    settings: Settings,
    node: Node,
    observed: t.Mapping[str, str],
    judged: Judged,
    other_ca: bool,
    now: dt.datetime,
    about: About,
) -> t.Iterator[Finding]:
    """Yield what a running node is to get another way: an error where nothing else may be done."""
    if other_ca:
        yield about.finding(
            "ca_change",
            "emqx_tls_ca_dir" if settings.own_ca else "emqx_tls_ca",
            f"nodes that trust {x509.subjects(judged.trust.encode()) or 'a new CA'}, and no other",
            f"a running one that trusts {x509.subjects(observed['ca'].encode())}",
            f"{_PLAYBOOK}, which replaces the CA without cutting nodes off from one another",
        )
        return
    present = judge(observed, node.host, now)
    variable = "emqx_tls_certificate" if not settings.own_ca else "emqx_tls_renew_days"
    for problem in present:
        words = (problem.expected, problem.found, _PLAYBOOK)
        yield about.finding(problem.code, "emqx_tls_certificate", *words)
    if not present:
        yield about.finding(
            "renew",
            variable,
            "the node to run with the certificate that it is to have",
            f"another one, which ends on {x509.ends(observed['certificate'])}",
            _PLAYBOOK,
            WARNING,
        )
