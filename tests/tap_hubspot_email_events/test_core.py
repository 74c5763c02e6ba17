"""The SDK's standard tap tests, run on the local HubSpot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from singer_sdk.testing import get_tap_test_class

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from tests.hubspot_emulator import HubSpotEmulator, Portal, StoppedClock
from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.examples import EXAMPLES
from tests.tap_hubspot_email_events.singer import CAMPAIGNS, NOW, OTHER, SETTLED, STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

# The address is known once the emulator runs, which is after the SDK has looked at the settings.
SETTINGS = {"start_date": "2026-10-20", "access_token": "", "api_url": ""}


@pytest.fixture(scope="module", autouse=True)
def _hubspot() -> Iterator[None]:
    portal = Portal(clock=StoppedClock(NOW))
    for event_type, example in EXAMPLES.items():
        fields = {name: value for name, value in example.items() if name not in {"id", "created", "type"}}
        for number in range(3):
            portal.add_event(event_type, SETTLED - 1 - number, typical=False, **fields, planet="Earth")
    portal.add_event("REPLY", SETTLED - 1)
    portal.add_campaign(310_000_001, updated_ms=SETTLED)
    with HubSpotEmulator(portal) as hubspot:
        SETTINGS.update(access_token=hubspot.token, api_url=hubspot.url)
        yield


TestTapHubSpotEmailEvents = get_tap_test_class(
    TapHubSpotEmailEvents,
    config=SETTINGS,
    catalog=selecting(*STREAMS, OTHER, CAMPAIGNS),
    parse_env_config=False,
)
