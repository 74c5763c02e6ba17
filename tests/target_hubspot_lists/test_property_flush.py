"""What is remembered is not written again, and what a mirror removes is told as exited."""

from __future__ import annotations

import io
import itertools
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.journal.property_memory import Hashes
from target_hubspot_lists.ledger import Ledger
from target_hubspot_lists.outcomes import PropertyOutcome
from target_hubspot_lists.target import TargetHubSpotLists
from tests.clocks import START, FakeClock
from tests.factories import by_email, email_schema, membership, record_message, schema_message
from tests.target_hubspot_lists.inputs import now

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


class RunWithMemory:
    """Runs the target again and again with one ledger."""

    def __init__(self, hubspot: HubSpotEmulator, folder: Path) -> None:
        self.hubspot = hubspot
        self.report = folder / "report.jsonl"
        self.settings: dict[str, Any] = {
            "ledger_url": f"sqlite:///{folder}/ledger.db",
            "report_path": str(self.report),
            "api_url": hubspot.url,
            "access_token": hubspot.token,
            "match_by": "contact_id",
            "list_name_prefix": "",
            "property_mappings": [{"field": "plan", "property": "plan"}],
            "audience_status_property": True,
        }

    def __call__(self, *messages: str, **config: Any) -> dict[str, int]:
        """Run, and count what became of properties over all lists."""
        assert self.exit_code(*messages, **config) == 0
        lines = [json.loads(line) for line in self.report.read_text().splitlines()]
        lists = [each for each in lines if each["kind"] == "list"]
        totals = {each.value: sum(line[f"properties_{each}"] for line in lists) for each in PropertyOutcome}
        return {outcome: count for outcome, count in totals.items() if count}

    def exit_code(self, *messages: str, **config: Any) -> int:
        """Run, and return how it ended."""
        self.report.unlink(missing_ok=True)
        target = TargetHubSpotLists(config=self.settings | config, clock=FakeClock())
        schema = email_schema("plan") if config.get("match_by") == "email" else person_schema()
        return target.run(io.BytesIO("\n".join([schema, *messages]).encode()))


def person_schema() -> str:
    return schema_message("contact_id", "cohort_name", "operation", "plan")


def person(member: str, cohort: str = "VIP", operation: str = "add", **fields: Any) -> str:
    return record_message(contact_id=member, cohort_name=cohort, operation=operation, **fields)


@pytest.fixture
def run(hubspot: HubSpotEmulator, portal: Portal, tmp_path: Path) -> RunWithMemory:
    portal.add_property("plan")
    return RunWithMemory(hubspot, tmp_path)


def test_unchanged_values_are_not_written_again(
    hubspot: HubSpotEmulator, portal: Portal, run: RunWithMemory
) -> None:
    ada, bob = portal.add_contact(), portal.add_contact()
    assert run(person(ada, plan="pro"), person(bob, plan="pro")) == {"updated": 2}
    before = hubspot.calls(path_contains="batch/update")

    assert run(person(ada, plan="pro"), person(bob, plan="pro")) == {"unchanged": 2}
    assert hubspot.calls(path_contains="batch/update") == before

    assert run(person(ada, plan="free"), person(bob, plan="pro")) == {"updated": 1, "unchanged": 1}
    assert portal.contact(ada).properties == {"plan": "free", "vip": "realized"}


def test_what_one_list_writes_does_not_make_another_forget(
    hubspot: HubSpotEmulator, portal: Portal, run: RunWithMemory
) -> None:
    ada = portal.add_contact()
    run(person(ada, "VIP", plan="pro"))
    run(person(ada, "Beta", plan="pro"))
    before = hubspot.calls(path_contains="batch/update")

    assert run(person(ada, "VIP", plan="pro"), person(ada, "Beta", plan="pro")) == {"unchanged": 2}
    assert hubspot.calls(path_contains="batch/update") == before


def test_a_contact_created_with_properties_is_remembered(
    hubspot: HubSpotEmulator, portal: Portal, run: RunWithMemory
) -> None:
    record = record_message(email="new@example.com", cohort_name="VIP", operation="add", plan="pro")

    assert run(record, match_by="email") == {"updated": 1}
    assert run(record, match_by="email") == {"unchanged": 1}
    assert hubspot.calls(path_contains="batch/update") == 0
    assert portal.contact("new@example.com").properties == {"plan": "pro", "vip": "realized"}


def test_what_hubspot_refused_or_a_dry_run_foresaw_is_not_remembered(
    portal: Portal, run: RunWithMemory
) -> None:
    portal.add_property("badge", unique=True)
    portal.add_contact("holder@example.com", badge="7")
    ada = portal.add_contact()
    mappings = {"property_mappings": [{"field": "plan", "property": "badge"}]}

    assert run(person(ada, plan="8"), dry_run=True, **mappings) == {"updated": 1}
    assert run(person(ada, plan="7"), **mappings) == {"rejected": 1}
    portal.update_contact("holder@example.com", badge="")
    assert run(person(ada, plan="7"), **mappings) == {"updated": 1}
    assert portal.contact(ada).properties == {"badge": "7", "vip": "realized"}


