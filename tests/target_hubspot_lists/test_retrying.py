"""Adds that HubSpot did not know or refused are tried again in later runs, until something replaces them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.ledger import Ledger
from target_hubspot_lists.sync.retrying import MOST_RETRIED
from target_hubspot_lists.sync.unapplied_adds import lists_of_pipeline
from tests.clocks import FakeClock
from tests.factories import (
    STREAM,
    by_email,
    email_schema,
    membership,
    record_message,
    schema_message,
    state_message,
)
from tests.target_hubspot_lists.inputs import now
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

ADA, ADA2, BOB, CYD = (f"{name}@example.com" for name in ("ada", "ada2", "bob", "cyd"))
READ = "/contacts/batch/read"
SECONDS_PER_DAY = 86_400


class Pipeline:
    """One pipeline that matches by address and creates no contact; it has a ledger."""

    def __init__(self, run_target: TargetRunner, url: str, **settings: Any) -> None:
        self._run_target = run_target
        self.settings: dict[str, Any] = {
            "ledger_url": url,
            "match_by": "email",
            "create_contacts": False,
            "list_name_prefix": "",
            **settings,
        }

    def run(self, *records: str, stream: str = STREAM, **settings: Any) -> Run:
        run = self._run_target(email_schema(stream=stream), *records, **{**self.settings, **settings})
        assert run.exit_code == 0, run.log
        return run


@pytest.fixture
def pipeline(run_target: TargetRunner, ledger_url: str) -> Pipeline:
    return Pipeline(run_target, ledger_url)


@pytest.fixture
def on_sqlite(run_target: TargetRunner, sqlite_url: str) -> Pipeline:
    return Pipeline(run_target, sqlite_url)


@pytest.fixture(autouse=True)
def bob(portal: Portal) -> str:
    """Somebody who is always there, so that runs apply something."""
    return portal.add_contact(BOB)


def both(operation: str = "add") -> list[str]:
    return [by_email("VIP", BOB), by_email("VIP", ADA, operation)]


def members(report: Path) -> list[dict[str, Any]]:
    every = (json.loads(line) for line in report.read_text().splitlines())
    return [each for each in every if each["kind"] == "member"]


# In a history of three runs


def test_a_member_whom_somebody_creates_is_put_on_the_list_without_the_source_naming_them_again(
    portal: Portal, pipeline: Pipeline
) -> None:
    pipeline.run(*both())
    assert portal.member_emails("VIP") == {BOB}
    second = pipeline.run()
    portal.add_contact(ADA)

    third = pipeline.run()

    assert portal.member_emails("VIP") == {BOB, ADA}
    assert "tried again" not in second.log
    assert 'List "VIP": 1 add of earlier runs tried again and applied.' in third.log
    assert row(third.log, "VIP")["asked"] == "0"


def test_one_that_was_put_on_the_list_is_not_tried_again(portal: Portal, pipeline: Pipeline) -> None:
    pipeline.run(*both())
    portal.add_contact(ADA)
    pipeline.run()
    portal.remove_members("VIP", ADA)

    run = pipeline.run()

    assert portal.member_emails("VIP") == {BOB}
    assert "tried again" not in run.log


def test_by_record_id_too(portal: Portal, run_target: TargetRunner, bob: str, ledger_url: str) -> None:
    nobodys_yet = str(int(bob) + 1)
    source = [schema_message(), membership("VIP", bob), membership("VIP", nobodys_yet)]
    run_target(*source, ledger_url=ledger_url)
    assert portal.add_contact(ADA) == nobodys_yet

    run = run_target(schema_message(), ledger_url=ledger_url)

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == {BOB, ADA}
    assert "1 add of earlier runs tried again" in run.log


def test_one_whom_hubspot_refused_is_created_later(
    hubspot: HubSpotEmulator, portal: Portal, on_sqlite: Pipeline
) -> None:
    refused = {"status": "error", "category": "VALIDATION_ERROR", "message": "Not now"}
    hubspot.faults.next("POST", "/contacts/batch/create", status=400, body=refused)

    first = on_sqlite.run(*both(), create_contacts=True)
    assert row(first.log, "VIP")["rejected"] == "1"
    second = on_sqlite.run(create_contacts=True)

    assert portal.member_emails("VIP") == {BOB, ADA}
    assert "1 contact created" in second.log


def test_the_report_names_who_is_on_the_list_now_and_counts_them_apart(
    portal: Portal, on_sqlite: Pipeline, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    on_sqlite.run(*both(), by_email("VIP", CYD))
    portal.add_contact(ADA)

    on_sqlite.run(report_path=str(report))

    (line,) = members(report)
    assert (line["member"], line["outcome"], line["tried_again"]) == (ADA, "added", True)
    (of_list,) = (each for each in map(json.loads, report.read_text().splitlines()) if each["kind"] == "list")
    assert (of_list["retried"], of_list["asked"], of_list["added"], of_list["missing"]) == (1, 0, 0, 0)


@pytest.mark.parametrize("mapped", [True, False])
def test_the_report_says_nothing_of_properties_where_mapped_values_were_not_kept(
    portal: Portal, on_sqlite: Pipeline, tmp_path: Path, *, mapped: bool
) -> None:
    report = tmp_path / "report.jsonl"
    settings: dict[str, Any] = {"audience_status_property": True}
    if mapped:
        settings["property_mappings"] = [{"field": "cohort_name", "property": "company"}]
    on_sqlite.run(*both(), **settings)
    portal.add_contact(ADA)

    on_sqlite.run(report_path=str(report), **settings)

    assert portal.contact(ADA).properties["vip"] == "realized"
    assert "company" not in portal.contact(ADA).properties
    (line,) = members(report)
    assert line["outcome"] == "added"
    assert line.get("properties") == (None if mapped else "updated")


# What replaces it


@pytest.mark.parametrize("when", ["while nobody has the address", "once somebody has it"])
def test_a_later_removal_cancels_it(portal: Portal, pipeline: Pipeline, when: str) -> None:
    pipeline.run(*both())
    if when == "once somebody has it":
        portal.add_contact(ADA)
    pipeline.run(by_email("VIP", ADA, "remove"))
    if portal.find_contact(ADA) is None:
        portal.add_contact(ADA)

    pipeline.run()

    assert portal.member_emails("VIP") == {BOB}


def test_a_later_removal_by_another_address_of_the_same_contact_cancels_it(
    portal: Portal, pipeline: Pipeline
) -> None:
    pipeline.run(*both())
    portal.add_contact(ADA2, additional_emails=[ADA])

    pipeline.run(by_email("VIP", ADA2, "remove"))
    assert portal.member_emails("VIP") == {BOB}
    pipeline.run()

    assert portal.member_emails("VIP") == {BOB}


def test_a_later_removal_of_a_contact_that_was_merged_since_cancels_it(
    portal: Portal, pipeline: Pipeline
) -> None:
    pipeline.run(*both())
    portal.add_contact(ADA2)
    pipeline.run(by_email("VIP", ADA2, "remove"))
    portal.add_contact(ADA)
    portal.merge(ADA2, ADA)

    pipeline.run()

    assert portal.member_emails("VIP") == {BOB}


@pytest.mark.parametrize("kept", [ADA, ADA2])
def test_a_later_removal_of_a_contact_merged_since_cancels_it_where_a_ledger_remembers_the_contact(
    portal: Portal, pipeline: Pipeline, kept: str
) -> None:
    pipeline.run(*both())
    portal.add_contact(ADA)
    portal.add_contact(ADA2)
    pipeline.run(by_email("Trial", ADA, stream="others"), stream="others")
    pipeline.run(by_email("VIP", ADA2, "remove", stream="others"), stream="others")
    portal.merge(ADA if kept == ADA2 else ADA2, kept)

    pipeline.run()

    assert portal.member_emails("VIP") == {BOB}


def test_a_later_removal_of_an_address_that_turns_out_to_be_of_the_same_contact_cancels_it(
    portal: Portal, pipeline: Pipeline
) -> None:
    pipeline.run(*both(), by_email("VIP", ADA2, "remove"))
    portal.add_contact(ADA2, additional_emails=[ADA])

    pipeline.run()

    assert portal.member_emails("VIP") == {BOB}


@pytest.mark.parametrize(
    ("skipped", "is_added"), [(by_email("VIP", ADA, "remove"), False), (by_email("VIP", CYD, "remove"), True)]
)
def test_a_removal_that_lists_skips_cancels_it_too(
    portal: Portal, pipeline: Pipeline, skipped: str, *, is_added: bool
) -> None:
    pipeline.run(by_email("VIP", BOB), by_email("VIP", ADA))
    pipeline.run(skipped, by_email("VIP", ADA2), lists=[{"cohort": "VIP", "skip": True}])
    portal.add_contact(ADA)

    pipeline.run(by_email("VIP", BOB))

    assert portal.member_emails("VIP") == ({ADA, BOB} if is_added else {BOB})


def test_an_add_that_lists_skips_does_not_take_its_place(portal: Portal, on_sqlite: Pipeline) -> None:
    on_sqlite.run(by_email("VIP", BOB), by_email("VIP", ADA))
    on_sqlite.run(by_email("VIP", ADA), lists=[{"cohort": "VIP", "skip": True}])
    portal.add_contact(ADA)

    on_sqlite.run(by_email("VIP", BOB))

    assert portal.member_emails("VIP") == {ADA, BOB}


def test_an_earlier_removal_by_another_address_does_not_cancel_it(portal: Portal, pipeline: Pipeline) -> None:
    pipeline.run(by_email("VIP", BOB), by_email("VIP", CYD))  # so that something is kept
    pipeline.run(by_email("VIP", ADA2, "remove"), by_email("VIP", ADA))
    portal.add_contact(ADA2, additional_emails=[ADA])

    pipeline.run()

    assert portal.member_emails("VIP") == {BOB, ADA2}


def test_a_later_removal_by_record_id_of_another_pipeline_cancels_it(
    portal: Portal, run_target: TargetRunner, pipeline: Pipeline, ledger_url: str
) -> None:
    pipeline.run(*both())
    ada = portal.add_contact(ADA)
    other = [schema_message(stream="others"), membership("VIP", ada, "remove", stream="others")]
    run_target(*other, ledger_url=ledger_url)

    pipeline.run()

    assert portal.member_emails("VIP") == {BOB}


def test_a_removal_is_never_tried_again(portal: Portal, pipeline: Pipeline) -> None:
    pipeline.run(*both("remove"))
    portal.add_contact(ADA)
    portal.add_members("VIP", ADA)

    pipeline.run()

    assert portal.member_emails("VIP") == {BOB, ADA}


def test_a_later_add_of_the_same_member_takes_its_place(
    hubspot: HubSpotEmulator, portal: Portal, on_sqlite: Pipeline
) -> None:
    on_sqlite.run(*both())
    portal.add_contact(ADA)
    on_sqlite.run(by_email("VIP", ADA))
    hubspot.requests.clear()

    on_sqlite.run()

    assert portal.member_emails("VIP") == {BOB, ADA}
    assert hubspot.calls("POST", READ) == 0


def test_it_is_not_tried_once_the_cohort_goes_to_another_list(portal: Portal, on_sqlite: Pipeline) -> None:
    on_sqlite.run(*both())
    portal.add_list("Others")
    portal.add_contact(ADA)
    elsewhere: dict[str, Any] = {"lists": [{"cohort": "VIP", "list_name": "Others"}]}

    on_sqlite.run(**elsewhere)
    on_sqlite.run()

    assert portal.member_emails("VIP") == {BOB}
    assert portal.member_emails("Others") == set()


def test_of_two_cohorts_with_one_list_the_one_that_moved_is_not_tried(
    portal: Portal, on_sqlite: Pipeline
) -> None:
    first, second = portal.add_list("First").list_id, portal.add_list("Second").list_id
    to_first = [{"cohort": cohort, "list_id": first} for cohort in ("A", "B")]
    on_sqlite.run(by_email("A", BOB), by_email("B", CYD), by_email("A", ADA), lists=to_first)
    for address in (ADA, CYD):
        portal.add_contact(address)
    on_sqlite.run(lists=[to_first[0], {"cohort": "B", "list_id": second}])

    assert portal.member_emails("First") == {BOB, ADA}
    assert portal.member_emails("Second") == set()


def test_of_two_streams_with_one_list_each_tries_its_own(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    settings = {"match_by": "email", "create_contacts": False, "ledger_url": sqlite_url}
    streams = [email_schema(stream=stream) for stream in "AB"]
    records = [
        by_email("VIP", member, stream=stream) for stream, member in [("A", ADA), ("B", CYD), ("B", BOB)]
    ]
    run_target(*streams, *records, **settings)
    for address in (ADA, CYD):
        portal.add_contact(address)
    run_target(streams[1], **settings)
    after_second_stream = portal.member_emails("VIP")
    run_target(streams[0], **settings)

    assert after_second_stream == {BOB, CYD}
    assert portal.member_emails("VIP") == {ADA, BOB, CYD}


@pytest.mark.parametrize("named_by", ["list_id", "legacy_list_id"])
def test_it_is_not_tried_once_the_setting_names_another_list_by_its_id(
    portal: Portal, on_sqlite: Pipeline, named_by: str
) -> None:
    on_sqlite.run(*both())
    others = portal.add_list("Others")
    portal.add_contact(ADA)
    list_id = others.legacy_id if named_by == "legacy_list_id" else others.list_id

    on_sqlite.run(lists=[{"cohort": "VIP", named_by: list_id}])
    on_sqlite.run()

    assert portal.member_emails("VIP") == {BOB}
    assert portal.member_emails("Others") == set()


def test_it_is_tried_as_long_as_the_setting_names_its_own_list_by_its_id(
    portal: Portal, on_sqlite: Pipeline
) -> None:
    on_sqlite.run(*both())
    portal.add_contact(ADA)

    on_sqlite.run(lists=[{"cohort": "VIP", "list_id": portal.hubspot_list("VIP").list_id}])

    assert portal.member_emails("VIP") == {BOB, ADA}


@pytest.mark.parametrize("is_proven", [True, False])
def test_a_mirror_that_is_proven_says_otherwise(
    portal: Portal, run_target: TargetRunner, pipeline: Pipeline, ledger_url: str, *, is_proven: bool
) -> None:
    pipeline.run(*both())
    snapshot = [
        schema_message("email", "cohort_name", "cohort_size"),
        record_message(email=BOB, cohort_name="VIP", cohort_size=1 if is_proven else 2),
    ]
    settings = {"ledger_url": ledger_url, "match_by": "email", "create_contacts": False}
    run_target(*snapshot, sync_mode="mirror", lists=[{"cohort": "VIP", "list_name": "VIP"}], **settings)
    portal.add_contact(ADA)

    pipeline.run()

    assert portal.member_emails("VIP") == ({BOB} if is_proven else {BOB, ADA})


@pytest.mark.parametrize(("days", "is_tried"), [(6.9, True), (7.1, False)])
def test_it_is_tried_for_seven_days(
    portal: Portal, run_target: TargetRunner, pipeline: Pipeline, days: float, *, is_tried: bool
) -> None:
    pipeline.run(*both())
    run_target.clock.sleep(days * SECONDS_PER_DAY)
    portal.add_contact(ADA)

    pipeline.run()

    assert portal.member_emails("VIP") == ({BOB, ADA} if is_tried else {BOB})


@pytest.mark.parametrize(("days", "is_tried"), [(6.9, True), (8.1, False)])
def test_one_kept_while_the_clock_was_ahead_is_tried_for_seven_days_from_the_next_run_on(
    portal: Portal, run_target: TargetRunner, pipeline: Pipeline, days: float, *, is_tried: bool
) -> None:
    right = run_target.clock
    run_target.clock = FakeClock(now=right.time() + 365 * SECONDS_PER_DAY)
    pipeline.run(*both())
    run_target.clock = right
    pipeline.run()
    right.sleep(days * SECONDS_PER_DAY)
    portal.add_contact(ADA)

    pipeline.run()

    assert portal.member_emails("VIP") == ({BOB, ADA} if is_tried else {BOB})


def test_with_no_days_nothing_is_kept(portal: Portal, on_sqlite: Pipeline) -> None:
    on_sqlite.run(*both(), retry_unapplied_days=0)
    portal.add_contact(ADA)

    on_sqlite.run()

    assert portal.member_emails("VIP") == {BOB}


def test_with_no_days_nothing_is_tried_and_a_removal_still_cancels(
    portal: Portal, on_sqlite: Pipeline
) -> None:
    on_sqlite.run(*both(), by_email("VIP", CYD))
    for each in (ADA, CYD):
        portal.add_contact(each)
    on_sqlite.run(by_email("VIP", ADA, "remove"), retry_unapplied_days=0)
    assert portal.member_emails("VIP") == {BOB}

    on_sqlite.run()

    assert portal.member_emails("VIP") == {BOB, CYD}


def test_a_reason_of_the_list_keeps_nobody(portal: Portal, run_target: TargetRunner, sqlite_url: str) -> None:
    listed = portal.add_list("VIP", processing_type="DYNAMIC")
    settings = {"ledger_url": sqlite_url, "match_by": "email"}
    assert run_target(email_schema(), *both(), **settings).exit_code == 1
    listed.processing_type = "MANUAL"

    run_target(email_schema(), **settings)

    assert portal.member_emails("VIP") == set()


@pytest.mark.parametrize(("change", "expected"), [("add", {BOB, ADA}), ("remove", {BOB})])
def test_it_follows_its_list_that_is_made_anew(
    portal: Portal, pipeline: Pipeline, change: str, expected: set[str]
) -> None:
    pipeline.run(*both())
    portal.rename_list("VIP", "Old VIP")
    portal.delete_list("Old VIP")
    if change == "remove":
        pipeline.run(by_email("VIP", ADA, "remove"))
    portal.add_contact(ADA)
    assert "VIP" not in portal.list_names()

    pipeline.run(by_email("VIP", BOB))
    pipeline.run()

    assert portal.member_emails("VIP") == expected


def test_it_waits_for_a_list_that_was_deleted_and_is_not_made_anew_yet(
    portal: Portal, on_sqlite: Pipeline
) -> None:
    on_sqlite.run(*both(), by_email("Beta", BOB))
    portal.add_contact(ADA)
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")

    between = on_sqlite.run(by_email("Beta", BOB))
    assert portal.list_names() == {"Beta"}
    on_sqlite.run(by_email("VIP", CYD), by_email("VIP", BOB))

    assert "tried again" not in between.log
    assert portal.member_emails("VIP") == {BOB, ADA}


@pytest.mark.parametrize("problem", ["locked", "active", "forbidden"])
def test_a_list_that_cannot_be_used_keeps_its_adds_and_holds_up_no_other(
    hubspot: HubSpotEmulator, portal: Portal, on_sqlite: Pipeline, sqlite_url: str, problem: str
) -> None:
    on_sqlite.run(*both(), by_email("Beta", BOB), by_email("Beta", ADA))
    portal.add_contact(ADA)
    vip = portal.hubspot_list("VIP")
    other = Ledger.open(sqlite_url, portal.portal_id, run_id="run-2", now=now)
    if problem == "active":
        vip.processing_type = "DYNAMIC"
    if problem == "forbidden":
        body = {"status": "error", "category": "FORBIDDEN", "message": "Not now"}
        hubspot.faults.next("PUT", f"/{vip.list_id}/memberships", status=403, body=body)
    with other, other.lock(["vip"] if problem == "locked" else [], sleep=lambda _: None):
        run = on_sqlite.run(state_message(1))

    assert run.states == [1]
    assert portal.member_emails("VIP") == {BOB}
    assert portal.member_emails("Beta") == {BOB, ADA}
    assert ("adds of earlier runs are not tried again" in run.log) is (problem != "forbidden")
    vip.processing_type = "MANUAL"
    on_sqlite.run()
    assert portal.member_emails("VIP") == {BOB, ADA}


def test_no_add_is_tried_again_where_the_list_could_not_be_read_for_the_records_of_this_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, pipeline: Pipeline
) -> None:
    pipeline.run(*both())
    portal.add_contact(ADA)
    left = by_email("VIP", ADA, "remove")
    # The reading fails, which rejects the removal; by the time that adds are tried again, HubSpot is well.
    list_id = portal.hubspot_list("VIP").list_id
    body = {"status": "error", "category": "FORBIDDEN", "message": "Not now"}
    hubspot.faults.next("GET", f"/{list_id}/memberships", status=403, body=body)

    run = run_target(email_schema(), left, state_message(1), **pipeline.settings, reconcile=True)

    assert (run.exit_code, run.states) == (1, [])
    assert portal.member_emails("VIP") == {BOB}
    assert "adds of earlier runs are not tried again" in run.log
    pipeline.run(left)
    pipeline.run()
    assert portal.member_emails("VIP") == {BOB}


def test_an_add_of_another_cohort_of_the_list_is_not_tried_again_either(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, pipeline: Pipeline
) -> None:
    pipeline.run(*both())
    portal.add_contact(ADA)
    list_id = portal.hubspot_list("VIP").list_id
    body = {"status": "error", "category": "FORBIDDEN", "message": "Not now"}
    hubspot.faults.next("GET", f"/{list_id}/memberships", status=403, body=body)
    lists = [{"cohort": "Gold", "list_id": list_id}]

    run = run_target(
        email_schema(), by_email("Gold", ADA, "remove"), **pipeline.settings, lists=lists, reconcile=True
    )

    assert run.exit_code == 1
    assert portal.member_emails("VIP") == {BOB}


def test_a_ledger_that_breaks_while_it_tries_ends_the_run_and_heals(
    hubspot: HubSpotEmulator, portal: Portal, on_sqlite: Pipeline, sqlite_url: str
) -> None:
    on_sqlite.run(*both())
    portal.add_contact(ADA)

    def rename(old: str, new: str) -> None:
        with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as database:
            database.execute(f"ALTER TABLE {old} RENAME TO {new}")

    hubspot.faults.call("POST", READ, lambda: rename("ledger_contacts", "elsewhere"))

    run = on_sqlite._run_target(email_schema(), state_message(1), **on_sqlite.settings)  # noqa: SLF001

    assert run.exit_code == 1
    assert "ledger" in run.error
    assert portal.member_emails("VIP") == {BOB}
    rename("elsewhere", "ledger_contacts")
    on_sqlite.run()
    assert portal.member_emails("VIP") == {BOB, ADA}


# Other pipelines on the same ledger


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"stream": "others"}, id="another stream"),
        pytest.param({"match_field": "mail"}, id="another column"),
    ],
)
def test_a_pipeline_with_another_stream_or_other_match_settings_leaves_it_alone(
    portal: Portal, run_target: TargetRunner, pipeline: Pipeline, ledger_url: str, other: dict[str, Any]
) -> None:
    pipeline.run(*both())
    portal.add_contact(ADA)
    settings = dict(other)
    stream = settings.pop("stream", STREAM)
    source = [
        schema_message("email", "mail", "cohort_name", stream=stream),
        record_message(stream, email=BOB, mail=BOB, cohort_name="VIP"),
    ]

    run_target(*source, ledger_url=ledger_url, match_by="email", create_contacts=False, **settings)
    assert portal.member_emails("VIP") == {BOB}

    pipeline.run()
    assert portal.member_emails("VIP") == {BOB, ADA}


def test_a_pipeline_with_a_stream_of_the_same_name_and_other_cohorts_leaves_it_alone(
    portal: Portal, pipeline: Pipeline
) -> None:
    pipeline.run(*both())
    portal.add_contact(ADA)

    pipeline.run(by_email("Trial", BOB))
    pipeline.run()  # nobody can tell of which of the two it is
    assert portal.member_emails("VIP") == {BOB}

    pipeline.run(by_email("VIP", BOB))
    assert portal.member_emails("VIP") == {BOB, ADA}


def test_a_pipeline_with_a_stream_of_the_same_name_and_fewer_days_leaves_it_alone(
    portal: Portal, run_target: TargetRunner, pipeline: Pipeline
) -> None:
    pipeline.run(*both())
    run_target.clock.sleep(2 * SECONDS_PER_DAY)
    portal.add_contact(ADA)

    pipeline.run(by_email("Trial", BOB), retry_unapplied_days=1)
    pipeline.run(by_email("VIP", BOB))

    assert portal.member_emails("VIP") == {BOB, ADA}


def test_adds_of_another_pipeline_or_of_a_skipped_cohort_do_not_take_the_turns_of_others(
    portal: Portal, pipeline: Pipeline
) -> None:
    nobody = [f"nobody{number}@example.com" for number in range(MOST_RETRIED - 1)]
    pipeline.run(by_email("Trial", BOB), *(by_email("Trial", each) for each in (ADA, *nobody)))
    beta = [by_email("Beta", each) for each in (CYD, *nobody)]
    pipeline.run(*beta, by_email("Beta", BOB), by_email("VIP", BOB), by_email("VIP", ADA))
    portal.add_contact(ADA)
    skipped = [{"cohort": "Beta", "skip": True}]

    for _ in range(2):
        pipeline.run(by_email("VIP", BOB), lists=skipped)

    assert portal.member_emails("VIP") == {BOB, ADA}
    assert portal.member_emails("Trial") == {BOB}


def test_cohorts_that_came_in_one_run_are_of_one_pipeline(portal: Portal, pipeline: Pipeline) -> None:
    pipeline.run(*both(), by_email("Trial", BOB))
    portal.add_contact(ADA)

    pipeline.run(by_email("Trial", BOB))

    assert portal.member_emails("VIP") == {BOB, ADA}


def test_which_lists_are_of_one_pipeline() -> None:
    runs = [{"1", "2"}, {"2", "3"}, {"4"}]

    assert lists_of_pipeline(runs, {"1"}) == {"1", "2", "3"}
    assert lists_of_pipeline(runs, {"4"}) == {"4"}
    assert lists_of_pipeline(runs, {"5"}) == {"5"}
    assert lists_of_pipeline(runs, {"1", "4"}) == {"1", "2", "3", "4"}
    assert lists_of_pipeline(runs, ()) == set()
    assert lists_of_pipeline(runs[:2], ()) == {"1", "2", "3"}
    assert lists_of_pipeline([], ()) == set()


# STATE, dry runs, and runs that break off


def test_it_never_holds_back_state(hubspot: HubSpotEmulator, portal: Portal, on_sqlite: Pipeline) -> None:
    on_sqlite.run(*both())
    portal.add_contact(ADA)
    hubspot.faults.next("POST", READ, status=500, times=None)

    run = on_sqlite._run_target(  # noqa: SLF001 - it fails, which the pipeline does not
        email_schema(),
        by_email("VIP", BOB),
        state_message({"n": 1}),
        **on_sqlite.settings,
    )

    assert run.exit_code == 1
    assert run.states == [{"n": 1}]
    hubspot.faults.clear()
    on_sqlite.run()
    assert portal.member_emails("VIP") == {BOB, ADA}


def test_a_dry_run_foretells_it_keeps_nothing_and_forgets_nothing(portal: Portal, pipeline: Pipeline) -> None:
    pipeline.run(*both())
    dry = pipeline.run(by_email("VIP", CYD), by_email("VIP", ADA, "remove"), dry_run=True)
    for each in (ADA, CYD):
        portal.add_contact(each)
    foretold = pipeline.run(dry_run=True)
    assert portal.member_emails("VIP") == {BOB}

    pipeline.run()

    assert "tried again" not in dry.log
    assert "1 add of earlier runs tried again and would apply." in foretold.log
    assert portal.member_emails("VIP") == {BOB, ADA}


@pytest.mark.parametrize("takes_effect", [True, False])
def test_a_run_that_ends_while_it_tries_heals(
    hubspot: HubSpotEmulator, portal: Portal, on_sqlite: Pipeline, *, takes_effect: bool
) -> None:
    on_sqlite.run(*both())
    portal.add_contact(ADA)
    put = "/memberships/add-and-remove"
    if takes_effect:
        hubspot.faults.accept_then_drop("PUT", put, times=None)
    else:
        hubspot.faults.call("PUT", put, lambda: os.kill(os.getpid(), signal.SIGTERM))
        hubspot.faults.next("PUT", put, status=500)
    run = on_sqlite._run_target(email_schema(), **on_sqlite.settings)  # noqa: SLF001
    assert run.exit_code != 0
    hubspot.faults.clear()

    on_sqlite.run()

    assert portal.member_emails("VIP") == {BOB, ADA}
    assert "tried again" not in on_sqlite.run().log


# What it costs, and what the ledger keeps of people


def test_without_a_ledger_or_without_kept_adds_it_costs_no_call(
    hubspot: HubSpotEmulator, on_sqlite: Pipeline
) -> None:
    on_sqlite.run(by_email("VIP", BOB))
    hubspot.requests.clear()

    on_sqlite.run()

    assert hubspot.calls("POST", READ) == 0
    assert hubspot.calls("GET", "/crm/lists") == 0


def test_an_add_is_not_tried_again_in_its_own_run(hubspot: HubSpotEmulator, on_sqlite: Pipeline) -> None:
    on_sqlite.run(*both(), batch_size_rows=1)

    assert hubspot.calls("POST", READ) == 2  # one for each flush


def test_a_hundred_cost_one_look_up_a_run_and_one_for_their_lists(
    hubspot: HubSpotEmulator, on_sqlite: Pipeline
) -> None:
    on_sqlite.run(by_email("VIP", BOB), *(by_email("VIP", f"new{each}@example.com") for each in range(100)))
    hubspot.requests.clear()

    on_sqlite.run()

    assert hubspot.calls("POST", READ) == 1
    assert hubspot.calls("GET", "/crm/lists") == 1
    assert hubspot.calls("PUT") == 0


def test_a_person_is_forgotten_with_their_kept_adds(
    portal: Portal, pipeline: Pipeline, ledger_url: str
) -> None:
    pipeline.run(*both(), by_email("VIP", CYD))
    with Ledger.open(ledger_url, portal.portal_id, run_id="forget", now=now) as ledger:
        forgotten = ledger.people.forget_person(email=f" {ADA.upper()}")
    for each in (ADA, CYD):
        portal.add_contact(each)

    pipeline.run()

    assert forgotten.kept_adds == 1
    assert portal.member_emails("VIP") == {BOB, CYD}


def test_kept_adds_are_deleted_with_all_that_is_of_no_more_use(
    portal: Portal, run_target: TargetRunner, pipeline: Pipeline, ledger_url: str
) -> None:
    pipeline.run(*both())
    run_target.clock.sleep(91 * SECONDS_PER_DAY)
    pipeline.run(by_email("VIP", BOB, stream="others"), stream="others", retry_unapplied_days=0)

    with Ledger.open(ledger_url, portal.portal_id, run_id="forget", now=now) as ledger:
        assert ledger.people.forget_person(email=ADA).kept_adds == 0


@pytest.mark.parametrize("value", [-1, 91, "soon"])
def test_days_are_a_whole_number_up_to_ninety(run_target: TargetRunner, value: Any) -> None:
    run = run_target(email_schema(), by_email("VIP", BOB), match_by="email", retry_unapplied_days=value)

    assert run.exit_code == 1
    assert "retry_unapplied_days must be" in run.error


def test_a_member_that_no_ledger_can_keep_costs_nothing_else(portal: Portal, pipeline: Pipeline) -> None:
    odd = ("\ud800@example.com", f"{'𝄞' * 490}@example.com", "o'hara\\ \t%@example.com")

    pipeline.run(by_email("VIP", BOB), *(by_email("VIP", each) for each in odd), by_email("VIP", ADA))
    portal.add_contact(ADA)
    pipeline.run()

    assert portal.member_emails("VIP") == {BOB, ADA}


# With several identifiers of a member

NUMBERED = schema_message("customer_id", "email", "cohort_name", "operation")
FALLBACKS: dict[str, Any] = {
    "match_by": "property",
    "match_property": "customer_id",
    "match_fallbacks": [{"match_by": "email"}],
    "create_contacts": False,
}


def numbered(customer_id: str | None, email: str | None, operation: str = "add") -> str:
    return record_message(customer_id=customer_id, email=email, cohort_name="VIP", operation=operation)


@pytest.mark.parametrize("change", [None, numbered("A-1", None, "remove"), numbered(None, ADA, "remove")])
def test_an_add_by_several_identifiers_is_tried_again_and_a_removal_by_any_of_them_cancels_it(
    portal: Portal, run_target: TargetRunner, ledger_url: str, change: str | None
) -> None:
    portal.add_property("customer_id", unique=True)
    settings = {**FALLBACKS, "ledger_url": ledger_url}
    run_target(NUMBERED, numbered(None, BOB), numbered("A-1", ADA), **settings)
    portal.add_contact(ADA, customer_id="A-1")
    if change:
        run_target(NUMBERED, change, **settings)

    run = run_target(NUMBERED, **settings)

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == ({BOB} if change else {BOB, ADA})


@pytest.mark.parametrize(("number", "expected"), [("A-1", {BOB}), ("A-2", {BOB, ADA})])
def test_a_removal_by_an_identifier_that_hubspot_never_learns_cancels_the_add_that_has_it(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, number: str, expected: set[str]
) -> None:
    portal.add_property("customer_id", unique=True)
    settings = {**FALLBACKS, "ledger_url": sqlite_url}
    run_target(NUMBERED, numbered(None, BOB), numbered("A-1", ADA), **settings)
    run_target(NUMBERED, numbered(None, BOB), numbered(number, None, "remove"), **settings)
    portal.add_contact(ADA)

    run_target(NUMBERED, **settings)

    assert portal.member_emails("VIP") == expected


def test_a_person_with_several_identifiers_is_forgotten_by_any_of_them(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    portal.add_property("customer_id", unique=True)
    settings = {**FALLBACKS, "ledger_url": sqlite_url}
    run_target(NUMBERED, numbered(None, BOB), numbered("A-1", ADA), numbered("A-2", CYD), **settings)

    with Ledger.open(sqlite_url, portal.portal_id, run_id="forget", now=now) as ledger:
        by_address = ledger.people.forget_person(email=ADA)
        by_number = ledger.people.forget_person(unique=("customer_id", "A-2"))

    assert (by_address.kept_adds, by_number.kept_adds) == (1, 1)
