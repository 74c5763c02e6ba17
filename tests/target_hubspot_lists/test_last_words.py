"""The last word on a member stands, and what is only counted is counted as if each member were looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.reporting.accounts import Account, Asked
from target_hubspot_lists.sync.last_words import LastWords, record_ids_asked
from tests.factories import membership, schema_message
from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import TargetRunner

changes = st.lists(st.tuples(st.integers(1, 6), st.booleans()))


@given(changes)
def test_last_words_are_what_is_asked_of_each_member(sequence: list[tuple[int, bool]]) -> None:
    account = Account(Cohort(None, "VIP"), "VIP")
    last_words = LastWords(account)
    for position, (member, is_member) in enumerate(sequence):
        last_words.words[member] = position << 1 | is_member
    expected = {
        member: Asked(member, is_member, position, account)
        for position, (member, is_member) in enumerate(sequence)
    }

    assert dict(last_words) == expected
    assert last_words.adds_anybody == any(each.is_member for each in expected.values())
    for is_member in (False, True):
        asked = set(record_ids_asked(cast("Mapping[int, Asked]", last_words), is_member=is_member))
        assert asked == {each for each, word in expected.items() if word.is_member == is_member}
        assert asked == set(record_ids_asked(expected, is_member=is_member))


@pytest.mark.parametrize("config", [{}, {"verify_memberships": True}, {"batch_size_rows": 2}])
def test_a_report_on_everybody_changes_no_figure(
    run_target: TargetRunner, tmp_path: Path, config: dict[str, object]
) -> None:
    figures = [
        figures_of(run_target, tmp_path / members, members, config) for members in ("all", "unapplied")
    ]

    assert figures[0] == figures[1]
    assert figures[0]["asked"] + figures[0]["superseded"] == 10


def figures_of(
    run_target: TargetRunner, path: Path, report_members: str, config: dict[str, object]
) -> dict[str, Any]:
    """Run on memberships of every outcome, in a portal of its own; return what the report says of the list."""
    with HubSpotEmulator(Portal()) as run_target.hubspot:
        portal = run_target.hubspot.portal
        ada, bob, cyd, dan, eve = portal.add_contacts(5)
        portal.add_list("VIP", members=[bob, cyd, dan])
        run_target(
            schema_message(),
            *(membership("VIP", each) for each in (ada, bob, 999, "x")),
            *(membership("VIP", each, "remove") for each in (cyd, eve, 998, ada)),
            membership("VIP", ada),
            membership("VIP", dan, "remove"),
            report_path=str(path),
            report_members=report_members,
            **config,
        )
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        (of_list,) = [line for line in lines if line["kind"] == "list"]
        varying = {"run_id", "time", "line", "seconds"}
        return {name: value for name, value in of_list.items() if name not in varying} | {
            "members": sorted(portal.members("VIP"))
        }
