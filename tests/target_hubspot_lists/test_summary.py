"""The end of a run: a table that is as wide as it needs to be, and the same counts as fields of the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import by_email, email_schema, membership, schema_message
from tests.processes import Plugin, config_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

STRUCTURED = """
version: 1
formatters:
  structured: {(): singer_sdk.logging.StructuredFormatter}
handlers:
  console: {class: logging.StreamHandler, formatter: structured, stream: ext://sys.stderr}
root: {level: INFO, handlers: [console]}
"""


def fields(caplog: pytest.LogCaptureFixture, name: str) -> list[dict[str, Any]]:
    return [getattr(record, name) for record in caplog.records if hasattr(record, name)]


def test_columns_that_are_0_throughout_are_left_out(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP")
    portal.add_list("Trial ends", members=[bob])

    run = run_target(
        schema_message(),
        membership("VIP", ada),
        membership("VIP", 7),
        membership("Trial ends", bob, "remove"),
    )

    lines = run.log.splitlines()
    start = lines.index("INFO list        id  asked  added  removed  missing  match rate")
    assert lines[start + 1 : start + 3] == [
        "INFO VIP          1      2      1        0        1       50.0%",
        "INFO Trial ends   2      1      0        1        0      100.0%",
    ]


def test_a_dry_run_says_what_would_be_made(portal: Portal, run_target: TargetRunner) -> None:
    run = run_target(email_schema(), by_email("VIP", "new@example.com"), match_by="email", dry_run=True)

    assert "INFO 1 list to be made." in run.log.splitlines()
    assert "1 contact to be created: " in run.log
    assert not portal.list_names()


def test_an_error_before_the_first_record_is_told_alone(run_target: TargetRunner) -> None:
    run = run_target(
        email_schema(), by_email("VIP", "new@example.com"), match_by="email", cohort_field="nope"
    )

    assert run.exit_code == 1
    assert 'no column "nope"' in run.error
    assert "No memberships were read" not in run.log


def test_the_last_line_has_the_calls_of_the_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    for number in range(250):
        portal.add_contact(f"contact{number}@example.com")

    run = run_target(
        email_schema(),
        *(by_email("VIP", f"contact{number}@example.com") for number in range(250)),
        match_by="email",
    )

    told = [line for line in run.log.splitlines() if "calls to HubSpot" in line]
    assert told == [f"INFO {hubspot.calls()} calls to HubSpot, 0.0 seconds."]


def test_counts_are_fields_of_the_log(
    portal: Portal, run_target: TargetRunner, caplog: pytest.LogCaptureFixture
) -> None:
    ada, bob = portal.add_contacts(2)

    run_target(schema_message(), *(membership("VIP", each) for each in (ada, bob, 7, 8)))

    (listed,), (run,) = fields(caplog, "hubspot_list"), fields(caplog, "hubspot_run")
    assert (listed["list_name"], listed["asked"], listed["added"], listed["missing"]) == ("VIP", 4, 2, 2)
    assert (listed["match_rate"], listed["applied"], listed["portal_id"]) == (0.5, 2, portal.portal_id)
    assert (run["exit_code"], run["records_read"], run["lists_created"]) == (0, 4, 1)
    assert listed["run_id"] == run["run_id"]


def test_no_address_is_a_field_of_the_log(run_target: TargetRunner, caplog: pytest.LogCaptureFixture) -> None:
    run_target(email_schema(), by_email("of ada@example.com", "ada@example.com", "remove"), match_by="email")

    assert "ada@" not in json.dumps([fields(caplog, "hubspot_list"), fields(caplog, "hubspot_run")])


def test_a_log_in_json_has_the_counts_as_numbers(
    hubspot: HubSpotEmulator, portal: Portal, tmp_path: Path
) -> None:
    (ada,) = portal.add_contacts(1)
    logging = tmp_path / "logging.yml"
    logging.write_text(STRUCTURED)
    config = {"api_url": hubspot.url, "access_token": hubspot.token, "match_by": "contact_id"}

    with Plugin(
        "target_hubspot_lists",
        "--config",
        config_file(tmp_path, config),
        environment={"SINGER_SDK_LOG_CONFIG": str(logging)},
    ) as target:
        target.write(schema_message(), membership("VIP", ada), membership("VIP", 7))
        assert target.finish() == 0

    extras = [json.loads(line)["extra"] for line in target.log.splitlines()]
    (match_rate,) = [extra["hubspot_list"]["match_rate"] for extra in extras if "hubspot_list" in extra]
    (calls,) = [extra["hubspot_run"]["calls"] for extra in extras if "hubspot_run" in extra]
    assert match_rate == 0.5
    assert calls == hubspot.calls()


@pytest.mark.parametrize("more", [{}, {"batch_size_rows": 1}, {"sync_mode": "mirror"}])
def test_a_dry_run_counts_a_contact_of_two_lists_once(run_target: TargetRunner, more: dict[str, Any]) -> None:
    records = [by_email("One", "ada@example.com"), by_email("Two", "ada@example.com")]

    run = run_target(email_schema(), *records, match_by="email", dry_run=True, **more)

    assert "1 contact to be created" in run.log


def test_a_dry_run_that_counted_more_contacts_than_it_remembers_says_at_most(
    run_target: TargetRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_hubspot_lists.reporting.accounts.MOST_REMEMBERED", 1)
    records = [by_email("VIP", f"p{number}@example.com") for number in range(3)]

    run = run_target(email_schema(), *records, match_by="email", dry_run=True)

    assert "At most 3 contacts to be created" in run.log
