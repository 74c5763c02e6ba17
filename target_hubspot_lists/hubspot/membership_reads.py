"""Reads the members of a list, by record or by paging the list, whichever takes fewer calls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import concurrently, parsed, required_id
from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.batching import MAX_INPUTS_PER_CALL, batch_errors, in_batches
from target_hubspot_lists.hubspot.list_objects import CONTACTS, readable
from target_hubspot_lists.hubspot.lists import read_list
from target_hubspot_lists.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.batching import BatchError
    from target_hubspot_lists.hubspot.list_objects import HubSpotList

# https://developers.hubspot.com/docs/api-reference/latest/crm/lists/memberships
MEMBERS_PER_PAGE = 250

# Whether HubSpot shows a membership that it has just accepted is not documented: it has so long before a contact
# counts as dropped.
WAITS_BEFORE_DROPPED = (1.0, 3.0, 6.0)  # seconds

# A list whose processingStatus is not COMPLETE is asked for again after so long, then counts as unreadable.
WAITS_BEFORE_INCOMPLETE = (0.0, 1.0, 3.0, 6.0)  # seconds


@dataclass(frozen=True)
class Reading:
    """The record ids asked for: on the list, not on it, and unknown to HubSpot.

    Ids in none of the sets are those that HubSpot did not answer for.
    """

    on_list: frozenset[int]
    not_on_list: frozenset[int]
    missing: frozenset[int] = frozenset()

    def only_as_asked(self, asked: Mapping[int, bool]) -> Reading:
        """Return the reading without ids that are not as asked: HubSpot accepted the change, and may show it late."""
        on_list = frozenset(record_id for record_id in self.on_list if asked[record_id])
        not_on_list = frozenset(record_id for record_id in self.not_on_list if not asked[record_id])
        return Reading(on_list, not_on_list, self.missing)


class MembershipReader:
    """Reads the members of a list."""

    def __init__(self, client: HubSpotClient, *, workers: int) -> None:
        self._client = client
        self._workers = workers
        self._base = client.base("crm/lists")

    def read(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> Reading:
        """Return which record ids are on the list."""
        calls_by_record = -(-len(record_ids) // MAX_INPUTS_PER_CALL)
        # HubSpot counts with some delay: a list that it calls empty may have been filled a moment ago.
        size = read_list(self._client, hubspot_list).size if calls_by_record > 1 else None
        if size and -(-size // MEMBERS_PER_PAGE) < calls_by_record:
            members, asked = set(self.iter_members(hubspot_list)), frozenset(record_ids)
            return Reading(asked & members, asked - members)
        return self.read_by_record(hubspot_list, record_ids)

    def read_by_record(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> Reading:
        """Return which record ids are on the list, and which HubSpot does not know."""
        jobs = (partial(self._read_records, hubspot_list.list_id, batch) for batch in in_batches(record_ids))
        parts = list(concurrently(jobs, workers=self._workers))
        return Reading(
            frozenset().union(*(part.on_list for part in parts)),
            frozenset().union(*(part.not_on_list for part in parts)),
            frozenset().union(*(part.missing for part in parts)),
        )

    def read_until_settled(
        self, hubspot_list: HubSpotList, asked: Mapping[int, bool]
    ) -> tuple[Reading, float]:
        """Read members, for a while again if they are not as asked; return the reading and the seconds waited."""
        reading, waited = self.read(hubspot_list, asked), 0.0
        for seconds in WAITS_BEFORE_DROPPED:
            not_as_asked = [
                record_id for record_id in reading.not_on_list | reading.missing if asked[record_id]
            ]
            not_as_asked += [record_id for record_id in reading.on_list if not asked[record_id]]
            if not not_as_asked:
                break
            self._client.wait(seconds)
            waited += seconds
            again = self.read(hubspot_list, not_as_asked)
            reading = Reading(
                reading.on_list - again.not_on_list | again.on_list,
                reading.not_on_list - again.on_list | again.not_on_list,
                (reading.missing - again.on_list - again.not_on_list) | again.missing,
            )
        return reading, waited

    def iter_members(self, hubspot_list: HubSpotList) -> Iterator[int]:
        """Yield the record ids of all members; UnusableList if the list cannot be read, or HubSpot still fills it."""
        if hubspot_list.is_processing:
            self._wait_until_complete(hubspot_list)
        # Pages are sorted by record id, so a change elsewhere in the list moves no member past the cursor.
        path, after = f"{self._base}/{hubspot_list.list_id}/memberships", None
        cursors: set[str] = set()
        while True:
            with readable(hubspot_list):
                answer = self._client.get(path, params={"limit": MEMBERS_PER_PAGE, "after": after})
            members, after = parsed(answer, _page)
            yield from members
            if not after:
                return
            if after in cursors:
                raise UnusableList(
                    Reason.LIST_UNREADABLE,
                    f"{hubspot_list} cannot be read, since HubSpot's pages of its members do not end: run again later.",
                )
            cursors.add(after)

    def _wait_until_complete(self, hubspot_list: HubSpotList) -> None:
        """Wait shortly for HubSpot to fill the list: until then reads show a part of its members."""
        for seconds in WAITS_BEFORE_INCOMPLETE:
            self._client.wait(seconds)
            if not read_list(self._client, hubspot_list).is_processing:
                return
        raise UnusableList(
            Reason.LIST_UNREADABLE,
            f"{hubspot_list} is still being filled by HubSpot, so it is not known who is on it: run again later.",
        )

    def _read_records(self, list_id: str, record_ids: Sequence[int]) -> Reading:
        body = {
            "inputs": [{"objectTypeId": CONTACTS, "recordId": str(record_id)} for record_id in record_ids]
        }
        answer = self._client.post(f"{self._base}/records/memberships/batch/read", body)
        lists_of, errors = parsed(answer, _lists_by_record)
        answered = frozenset(record_ids) & lists_of.keys()
        on_list = frozenset(record_id for record_id in answered if list_id in lists_of[record_id])
        named = {name for error in errors if error.category == "OBJECT_NOT_FOUND" for name in error.named}
        missing = frozenset(record_id for record_id in record_ids if str(record_id) in named) - answered
        return Reading(on_list, answered - on_list, missing)


def _page(body: Mapping[str, Any]) -> tuple[list[int], str | None]:
    following = ((body.get("paging") or {}).get("next") or {}).get("after")
    return [required_id(each["recordId"]) for each in body["results"]], following


def _lists_by_record(body: Mapping[str, Any]) -> tuple[dict[int, set[str]], list[BatchError]]:
    lists_of = {required_id(each["recordId"]): _list_ids(each) for each in body.get("results") or ()}
    return lists_of, batch_errors(body)


def _list_ids(record: Mapping[str, Any]) -> set[str]:
    return {str(membership.get("listId", "")) for membership in record.get("recordListMemberships") or ()}
