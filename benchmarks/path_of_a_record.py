"""The way of one record through the code: which modules it visits, and how often it enters one.

Run it with `python -m benchmarks.path_of_a_record [--show]`; `--show` prints the modules in the order of their first
visit. Traced are real runs against the local HubSpot, from the first line of their input to the end (of the tap: all of
the run). A run without a record, with one, and with many are told apart: what the first record adds belongs to its
list and its calls, what each further one adds is its own.

A stay begins with each call into a module from another one, in whatever thread; a return begins none. Only modules of
the plugin count: `hubspot_singer` and libraries are passed through.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from benchmarks.harness import messages
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from target_hubspot_lists.target import TargetHubSpotLists
from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


NOW, START_DATE = 1_795_000_000.0, "2026-11-17"  # the day before that moment


@dataclass
class Trace:
    """The modules that a run visits."""

    package: str
    first_visits: dict[str, None] = field(default_factory=dict)
    stays: Counter[str] = field(default_factory=Counter)
    _here: threading.local = field(default_factory=threading.local)

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Take a call, as `sys.setprofile` tells it."""
        if event != "call":
            return
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(f"{self.package}.") and module != getattr(self._here, "module", None):
            self._here.module = module
            self.first_visits.setdefault(module)
            self.stays[module] += 1

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Trace what this thread and threads that it starts do."""
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)


def lines(records: list[dict[str, Any]]) -> bytes:
    """The input: a SCHEMA, and these records."""
    properties: dict[str, object] = {"email": {}, "cohort_name": {}, "cohort_size": {}}
    return "".join(f"{each}\n" for each in messages(properties, records)).encode()


def membership(count: int = 1, **config: str) -> Trace:
    """Trace so many memberships by email address, of contacts that are there, onto a list that is there."""
    portal = Portal()
    portal.add_contacts(count)
    portal.add_list("amplitude_VIP")
    trace = Trace("target_hubspot_lists")
    emails = [f"contact{number}@example.com" for number in range(count)]
    records = [{"email": email, "cohort_name": "VIP", "cohort_size": count} for email in emails]
    with HubSpotEmulator(portal) as hubspot:
        settings = {"api_url": hubspot.url, "access_token": hubspot.token, **config}
        exit_code = traced_target(trace)(config=settings).run(io.BytesIO(lines(records)))
    if exit_code or portal.member_emails("amplitude_VIP") != set(emails):
        raise SystemExit("The membership did not arrive: the trace says nothing.")
    return trace


def traced_target(trace: Trace) -> type[TargetHubSpotLists]:
    """The target, traced from the first line of its input to the end of it: not while a run is set up or summed up."""

    class TracedTarget(TargetHubSpotLists):
        def listen(self, file_input: IO[Any] | None = None) -> None:  # type: ignore[misc]  # final, but for a trace
            with trace.running():
                super().listen(file_input)

    return TracedTarget


def mirrored_membership(count: int = 1) -> Trace:
    """Trace so many memberships of a mirror with a ledger."""
    with tempfile.TemporaryDirectory() as folder:
        return membership(count, sync_mode="mirror", ledger_url=f"sqlite:///{folder}/ledger.db")


def event(count: int = 1) -> Trace:
    """Trace so many OPENs through the stream that is their own."""
    portal = Portal(clock=lambda: NOW)
    for number in range(count):
        portal.add_event("OPEN", int((NOW - 3600) * 1000) - number)
    trace, written = Trace("tap_hubspot_email_events"), io.StringIO()
    with HubSpotEmulator(portal) as hubspot:
        settings = {"api_url": hubspot.url, "access_token": hubspot.token, "start_date": START_DATE}
        tap = TapHubSpotEmailEvents(config=settings)
        for name, stream in tap.streams.items():
            stream.selected = name == "email_event_open"
        with trace.running(), contextlib.redirect_stdout(written):
            tap.sync_all()
    if '"RECORD"' not in written.getvalue():
        raise SystemExit("The event did not arrive: the trace says nothing.")
    return trace


def further(traced: Callable[[int], Trace], before: int, more: int) -> Trace:
    """Trace what each of some further records of a run adds to that of those before them."""
    few, many = traced(before), traced(before + more)
    trace = Trace(few.package)
    for module in many.first_visits:
        if each := (many.stays[module] - few.stays[module]) // more:
            trace.first_visits.setdefault(module)
            trace.stays[module] = each
    return trace


MANY = 100
TRACES: dict[str, Callable[[], Trace]] = {
    "incremental, a run without a membership": partial(membership, 0),
    "incremental, what the first membership adds": partial(further, membership, 0, 1),
    "incremental, what each further membership adds": partial(further, membership, 1, MANY),
    "mirror with a ledger, a run without a membership": partial(mirrored_membership, 0),
    "mirror with a ledger, what the first membership adds": partial(further, mirrored_membership, 0, 1),
    "mirror with a ledger, what each further membership adds": partial(further, mirrored_membership, 1, MANY),
    "event, a run of one": event,
    "event, what each further event adds": partial(further, event, 1, MANY),
}


def main() -> int:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--show", action="store_true", help="print the modules too")
    options = parser.parse_args()
    logging.disable()
    for name, run in TRACES.items():
        trace = run()
        print(f"{name}: {len(trace.first_visits)} modules, {trace.stays.total()} stays")
        if options.show:
            for module in trace.first_visits:
                print(f"  {trace.stays[module]:>4}  {module}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
