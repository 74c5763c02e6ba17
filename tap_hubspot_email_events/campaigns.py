"""Email campaigns: which of them are read in detail, and what the state says of those that were.

HubSpot lists campaigns in no order, and has the time of the last update for some of them, not for all. The state of
the stream (version 1):

    {"version": 1,
     "replication_key": "last_updated_time",
     "replication_key_value": "2026-11-20T10:00:00.000Z",
     "read": {"113": "packed ids"},
     "young": {"2026-11-18": {"113": "packed ids"}},
     "has_more": false,
     "remembered": "base64 of digests of eight bytes each"}

Every campaign with an update before `replication_key_value` was passed on. `read` has the campaigns that were passed
on, by app, with or without a time. `young` has those first seen on that day, for thirty days; the
campaigns that were there already when the first runs read them do not count as young. `has_more` says whether some
were left for the next run. `remembered` has digests of the updates in the lookback that were passed on.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_hubspot_email_events import moments
from tap_hubspot_email_events.bookmarks import REMEMBERED
from tap_hubspot_email_events.digests import digest, pack, unpack
from tap_hubspot_email_events.errors import UnreadableState
from tap_hubspot_email_events.kinds import as_integer, as_moment_ms, converted_or_none

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, MutableMapping, Sequence

VERSION = 1
MOST_READ = 1_000  # campaigns in a run, a call each; the others are read by the next runs
YOUNG_DAYS = 30  # so long most of a campaign's counters still move


class CampaignKey(NamedTuple):
    """What names a campaign: its id alone does not."""

    campaign_id: int
    app_id: int


@dataclass(frozen=True, slots=True)
class ListedCampaign:
    """A campaign as HubSpot lists it; `updated` in epoch milliseconds, None if HubSpot has none."""

    key: CampaignKey
    updated: int | None
    content: Mapping[str, Any]

    @property
    def digest(self) -> bytes:
        """What stands for this update in the state."""
        return digest([*self.key, self.updated])

    @classmethod
    def parse(cls, content: object) -> ListedCampaign | None:
        """Return the campaign of an entry of a list, None for one that does not name a campaign."""
        if not isinstance(content, dict):
            return None
        campaign_id, app_id = _id(content.get("id")), _id(content.get("appId"))
        if campaign_id is None or app_id is None:
            return None
        updated = converted_or_none(as_moment_ms, content.get("lastUpdatedTime"))
        return cls(CampaignKey(campaign_id, app_id), updated, content)


def _id(value: object) -> int | None:
    number = converted_or_none(as_integer, value)
    return number if number is not None and number >= 0 else None


@dataclass(slots=True)
class CampaignProgress:
    """Which campaigns were passed on, before this run and in it. Times are in epoch milliseconds."""

    now: int
    lookback: int
    until: int = 0
    read: set[CampaignKey] = field(default_factory=set)
    young: dict[str, set[CampaignKey]] = field(default_factory=dict)
    is_first_reading: bool = True  # whether campaigns that were always there are still to be read
    known: frozenset[bytes] = frozenset()
    passed_on: set[CampaignKey] = field(default_factory=set)

    @classmethod
    def from_state(cls, state: Mapping[str, Any], *, now: int, lookback: int) -> CampaignProgress:
        """Parse the stream's state, `now` by HubSpot's clock; raises UnreadableState."""
        if state.get("version") != VERSION:
            return cls(now, lookback)
        oldest = _day(now - YOUNG_DAYS * moments.DAY_MS)
        try:
            until = state.get("replication_key_value")
            return cls(
                now,
                lookback,
                moments.from_text(until) if until else 0,
                unpack_keys(state.get("read", {})),
                {
                    day: unpack_keys(packed)
                    for day, packed in state.get("young", {}).items()
                    if str(day) >= oldest
                },
                bool(state.get("has_more", True)),
                frozenset(unpack(state.get(REMEMBERED, ""))),
            )
        except (AttributeError, TypeError, ValueError) as error:
            raise UnreadableState(f"it is not as this tap writes it ({type(error).__name__})") from error

    def wanted(
        self, listed: Iterable[ListedCampaign], seen: Collection[tuple[Any, Any]]
    ) -> list[ListedCampaign]:
        """Return the campaigns to be read in detail, the most wanted first.

        `seen` has the ids and app ids of the campaigns that this run's events are part of.
        """
        wanted = [each for each in listed if self._is_wanted(each, seen)]
        return sorted(
            wanted,
            key=lambda each: (each.key in seen, each.updated or 0, each.key.campaign_id),
            reverse=True,
        )

    def _is_wanted(self, campaign: ListedCampaign, seen: Collection[tuple[Any, Any]]) -> bool:
        key = campaign.key
        if key not in self.read:
            return True
        if campaign.updated is not None:
            return campaign.updated >= self.until - self.lookback and campaign.digest not in self.known
        return key in seen or any(key in keys for keys in self.young.values())

    def pass_on(self, campaign: ListedCampaign) -> None:
        """Note that a campaign was passed on, or was deleted."""
        self.passed_on.add(campaign.key)

    def finish(
        self,
        listed: Iterable[ListedCampaign],
        wanted: Sequence[ListedCampaign],
        state: MutableMapping[str, Any],
        *,
        is_complete: bool = True,
    ) -> None:
        """Write into the stream's state what was passed on of the campaigns that were wanted.

        Where not all campaigns are listed (`is_complete`), the time stays: another one may have an earlier update.
        """
        timed = [(each, each.updated) for each in listed if each.updated is not None]
        left = [each for each in wanted if each.key not in self.passed_on]
        times_left = [each.updated for each in left if each.updated is not None]
        until = min(times_left, default=max((time for _, time in timed), default=0))
        # An update in the future says nothing of updates before it, and an earlier version may have believed one.
        self.until = min(max(self.until, until if is_complete else 0), self.now)
        if not self.is_first_reading:
            self._note_young()
        self.read |= self.passed_on
        known = {
            each.digest
            for each, updated in timed
            if updated >= self.until - self.lookback
            and (each.key in self.passed_on or each.digest in self.known)
        }
        state.update(
            version=VERSION,
            replication_key="last_updated_time",
            replication_key_value=moments.to_text(self.until) if self.until else None,
            read=pack_keys(self.read),
            young={day: pack_keys(keys) for day, keys in self.young.items()},
            has_more=bool(left),
        )
        state[REMEMBERED] = pack(known)

    def _note_young(self) -> None:
        if new := self.passed_on - self.read:
            self.young.setdefault(_day(self.now), set()).update(new)


def _day(moment: int) -> str:
    return moments.to_text(max(moment, 0))[:10]


def pack_keys(keys: Iterable[CampaignKey]) -> dict[str, str]:
    """Return the campaigns as base64 text by app, some four characters a campaign."""
    by_app: defaultdict[int, list[int]] = defaultdict(list)
    for campaign_id, app_id in sorted(keys):
        by_app[app_id].append(campaign_id)
    return {str(app_id): _pack(ids) for app_id, ids in by_app.items()}


def unpack_keys(packed: Mapping[str, str]) -> set[CampaignKey]:
    """Return the campaigns that `pack_keys` wrote; raises UnreadableState."""
    try:
        return {CampaignKey(each, int(app_id)) for app_id, text in packed.items() for each in _unpack(text)}
    except (AttributeError, TypeError, ValueError, zlib.error) as error:
        raise UnreadableState("the campaigns that were read are not as this tap writes them") from error


def _pack(ids: Sequence[int]) -> str:
    """Pack ascending ids: the distances between them are small numbers."""
    distances = [later - earlier for earlier, later in pairwise([0, *ids])]
    return b64encode(zlib.compress(",".join(map(str, distances)).encode())).decode("ascii")


def _unpack(text: str) -> Iterable[int]:
    return accumulate(map(int, zlib.decompress(b64decode(text, validate=True)).decode("ascii").split(",")))
