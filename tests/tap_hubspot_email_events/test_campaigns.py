from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.campaigns import (
    CampaignKey,
    CampaignProgress,
    ListedCampaign,
    pack_keys,
    unpack_keys,
)
from tap_hubspot_email_events.errors import UnreadableState
from tests.tap_hubspot_email_events.singer import DAY, HOUR, NOW_MS


def listed(number: int, updated: int | None = None) -> ListedCampaign:
    return ListedCampaign(CampaignKey(number, 113), updated, {})


@given(st.sets(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))))
def test_campaigns_survive_being_packed_and_unpacked(keys: set[tuple[int, int]]) -> None:
    assert unpack_keys(pack_keys(CampaignKey(*each) for each in keys)) == keys


def test_packed_campaigns_that_cannot_be_read_are_an_error() -> None:
    with pytest.raises(UnreadableState):
        unpack_keys({"113": "no base64"})


@given(st.data())
def test_every_update_comes_whatever_is_cut_short(data: st.DataObject) -> None:
    """Updates come in time, or late within the lookback; a run passes on any part of what it wants."""
    state: dict[str, object] = {}
    times: dict[int, int | None] = {}
    owed: set[int] = set()
    now = NOW_MS
    for _ in range(data.draw(st.integers(1, 8))):
        newest = max((each for each in times.values() if each), default=now - DAY)
        for number in data.draw(st.sets(st.integers(0, 9))):
            late = data.draw(st.integers(0, HOUR - 1))
            times[number] = max(newest - late, (times.get(number) or 0) + 1) if late else newest + 1
            owed.add(number)
        for number in data.draw(st.sets(st.integers(10, 12))):
            if number not in times:
                times[number] = None
                owed.add(number)
        campaigns = [listed(*each) for each in times.items()]
        progress = CampaignProgress.from_state(state, now=now, lookback=HOUR)
        wanted = progress.wanted(campaigns, ())
        assert owed <= {each.key.campaign_id for each in wanted}
        for each in wanted[: data.draw(st.integers(0, 12))]:
            progress.pass_on(each)
            owed.discard(each.key.campaign_id)
        progress.finish(campaigns, wanted, state)
        now += HOUR


def test_what_was_passed_on_does_not_come_again() -> None:
    state: dict[str, object] = {}
    campaigns = [listed(1, NOW_MS - 5), listed(2, NOW_MS - DAY), listed(3)]
    first = CampaignProgress.from_state(state, now=NOW_MS, lookback=HOUR)
    for each in campaigns:
        first.pass_on(each)
    first.finish(campaigns, campaigns, state)

    assert CampaignProgress.from_state(state, now=NOW_MS, lookback=HOUR).wanted(campaigns, ()) == []


def test_campaigns_of_this_runs_events_are_wanted_first() -> None:
    campaigns = [listed(1), listed(2, NOW_MS), listed(3), listed(4, NOW_MS - 1)]
    progress = CampaignProgress.from_state({}, now=NOW_MS, lookback=HOUR)

    wanted = progress.wanted(campaigns, {(1, 113)})

    assert [each.key.campaign_id for each in wanted] == [1, 2, 4, 3]
