"""A report of a million members costs at most 150 MB above the same run without one.

Run it with `python -m benchmarks.report_memory`; it takes some two minutes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness import messages, promise, run_target
from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.harness import Measured

MEMBERS = 1_000_000
MAX_MORE_MB = 150


def lines(record_ids: range) -> Iterator[str]:
    """The tap's messages: all of these ids in one cohort."""
    properties = {"contact_id": {"type": "integer"}, "cohort_name": {"type": "string"}}
    return messages(properties, ({"contact_id": each, "cohort_name": "Everybody"} for each in record_ids))


def measured(**config: object) -> Measured:
    """Run once on a portal that knows everybody."""
    portal = Portal()
    first = int(portal.add_contacts(MEMBERS)[0])
    with HubSpotEmulator(portal) as hubspot:
        settings = {"api_url": hubspot.url, "access_token": hubspot.token, "match_by": "contact_id"}
        return run_target(settings | config, lines(range(first, first + MEMBERS)))


def main() -> int:
    """Run both; the exit code says whether the promise is kept."""
    plain = measured()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.jsonl")
        reported = measured(report_path=str(path), report_members="all")
        with path.open() as report:
            told = sum('"kind":"member"' in line for line in report)
    print(f"{MEMBERS:,} members: {plain.peak_mb:.0f} MB and {plain.seconds:.0f} s without a report")
    print(f"{MEMBERS:,} members: {reported.peak_mb:.0f} MB and {reported.seconds:.0f} s with one")
    kept = [
        promise(
            f"exit codes 0: {plain.exit_code}, {reported.exit_code}",
            kept=not plain.exit_code + reported.exit_code,
        ),
        promise(f"a line for each member: {told:,}", kept=told == MEMBERS),
        promise(
            f"at most {MAX_MORE_MB} MB more: {reported.peak_mb - plain.peak_mb:.0f}",
            kept=reported.peak_mb - plain.peak_mb <= MAX_MORE_MB,
        ),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
