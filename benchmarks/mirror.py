"""A mirror of many members, half of them on the list already and some to be removed: exact, and in bounded memory.

Run it with `python -m benchmarks.mirror`; `python -m benchmarks.mirror 1000000` takes another number of members.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from benchmarks.harness import messages, promise, promise_of_exit, run_target
from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBERS = 100_000
SHARE_TO_REMOVE = 100  # one in so many of those on the list
MAX_MB = 200

SCENARIOS: dict[str, dict[str, Any]] = {
    "by record id": {"match_by": "contact_id"},
    "by email": {"match_by": "email"},
    "by email, with properties": {
        "match_by": "email",
        "property_mappings": [{"field": "city", "property": "city"}, {"field": "plan", "property": "plan"}],
        "audience_status_property": True,
    },
}


def main() -> int:
    """Run the scenarios; the exit code says whether the promises are kept."""
    members = int(sys.argv[1]) if len(sys.argv) > 1 else MEMBERS
    kept = [_keeps(name, config, members) for name, config in SCENARIOS.items()]
    return 0 if all(kept) else 1


def _keeps(name: str, config: dict[str, Any], members: int) -> bool:
    portal = Portal()
    portal.add_property("plan")
    contacts = portal.add_contacts(members + members // SHARE_TO_REMOVE)
    on_list = [each for number, each in enumerate(contacts) if number % 2 or number >= members]
    portal.add_list("amplitude_Everybody", members=on_list)
    with HubSpotEmulator(portal, burst_limit=100_000) as hubspot:
        measured = run_target(
            {"api_url": hubspot.url, "access_token": hubspot.token, "sync_mode": "mirror", **config},
            _lines(config["match_by"], list(contacts[:members])),
        )
        calls = hubspot.calls()
    print(measured.log)
    print(f"{name}: {members:,} in {measured.seconds:.1f} s, {calls:,} calls, {measured.peak_mb:.0f} MB")
    kept = [
        promise_of_exit(measured),
        promise(
            "the list is the cohort", kept=portal.members("amplitude_Everybody") == set(contacts[:members])
        ),
        promise(f"below {MAX_MB} MB resident: {measured.peak_mb:.0f}", kept=measured.peak_mb < MAX_MB),
    ]
    return all(kept)


def _lines(match_by: str, contacts: list[str]) -> Iterator[str]:
    columns = (match_by, "cohort_name", "cohort_size", "city", "plan")
    records = (
        {
            match_by: f"contact{number}@example.com" if match_by == "email" else contact,
            "cohort_name": "Everybody",
            "cohort_size": len(contacts),
            "city": f"City {number % 5000}",
            "plan": f"plan {number % 3}",
        }
        for number, contact in enumerate(contacts)
    )
    return messages({each: {} for each in columns}, records)


if __name__ == "__main__":
    sys.exit(main())
