"""One list that cannot be used costs its own cohort: the others are brought to their end, and it is named."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.ledger import Ledger
from tests.factories import membership, record_message, schema_message, state_message
from tests.hubspot_emulator.answers import Answer
from tests.target_hubspot_lists.conftest import START
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

PUT = "/memberships/add-and-remove"
SIZED = schema_message("email", "cohort_name", "cohort_size")
MIRROR: dict[str, Any] = {"sync_mode": "mirror", "list_name_prefix": "c_"}
INCREMENTAL: dict[str, Any] = {"list_name_prefix": "c_"}


@dataclass
class World:
    """A portal with the lists of cohorts A and C, each with one member who is to leave; B's is made by the test."""

    hubspot: HubSpotEmulator
    portal: Portal
    settings: dict[str, Any] = field(default_factory=dict)

    def make_list(self, cohort: str) -> str:
        members = [
            self.portal.add_contact(f"{name}-{cohort.lower()}@example.com") for name in ("leaving", "staying")
        ]
        return self.portal.add_list(f"c_{cohort}", members=members).list_id

    def answer_b(self, method: str, path: str, status: int, times: int = 100) -> None:
        """Let HubSpot answer calls on B's list with this status."""
        body = {"status": "error", "category": "FORBIDDEN", "message": "Not now"}
        self.hubspot.faults.next(method, path, status=status, body=body, times=times)


def is_active(world: World) -> None:
    world.make_list("B")
    world.portal.hubspot_list("c_B").processing_type = "DYNAMIC"


def is_refused_by_name(world: World) -> None:
    world.answer_b("GET", "/name/c_B", 414)


def cannot_be_looked_up(world: World) -> None:
    world.make_list("B")
    world.answer_b("GET", "/name/c_B", 403)


def takes_no_members(world: World) -> None:
    world.portal.quirks.locked_lists = {world.make_list("B"): {"add", "remove"}}


def is_forbidden(world: World) -> None:
    world.answer_b("PUT", f"/{world.make_list('B')}{PUT}", 403)


def goes_in_mid_run(world: World) -> None:
    path = f"/{world.make_list('B')}{PUT}"
    world.hubspot.faults.call("PUT", path, lambda: world.portal.delete_list("c_B"))


def is_absent(world: World) -> None:
    world.settings["create_lists"] = False


def is_one_too_many(world: World) -> None:
    world.settings["max_new_lists"] = 0


def has_a_taken_name(world: World) -> None:
    world.make_list("B")
    world.portal.delete_list("c_B")


def has_no_such_id(world: World) -> None:
    world.settings["lists"] = [{"cohort": "B", "list_id": "987654321"}]


def has_no_such_legacy_id(world: World) -> None:
    world.settings["lists"] = [{"cohort": "B", "legacy_list_id": "987654321"}]


PROBLEMS: dict[str, list[Callable[[World], None]]] = {
    "list_not_writable": [is_active],
    "list_refused": [is_refused_by_name, takes_no_members, is_forbidden],
    "list_unreadable": [cannot_be_looked_up],
    "list_gone": [goes_in_mid_run],
    "list_absent": [is_absent, has_no_such_id, has_no_such_legacy_id],
    "too_many_new_lists": [is_one_too_many],
    "list_name_taken": [has_a_taken_name],
}
CASES = [
    pytest.param(reason, problem, id=problem.__name__)
    for reason, problems in PROBLEMS.items()
    for problem in problems
]


@pytest.fixture
def world(hubspot: HubSpotEmulator, portal: Portal) -> World:
    world = World(hubspot, portal)
    world.make_list("A")
    world.make_list("C")
    return world


def incremental_input() -> Iterable[str]:
    yield schema_message("email", "cohort_name", "operation")
    for cohort in "ABC":
        for name, operation in (("new", "add"), ("staying", "add"), ("leaving", "remove")):
            yield record_message(
                email=f"{name}-{cohort.lower()}@example.com", cohort_name=cohort, operation=operation
            )
    yield state_message({"n": 1})


