"""60,000 members by a unique property of the portal's own, and with two fallbacks: what they cost in calls.

Run it with `python -m benchmarks.lists_by_property [property|fallbacks]`; without a word both take some minutes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from benchmarks.harness import messages, promise, promise_of_exit, run_target
from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBERS = 60_000
# With fallbacks: so many are found by their number, and so many of the others by their record id; of those who are left
# so many are found by their address, and contacts are created for the rest.
BY_NUMBER, BY_RECORD_ID, BY_ADDRESS = 40_000, 15_000, 4_000
COLUMNS = ("customer_id", "contact_id", "email", "cohort_name")
NO_LIMIT = 10_000_000  # requests per 10 s
MOST_MB = 200

PROPERTY: dict[str, Any] = {"match_by": "property", "match_property": "customer_id"}
SCENARIOS: dict[str, dict[str, Any]] = {
    "property": PROPERTY,
    "fallbacks": PROPERTY | {"match_fallbacks": [{"match_by": "contact_id"}, {"match_by": "email"}]},
}


def people(portal: Portal, scenario: str) -> Iterator[dict[str, str]]:
    """Add the contacts to the portal, and yield the record of each member."""
    for number in range(MEMBERS):
        # Record ids begin far above: this one is nobody's.
        value, address, record_id = f"A-{number}", f"p{number}@example.com", str(number + 1)
        if scenario == "property" or number < BY_NUMBER:
            portal.add_contact(customer_id=value)
        elif number < BY_NUMBER + BY_RECORD_ID:
            record_id = portal.add_contact()
        elif number < BY_NUMBER + BY_RECORD_ID + BY_ADDRESS:
            portal.add_contact(address)
        yield dict(zip(COLUMNS, (value, record_id, address, "Everybody"), strict=True))


def look_ups_and_creates(scenario: str) -> int:
    """Return how many calls a hundred members each take: for each identifier those whom the ones before left over."""
    if scenario == "property":
        return MEMBERS // 100
    without_number = MEMBERS - BY_NUMBER
    without_record_id = without_number - BY_RECORD_ID
    return (MEMBERS + without_number + without_record_id + without_record_id - BY_ADDRESS) // 100


def run(scenario: str) -> bool:
    """Run one scenario and say whether its promises are kept."""
    portal = Portal()
    portal.add_property("customer_id", unique=True)
    records = list(people(portal, scenario))
    properties = {column: {"type": "string"} for column in COLUMNS}
    with HubSpotEmulator(portal, burst_limit=NO_LIMIT) as hubspot:
        config = {"api_url": hubspot.url, "access_token": hubspot.token, **SCENARIOS[scenario]}
        measured = run_target(config, messages(properties, records))
        calls = hubspot.calls()
        on_list = len(portal.members("amplitude_Everybody")) if portal.list_names() else 0
    # Account details, scopes, the portal's properties, the look-up of the list and its making, 10,000 members a call.
    others = 5 + -(-MEMBERS // 10_000)
    most = look_ups_and_creates(scenario) + others
    print(f"\n{scenario}: {MEMBERS:,} members in {measured.seconds:.0f} s")
    return all(
        [
            promise_of_exit(measured),
            promise(f"all on the list: {on_list:,}", kept=on_list == MEMBERS),
            promise(
                f"at most {most} calls, {others} of them for the run and its list: {calls}",
                kept=calls <= most,
            ),
            promise(f"below {MOST_MB} MB resident: {measured.peak_mb:.0f}", kept=measured.peak_mb < MOST_MB),
        ]
    )


def main(scenarios: list[str]) -> int:
    """Run the scenarios; the exit code says whether all promises are kept."""
    kept = [run(scenario) for scenario in scenarios or SCENARIOS]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
