from __future__ import annotations

import time

from hubspot_singer.http import SystemClock


def test_the_systems_clock_tells_the_time_and_waits() -> None:
    clock = SystemClock()
    before = clock.monotonic()

    clock.sleep(0.005)

    assert 0.004 < clock.monotonic() - before < 5
    assert abs(clock.time() - time.time()) < 5