def mirror_input() -> Iterable[str]:
    for cohort in "ABC":
        stream = f"members_of_{cohort.lower()}"
        yield schema_message("email", "cohort_name", "cohort_size", stream=stream)
        for name in ("new", "staying"):
            yield record_message(
                stream=stream, email=f"{name}-{cohort.lower()}@example.com", cohort_name=cohort, cohort_size=2
            )
    yield state_message({"n": 1})


MODES = [
    pytest.param(INCREMENTAL, incremental_input, id="incremental"),
    pytest.param(MIRROR, mirror_input, id="mirror"),
]


def wanted(cohort: str) -> set[str]:
    return {f"new-{cohort.lower()}@example.com", f"staying-{cohort.lower()}@example.com"}


def assert_only_b_is_left_out(world: World, run: Run, reason: str) -> None:
    assert world.portal.member_emails("c_A") == wanted("A")
    assert world.portal.member_emails("c_C") == wanted("C")
    assert run.exit_code == 1
    assert run.states == []
    assert reason in run.log
    assert '[{"cohort": "B", "skip": true}]' in run.error
    assert run.error.count("skip") == 1


@pytest.mark.parametrize(("config", "source"), MODES)
@pytest.mark.parametrize(("reason", "spoil"), CASES)
def test_a_list_that_cannot_be_used_costs_its_own_cohort(
    world: World,
    run_target: TargetRunner,
    tmp_path: Path,
    reason: str,
    spoil: Callable[[World], None],
    config: dict[str, Any],
    source: Callable[[], Iterable[str]],
) -> None:
    spoil(world)
    path = tmp_path / "report.jsonl"

    run = run_target(*source(), match_by="email", report_path=str(path), **{**config, **world.settings})

    assert_only_b_is_left_out(world, run, reason)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    told = [each for each in lines if each["kind"] == "member" and each["cohort"] == "B"]
    assert {each["reason"] for each in told} == {reason}
    assert {each["member"] for each in told} >= {"new-b@example.com"}


@pytest.mark.parametrize(("config", "source"), MODES)
@pytest.mark.parametrize(
    ("reason", "spoil"),
    [each for each in CASES if each.id not in {"takes_no_members", "is_forbidden", "goes_in_mid_run"}],
)
def test_no_contact_is_created_for_a_list_that_cannot_be_used(
    world: World,
    run_target: TargetRunner,
    reason: str,
    spoil: Callable[[World], None],
    config: dict[str, Any],
    source: Callable[[], Iterable[str]],
) -> None:
    spoil(world)

    run = run_target(*source(), match_by="email", **{**config, **world.settings})

    assert reason in run.log
    assert world.portal.find_contact("new-b@example.com") is None
    assert world.portal.find_contact("new-a@example.com") is not None


@pytest.mark.parametrize(("config", "source"), MODES)
def test_a_list_that_another_run_holds_costs_its_own_cohort(
    world: World,
    run_target: TargetRunner,
    sqlite_url: str,
    config: dict[str, Any],
    source: Callable[[], Iterable[str]],
) -> None:
    world.make_list("B")
    other = Ledger.open(sqlite_url, world.portal.portal_id, run_id="run-2", now=lambda: START)
    with other, other.lock(["c_B"], sleep=lambda _: None):
        run = run_target(*source(), match_by="email", ledger_url=sqlite_url, **config)

    assert_only_b_is_left_out(world, run, "list_locked")
    assert "run-2" in run.error
    again = run_target(*source(), match_by="email", ledger_url=sqlite_url, **config)
    assert again.exit_code == 0
    assert world.portal.member_emails("c_B") == wanted("B")


