"""Trials of the tap: a run in which a call meets a fault, and a rerun without it; what must be true after each."""

from __future__ import annotations

import logging
import re
import secrets
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from hubspot_singer.http import Timeouts
from tests.clocks import FakeClock
from tests.hubspot_emulator import ALL_SCOPES, HubSpotEmulator, Portal
from tests.random_faults.kinds import Call, Promise, kinds
from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.tap_runs import Warehouse, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.hubspot_emulator import Request
    from tests.random_faults.kinds import Kind
    from tests.tap_hubspot_email_events.tap_runs import Ended

KINDS = kinds()
HURRIED = Timeouts(connect=5.0, read=0.3)  # seconds; the clock moves on by the usual ones
MOST_CALLS = 6_000  # of a run in which calls may be tried again for ten minutes
STREAMS = {"email_event_bounce": "BOUNCE", "email_event_open": "OPEN", "email_event_sent": "SENT"}
OTHER, CAMPAIGNS = "email_event_other", "email_campaigns"
CATALOG = selecting(*STREAMS, OTHER, CAMPAIGNS)
EVENTS, DETAILS = "/email/public/v1/events", "/email/public/v1/campaigns/"
HISTORIES, WORKERS, CREDENTIALS = ("first", "later"), (1, 8), ("static", "oauth")
# What ends the run ends it for all streams; anything else costs the stream that it strikes.
ENDS_ALL = {"401", "429-DAILY", "503-asks-to-wait-too-long"}
# A read is tried again after these.
RETRIED_READS = {"500", "500-after", "500-empty", "520", "520-after"}


@dataclass(frozen=True)
class TapCall(Call):
    """One call; of the calls for events, one about this type (`-` for all types)."""

    event_type: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        """A pattern for the path with its query."""
        if not self.event_type:
            return super().pattern
        query = r"(?!.*eventType=).*" if self.event_type == "-" else rf".*eventType={self.event_type}(&.*)?"
        return re.compile(re.escape(self.path) + r"\?" + query)


@dataclass(frozen=True)
class Case:
    """One case."""

    history: str
    workers: int
    credential: str
    call: TapCall
    kind: str
    always: bool

    def __str__(self) -> str:
        about = f" about {self.call.event_type}" if self.call.event_type else ""
        often = "always" if self.always else "once"
        return f"{self.history} {self.workers} {self.credential} | {self.call}{about} | {self.kind} | {often}"


@dataclass
class World:
    """A portal and its emulator, and what the tap's warehouse must come to hold."""

    history: str
    workers: int
    credential: str
    clock: FakeClock = field(default_factory=FakeClock)
    warehouse: Warehouse = field(default_factory=Warehouse)

    def __post_init__(self) -> None:
        self.portal = Portal(clock=self.clock.time)
        self.hubspot = HubSpotEmulator(self.portal, tokens={f"pat-na1-{secrets.token_hex(12)}": ALL_SCOPES})
        self.now = int(self.clock.time() * 1000)
        self.wanted: set[tuple[str, object]] = set()
        self._fill(self.now - 7_200_000, "a")

    def _fill(self, until: int, prefix: str) -> None:
        for stream, event_type in {**STREAMS, OTHER: "REPLY"}.items():
            count = 1_300 if stream == "email_event_open" else 3
            for number in range(count):
                event_id = f"{prefix}-{event_type}-{number:04}"
                self.portal.add_event(event_type, until - number * 500, id=event_id)
                self.wanted.add((stream, event_id))
        for number in (1, 2, 3):
            campaign = number if prefix == "a" else 10 + number
            self.portal.add_campaign(campaign, updated_ms=until if number > 1 else None)
            self.wanted.add((CAMPAIGNS, campaign))

    def prepare(self) -> None:
        """Perform an earlier run, if there was one."""
        if self.history == "later":
            ended = self.run()
            if ended.exit_code:
                raise AssertionError(f"the earlier run exits {ended.exit_code}\n{ended.log}")
            self.clock.sleep(7_200)
            self._fill(int(self.clock.time() * 1000) - 3_600_000, "b")
        self.hubspot.requests.clear()

    @property
    def config(self) -> dict[str, Any]:
        """The settings of a run."""
        app = self.hubspot.oauth
        oauth = {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "refresh_token": app.refresh_token,
        }
        return {
            "api_url": self.hubspot.url,
            "start_date": "2026-03-19",
            "max_concurrency": self.workers,
            **(oauth if self.credential == "oauth" else {"access_token": self.hubspot.token}),
        }

    def run(self, timeouts: Timeouts | None = None) -> Ended:
        """Run the tap, and load what it wrote."""
        ended = run_tap(
            self.config,
            self.clock,
            state=self.warehouse.state,
            catalog=CATALOG,
            timeouts=timeouts,
            level=logging.DEBUG,
        )
        self.warehouse.load(ended)
        return ended

    def missing(self) -> set[tuple[str, object]]:
        """Return the stream and id of each event and campaign that the warehouse does not have."""
        return self.wanted - {(stream, record["id"]) for (stream, *_), record in self.warehouse.rows.items()}

    @property
    def secrets(self) -> set[str]:
        """What no log may hold."""
        app = self.hubspot.oauth
        return {self.hubspot.token, app.client_secret, app.refresh_token, *app.grants, "ada@example.com"}


