"""Bad input ends the run with one line that says what, which setting or list, and what to do."""

from __future__ import annotations

import errno
import io
import json
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from hubspot_singer.http import SettingsError
from target_hubspot_lists.target import TargetHubSpotLists
from tests.factories import (
    by_email,
    email_schema,
    membership,
    record_message,
    schema_message,
    state_message,
)
from tests.hubspot_emulator import HubSpotEmulator

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal

PERSON = "ada.private@example.com"


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (
            [membership("VIP", 1)],
            'Line 1 of the input is a RECORD of stream "cohort_members", which has no SCHEMA',
        ),
        ([schema_message(), f'{{"type": "RECORD", "email": "{PERSON}"'], "Line 2 of the input is not JSON"),
        ([schema_message(), f'["{PERSON}"]'], "Line 2 of the input is not a JSON object"),
        (['{"type": "HELLO"}'], "Line 1 of the input is a message of type 'HELLO'"),
        (['{"stream": "x"}'], "Line 1 of the input has no type"),
        (['{"type": "SCHEMA", "stream": "x"}'], "Line 1 of the input is a SCHEMA without stream or schema"),
        (['{"type": "SCHEMA", "stream": "x", "schema": {}}'], 'The SCHEMA of stream "x" has no properties'),
        (
            [schema_message(), f'{{"type": "RECORD", "stream": "cohort_members", "record": "{PERSON}"}}'],
            "Line 2 of the input is a RECORD without a record",
        ),
        (['{"type": "BATCH", "stream": "x"}'], "Line 1 of the input is a BATCH message"),
        ([schema_message("id", "cohort_name")], 'Stream "cohort_members" has no column "contact_id"'),
    ],
)
def test_input_that_is_no_singer_stream_says_which_line_and_quotes_nothing(
    run_target: TargetRunner, lines: list[str], error: str
) -> None:
    run = run_target(state_message({"before": 1}), *lines)

    assert run.exit_code == 1
    assert run.error.startswith(error.replace("Line 2", "Line 3").replace("Line 1", "Line 2"))
    assert run.states == [{"before": 1}]
    assert PERSON not in run.log


