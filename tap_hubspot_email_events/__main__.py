"""Runs the tap: `python -m tap_hubspot_email_events`."""

from __future__ import annotations

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

if __name__ == "__main__":
    TapHubSpotEmailEvents.cli()