def test_a_mirror_whose_list_cannot_be_read_creates_and_removes_nobody(
    world: World, run_target: TargetRunner
) -> None:
    world.answer_b("GET", f"/{world.make_list('B')}/memberships", 403)

    run = run_target(*mirror_input(), match_by="email", **MIRROR)

    assert_only_b_is_left_out(world, run, "list_unreadable")
    assert world.portal.find_contact("new-b@example.com") is None


@pytest.mark.parametrize(("config", "source"), MODES)
def test_a_cohort_that_the_setting_lists_skips_is_left_alone(
    world: World, run_target: TargetRunner, config: dict[str, Any], source: Callable[[], Iterable[str]]
) -> None:
    is_active(world)
    before = world.portal.member_emails("c_B")

    run = run_target(*source(), match_by="email", lists=[{"cohort": "B", "skip": True}], **config)

    assert run.exit_code == 0
    assert run.states == [{"n": 1}]
    assert world.portal.member_emails("c_A") == wanted("A")
    assert world.portal.member_emails("c_B") == before
    assert world.portal.find_contact("new-b@example.com") is None
    skipped = 3 if config is INCREMENTAL else 2
    told = row(run.log, "B")
    assert (told["skipped"], told["match rate"]) == (str(skipped), "-")


def test_many_new_cohorts_over_several_flushes_cost_only_those_beyond_the_limit(
    portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(150)
    source = [
        schema_message(),
        *(membership(f"cohort {number}", each) for number, each in enumerate(contacts)),
    ]

    run = run_target(*source, state_message({"n": 1}), batch_size_rows=50)

    assert run.exit_code == 1
    assert run.states == []
    assert len(portal.list_names()) == 100
    assert all(len(portal.members(name)) == 1 for name in portal.list_names())
    assert "max_new_lists allows 100" in run.error
    assert "50 cohorts" in run.error
    again = run_target(*source, state_message({"n": 1}), batch_size_rows=50)
    assert again.exit_code == 0
    assert again.states == [{"n": 1}]
    assert len(portal.list_names()) == 150


def test_a_list_that_cannot_be_used_stays_so_for_the_rest_of_the_run(
    hubspot: HubSpotEmulator, world: World, run_target: TargetRunner
) -> None:
    is_active(world)

    run = run_target(*incremental_input(), match_by="email", batch_size_rows=1, **INCREMENTAL)

    assert_only_b_is_left_out(world, run, "list_not_writable")
    assert row(run.log, "c_B")["rejected"] == "3"
    assert hubspot.calls("GET", "/name/c_B") == 1


@pytest.mark.parametrize("has_ledger", [False, True])
def test_a_list_that_hubspot_goes_on_filling_is_no_baseline_and_costs_its_own_cohort(
    world: World, run_target: TargetRunner, sqlite_url: str, *, has_ledger: bool
) -> None:
    world.make_list("B")
    world.portal.keep_processing("c_B")
    ledger = {"ledger_url": sqlite_url} if has_ledger else {}

    run = run_target(*mirror_input(), match_by="email", **MIRROR, **ledger)

    assert_only_b_is_left_out(world, run, "list_unreadable")
    assert "is still being filled by HubSpot" in run.error
    assert world.portal.find_contact("leaving-b@example.com") is not None
    assert row(run.log, "c_B")["removed"] == "0"


def test_a_list_that_hubspot_is_about_to_have_filled_is_waited_for(
    world: World, run_target: TargetRunner
) -> None:
    list_id = world.make_list("B")
    world.portal.keep_processing("c_B")

    def fill() -> None:
        world.portal.keep_processing("c_B", seconds=0)

    world.hubspot.faults.call("GET", re.compile(rf"/crm/lists/[^/]+/{list_id}"), fill, after=1)

    run = run_target(*mirror_input(), match_by="email", **MIRROR)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert world.portal.member_emails("c_B") == wanted("B")


# Lists that were usable when the run found them


MANY = 150  # members: a list of so many is paged, since that takes fewer calls than to ask for each of them


def object_of(list_id: str) -> re.Pattern[str]:
    """The path of a list itself, as it is asked for between two steps."""
    return re.compile(rf"/crm/lists/[^/]+/{list_id}")


@dataclass
class Two:
    """A list A with one member to add, and a list B with many members who are asked for again."""

    hubspot: HubSpotEmulator
    portal: Portal
    list_id: str = ""
    source: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.portal.add_list("c_A")
        addresses = [f"contact{number}@example.com" for number in range(MANY)]
        self.portal.add_contacts(MANY)
        self.portal.add_contact("ada@example.com")
        self.list_id = self.portal.add_list("c_B", members=addresses).list_id
        members = [("B", each) for each in addresses] + [("A", "ada@example.com")]
        records = [record_message(email=email, cohort_name=cohort) for cohort, email in members]
        self.source = [schema_message("email", "cohort_name"), *records, state_message({"n": 1})]


@pytest.fixture
def two(hubspot: HubSpotEmulator, portal: Portal) -> Two:
    return Two(hubspot, portal)


def is_deleted(two: Two) -> None:
    two.hubspot.faults.call("GET", object_of(two.list_id), lambda: two.portal.delete_list("c_B"))


def is_deleted_at_its_pages(two: Two) -> None:
    two.hubspot.faults.call("GET", f"/{two.list_id}/memberships", lambda: two.portal.delete_list("c_B"))


def is_hidden(two: Two) -> None:
    body = {"status": "error", "category": "FORBIDDEN", "message": "Not now"}
    two.hubspot.faults.next("GET", object_of(two.list_id), status=403, body=body)


def has_no_end(two: Two) -> None:
    """Two cursors that lead to each other."""

    def change(answer: Answer) -> Answer:
        assert isinstance(answer.body, dict)
        after = next(cursors)
        return Answer(answer.status, {**answer.body, "paging": {"next": {"after": after}}})

    cursors = itertools.cycle(["first", "second"])
    two.hubspot.faults.change("GET", f"/{two.list_id}/memberships", change, times=None)


@pytest.mark.parametrize("config", [{"verify_memberships": True}, {"dry_run": True}], ids=["real", "dry"])
@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("list_gone", is_deleted),
        ("list_gone", is_deleted_at_its_pages),
        ("list_unreadable", is_hidden),
        ("list_unreadable", has_no_end),
    ],
)
def test_a_list_that_cannot_be_read_back_costs_its_own_cohort(
    two: Two,
    run_target: TargetRunner,
    reason: str,
    spoil: Callable[[Two], None],
    config: dict[str, Any],
) -> None:
    spoil(two)

    run = run_target(*two.source, match_by="email", **INCREMENTAL, **config)

    assert (run.exit_code, run.states) == (1, [])
    assert '[{"cohort": "B", "skip": true}]' in run.error
    assert reason in run.log
    assert row(run.log, "c_B")["rejected"] == str(MANY)
    assert row(run.log, "c_A")["added"] == "1"
    assert two.portal.member_emails("c_A") == (set() if "dry_run" in config else {"ada@example.com"})


