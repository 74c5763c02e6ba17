"""Records a second of the tap, which reads them over HTTP, beside a plain SDK stream, which has them already.

Both are measured in user CPU seconds, so that what else the machine does makes little difference, one after the
other in one run, start-up left out.
Run it with `python -m benchmarks.email_event_speed`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream, Tap

from benchmarks.email_event_memory import a_day
from benchmarks.email_events import served, tap_run
from benchmarks.harness import measured, promise
from tap_hubspot_email_events.columns import EVENT_KEY, schema_of
from tap_hubspot_email_events.events import IDENTITY, EventParser
from tap_hubspot_email_events.records import RecordBuilder
from tap_hubspot_email_events.streams import EmailEventOpen
from tests.hubspot_emulator.event_fields import TYPICAL_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.harness import Measured

RECORDS = 100_000
LEAST_TIMES = 4
FEW = 1_000  # what a run of these takes is what starting takes


class PlainStream(Stream):
    """Yields records of the same content that are there already."""

    name = "email_event_open"
    primary_keys = EVENT_KEY
    replication_key = "created"

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap, schema=schema_of(EmailEventOpen.columns, EVENT_KEY))

    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401, ARG002 - the SDK's
        """Yield a copy of one record as often as wanted."""
        content = {"type": "OPEN", **TYPICAL_FIELDS["OPEN"], "recipient": "ada@example.com", "portalId": 1}
        defaults = {"type": "OPEN", "event_name": EmailEventOpen.event_name}
        parser = EventParser(RecordBuilder(EmailEventOpen.columns, defaults=defaults, reserved=IDENTITY))
        _, event = parser.parse({**content, "id": "e" * 36, "created": 1_795_000_000_000}, 0)
        text = event.record if event and event.record else b""
        for _ in range(int(self.config["count"])):
            yield json.loads(text)


class PlainTap(Tap):
    """A tap as the SDK's template makes it."""

    name = "tap-plain"
    config_jsonschema = {"type": "object", "properties": {"count": {"type": "integer"}}}  # noqa: RUF012 - the SDK's

    def discover_streams(self) -> list[Stream]:
        """The one stream."""
        return [PlainStream(self)]


def of_the_tap(count: int) -> Measured:
    """Let the tap read so many records."""
    with (
        served(partial(a_day, count=count), burst_limit=1_000_000) as server,
        tap_run(server, "email_event_open") as run,
    ):
        print(f"tap, {sum(1 for _ in run.records()):,} records: {run.user_seconds:.1f} user CPU seconds")
        return run


def of_a_plain_stream(count: int) -> Measured:
    """Let a plain stream yield so many records."""
    with tempfile.TemporaryDirectory() as name:
        config = Path(name, "config.json")
        config.write_text(json.dumps({"count": count}))
        code = "from benchmarks.email_event_speed import PlainTap; PlainTap.cli()"
        run = measured([sys.executable, "-c", code, "--config", str(config)], Path(name))
        print(f"plain, {sum(1 for _ in run.records()):,} records: {run.user_seconds:.1f} user CPU seconds")
        return run


def speed(few: Measured, many: Measured) -> float:
    """Records per user CPU second, start-up left out."""
    return (RECORDS - FEW) / (many.user_seconds - few.user_seconds)


def main() -> int:
    """Run both; the exit code says whether the promise is kept."""
    tap = speed(of_the_tap(FEW), of_the_tap(RECORDS))
    plain = speed(of_a_plain_stream(FEW), of_a_plain_stream(RECORDS))
    print(f"tap {tap:,.0f}, plain SDK stream {plain:,.0f} records per user CPU second")
    times = tap / plain
    return (
        0 if promise(f"at least {LEAST_TIMES} times as fast: {times:.2f}", kept=times >= LEAST_TIMES) else 1
    )


if __name__ == "__main__":
    sys.exit(main())
