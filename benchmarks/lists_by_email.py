"""60,000 addresses, known, new and mixed, at 100 ms latency and 190 requests per 10 s.

Run it with `python -m benchmarks.lists_by_email [known|new|mixed]`; without a word all three take some five minutes.
At least 90 % of the limit is kept busy, no 429 is drawn, and the calls are those that the documents tell.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from benchmarks.harness import messages, promise, promise_of_exit, run_target
from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBERS = 60_000
BURST_LIMIT = 190  # requests per 10 s
LATENCY = 0.1  # seconds
MIN_BUSY = 0.9
SHARE_KNOWN = {"known": 1.0, "new": 0.0, "mixed": 0.5}


def lines() -> Iterator[str]:
    """The tap's messages."""
    properties = {"email": {"type": "string"}, "cohort_name": {"type": "string"}}
    records = (
        {"email": f"contact{number}@example.com", "cohort_name": "Everybody"} for number in range(MEMBERS)
    )
    return messages(properties, records)


def run(scenario: str) -> bool:
    """Run one scenario and say whether its promises are kept."""
    portal = Portal()
    known = int(MEMBERS * SHARE_KNOWN[scenario])
    portal.add_contacts(known)
    with HubSpotEmulator(portal, burst_limit=BURST_LIMIT, latency=LATENCY) as hubspot:
        measured = run_target({"api_url": hubspot.url, "access_token": hubspot.token}, lines())
        requests = list(hubspot.requests)
        refused = hubspot.calls(status=429)
        on_list = len(portal.members("amplitude_Everybody")) if portal.list_names() else 0
    seconds = requests[-1].time - requests[0].time
    # What the limit would have let through in that time, the interval that is open at the start included.
    share = len(requests) / (BURST_LIMIT * (seconds / 10))
    answered = [request.path for request in requests if request.status is not None]
    lookups = sum("/batch/read" in path for path in answered)
    creates = sum("/batch/create" in path for path in answered)
    most_calls = math.ceil(MEMBERS / 100) + math.ceil((MEMBERS - known) / 100)
    print("\n".join(line for line in measured.log.splitlines() if "| INFO " not in line))
    print(f"\n{scenario}: {MEMBERS:,} addresses in {measured.seconds:.0f} s, {measured.peak_mb:.0f} MB")
    return all(
        [
            promise_of_exit(measured),
            promise(f"all on the list: {on_list:,}", kept=on_list == MEMBERS),
            promise(f"no 429: {refused}", kept=refused == 0),
            promise(f"at least {MIN_BUSY:.0%} of the limit busy: {share:.0%}", kept=share >= MIN_BUSY),
            promise(
                f"at most {most_calls} look-ups and creates: {lookups} + {creates}",
                kept=lookups + creates <= most_calls,
            ),
            promise(
                f"besides at most two calls and those of the list: {len(requests) - lookups - creates}",
                kept=len(requests) - lookups - creates <= 2 + 2 + math.ceil(MEMBERS / 10_000),
            ),
        ]
    )


def main(scenarios: list[str]) -> int:
    """Run the scenarios; the exit code says whether all promises are kept."""
    kept = [run(scenario) for scenario in scenarios or SHARE_KNOWN]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
