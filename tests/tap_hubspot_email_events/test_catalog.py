"""What `--discover` publishes becomes tables at others': a change to it is a change to a promise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from tests.tap_hubspot_email_events.catalogs import entry
from tests.tap_hubspot_email_events.singer import CAMPAIGNS, OTHER, STREAMS

ALL_STREAMS = [*STREAMS, OTHER, CAMPAIGNS]
SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.fixture(scope="module")
def catalog() -> dict[str, Any]:
    return json.loads(TapHubSpotEmailEvents(config={}, validate_config=False).catalog_json_text)  # type: ignore[no-any-return]


@pytest.mark.parametrize("stream", ALL_STREAMS)
def test_the_catalog_entry_of_a_stream_is_the_one_agreed(catalog: dict[str, Any], stream: str) -> None:
    """Where the change is meant, write the new entry into the stream's file and tell it in the changelog."""
    snapshot = json.loads((SNAPSHOTS / f"{stream}.json").read_text())

    assert entry(catalog, stream) == snapshot
    assert list(entry(catalog, stream)["schema"]["properties"]) == list(snapshot["schema"]["properties"])


def test_there_is_no_snapshot_of_a_stream_that_is_gone() -> None:
    assert {path.stem for path in SNAPSHOTS.iterdir()} == set(ALL_STREAMS)


@pytest.mark.parametrize("stream", ALL_STREAMS)
def test_schemas_ask_nothing_of_a_target_that_hubspot_may_break(catalog: dict[str, Any], stream: str) -> None:
    text = json.dumps(entry(catalog, stream)["schema"])

    assert '"uuid"' not in text
    assert '"minimum"' not in text
    assert '"maximum"' not in text
    assert '"enum"' not in text


@pytest.mark.parametrize("stream", ALL_STREAMS)
def test_all_columns_but_the_key_may_be_null(catalog: dict[str, Any], stream: str) -> None:
    properties = entry(catalog, stream)["schema"]["properties"]

    not_null = {name for name, declared in properties.items() if "null" not in declared["type"]}

    assert not_null == set(entry(catalog, stream)["key_properties"])


def test_what_reads_every_event_once_more_is_not_selected_by_default(catalog: dict[str, Any]) -> None:
    selected = {
        name: each["metadata"].get("selected-by-default", True)
        for name in ALL_STREAMS
        for each in entry(catalog, name)["metadata"]
        if not each["breadcrumb"]
    }

    assert {name for name, is_selected in selected.items() if not is_selected} == {OTHER}