def test_a_value_whose_answer_was_lost_does_not_keep_the_one_before_it_from_being_written(
    hubspot: HubSpotEmulator, portal: Portal, run: RunWithMemory
) -> None:
    """The run ends behind a call that took effect: HubSpot has a value that nobody remembers."""
    ada = portal.add_contact()
    run(person(ada, plan="pro"))
    hubspot.faults.accept_then_drop("POST", "batch/update")
    hubspot.faults.next("POST", "batch/update", status=401)
    assert run.exit_code(person(ada, operation="remove", plan="free")) == 1
    assert portal.contact(ada).properties == {"plan": "free", "vip": "exited"}

    assert run(person(ada, plan="pro")) == {"updated": 1}
    assert portal.contact(ada).properties == {"plan": "pro", "vip": "realized"}


def test_a_value_that_hubspot_never_answered_for_does_not_keep_the_one_before_it_from_being_written(
    hubspot: HubSpotEmulator, portal: Portal, run: RunWithMemory
) -> None:
    ada = portal.add_contact()
    run(person(ada, plan="pro"))
    silence = {"status": "COMPLETE", "results": []}
    hubspot.faults.next("POST", "batch/update", status=200, body=silence, times=2, takes_effect=True)
    run(person(ada, plan="free"))

    assert run(person(ada, plan="pro")) == {"updated": 1}
    assert portal.contact(ada).properties["plan"] == "pro"


def test_a_value_that_another_run_changed_meanwhile_does_not_count_as_known(
    hubspot: HubSpotEmulator, portal: Portal, run: RunWithMemory
) -> None:
    """Two runs write to one contact side by side, each for a list of its own."""
    ada = portal.add_contact()
    run(person(ada, plan="pro"))

    def other_run() -> None:
        portal.update_contact(ada, plan="free", vip="exited")
        hashes = Hashes().with_written({"plan": "free", "vip": "exited"}).packed
        with closing(
            Ledger.open(run.settings["ledger_url"], portal.portal_id, run_id="2", now=now)
        ) as ledger:
            known = ledger.people.property_hashes([int(ada)])
            ledger.people.remember_property_hashes({int(ada): hashes}, known)

    hubspot.faults.call("POST", "batch/update", other_run)
    run(person(ada, "Beta", plan="pro"))
    assert portal.contact(ada).properties == {"plan": "free", "vip": "exited", "beta": "realized"}

    assert run(person(ada, plan="pro")) == {"updated": 1}
    assert portal.contact(ada).properties == {"plan": "pro", "vip": "realized", "beta": "realized"}


def test_filling_asks_only_for_those_whose_value_is_new(
    hubspot: HubSpotEmulator, portal: Portal, run: RunWithMemory
) -> None:
    ada = portal.add_contact()
    fill = {"property_policy": "fill_empty"}
    run(person(ada, plan="pro"), **fill)
    before = hubspot.calls(path_contains="contacts/batch/read")

    assert run(person(ada, plan="pro"), **fill) == {"unchanged": 1}
    assert hubspot.calls(path_contains="contacts/batch/read") == before
    assert run(person(ada, plan="free"), **fill) == {"unchanged": 1}
    assert portal.contact(ada).properties["plan"] == "pro"


def test_members_that_a_snapshot_removed_become_exited_without_a_record_of_theirs(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contact(), portal.add_contact()
    portal.add_list("c_VIP", members=[ada, bob])

    run = run_target(
        schema_message("contact_id", "cohort_name", "cohort_size"),
        record_message(contact_id=ada, cohort_name="VIP", cohort_size=1),
        sync_mode="mirror",
        list_name_prefix="c_",
        audience_status_property=True,
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {ada}
    assert portal.contact(bob).properties == {"c_vip": "exited"}
    assert portal.contact(ada).properties == {"c_vip": "realized"}


@pytest.mark.parametrize("match_by", ["email", "contact_id"])
def test_a_run_without_properties_asks_nothing_about_them(
    hubspot: HubSpotEmulator, portal: Portal, run: RunWithMemory, match_by: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    record = by_email("VIP", "ada@example.com") if match_by == "email" else membership("VIP", ada)
    off = {"property_mappings": [], "audience_status_property": False}

    assert run(record, match_by=match_by, **off) == {}
    assert hubspot.calls(path_contains="/properties/") == 0
    assert hubspot.calls(path_contains="batch/update") == 0


@pytest.mark.parametrize("is_created", [False, True])
def test_a_property_that_was_deleted_and_created_anew_is_filled_again(
    hubspot: HubSpotEmulator, portal: Portal, run: RunWithMemory, *, is_created: bool
) -> None:
    times = itertools.count(START)
    portal.clock = lambda: next(times)
    if is_created:
        row, config = by_email("VIP", "new@example.com"), {"match_by": "email"}
        row = json.dumps(json.loads(row) | {"record": json.loads(row)["record"] | {"plan": "pro"}})
    else:
        row, config = person(portal.add_contact(), plan="pro"), {}
    run(row, **config)
    for name in ("plan", "vip"):
        portal.delete_property(name)
    portal.add_property("plan")

    assert run(row, **config) == {"updated": 1}

    (contact,) = portal.contacts
    assert contact.properties == {"plan": "pro", "vip": "realized"}
    before = hubspot.calls(path_contains="batch/update")
    assert run(row, **config) == {"unchanged": 1}
    assert hubspot.calls(path_contains="batch/update") == before
