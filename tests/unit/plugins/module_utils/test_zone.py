# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dns.zone
import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils import _zone

NOW = 1_795_000_000


class TestSettle:
    RECORDS = (
        {"name": "mq.example.", "type": "NS", "value": "ns1.mq.example."},
        {"name": "ns1.mq.example.", "type": "A", "value": "10.0.0.53"},
        {"name": "mq.example.", "type": "A", "value": "10.0.0.1"},
        {"name": "mq.example.", "type": "A", "value": "10.0.0.2"},
    )

    def test_others_can_read_it(self) -> None:
        text, serial = _zone.settle("", "mq.example", self.RECORDS, 10, NOW)
        zone = dns.zone.from_text(text, "mq.example.", relativize=False)
        soa = zone.get_soa()
        assert (soa.serial, serial, soa.minimum) == (NOW, NOW, 10)
        assert str(soa.mname) == "ns1.mq.example."
        addresses = zone.get_rdataset("mq.example.", "A")
        assert addresses is not None
        assert sorted(str(address) for address in addresses) == ["10.0.0.1", "10.0.0.2"]
        assert addresses.ttl == 10

    def test_nothing_changes_the_serial_but_a_change(self) -> None:
        text, serial = _zone.settle("", "mq.example", self.RECORDS, 10, NOW)
        assert _zone.settle(text, "mq.example", self.RECORDS, 10, NOW + 99) == (text, serial)
        assert _zone.settle(text, "mq.example", self.RECORDS[:-1], 10, NOW + 99)[1] == NOW + 99

    @pytest.mark.parametrize("now", [NOW, NOW - 500])
    def test_it_grows_also_where_the_clock_does_not(self, now: int) -> None:
        text, serial = _zone.settle("", "mq.example", self.RECORDS, 10, NOW)
        assert _zone.settle(text, "mq.example", self.RECORDS[:-1], 10, now)[1] == serial + 1
        assert _zone.settle(text, "mq.example", self.RECORDS, 20, now)[1] == serial + 1
