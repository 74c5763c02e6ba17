"""A local HubSpot for tests and for trying things out: a real socket, a real state, HubSpot's rules.

    portal = Portal()
    portal.add_list("VIP", members=[portal.add_contact("ada@example.com")])
    with HubSpotEmulator(portal) as hubspot:
        ...  # point a program at hubspot.url with hubspot.token
    assert portal.member_emails("VIP") == {"ada@example.com"}

It is written from HubSpot's documentation and shares no code with the programs that it tests.
"""

from __future__ import annotations

from tests.hubspot_emulator.clocks import StoppedClock
from tests.hubspot_emulator.contact import Contact
from tests.hubspot_emulator.contact_blocks import RecordIds
from tests.hubspot_emulator.credentials import ALL_SCOPES
from tests.hubspot_emulator.emulator import HubSpotEmulator
from tests.hubspot_emulator.lists import HubSpotList
from tests.hubspot_emulator.portal import Portal
from tests.hubspot_emulator.properties import Property
from tests.hubspot_emulator.quirks import Quirks
from tests.hubspot_emulator.traffic import Request

__all__ = [
    "ALL_SCOPES",
    "Contact",
    "HubSpotEmulator",
    "HubSpotList",
    "Portal",
    "Property",
    "Quirks",
    "RecordIds",
    "Request",
    "StoppedClock",
]
