"""A mirror that breaks off anywhere removes nobody it should not, and the next run ends where one would have."""

from __future__ import annotations

import json
import resource
import signal
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.identifiers import Identifier
from target_hubspot_lists.ledger.workspace import PrivateFile
from target_hubspot_lists.mirror.snapshot import ROWS_AT_ONCE, Snapshot
from tests.factories import state_message
from tests.processes import Plugin, config_file
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import SIZED, mirror, sized

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

ADD_AND_REMOVE = "/memberships/add-and-remove"
MEMBERS = "/memberships"


@pytest.fixture(params=["without a ledger", "with a ledger"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    return {"ledger_url": f"sqlite:///{tmp_path}/l.db"} if request.param == "with a ledger" else {}


def snapshot(people: list[str]) -> list[str]:
    """Everybody but the first."""
    return [SIZED, *sized(people[1:], 3), state_message({"n": 1})]


FAULTS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "500 on the page of the list": ("next", "GET", MEMBERS, {"status": 500}),
    "page of the list without members": ("next", "GET", MEMBERS, {"status": 200, "body": {}}),
    "DAILY before the adds": ("next", "PUT", ADD_AND_REMOVE, {"status": 429, "policy": "DAILY"}),
    "DAILY between adds and removals": (
        "next",
        "PUT",
        ADD_AND_REMOVE,
        {"status": 429, "policy": "DAILY", "after": 1},
    ),
    "500 on the removals": ("next", "PUT", ADD_AND_REMOVE, {"status": 500, "after": 1}),
    "403 on the removals": ("next", "PUT", ADD_AND_REMOVE, {"status": 403, "after": 1}),
}
HARMLESS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "adds accepted, answer lost": ("accept_then_drop", "PUT", ADD_AND_REMOVE, {}),
    "removals accepted, answer lost": ("accept_then_drop", "PUT", ADD_AND_REMOVE, {"after": 1}),
    "removals truncated": ("truncate", "PUT", ADD_AND_REMOVE, {"after": 1}),
    "connection reset at the page of the list": ("reset", "GET", MEMBERS, {}),
    "524 twice on the removals": ("next", "PUT", ADD_AND_REMOVE, {"status": 524, "after": 1, "times": 2}),
    "413 on the removals": ("next", "PUT", ADD_AND_REMOVE, {"status": 413, "after": 1}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_ends_the_run_removes_nobody_and_the_rerun_mends(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    people: list[str],
    ledger: dict[str, Any],
    fault: str,
) -> None:
    kind, method, path, options = FAULTS[fault]
    getattr(hubspot.faults, kind)(method, path, **options)

    broken = mirror(run_target, *snapshot(people), **ledger)
    assert (broken.exit_code, broken.states) == (1, [])
    assert portal.members("c_VIP") >= set(people[:3])

    run_target.clock.sleep(86_400)
    mended = mirror(run_target, *snapshot(people), **ledger)
    assert (mended.exit_code, mended.states) == (0, [{"n": 1}])
    assert portal.members("c_VIP") == set(people[1:])


@pytest.mark.parametrize("fault", HARMLESS)
def test_a_fault_that_passes_costs_nobody(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    people: list[str],
    ledger: dict[str, Any],
    fault: str,
) -> None:
    extra = list(portal.add_contacts(3, "extra{}@example.com"))
    portal.add_members("c_VIP", *extra)
    kind, method, path, options = HARMLESS[fault]
    getattr(hubspot.faults, kind)(method, path, **options)

    run = mirror(run_target, *snapshot(people), **ledger)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("c_VIP") == set(people[1:])


def test_a_list_that_is_deleted_before_its_removals_ends_the_run_by_name(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    hubspot.faults.call("PUT", ADD_AND_REMOVE, lambda: portal.delete_list("c_VIP"), after=1)

    run = mirror(run_target, *snapshot(people))

    assert (run.exit_code, run.states) == (1, [])
    assert 'List "c_VIP" (1) was deleted' in run.error


def test_a_list_that_becomes_active_before_its_removals_ends_the_run_by_name(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    def activate() -> None:
        portal.hubspot_list("c_VIP").processing_type = "DYNAMIC"

    hubspot.faults.call("PUT", ADD_AND_REMOVE, activate, after=1)

    run = mirror(run_target, *snapshot(people))

    assert (run.exit_code, run.states) == (1, [])
    assert "is an active list" in run.error
    assert portal.members("c_VIP") == set(people)


def test_whom_somebody_puts_onto_the_list_while_it_is_compared_stays(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    (late,) = portal.add_contacts(1, "late{}@example.com")
    hubspot.faults.call("PUT", ADD_AND_REMOVE, lambda: portal.add_members("c_VIP", late))

    assert mirror(run_target, *snapshot(people)).exit_code == 0
    assert portal.members("c_VIP") == {*people[1:], late}


# The call, counted, at which the process is hit: HubSpot takes two ids a call, as the first removals teach.
POINTS = {
    "at the page of the list": ("GET", MEMBERS, 0, 0),
    "at the adds": ("PUT", ADD_AND_REMOVE, 0, 0),
    "at the first call that removes": ("PUT", ADD_AND_REMOVE, 1, 0),
    "in the midst of the calls that remove": ("PUT", ADD_AND_REMOVE, 4, 3),
}


@pytest.fixture
def crowd(portal: Portal, people: list[str]) -> list[str]:
    """The people, with four more on the list: of all these, five are to go, in three calls."""
    portal.quirks.max_ids_per_call = 2
    portal.add_members("c_VIP", *portal.add_contacts(4, "more{}@example.com"))
    return people


@pytest.mark.parametrize("point", POINTS)
def test_a_signal_lets_the_call_in_hand_return_and_starts_no_other(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    crowd: list[str],
    ledger: dict[str, Any],
    point: str,
) -> None:
    method, path, after, removed = POINTS[point]
    hubspot.faults.call(method, path, run_target.terminate, after=after)

    stopped = mirror(run_target, *snapshot(crowd), **ledger)
    left = portal.members("c_VIP")
    mended = mirror(run_target, *snapshot(crowd), **ledger)

    assert (stopped.exit_code, stopped.states) == (143, [])
    assert len(left - set(crowd[1:])) == 5 - removed
    assert (mended.exit_code, mended.states) == (0, [{"n": 1}])
    assert portal.members("c_VIP") == set(crowd[1:])


def test_a_process_that_is_killed_removes_nobody_it_should_not_and_leaves_no_file(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    crowd: list[str],
    tmp_path: Path,
) -> None:
    method, path, after, _ = POINTS["in the midst of the calls that remove"]
    ledger = {"ledger_url": f"sqlite:///{tmp_path}/l.db"}
    folder = tmp_path / "temporary"
    folder.mkdir()
    config: dict[str, Any] = {
        "api_url": hubspot.url,
        "access_token": hubspot.token,
        "match_by": "contact_id",
        **ledger,
    }
    config |= {"sync_mode": "mirror", "list_name_prefix": "c_", "max_removal_percent": 100}
    arguments = ("--config", config_file(tmp_path, config))
    with Plugin("target_hubspot_lists", *arguments, environment={"TMPDIR": str(folder)}) as plugin:
        hubspot.faults.call(method, path, lambda: plugin.signal(signal.SIGKILL), after=after)
        plugin.write(*snapshot(crowd))
        assert plugin.finish() == -signal.SIGKILL
        assert plugin.lines == []
    assert set(crowd[1:3]) <= portal.members("c_VIP")
    assert list(folder.iterdir()) == []

    assert mirror(run_target, *snapshot(crowd), **ledger).exit_code == 0
    assert portal.members("c_VIP") == set(crowd[1:])


def test_a_disk_that_is_full_ends_the_run_with_what_to_do() -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    snapshot = Snapshot(PrivateFile(), [Identifier.from_setting({"match_by": "email"})])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(TargetError, match="SQLITE_TMPDIR"):
            _fill(snapshot)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _fill(snapshot: Snapshot) -> None:
    snapshot.begin_run(0, is_member=True)
    for number in range(0, 1_000_000, ROWS_AT_ONCE):
        numbers = range(number, number + ROWS_AT_ONCE)
        snapshot.members.extend(f"contact{each}@example.com" for each in numbers)
        snapshot.write()


def test_the_removals_of_a_mirror_are_no_records_that_were_read(
    run_target: TargetRunner, people: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "report.jsonl"

    run = mirror(run_target, SIZED, *sized(people[2:], 2), report_path=str(path))

    assert row(run.log, "c_VIP")["removed"] == "2"
    assert "no outcome" not in run.log
    assert json.loads(path.read_text().splitlines()[-1])["not_settled"] == 0


def test_a_mirror_that_breaks_off_at_its_removals_says_that_every_record_has_its_outcome(
    hubspot: HubSpotEmulator, run_target: TargetRunner, people: list[str]
) -> None:
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500, after=1)

    run = mirror(run_target, SIZED, *sized(people[2:], 2))

    assert run.exit_code == 1
    assert row(run.log, "c_VIP")["added"] == "1"
    assert "no outcome" not in run.log