@pytest.mark.parametrize(("reason", "spoil"), [("list_gone", is_deleted), ("list_unreadable", is_hidden)])
def test_a_list_that_refuses_its_members_and_cannot_be_read_costs_its_own_cohort(
    two: Two, run_target: TargetRunner, reason: str, spoil: Callable[[Two], None]
) -> None:
    two.portal.quirks.locked_lists = {two.list_id: {"add"}}
    spoil(two)

    run = run_target(*two.source, match_by="email", **INCREMENTAL)

    assert (run.exit_code, run.states) == (1, [])
    assert reason in run.log
    assert row(run.log, "c_B")["rejected"] == str(MANY)
    assert two.portal.member_emails("c_A") == {"ada@example.com"}


@pytest.mark.parametrize(
    ("reason", "status"), [("list_gone", 404), ("list_unreadable", 403)], ids=["deleted", "hidden"]
)
def test_a_list_that_goes_while_hubspot_is_filling_it_costs_its_own_cohort(
    world: World, run_target: TargetRunner, reason: str, status: int
) -> None:
    list_id = world.make_list("B")
    world.portal.keep_processing("c_B")
    body = {"status": "error", "category": "FORBIDDEN", "message": "Not now"}
    world.hubspot.faults.next("GET", object_of(list_id), status=status, body=body, times=100)

    run = run_target(*mirror_input(), match_by="email", **MIRROR)

    assert_only_b_is_left_out(world, run, reason)
    assert world.portal.find_contact("new-b@example.com") is None