@cache
def calls_of_a_run(history: str, workers: int, credential: str) -> Sequence[TapCall]:
    """Return the calls of a run without a fault, which must succeed; they are the same each time."""
    world = World(history, workers, credential)
    with world.hubspot:
        world.prepare()
        ended = world.run()
        if ended.exit_code or world.missing():
            raise AssertionError(f"without a fault, exit {ended.exit_code}\n{ended.log}")
        counted: dict[tuple[str, str, str], int] = {}
        calls = []
        for request in list(world.hubspot.requests):
            key = (request.method, request.path, event_type(request))
            counted[key] = counted.get(key, -1) + 1
            calls.append(TapCall(request.method, request.path, counted[key], key[2]))
    return sorted(calls, key=repr)


def event_type(request: Request) -> str:
    """Return the type of events that a request asks for: `-` for all, nothing if it is no such request."""
    return parse_qs(request.query).get("eventType", ["-"])[0] if request.path == EVENTS else ""


def cases_of_seed(seed: int) -> Iterator[Case]:
    """Yield every case, in the seed's order."""
    random = Random(seed)
    cases = [
        Case(history, workers, credential, call, kind, always)
        for history, workers, credential in product(HISTORIES, WORKERS, CREDENTIALS)
        for call in calls_of_a_run(history, workers, credential)
        for kind in KINDS
        for always in (False, True)
    ]
    random.shuffle(cases)
    # Every fault comes once before any comes twice.
    return iter(sorted(cases, key=_turn()))


def _turn() -> Any:
    counted: dict[str, int] = {}

    def turn(case: Case) -> int:
        counted[case.kind] = counted.get(case.kind, 0) + 1
        return counted[case.kind]

    return turn


def try_case(case: Case) -> list[str]:
    """Run the tap with the fault and again without it; return what was wrong."""
    kind = KINDS[case.kind]
    world = World(case.history, case.workers, case.credential)
    with world.hubspot:
        world.prepare()
        kind.strike(world, case.call, None if case.always else 1)  # type: ignore[arg-type]
        broken = world.run(HURRIED if kind.is_slow else None)
        requests = list(world.hubspot.requests)
        problems = [f"with the fault: {each}" for each in _judged(case, kind, world, broken)]
        if len(requests) > MOST_CALLS:
            problems.append(f"{len(requests)} calls")
        world.hubspot.faults.clear()
        again = world.run()
        problems += [f"again: {each}" for each in _output(world, again)]
        if again.exit_code:
            problems.append(f"the rerun exits {again.exit_code}: {again.errors}")
        # An event that came without its id cannot be passed on; the run says so, and it does not come again.
        may_lack = (_garbles(case) and "without an id or a" in "".join(broken.errors)) or _is_gone(case)
        if (missing := world.missing()) and not may_lack:
            problems.append(f"the warehouse lacks {len(missing)}, such as {min(missing, key=repr)}")
    return problems


def _judged(case: Case, kind: Kind, world: World, ended: Ended) -> Iterator[str]:
    yield from _output(world, ended)
    if ended.exit_code not in {0, 1}:
        yield f"exit {ended.exit_code}"
    missing = set() if _is_gone(case) else world.missing()
    if ended.exit_code == 0 and missing:
        yield f"exit 0, but the warehouse lacks {len(missing)}, such as {min(missing, key=repr)}"
    if ended.exit_code and must_succeed(case, kind):
        yield f"exit {ended.exit_code}: {ended.errors}"
    if not _ends_all(case, kind) and (struck := struck_stream(case)) is not None:
        others = {each for each in missing if each[0] != struck}
        if others:
            yield f"a fault of {struck} costs others too: {len(others)}, such as {min(others, key=repr)}"


def must_succeed(case: Case, kind: Kind) -> bool:
    """Tell whether the run has to exit 0 in spite of the fault."""
    if "account-info" in case.call.path and case.kind not in ENDS_ALL:
        return not case.always or kind.promise in {Promise.HARMLESS, Promise.TERMINAL, Promise.GARBLED}
    if kind.promise is Promise.HARMLESS:
        # What is optional elsewhere, such as appId, is what names a campaign.
        return case.kind != "optional-absent" or struck_stream(case) != CAMPAIGNS
    if case.kind == "401" and case.credential == "oauth" and "/oauth/" not in case.call.path:
        return not case.always
    is_read_again = case.kind in RETRIED_READS and case.call.method == "GET"
    return not case.always and (kind.promise is Promise.RETRIED or is_read_again)


def _ends_all(case: Case, kind: Kind) -> bool:
    """Tell whether the fault may end the run for all streams; an outage may, once two streams were struck."""
    return (
        case.kind in ENDS_ALL
        or "/oauth/" in case.call.path
        or "account-info" in case.call.path
        or kind.is_slow
    )


def struck_stream(case: Case) -> str | None:
    """Return the stream that the call is for."""
    if case.call.path.startswith("/email/public/v1/campaigns"):
        return CAMPAIGNS
    by_type = {of_type: stream for stream, of_type in STREAMS.items()} | {"-": OTHER}
    return by_type.get(case.call.event_type)


def _is_gone(case: Case) -> bool:
    """Tell whether HubSpot says that a campaign which it lists does not exist."""
    return case.kind.startswith("404") and case.call.path.startswith(DETAILS)


def _garbles(case: Case) -> bool:
    return case.kind.startswith("wrong-type")


def _output(world: World, ended: Ended) -> Iterator[str]:
    """Check the log: an error if the run failed, none otherwise, and no secret and no address."""
    if ended.crash:
        yield ended.crash
    if ended.exit_code and not ended.errors and not ended.crash:
        yield "no error is told"
    for secret in world.secrets:
        if secret.lower() in ended.log.lower():
            yield f"the log holds {secret}"
