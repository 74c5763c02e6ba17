"""Who on a list HubSpot does not mail, and why; it never changes who is on the list."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.hubspot.contact_answers import mailability_of
from target_hubspot_lists.ledger import Ledger
from target_hubspot_lists.outcomes import Mailability
from tests.factories import email_schema, membership, record_message, schema_message
from tests.hubspot_emulator import ALL_SCOPES, HubSpotEmulator
from tests.target_hubspot_lists.inputs import adds, calls_of, emails, now
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import mirror
from tests.target_hubspot_lists.test_portal import check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal
    from tests.hubspot_emulator.answers import Answer

READ = "/contacts/batch/read"
SECONDS_PER_DAY = 86_400
OBSTACLES: dict[str, dict[str, str]] = {
    "opted_out": {"hs_email_optout": "true"},
    "bad_address": {"hs_email_bad_address": "true"},
    "hard_bounced": {"hs_email_hard_bounce_reason_enum": "UNKNOWN_USER"},
    "quarantined": {"hs_email_quarantined": "true"},
    "ineligible": {"hs_email_is_ineligible": "true"},
    "not_marketing": {"hs_marketable_status": "false"},
}
ADA, BOB, CYD = (f"{name}@example.com" for name in ("ada", "bob", "cyd"))


def address(reason: str) -> str:
    return f"{reason}@example.com"


@pytest.fixture
def people(portal: Portal) -> dict[str, str]:
    """A contact for each reason, and one who can be mailed: record ids by address."""
    unmailable = {
        address(reason): portal.add_contact(address(reason), **values) for reason, values in OBSTACLES.items()
    }
    return {**unmailable, ADA: portal.add_contact(ADA, hs_marketable_status="true", hs_email_optout="false")}


def lines(path: Path, kind: str = "member") -> list[dict[str, Any]]:
    every = (json.loads(line) for line in path.read_text().splitlines())
    return [each for each in every if each["kind"] == kind]


def told(path: Path) -> dict[str, str | None]:
    return {each["member"]: each["mailability"] for each in lines(path)}


def sized(members: dict[str, str] | list[str], column: str = "email") -> list[str]:
    records = (
        record_message(**{column: each}, cohort_name="VIP", cohort_size=len(members)) for each in members
    )
    return [schema_message(column, "cohort_name", "cohort_size"), *records]


# What the properties say


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        *[(values, reason) for reason, values in OBSTACLES.items()],
        ({}, "mailable"),
        (dict.fromkeys([name for values in OBSTACLES.values() for name in values]), "mailable"),
        ({"hs_email_optout": "false", "hs_marketable_status": "true"}, "mailable"),
        ({"hs_email_hard_bounce_reason_enum": "  "}, "mailable"),
        ({"hs_email_optout": ""}, "mailable"),
        ({"hs_email_optout": " TRUE "}, "opted_out"),
        ({"hs_email_optout": True}, "opted_out"),
        ({"hs_marketable_status": False}, "not_marketing"),
        ({"hs_email_optout": 1, "hs_email_quarantined": {"a": 1}}, "mailable"),
        ({"hs_email_hard_bounce_reason_enum": ["OTHER"]}, "mailable"),
        ({"hs_email_hard_bounce_reason_enum": "SOMETHING_NEW"}, "hard_bounced"),
    ],
)
def test_a_property_that_is_absent_null_or_odd_is_no_obstacle(
    properties: dict[str, object], expected: str
) -> None:
    assert mailability_of(properties) == expected


def test_of_several_reasons_the_first_in_order_is_told() -> None:
    left = list(OBSTACLES)
    while left:
        assert mailability_of({k: v for each in left for k, v in OBSTACLES[each].items()}) == left.pop(0)


# A run


@pytest.mark.parametrize("match_by", ["email", "contact_id"])
@pytest.mark.parametrize("mode", ["incremental", "mirror"])
@pytest.mark.parametrize("has_ledger", [False, True])
@pytest.mark.parametrize("dry_run", [False, True])
def test_the_report_names_who_on_the_list_cannot_be_mailed_and_why(
    portal: Portal,
    run_target: TargetRunner,
    people: dict[str, str],
    tmp_path: Path,
    match_by: str,
    mode: str,
    *,
    has_ledger: bool,
    dry_run: bool,
) -> None:
    report, ledger = tmp_path / "report.jsonl", f"sqlite:///{tmp_path}/ledger.db"
    members = list(people) if match_by == "email" else list(people.values())
    # Half of them are on the list already.
    portal.add_list("c_VIP", members=[people[each] for each in list(people)[::2]])

    run = mirror(
        run_target,
        *sized(members, match_by),
        sync_mode=mode,
        match_by=match_by,
        check_mailability=True,
        report_path=str(report),
        dry_run=dry_run,
        ledger_url=ledger if has_ledger else None,
    )

    assert run.exit_code == 0
    names = members if match_by == "email" else [people[address(reason)] for reason in OBSTACLES]
    assert told(report) == dict(zip(names, OBSTACLES, strict=False))
    (of_list,) = lines(report, "list")
    assert of_list["mailability"] == {"mailable": 1, **dict.fromkeys(OBSTACLES, 1)}
    assert row(run.log, "c_VIP")["cannot be mailed"] == "6"
    assert (
        "1 opted_out, 1 bad_address, 1 hard_bounced, 1 quarantined, 1 ineligible, 1 not_marketing" in run.log
    )
    if not dry_run:
        assert portal.members("c_VIP") == set(people.values())


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_all_members_are_told_of_where_the_report_names_all(
    run_target: TargetRunner, people: dict[str, str], tmp_path: Path, mode: str
) -> None:
    report = tmp_path / "report.jsonl"

    mirror(
        run_target,
        *sized(people),
        sync_mode=mode,
        match_by="email",
        check_mailability=True,
        report_path=str(report),
        report_members="all",
    )

    assert told(report) == {ADA: "mailable"} | {address(reason): reason for reason in OBSTACLES}


def test_a_csv_report_has_the_reason_too(
    run_target: TargetRunner, people: dict[str, str], tmp_path: Path
) -> None:
    report = tmp_path / "report.csv"

    run_target(*emails(people), match_by="email", check_mailability=True, report_path=str(report))

    heading, *rows = report.read_text("utf-8-sig").splitlines()
    assert heading.endswith("mailability,mailability_as_of")
    assert sum(",opted_out," in each for each in rows) == 1
    assert len(rows) == len(OBSTACLES)


def test_only_who_is_to_be_on_the_list_is_told_of(
    portal: Portal, run_target: TargetRunner, people: dict[str, str], tmp_path: Path
) -> None:
    report, (leaving, *_) = tmp_path / "report.jsonl", people
    portal.add_list("VIP", members=[people[leaving]])

    run = run_target(
        *emails([leaving], operation="remove"),
        *emails(["typo@example.con"]),
        match_by="email",
        check_mailability=True,
        report_path=str(report),
        report_members="all",
    )

    assert run.exit_code == 0
    assert told(report) == {leaving: None, "typo@example.con": None}
    assert lines(report, "list")[0]["mailability"] == {}
    assert "cannot be mailed" not in run.log


def test_a_new_contact_is_told_of_by_what_hubspot_says_when_it_is_created(
    hubspot: HubSpotEmulator, run_target: TargetRunner, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"

    def no_marketing_contact(answer: Answer) -> Answer:
        body: Any = json.loads(answer.payload())
        body["results"][0]["properties"]["hs_marketable_status"] = "false"
        return replace(answer, body=body)

    hubspot.faults.change("POST", "/contacts/batch/create", no_marketing_contact)
    run = run_target(*emails([ADA, BOB]), match_by="email", check_mailability=True, report_path=str(report))

    assert run.exit_code == 0
    assert sorted(map(str, told(report).values())) == ["mailable", "not_marketing"]
    assert hubspot.calls("POST", READ) == 1


def test_without_the_setting_nothing_is_told(
    run_target: TargetRunner, people: dict[str, str], tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"

    run = run_target(*emails(people), match_by="email", report_path=str(report))

    assert lines(report) == []
    assert lines(report, "list")[0]["mailability"] == {}
    assert "mailed" not in run.log


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_by_address_it_costs_no_call(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, mode: str
) -> None:
    portal.add_contacts(250)
    source = sized([f"contact{number}@example.com" for number in range(260)])
    settings: dict[str, Any] = {"match_by": "email", "sync_mode": mode}
    mirror(run_target, *source, **settings)  # so that all are there
    calls_of(hubspot)

    mirror(run_target, *source, **settings)
    plain = calls_of(hubspot)
    mirror(run_target, *source, check_mailability=True, **settings)

    assert calls_of(hubspot) == plain


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_by_record_id_it_costs_a_call_for_100_members_once_a_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, mode: str
) -> None:
    contacts = list(portal.add_contacts(250))
    source = [
        *sized(contacts, "contact_id"),
        # A contact on two lists is asked for once.
        *(record_message(contact_id=each, cohort_name="B", cohort_size=250) for each in contacts),
    ]

    mirror(run_target, *source, sync_mode=mode, check_mailability=True)

    assert hubspot.calls("POST", READ) == 3


def test_a_mirror_that_reads_whom_it_adds_for_merges_reads_them_only_once(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = list(portal.add_contacts(251))
    mirror(run_target, *sized(contacts[:51], "contact_id"), max_removal_percent=100)
    calls_of(hubspot)

    run = mirror(
        run_target,
        *sized(contacts[1:], "contact_id"),
        max_removal_percent=100,
        check_mailability=True,
    )

    reads = sum(READ in each for each in calls_of(hubspot))
    assert run.exit_code == 0
    assert reads == 1 + 2 + 1  # one to remove, 200 to add, and 50 who stay


# A property that the portal or an answer does not have


def test_a_property_that_the_portal_lacks_is_no_obstacle(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    portal.add_contact(ADA, hs_email_optout="true")
    portal.add_contact(BOB)
    report = tmp_path / "report.jsonl"

    def without_marketing(answer: Answer) -> Answer:
        body: Any = json.loads(answer.payload())
        for each in body["results"]:
            each["properties"] = {k: v for k, v in each["properties"].items() if k != "hs_marketable_status"}
        return replace(answer, body=body)

    hubspot.faults.change("POST", READ, without_marketing)
    run = run_target(
        *emails([ADA, BOB]),
        match_by="email",
        check_mailability=True,
        report_path=str(report),
        report_members="all",
    )

    assert run.exit_code == 0
    assert told(report) == {ADA: "opted_out", BOB: "mailable"}


# By record id, without the scope


@pytest.fixture
def without_reads(portal: Portal) -> Iterator[HubSpotEmulator]:
    scopes = ALL_SCOPES - {"crm.objects.contacts.read"}
    with HubSpotEmulator(portal, tokens={"pat-na1-lists": scopes}) as hubspot:
        yield hubspot


@pytest.mark.parametrize("tells_scopes", [True, False])
def test_a_run_by_record_id_that_may_not_read_contacts_says_so_once_and_goes_on(
    without_reads: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    people: dict[str, str],
    *,
    tells_scopes: bool,
) -> None:
    without_reads.tells_scopes = tells_scopes
    source = [schema_message(), *(membership(name, each) for name in "AB" for each in people.values())]

    run = run_target(
        *source,
        api_url=without_reads.url,
        access_token="pat-na1-lists",
        check_mailability=True,
        batch_size_rows=3,
    )

    assert run.exit_code == 0
    assert portal.members("A") == portal.members("B") == set(people.values())
    assert run.log.count("check_mailability") == 1
    assert "crm.objects.contacts.read" in run.log


def test_the_check_names_the_scope_that_a_run_by_record_id_needs(
    without_reads: HubSpotEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"access_token": "pat-na1-lists", "match_by": "contact_id"}

    assert check(without_reads, caplog, **settings)[0] == 0
    exit_code, log = check(without_reads, caplog, check_mailability=True, **settings)

    assert exit_code == 1
    assert "lacks crm.objects.contacts.read" in log


# With a ledger


def run_with(run_target: TargetRunner, url: str, report: Path, *source: str, **settings: Any) -> Run:
    report.unlink(missing_ok=True)
    return mirror(
        run_target,
        *source,
        **{
            "check_mailability": True,
            "ledger_url": url,
            "match_by": "email",
            "report_path": str(report),
            **settings,
        },
    )


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
@pytest.mark.parametrize("match_by", ["email", "contact_id"])
def test_a_remembered_answer_is_told_with_its_age_and_costs_no_call(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    ledger_url: str,
    tmp_path: Path,
    mode: str,
    match_by: str,
) -> None:
    report = tmp_path / "report.jsonl"
    ids = {ADA: portal.add_contact(ADA, hs_email_optout="true"), BOB: portal.add_contact(BOB)}
    members = list(ids) if match_by == "email" else list(ids.values())
    source, settings = sized(members, match_by), {"sync_mode": mode, "match_by": match_by}
    run_with(run_target, ledger_url, report, *source, **settings)
    first = lines(report)[0]["mailability_as_of"]
    portal.update_contact(ADA, hs_email_optout="false")
    portal.update_contact(BOB, hs_email_quarantined="true")
    run_target.clock.sleep(5 * SECONDS_PER_DAY)
    calls_of(hubspot)

    run = run_with(run_target, ledger_url, report, *source, **settings)

    assert not any(READ in each for each in calls_of(hubspot))
    assert told(report) == {members[0]: "opted_out"}
    assert lines(report)[0]["mailability_as_of"] == lines(report, "list")[0]["mailability_as_of"] == first
    assert f"1 opted_out, as HubSpot said at {first} or later" in run.log

    run_target.clock.sleep(3 * SECONDS_PER_DAY)
    run_with(run_target, ledger_url, report, *source, **settings)

    assert told(report) == {members[1]: "quarantined"}
    assert lines(report)[0]["mailability_as_of"] > first


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_addresses_that_a_ledger_learnt_without_the_setting_are_looked_up_once(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    ledger_url: str,
    tmp_path: Path,
    mode: str,
) -> None:
    report = tmp_path / "report.jsonl"
    portal.add_contact(ADA, hs_email_optout="true")
    source = sized([ADA])
    run_with(run_target, ledger_url, report, *source, sync_mode=mode, check_mailability=False)

    looked_up = []
    for _ in range(2):
        calls_of(hubspot)
        run_with(run_target, ledger_url, report, *source, sync_mode=mode)
        looked_up.append(sum(READ in each for each in calls_of(hubspot)))
        assert told(report) == {ADA: "opted_out"}

    assert looked_up == [1, 0]


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_a_dry_run_leaves_the_remembered_answers_as_they_are(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, tmp_path: Path, mode: str
) -> None:
    report = tmp_path / "report.jsonl"
    portal.add_contact(ADA, hs_email_optout="true")
    record_id = int(portal.contact(ADA).record_id)
    run_with(run_target, sqlite_url, report, *sized([ADA]), sync_mode=mode)
    portal.update_contact(ADA, hs_email_optout="false", hs_email_quarantined="true")

    run_with(
        run_target, sqlite_url, report, *sized([ADA]), sync_mode=mode, dry_run=True, contact_cache_days=0
    )

    assert told(report) == {ADA: "quarantined"}
    with Ledger.open(sqlite_url, portal.portal_id, run_id="look", now=now) as ledger:
        (known,) = ledger.people.mailability([record_id], since=now()).values()
    assert known.mailability is Mailability.OPTED_OUT


def test_a_contact_that_was_merged_is_told_of_as_who_it_is_now(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    for each in (ADA, BOB):
        portal.add_contact(each)
    run_with(run_target, sqlite_url, report, *sized([ADA]), sync_mode="incremental")
    merged = portal.merge(ADA, BOB)
    portal.update_contact(merged, hs_email_optout="true")
    portal.remove_members("c_VIP", merged)

    run = run_with(
        run_target, sqlite_url, report, *sized([ADA, CYD]), sync_mode="incremental", reconcile=True
    )

    assert run.exit_code == 0
    assert told(report)[ADA] == "opted_out"


def test_what_is_remembered_of_a_person_is_forgotten_with_them_and_after_90_days(
    portal: Portal, run_target: TargetRunner, ledger_url: str, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    ids = {each: int(portal.add_contact(each, hs_email_optout="true")) for each in (ADA, BOB)}
    run_with(run_target, ledger_url, report, *sized([ADA, BOB]), sync_mode="incremental")

    with Ledger.open(ledger_url, portal.portal_id, run_id="look", now=now) as ledger:
        forgotten = ledger.people.forget_person(email=ADA)
        left = ledger.people.mailability(ids.values(), since=now())
    assert forgotten.mailability == 1
    assert set(left) == {ids[BOB]}

    run_target.clock.sleep(91 * SECONDS_PER_DAY)
    run_with(run_target, ledger_url, report, *sized([CYD]), sync_mode="incremental")
    with Ledger.open(ledger_url, portal.portal_id, run_id="look", now=now) as ledger:
        assert ledger.people.mailability([ids[BOB]], since=now()) == {}


def test_a_list_that_cannot_be_used_costs_no_reads_of_its_members(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = list(portal.add_contacts(3))
    portal.add_list("VIP").processing_type = "DYNAMIC"

    run = run_target(*adds(contacts), check_mailability=True)

    assert run.exit_code == 1
    assert hubspot.calls("POST", READ) == 0


def test_a_member_who_is_on_several_lists_is_counted_on_each(
    run_target: TargetRunner, people: dict[str, str], tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    source = [email_schema(), *(each for name in "AB" for each in emails(people, name)[1:])]

    run_target(*source, match_by="email", check_mailability=True, report_path=str(report))

    assert [each["mailability"]["opted_out"] for each in lines(report, "list")] == [1, 1]
