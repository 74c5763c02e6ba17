"""A portal whose time stands still, the local HubSpot that serves it, and the tap in this process."""

from __future__ import annotations

import io
import json
import logging
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hubspot_singer.http import HubSpotError
from hubspot_singer.plugin.errors import RunEnded
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from tests.clocks import FakeClock
from tests.hubspot_emulator import Portal, StoppedClock
from tests.tap_hubspot_email_events.singer import NOW, Output

if TYPE_CHECKING:
    from tests.hubspot_emulator import HubSpotEmulator


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOW)


@pytest.fixture
def portal(clock: StoppedClock) -> Portal:
    return Portal(clock=clock)


@dataclass
class TapRunner:
    """Runs the tap in this process against a HubSpot; its waits cost no time."""

    hubspot: HubSpotEmulator
    caplog: pytest.LogCaptureFixture
    clock: FakeClock

    def __call__(
        self, *, state: dict[str, Any] | None = None, catalog: dict[str, Any] | None = None, **settings: Any
    ) -> Output:
        """Run once, by default from a month before now on."""
        config = {
            "api_url": self.hubspot.url,
            "access_token": self.hubspot.token,
            "start_date": "2026-10-20",
            **settings,
        }
        self.caplog.clear()
        written = io.StringIO()
        with redirect_stdout(written), self.caplog.at_level(logging.INFO):
            exit_code, words = self._run({k: v for k, v in config.items() if v is not None}, state, catalog)
        messages = [json.loads(line) for line in written.getvalue().splitlines()]
        log = "\n".join(f"{record.levelname} {record.getMessage()}" for record in self.caplog.records)
        return Output(messages, exit_code, words, log)

    def _run(
        self, config: dict[str, Any], state: dict[str, Any] | None, catalog: dict[str, Any] | None
    ) -> tuple[int, str]:
        try:
            tap = TapHubSpotEmailEvents(config=config, state=state, catalog=catalog, clock=self.clock)
            tap.sync_all()
        except RunEnded as ended:
            return int(ended.code or 0), ended.last_words
        except HubSpotError as error:
            return 1, str(error)
        return 0, ""


@pytest.fixture
def run_tap(hubspot: HubSpotEmulator, caplog: pytest.LogCaptureFixture) -> TapRunner:
    return TapRunner(hubspot, caplog, FakeClock(now=NOW))
