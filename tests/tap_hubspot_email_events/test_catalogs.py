"""What a catalog may say: which streams and columns are selected. Everything else is the stream's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_hubspot_email_events.catalogs import deselect, selecting
from tests.tap_hubspot_email_events.singer import SETTLED

if TYPE_CHECKING:
    from tests.hubspot_emulator import HubSpotEmulator, Portal
    from tests.tap_hubspot_email_events.conftest import TapRunner
    from tests.tap_hubspot_email_events.singer import Output

OPEN = "email_event_open"


@pytest.fixture(autouse=True)
def _event(portal: Portal) -> None:
    portal.add_event("OPEN", SETTLED - 1, id="e1")


def entry(catalog: dict[str, Any], stream: str = OPEN) -> dict[str, Any]:
    (found,) = [each for each in catalog["streams"] if each["tap_stream_id"] == stream]
    return found  # type: ignore[no-any-return]


def root(of_stream: dict[str, Any]) -> dict[str, Any]:
    (found,) = [each["metadata"] for each in of_stream["metadata"] if not each["breadcrumb"]]
    return found  # type: ignore[no-any-return]


def schema(output: Output) -> dict[str, Any]:
    (found,) = [message for message in output.messages if message["type"] == "SCHEMA"]
    return found


def test_a_selected_stream_that_there_is_not_ends_the_run(
    hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    catalog = selecting(OPEN)
    entry(catalog).update(tap_stream_id="email_event_opened", stream="email_event_opened")

    output = run_tap(catalog=catalog)

    assert output.exit_code == 1
    assert output.last_words == (
        'The catalog selects "email_event_opened", which is no stream of this tap; the nearest is'
        " email_event_open. Make the catalog anew with --discover, or correct the name."
    )
    assert hubspot.calls() == 0


def test_an_unknown_stream_that_is_not_selected_does_no_harm(run_tap: TapRunner) -> None:
    catalog = selecting(OPEN)
    entry(catalog, "email_event_sent").update(tap_stream_id="contacts", stream="contacts")

    assert run_tap(catalog=catalog).ids() == ["e1"]


@pytest.mark.parametrize("keys", [[], ["recipient"], None, ["created", "id"], "id", 5])
def test_the_keys_are_the_streams_own(run_tap: TapRunner, keys: Any) -> None:
    catalog = selecting(OPEN)
    entry(catalog).update(key_properties=keys, replication_key="user_id")
    root(entry(catalog)).update({"table-key-properties": keys, "replication-key": "user_id"})

    output = run_tap(catalog=catalog)

    assert schema(output)["key_properties"] == ["id", "created"]
    assert schema(output)["bookmark_properties"] == ["created"]
    assert output.ids() == ["e1"]


@pytest.mark.parametrize("inclusion", ["automatic", "available", "unsupported"])
def test_a_record_has_its_key_whatever_is_deselected(run_tap: TapRunner, inclusion: str) -> None:
    catalog = selecting(OPEN)
    for column in ("id", "created", "recipient"):
        deselect(catalog, OPEN, column)
    for each in entry(catalog)["metadata"]:
        each["metadata"]["inclusion"] = inclusion

    catalog["streams"] = [entry(catalog)]
    root(entry(catalog))["inclusion"] = "available"
    output = run_tap(catalog=catalog)

    (record,) = output.records(OPEN)
    assert (record["id"], record["created"]) == ("e1", "2026-11-18T11:01:39.999Z")
    assert ("recipient" in record) == (inclusion == "automatic")
    assert record.keys() == schema(output)["schema"]["properties"].keys()


@pytest.mark.parametrize(
    "change",
    [
        {"stream": "opens"},
        {"stream": None},
        {"tap_stream_id": "x", "stream": OPEN},
        {"tap_stream_id": None, "stream": OPEN},
    ],
)
def test_a_stream_is_known_by_either_of_its_names(run_tap: TapRunner, change: dict[str, Any]) -> None:
    catalog = selecting(OPEN)
    entry(catalog).update(change)

    assert run_tap(catalog=catalog).ids() == ["e1"]


@pytest.mark.parametrize("broken", [None, {}, [], "x", {"properties": None}, {"properties": []}])
def test_a_stream_without_a_schema_has_all_of_its_columns(run_tap: TapRunner, broken: Any) -> None:
    whole = run_tap(catalog=selecting(OPEN))
    catalog = selecting(OPEN)
    entry(catalog)["schema"] = broken

    output = run_tap(catalog=catalog)

    assert output.records(OPEN) == whole.records(OPEN)
    assert schema(output) == schema(whole)


def test_an_entry_of_two_words_is_enough(run_tap: TapRunner) -> None:
    output = run_tap(catalog={"streams": [{"tap_stream_id": OPEN}]})

    assert output.ids() == ["e1"]
    assert {message["stream"] for message in output.messages if message["type"] == "SCHEMA"} == {OPEN}


def test_a_column_that_a_catalog_declares_otherwise_is_so_declared(run_tap: TapRunner) -> None:
    catalog = selecting(OPEN)
    entry(catalog)["schema"]["properties"]["recipient"] = {"type": ["string", "null"], "maxLength": 5}

    assert schema(run_tap(catalog=catalog))["schema"]["properties"]["recipient"]["maxLength"] == 5


@pytest.mark.parametrize("method", ["FULL_TABLE", "LOG_BASED"])
@pytest.mark.parametrize("where", ["replication_method", "forced-replication-method", "replication-method"])
def test_another_replication_method_is_refused_for_a_stream_that_is_selected(
    hubspot: HubSpotEmulator, run_tap: TapRunner, method: str, where: str
) -> None:
    catalog = selecting(OPEN)
    (entry(catalog) if "_" in where else root(entry(catalog)))[where] = method

    output = run_tap(catalog=catalog)

    assert output.exit_code == 1
    assert output.last_words == (
        f"The catalog sets email_event_open to {method}, but this tap reads incrementally only. Take the replication"
        " method out of the catalog; to read a stream from start_date on, take it out of the state."
    )
    assert hubspot.calls() == 0


def test_only_selected_streams_are_judged(run_tap: TapRunner) -> None:
    catalog = selecting(OPEN)
    entry(catalog, "email_event_sent")["replication_method"] = "FULL_TABLE"
    root(entry(catalog, "email_event_click"))["forced-replication-method"] = "FULL_TABLE"
    entry(catalog, "email_event_bounce").update(schema=5, key_properties={"a": 1})

    assert run_tap(catalog=catalog).ids() == ["e1"]


def test_incremental_is_what_it_is(run_tap: TapRunner) -> None:
    catalog = selecting(OPEN)
    entry(catalog)["replication_method"] = root(entry(catalog))["replication-method"] = "INCREMENTAL"

    assert run_tap(catalog=catalog).ids() == ["e1"]


@pytest.mark.parametrize(
    "metadata", [5, [5], [{"breadcrumb": []}], [{"metadata": {}}], [{"breadcrumb": 5, "metadata": {}}]]
)
def test_metadata_that_cannot_be_read_is_told_with_its_stream(run_tap: TapRunner, metadata: Any) -> None:
    catalog = selecting(OPEN)
    entry(catalog)["metadata"] = metadata

    assert run_tap(catalog=catalog).last_words.startswith(
        'The metadata of "email_event_open" in the catalog cannot'
    )


@pytest.mark.parametrize("catalog", [{}, {"streams": {}}, [1], "x", {"streams": [1]}])
def test_what_is_no_catalog_is_refused(run_tap: TapRunner, catalog: Any) -> None:
    assert run_tap(catalog=catalog).last_words.endswith("Make the catalog anew with --discover.")
