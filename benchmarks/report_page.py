"""A page of 100,000 member lines and 500 lists: under 15 s of a core, under 300 MB, and a page of less than 5 MB.

Run it with `python -m benchmarks.report_page`; it takes some twenty seconds.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness import MEGABYTE, measured, promise
from tests.target_hubspot_lists.report_page.lines import list_line, member_line, run_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MEMBERS, LISTS, RUNS = 100_000, 500, 12
MAX_SECONDS, MAX_MB, MAX_PAGE_MB = 15, 300, 5
MESSAGE = "Property values were not valid: Email address person@example.con is invalid"


def lines() -> Iterator[dict[str, Any]]:
    """Yield what a dozen runs of 500 lists say; the last of them names everybody."""
    for run in range(1, RUNS + 1):
        if run == RUNS:
            for number in range(MEMBERS):
                of_list = f"Segment {number % LISTS}"
                yield member_line(
                    f"person{number}@example{number % 97}.com",
                    run=run,
                    name=of_list,
                    list_id=str(number % LISTS),
                    outcome="rejected" if number % 3 else "missing",
                    reason="refused_by_hubspot" if number % 3 else None,
                    message=MESSAGE if number % 3 else None,
                )
        missing = MEMBERS // LISTS
        for number in range(LISTS):
            yield list_line(
                run=run, name=f"Segment {number}", list_id=str(number), added=500, removed=20, missing=missing
            )
        yield run_line(run=run)


def main() -> int:
    """Make the page; the exit code says whether the promises are kept."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report, page = folder / "report.jsonl", folder / "page.html"
        with report.open("w") as file:
            file.writelines(f"{json.dumps(line)}\n" for line in lines())
        command = [sys.executable, "-m", "target_hubspot_lists.report_page.command"]
        made = measured([*command, "--report", str(report), "--output", str(page), "--show-members"], folder)
        if made.exit_code:
            print(made.log)
            return 1
        page_mb = page.stat().st_size / MEGABYTE
        rows = (folder / "page-members.csv").read_bytes().count(b"\r\n") - 1
    kept = [
        promise(
            f"under {MAX_SECONDS} s of a core: {made.processor_seconds:.1f} (in {made.seconds:.1f} s)",
            kept=made.processor_seconds < MAX_SECONDS,
        ),
        promise(f"under {MAX_MB} MB of memory: {made.peak_mb:.0f}", kept=made.peak_mb < MAX_MB),
        promise(f"a page of less than {MAX_PAGE_MB} MB: {page_mb:.1f}", kept=page_mb < MAX_PAGE_MB),
        promise(f"every member in the CSV file: {rows:,}", kept=rows == MEMBERS),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