def test_a_missing_scope_for_members_of_lists_ends_the_run(world: World, run_target: TargetRunner) -> None:
    world.hubspot.faults.next("GET", f"/{world.make_list('B')}/memberships", status=403)

    run = run_target(*mirror_input(), match_by="email", **MIRROR)

    assert (run.exit_code, run.states) == (1, [])
    assert "MISSING_SCOPES" in run.error
    assert "skip" not in run.error


def test_a_list_that_refuses_one_cohort_rejects_another_that_goes_there_by_another_name(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = list(portal.add_contacts(3))
    list_id = portal.add_list("VIP").list_id
    portal.add_list("A")
    body = {"status": "error", "category": "FORBIDDEN", "message": "Not now"}
    hubspot.faults.next("PUT", f"/{list_id}{PUT}", status=403, body=body)
    memberships = zip(("by id", "VIP", "A"), contacts, strict=True)

    run = run_target(
        schema_message(),
        *(membership(cohort, each) for cohort, each in memberships),
        state_message({"n": 1}),
        batch_size_rows=1,
        lists=[{"cohort": "by id", "list_id": list_id}],
    )

    assert (run.exit_code, run.states) == (1, [])
    assert hubspot.calls("PUT", f"/{list_id}{PUT}") == 1
    assert portal.members("VIP") == set()
    assert portal.members("A") == {contacts[2]}
    assert "Rejected: 2 list_refused." in run.log


def test_a_list_that_is_gone_gets_no_other_call_for_the_rest_of_its_members(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(20_001)
    list_id = portal.add_list("VIP").list_id
    hubspot.faults.call("PUT", PUT, lambda: portal.delete_list("VIP"))

    run = run_target(schema_message(), *(membership("VIP", each) for each in contacts), max_concurrency=1)

    assert run.exit_code == 1
    assert hubspot.calls("PUT", f"/{list_id}{PUT}") == 1
    assert "list_gone" in run.log
    assert row(run.log, "VIP")["rejected"] == "20001"


@pytest.mark.parametrize("status", [400, 404])
def test_a_folder_that_does_not_exist_is_named_by_its_setting(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, status: int
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("Kept")
    if status == 404:
        hubspot.faults.next(
            "POST", "/crm/lists", status=404, body={"status": "error", "message": "No folder 77"}
        )
    input_ = [schema_message(), membership("VIP", ada), membership("Kept", bob)]

    run = run_target(*input_, list_folder_id="77")

    assert run.exit_code == 1
    assert 'does not make the list "VIP" in the folder 77' in run.error
    assert "Correct list_folder_id" in run.error
    assert "lists[]" not in run.error
    assert portal.members("Kept") == {bob}
    assert portal.list_names() == {"Kept"}


def test_a_name_that_is_refused_in_a_folder_is_still_told_as_a_matter_of_lists(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    folder = portal.lists.add_folder("Cohorts", 0)
    hubspot.faults.next("POST", "/crm/lists", status=400, body={"status": "error", "message": "Bad name"})

    run = run_target(schema_message(), membership("VIP", ada), list_folder_id=str(folder.folder_id))

    assert run.exit_code == 1
    assert "Name another list for this cohort in lists[]" in run.error
    assert "list_folder_id" not in run.error
