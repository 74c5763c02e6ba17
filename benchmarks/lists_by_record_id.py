"""200,000 record ids onto one list: at most 30 calls and below 300 MB.

Run it with `python -m benchmarks.lists_by_record_id`.
"""

from __future__ import annotations

import sys

from benchmarks.harness import messages, promise, promise_of_exit, run_target
from tests.hubspot_emulator import HubSpotEmulator, Portal

MEMBERS = 200_000
MAX_CALLS = 30
MAX_MB = 300


def main() -> int:
    """Run the scenario; the exit code says whether the promises are kept."""
    portal = Portal()
    record_ids = portal.add_contacts(MEMBERS)
    properties = {"contact_id": {"type": "integer"}, "cohort_name": {"type": "string"}}
    records = ({"contact_id": int(each), "cohort_name": "Everybody"} for each in record_ids)
    with HubSpotEmulator(portal, burst_limit=190) as hubspot:
        config = {"api_url": hubspot.url, "access_token": hubspot.token, "match_by": "contact_id"}
        measured = run_target(config, messages(properties, records))
        calls = hubspot.calls()
        on_list = len(portal.members("amplitude_Everybody")) if portal.list_names() else 0
    print(measured.log)
    print(f"{MEMBERS:,} record ids in {measured.seconds:.1f} s: {MEMBERS / measured.seconds:,.0f} a second")
    kept = [
        promise_of_exit(measured),
        promise(f"all on the list: {on_list:,}", kept=on_list == MEMBERS),
        promise(f"at most {MAX_CALLS} calls: {calls}", kept=calls <= MAX_CALLS),
        promise(f"below {MAX_MB} MB resident: {measured.peak_mb:.0f}", kept=measured.peak_mb < MAX_MB),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
