# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Where EMQX reads the token and the CA of the Kubernetes API; no setting leads elsewhere.

Source: ekka_cluster_k8s.erl of ekka 0.13 to 0.23 (EMQX 5.0 to 6.3).
"""

from __future__ import annotations

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
