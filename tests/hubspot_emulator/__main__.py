"""`python -m tests.hubspot_emulator`: a HubSpot portal on loopback to try things out on, until Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hubspot_emulator.emulator import HubSpotEmulator
from tests.hubspot_emulator.seed import seeded_portal

if TYPE_CHECKING:
    from argparse import Namespace

LARGEST_PORT = 65_535


def main() -> int:
    """Serve until told to stop."""
    settings = _settings()
    # Waited for, not handled: a handler that sets an Event hangs if a second signal comes before it is done.
    stop = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    with _start(settings) as hubspot:
        _say(hubspot)
        if settings.ready_file is not None:
            _write_ready_file(settings.ready_file, hubspot)
        signal.sigwait(stop)
        if settings.ready_file is not None:
            settings.ready_file.unlink(missing_ok=True)
    print("Stopped.")
    return 0


def _settings() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.hubspot_emulator", description=__doc__)
    parser.add_argument(
        "--port", type=port, default=0, help="port to listen on; 0, or a taken one, picks a free one"
    )
    parser.add_argument("--burst", type=int, help="requests per ten seconds; without it there is no limit")
    parser.add_argument("--daily", type=int, help="requests per day")
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds before every answer")
    parser.add_argument(
        "--ready-file", type=Path, help="where to write url, token and pid as JSON once it listens"
    )
    return parser.parse_args()


def port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= LARGEST_PORT:
        raise ValueError(text)
    return number


def _start(settings: Namespace) -> HubSpotEmulator:
    """Start on the port asked for, or on another if that one is taken."""
    portal = seeded_portal()
    limits = {"burst_limit": settings.burst, "daily_limit": settings.daily}
    hubspot = HubSpotEmulator(portal, latency=settings.latency / 1000, port=settings.port, **limits)
    try:
        return hubspot.start()
    except OSError as error:
        print(f"Port {settings.port} cannot be had ({error.strerror}): taking a free one.", file=sys.stderr)
        return HubSpotEmulator(portal, latency=settings.latency / 1000, **limits).start()


def _say(hubspot: HubSpotEmulator) -> None:
    portal = hubspot.portal
    print(f"A local HubSpot: {len(portal.contacts)} contacts, two lists, {len(portal.events)} email events.")
    print(f"URL:    {hubspot.url}")
    print(f"Token:  {hubspot.token}")
    print("Try:    set api_url and access_token to these two, and run a tap or a target against it.")
    print(f"Look:   curl {hubspot.url}/__portal__/lists")
    print("Stop:   Ctrl-C", flush=True)


def _write_ready_file(path: Path, hubspot: HubSpotEmulator) -> None:
    """Write it in one go, so that who waits for it never reads half."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    told = {"url": hubspot.url, "token": hubspot.token, "pid": os.getpid()}
    unfinished.write_text(json.dumps(told), encoding="utf-8")
    unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
