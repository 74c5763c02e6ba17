"""Many runs of tap and target one after another, with what changes between them; and what is wrong afterwards."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain, product
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, func, select

from target_hubspot_lists.ledger.tables import metadata, runs
from tests.random_histories.expectations import Wrong
from tests.random_histories.simulation import SETTLED, Simulation
from tests.random_histories.source import COHORTS, Change
from tests.random_histories.steps import Run
from tests.random_histories.variants import Variant
from tests.soak.curves import curves
from tests.soak.event_drift import CATALOG, EventDrift
from tests.soak.workers import SharedClock, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy import Engine

    from tests.in_process import Ended
    from tests.new_ledgers import NewLedgers
    from tests.soak.curves import Curve

HOURS_A_DAY, SECONDS_AN_HOUR = 24, 3_600
MONTH = (720, 1)  # so many runs, so many hours apart
YEAR = (400, 24)  # long enough for what a ledger keeps for 90 days to come and go
RETENTION_HOURS = 90 * HOURS_A_DAY
PEOPLE, KNOWN = 24, 18  # in the source, and of those whom HubSpot has if the source names them by address
DISTURBED = ("answers lost", "500", "503", "daily limit", "last answer lost")  # by which a run may end with 1
EVENTS = "/email/public/v1/events"


@dataclass(frozen=True)
class Soak:
    """A number of runs with settings; the seed says what happens between them."""

    mode: str
    match_by: str
    ledger: str
    seed: int
    runs: int
    hours_apart: int

    def __str__(self) -> str:
        return f"{self.mode},{self.match_by},{self.ledger}|{self.seed}|{self.runs}|{self.hours_apart}"

    @classmethod
    def parse(cls, text: str) -> Soak:
        settings, seed, runs, hours_apart = text.split("|")
        mode, match_by, ledger = settings.split(",")
        return cls(mode, match_by, ledger, int(seed), int(runs), int(hours_apart))

    @property
    def passes_retention(self) -> bool:
        """Whether the middle of the runs comes after a ledger begins to delete, by a good margin."""
        return self.runs * self.hours_apart * 3 // 8 > RETENTION_HOURS

    @property
    def variant(self) -> Variant:
        """The settings of the target."""
        return Variant(
            is_mirror=self.mode == "mirror",
            match_by=self.match_by,
            ledger=self.ledger,
            has_ids=True,
            prefix="c_",
            batch_size=1000,
            was_there=True,
            creates=True,
            asks_mailability=False,
            lag=0.0,
        )


def soaks_of_seed(seed: int, ledgers: Iterable[str]) -> Iterator[Soak]:
    """Yield a month and a year of each combination of settings; the kinds of ledger take turns."""
    random = Random(seed)
    by_ledger = [
        [*product(("mirror", "incremental"), ("email", "contact_id"), [ledger], (MONTH, YEAR))]
        for ledger in ledgers
    ]
    for combinations in by_ledger:
        random.shuffle(combinations)
    random.shuffle(by_ledger)
    in_turns = chain.from_iterable(zip(*by_ledger, strict=True))
    for number, (mode, match_by, ledger, shape) in enumerate(in_turns):
        yield Soak(mode, match_by, ledger, seed + number, *shape)


@dataclass
class Result:
    """What was wrong, and the curves."""

    problems: list[str] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    late_events: int = 0
    exits: dict[str, list[int]] = field(default_factory=lambda: {"target": [0, 0], "tap": [0, 0]})
    has_only_grown: bool = False  # the problems are figures that grew

    def __str__(self) -> str:
        counts = ", ".join(
            f"{name}: {done} runs that exited 0, {failed} that did not"
            for name, (done, failed) in self.exits.items()
        )
        return "\n".join([f"{counts}; {self.late_events} late events", *map(str, self.curves)])


class LongSimulation(Simulation):
    """A simulation whose runs are those of a worker."""

    def __init__(self, soak: Soak, ledger_url: str | None, worker: Worker, clock: SharedClock) -> None:
        super().__init__(soak.variant, ledger_url, people=PEOPLE, known=KNOWN, clock=clock)
        self.worker = worker
        self.calls = 0
        self.exit_code = 0

    def run(self, messages: Iterable[str], config: dict[str, Any], **options: Any) -> Ended:
        """Run the target in the worker."""
        del options  # no disturbance of these runs needs any
        ended = self.worker.run_target(messages, config)
        self.exit_code, self.calls = ended.exit_code, len(self.hubspot.requests)
        self.hubspot.requests.clear()
        return ended

    def newcomer(self, random: Random) -> None:
        """Let somebody leave for good, and somebody come who was never there."""
        gone = random.randrange(len(self.source.identifiers))
        self.source.change(
            Change(cohort, self.source.identifiers[gone], is_member=False) for cohort in COHORTS
        )
        self.add_contact()
        self.source.identifiers[gone] = self.source.identifiers.pop()


def soak(asked: Soak, ledgers: NewLedgers) -> Result:
    """Let the runs follow one another; return what was wrong at once, or which figures grew."""
    result, samples = Result(), []
    url = ledgers.new_url(asked.ledger)
    with ExitStack() as stack:
        clock = SharedClock()
        worker = stack.enter_context(Worker(clock))
        simulation = stack.enter_context(LongSimulation(asked, url, worker, clock))
        engine = create_engine(url) if url else None
        if engine is not None:
            stack.callback(engine.dispose)
        random = Random(asked.seed)
        events = EventDrift(simulation.portal, random)
        everybody = product(COHORTS, simulation.source.identifiers, (True, False))
        simulation.source.change(Change(*each) for each in everybody if each[2] or random.random() < 0.5)
        for number in range(asked.runs):
            _time_passes(simulation, events, random, asked, number)
            sample: dict[str, float] = {}
            problems = [
                *_run_target(simulation, random, number, asked),
                *_run_tap(simulation, events, random, sample),
            ]
            for name, exit_code in (("target", simulation.exit_code), ("tap", int(sample.pop("exit code")))):
                result.exits[name][exit_code != 0] += 1
            sample |= {"calls of the target": simulation.calls, **worker.held(), **_size(engine)}
            samples.append(sample)
            if problems:
                result.problems = [f"run {number + 1}: {each}" for each in problems[:5]]
                return result
        result.late_events = events.late
    result.curves = [*curves(samples, past_retention=asked.passes_retention)]
    result.problems = [f"grows: {each}" for each in result.curves if not each.is_flat]
    result.has_only_grown = bool(result.problems)
    return result


def lasting_problems(asked: Soak, attempt: Callable[[Soak], Result]) -> Sequence[str]:
    """Return what was wrong; a figure must grow in twice as many runs as well, since some vary by chance."""
    result = attempt(asked)
    if result.has_only_grown:
        result = attempt(replace(asked, runs=2 * asked.runs))
    return result.problems


def _time_passes(
    simulation: LongSimulation, events: EventDrift, random: Random, asked: Soak, number: int
) -> None:
    """Let the time until the next run pass, and what happens in it."""
    seconds = asked.hours_apart * SECONDS_AN_HOUR - SETTLED
    simulation.clock.sleep(seconds)
    events.pass_time(seconds)
    people, cohort = simulation.source.identifiers, random.choice(COHORTS)
    simulation.source.change(
        Change(random.choice(COHORTS), random.choice(people), random.random() < 0.6)
        for _ in range(random.randrange(4))
    )
    person, other = random.sample(people, 2)
    if random.random() < 0.1:
        simulation.add_by_hand(cohort, person)
    if random.random() < 0.1:
        simulation.remove_by_hand(cohort, other)
    if random.random() < 0.02:
        simulation.merge(person, other, random.choice(("new", "first", "second")))
    if random.random() < 0.005 * min(asked.hours_apart, HOURS_A_DAY) or number == 0:
        simulation.newcomer(random)
    if random.random() < 0.02:
        _change_a_cohort(simulation, cohort, random)


def _change_a_cohort(simulation: LongSimulation, cohort: str, random: Random) -> None:
    """Rename a cohort, let its members change, or let a user rename or delete its list."""
    change = random.choice(("rename", "empty", "fill", "rename list", "delete list"))
    if change == "rename" and simulation.variant.has_ledger:
        simulation.rename_cohort(cohort)
    elif change in {"empty", "fill"}:
        few = random.sample(simulation.source.identifiers, PEOPLE // 2)
        simulation.source.change(Change(cohort, each, change == "fill") for each in few)
    elif change == "rename list" and simulation.variant.has_ledger:
        simulation.rename_list(cohort)
    elif change == "delete list":
        simulation.delete_list(cohort)


def _run_target(simulation: LongSimulation, random: Random, number: int, asked: Soak) -> Iterator[str]:
    """Run the target: once a day it reconciles, and at times something disturbs it."""
    disturbance = random.choice(DISTURBED) if random.random() < 0.05 else "none"
    reconcile = (number * asked.hours_apart) % HOURS_A_DAY == 0
    try:
        Run(disturbance, random.randrange(8), reconcile).perform(simulation)
    except Wrong as wrong:
        yield f"{disturbance}: {wrong}"


def _run_tap(
    simulation: LongSimulation, events: EventDrift, random: Random, sample: dict[str, float]
) -> Iterator[str]:
    """Run the tap: at times HubSpot answers some of its calls with an error."""
    hubspot = simulation.hubspot
    if random.random() < 0.05:
        status, times = random.choice(((502, 2), (500, None), (503, None)))
        hubspot.faults.next("GET", EVENTS, status=status, times=times, after=random.randrange(3))
    began = simulation.clock.time()
    ended = simulation.worker.run_tap(
        events.config(hubspot.url, hubspot.token), state=events.state, catalog=CATALOG
    )
    hubspot.faults.clear()
    missing = events.load(ended, began=began)
    sample |= {
        "exit code": ended.exit_code,
        "calls of the tap": len(hubspot.requests),
        "records of the tap": sum(each["type"] == "RECORD" for each in ended.messages),
        "STATE of the tap, bytes": events.state_bytes,
    }
    hubspot.requests.clear()
    if ended.crash:
        yield ended.crash
    if ended.exit_code not in {0, 1}:
        yield f"the tap exits {ended.exit_code}"
    yield from (f"the tap exits 0, but {each}" for each in missing)


def _size(engine: Engine | None) -> dict[str, float]:
    """Return how large a ledger is."""
    if engine is None:
        return {}
    with engine.connect() as connection:
        rows = {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.tables.values()
        }
        lines = rows.pop(runs.name)
        size: dict[str, float] = {
            "ledger rows, without lines of runs": sum(rows.values()),
            "ledger lines of runs": lines,
        }
        if engine.dialect.name == "sqlite":
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
            size["ledger bytes"] = (pages - free) * connection.exec_driver_sql(
                "PRAGMA page_size"
            ).scalar_one()
    return size
