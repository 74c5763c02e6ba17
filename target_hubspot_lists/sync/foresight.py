"""Says what a real run would do to a list, as far as reading it tells: for a dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.membership_reads import Reading
from target_hubspot_lists.outcomes import Seen

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.sync.under_way import UnderWay


def foresee(each: UnderWay, reader: MembershipReader, *, by_record: bool) -> UnusableList | None:
    """Settle what is left of a plan by what a real run would do; return why the list cannot be used, if it cannot.

    `by_record` says that members are record ids: then it is read whether they are anybody's.
    """
    try:
        reading = _read(each.hubspot_list, each.left, reader, by_record=by_record)
    except UnusableList as problem:
        return problem
    off = reading.not_on_list - reading.on_list
    no_contact = reading.missing - reading.on_list - off
    for some, seen in (
        (reading.on_list, Seen.ON_LIST),
        (off, Seen.NOT_ON_LIST),
        (no_contact, Seen.NO_CONTACT),
        (each.left - reading.on_list - off - no_contact, Seen.NOT_NAMED),
    ):
        each.settle(some, seen, is_sent=False)
    return None


def _read(
    hubspot_list: HubSpotList, record_ids: AbstractSet[int], reader: MembershipReader, *, by_record: bool
) -> Reading:
    """Read who is on a list; on one that is to be made nobody is."""
    if hubspot_list.is_foreseen and not by_record:
        return Reading(frozenset(), frozenset(record_ids))
    reading = (reader.read_by_record if by_record else reader.read)(hubspot_list, record_ids)
    if hubspot_list.is_foreseen:
        return Reading(frozenset(), reading.on_list | reading.not_on_list, reading.missing)
    return reading