def test_blank_lines_and_nan_are_no_reason_to_stop(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(
        "",
        schema_message("contact_id", "cohort_name", "score"),
        "   ",
        record_message(contact_id=ada, cohort_name="VIP", score=float("nan")),
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}


def test_windows_line_ends_and_a_byte_order_mark_are_no_reason_to_stop(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    lines = [schema_message(), membership("VIP", ada), state_message({"n": 1})]

    run = run_target.on("".join(f"{line}\r\n" for line in lines).encode("utf-8-sig"))

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
    assert run.states == [{"n": 1}]


def test_a_last_line_without_a_line_end_is_read(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)

    run_target.on(f"{schema_message()}\n{membership('VIP', ada)}".encode())

    assert portal.members("VIP") == {ada}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"access_token": None}, ["No credentials are set", "access_token"]),
        ({"match_by": "phone"}, ["match_by must be one of email, contact_id", "'phone'"]),
        ({"max_new_lists": "many"}, ["max_new_lists must be a whole number"]),
        ({"batch_size_rows": 0}, ["batch_size_rows must be at least 1"]),
        (
            {"cohort_field": "segment"},
            ['no column "segment"', "cohort_name, contact_id, operation", "cohort_field"],
        ),
        ({"api_url": "http://hubspot.example.com"}, ["api_url", "https"]),
        ({"api_version": "2026-04"}, ["api_version", "2026-04"]),
        ({"access_token": 123456789}, ["access_token must be text"]),
        ({"lists": [{"cohort": "VIP"}]}, ["lists[]", "VIP", "list_id, a list_name or a legacy_list_id"]),
        (
            {"lists": [{"cohort": "VIP", "list_id": "1", "legacy_list_id": "1"}]},
            ["lists[]", "VIP", "only one of them"],
        ),
        (
            {"lists": [{"cohort": "VIP", "legacy_list_id": "x"}]},
            ["lists[].legacy_list_id", "VIP", "not a number"],
        ),
        (
            {"lists": [{"cohort": "VIP", "legacy_list_id": "0"}]},
            ["lists[].legacy_list_id", "VIP", "not a number"],
        ),
        ({"lists": [{"cohort": "VIP", "list_id": "9" * 20}]}, ["lists[].list_id", "VIP", "not a number"]),
        ({"lists": [{"cohort": "VIP", "list_id": "x"}]}, ["lists[].list_id", "VIP", "not a number"]),
        ({"lists": [{"cohort": "VIP", "list_id": "٣"}]}, ["lists[].list_id", "VIP", "not a number"]),
        ({"lists": [{"list_id": "1"}]}, ["lists[0] lacks cohort"]),
        ({"lists": [{"cohort": "  ", "list_id": "1"}]}, ["entry of lists[] has no cohort", "id or name"]),
        (
            {"lists": [{"cohort": "VIP", "list_id": "1"}, {"cohort": "VIP ", "list_name": "B"}]},
            ['lists[] names the cohort "VIP" twice', "keep one"],
        ),
        ({"lists": [{"cohort": "VIP", "list": "1"}]}, ["lists[0] has no list", "list_name"]),
        ({"lists": [{"cohort": "VIP", "list_id": 404404}]}, ["no list 404404", "lists[].list_id"]),
        ({"list_folder_id": "Cohorts"}, ["list_folder_id is not a number"]),
        ({"create_lists": False}, ['no list "VIP"', "create_lists"]),
        ({"max_new_lists": 0}, ["1 new list or more", "max_new_lists", "cohort_field"]),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(
    portal: Portal, run_target: TargetRunner, config: dict[str, Any], words: list[str]
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(schema_message(), membership("VIP", ada), state_message({"bookmark": 1}), **config)

    assert run.exit_code == 1
    assert [word for word in words if word not in run.error] == []
    assert run.states == []
    assert "123456789" not in run.log


def test_a_setting_that_does_not_exist_is_warned_of_with_the_nearest(run_target: TargetRunner) -> None:
    run = run_target(schema_message(), list_name_prefx="x")

    assert run.exit_code == 0
    assert 'There is no setting "list_name_prefx"; it is ignored. Did you mean "list_name_prefix"?' in run.log


def test_a_wrong_token_is_said(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(
        schema_message(), membership("VIP", ada), state_message({}), access_token="pat-wrong-token"
    )

    assert run.exit_code == 1
    assert "401" in run.error
    assert "pat-wrong-token" not in run.log


@pytest.mark.parametrize("tells_scopes", [True, False])
@pytest.mark.parametrize("missing", ["crm.lists.read", "crm.lists.write"])
def test_a_missing_scope_is_named(
    portal: Portal,
    run_target: TargetRunner,
    missing: str,
    tells_scopes: bool,  # noqa: FBT001
) -> None:
    (ada,) = portal.add_contacts(1)
    scopes = {"crm.lists.read", "crm.lists.write", "oauth"} - {missing}

    with HubSpotEmulator(portal, tokens={"pat-test": scopes}) as hubspot:
        run_target.hubspot = hubspot
        hubspot.tells_scopes = tells_scopes
        run = run_target(schema_message(), membership("VIP", ada), state_message({"bookmark": 1}))

    assert run.exit_code == 1
    assert missing in run.error
    assert run.states == []


def test_an_active_list_is_refused_before_anything_is_written_to_it(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot_list = portal.add_list("VIP", processing_type="DYNAMIC")

    run = run_target(schema_message(), membership("VIP", ada), state_message({"bookmark": 1}))

    assert run.exit_code == 1
    assert run.error == (
        f'List "VIP" ({hubspot_list.list_id}) is an active list: HubSpot fills it from filters. '
        "Name a static list in lists[].list_id. No STATE is written, so this input is read again until that is "
        'corrected; to leave the cohort out, set lists: [{"cohort": "VIP", "skip": true}].'
    )
    assert run.states == []


def test_a_list_that_becomes_active_in_mid_run_is_named_and_no_guilty_id_is_searched_for(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(64)
    portal.add_list("VIP")
    hubspot.faults.call("PUT", "/memberships/", lambda: _make_dynamic(portal, "VIP"))

    run = run_target(schema_message(), *(membership("VIP", contact) for contact in contacts))

    assert run.exit_code == 1
    assert "is an active list" in run.error
    assert hubspot.calls("PUT", "/memberships/") == 1


def test_a_list_deleted_in_mid_run_ends_the_run_by_name(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP")
    hubspot.faults.call("PUT", "/memberships/", lambda: portal.delete_list("VIP"))

    run = run_target(
        schema_message(), membership("VIP", ada), membership("VIP", bob), state_message({"bookmark": 1})
    )

    assert run.exit_code == 1
    assert run.error.startswith('List "VIP" (')
    assert "was deleted in HubSpot during this run" in run.error
    assert run.states == []


def test_more_new_lists_than_allowed_are_refused_before_the_first_is_made(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(5)

    run = run_target(
        schema_message(), *(membership(f"person {contact}", contact) for contact in contacts), max_new_lists=4
    )

    assert run.exit_code == 1
    assert "5 new lists" in run.error
    assert "max_new_lists" in run.error
    assert hubspot.calls("POST", "/lists") == 0


def test_hubspot_that_cannot_be_reached_is_said_after_ten_minutes_of_trying(
    run_target: TargetRunner,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed_port = server.getsockname()[1]
    url = f"http://127.0.0.1:{closed_port}"

    run = run_target(schema_message(), membership("VIP", 1), state_message({"bookmark": 1}), api_url=url)

    assert run.exit_code == 1
    assert "api_url" in run.error
    assert run.states == []
    assert 300 <= run_target.clock.elapsed <= 700


def test_no_stack_trace_is_shown_unless_debug_logging_is_on(
    run_target: TargetRunner, caplog: pytest.LogCaptureFixture
) -> None:
    run_target(schema_message(), membership("VIP", 1), create_lists=False)

    assert [record.exc_info for record in caplog.records if record.levelname == "ERROR"] == [None]


def test_a_nested_value_where_a_name_should_be_costs_its_record_only(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(
        schema_message(),
        record_message(contact_id={"id": PERSON}, cohort_name="VIP", operation="add"),
        record_message(contact_id=ada, cohort_name=[PERSON], operation="add"),
        record_message(contact_id=ada, cohort_name="VIP", operation={"op": PERSON}),
        membership("VIP", ada),
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
    assert PERSON not in run.log


def _make_dynamic(portal: Portal, name: str) -> None:
    portal.hubspot_list(name).processing_type = "DYNAMIC"


def test_every_error_is_one_line(run_target: TargetRunner) -> None:
    run = run_target(json.dumps({"type": "nope\nnope"}))

    assert "\n" not in run.error


def test_nan_is_no_date_on_which_a_row_was_deleted(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)
    portal.add_list("VIP", members=[ada])

    run_target(
        schema_message("contact_id", "cohort_name", "_sdc_deleted_at"),
        record_message(contact_id=ada, cohort_name="VIP", _sdc_deleted_at=float("nan")),
    )

    assert portal.members("VIP") == {ada}


def test_half_a_surrogate_pair_costs_its_record_only(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    ada, _ = portal.add_contact("ada@example.com"), portal.add_contact("x?y@example.com")

    run = run_target(
        email_schema(),
        by_email("VIP", "ada@example.com"),
        by_email("VIP", "x\ud800y@example.com"),
        match_by="email",
        report_path=str(tmp_path / "report.jsonl"),
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
    assert "Rejected: 1 " in run.log


def test_a_name_with_half_a_surrogate_pair_is_a_name(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(schema_message(), membership("VIP\ud800", ada))

    assert run.exit_code == 0
    assert len(portal.list_names()) == 1


def test_a_line_nested_too_deeply_to_read_is_named(run_target: TargetRunner) -> None:
    run = run_target(schema_message(), f'{{"type": "RECORD", "record": {"[" * 100_000}')

    assert run.exit_code == 1
    assert run.error.startswith("Line 2 of the input is not JSON")


@pytest.mark.parametrize(
    ("name", "text"),
    [("MAX_CONCURRENCY", "eight"), ("DRY_RUN", "ja"), ("LISTS", "VIP"), ("STREAM_MAPS", "{")],
)
def test_an_environment_variable_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv("TARGET_HUBSPOT_LISTS_ACCESS_TOKEN", "pat-na1-secret")
    monkeypatch.setenv(f"TARGET_HUBSPOT_LISTS_{name}", text)

    with pytest.raises(SettingsError, match=f"^TARGET_HUBSPOT_LISTS_{name} is not "):
        TargetHubSpotLists(parse_env_config=True)


def test_an_environment_variable_that_is_no_setting_is_warned_of_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TARGET_HUBSPOT_LISTS_ACCESS_TOKEN", "pat-na1-secret")
    monkeypatch.setenv("TARGET_HUBSPOT_LISTS_LIST_PREFIX", "x")

    with caplog.at_level("WARNING"):
        TargetHubSpotLists(parse_env_config=True)

    assert (
        "The environment variable TARGET_HUBSPOT_LISTS_LIST_PREFIX is no setting; it is ignored. "
        'Did you mean "TARGET_HUBSPOT_LISTS_LIST_NAME_PREFIX"?'
    ) in caplog.text


@pytest.mark.parametrize("content", [None, "{}"])
def test_a_command_without_settings_says_where_they_may_come_from(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str | None
) -> None:
    path = tmp_path / "config.json"
    path.write_text(content or "")
    arguments = ["--config", str(path)] if content else []

    run = CliRunner().invoke(TargetHubSpotLists.get_singer_command(), arguments)

    assert run.exit_code == 1
    assert "No settings are given: name a file in --config, or write --config=ENV" in caplog.text


class BrokenPipe(io.RawIOBase):
    """Says a few lines, and then fails."""

    def __init__(self, lines: bytes) -> None:
        self._chunks = [lines]

    def read(self, size: int = -1) -> bytes:
        del size
        if self._chunks:
            return self._chunks.pop()
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_an_input_that_breaks_off_in_an_error_is_said(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)
    lines = "\n".join([schema_message(), membership("VIP", ada), state_message({"n": 1}), ""])

    run = run_target.on(BrokenPipe(lines.encode()))

    assert run.exit_code == 1
    assert run.error.startswith("The input cannot be read any further (Input/output error): ")
    assert "1 of 1 memberships read have no outcome." in run.log
    assert run.states == []


@pytest.mark.parametrize("expression", ["int(cohort_name)", "int(", "no_such_column + 1", "1 / 0"])
def test_a_map_that_fails_is_named_with_its_stream_and_shows_no_record(
    run_target: TargetRunner, expression: str
) -> None:
    run = run_target(
        schema_message(),
        membership(PERSON, 1),
        state_message({"n": 1}),
        stream_maps={"cohort_members": {"contact_id": expression}},
    )

    assert run.exit_code == 1
    assert 'cannot be mapped as stream_maps says for stream "cohort_members"' in run.error
    assert PERSON not in run.log
    assert run.states == []


@pytest.mark.parametrize("length", [1, 40, -1])
def test_a_tap_that_is_killed_while_it_writes_is_told_as_that(
    portal: Portal, run_target: TargetRunner, length: int
) -> None:
    (ada,) = portal.add_contacts(1)
    messages = [schema_message(), membership("VIP", ada), state_message({"bookmark": 1})]
    whole = "".join(f"{message}\n" for message in messages)

    run = run_target.on((whole + membership("VIP", ada)[:length]).encode())

    assert run.exit_code == 1
    assert run.error == (
        "Line 4 of the input is cut off: the tap ended before all of it was written. See in the tap's log why, then "
        "run again."
    )
