"""The journal of a run without `ledger_url`, and the half of it that a dry run shares: nothing is recorded."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from target_hubspot_lists.journal.journal import Journal, ListOwners, VanishedLists

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.membership_changes import Change, Confirmation
    from target_hubspot_lists.hubspot.membership_reads import Reading
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import DeletedList, Routed
    from target_hubspot_lists.ledger import KnownList, Period
    from target_hubspot_lists.outcomes import KnownMailability, Mailability
    from target_hubspot_lists.reporting.account import Account


class UnwrittenJournal(Journal):
    """The recording half of a journal, without effect; each subclass says what is known of earlier runs."""

    is_kept = False

    @override
    def lock(
        self, lists: Collection[HubSpotList], *, is_waited_for: bool = True
    ) -> Mapping[str, UnusableList]:
        return {}

    @override
    def begin_creating(self, names: Collection[str]) -> None: ...

    @override
    def end_creating(self, names: Collection[str]) -> None: ...

    @override
    def note_streams(self, hubspot_list: HubSpotList, streams: AbstractSet[str]) -> None: ...

    @override
    def take_over(self, hubspot_list: HubSpotList, stream: str) -> None: ...

    @override
    def record_leavers(self, route: Route, record_ids: Collection[int]) -> None: ...

    @override
    def remember_contacts(self, by: str, record_ids: Mapping[str, int]) -> None: ...

    @override
    def remember_mailability(self, mailabilities: Mapping[int, Mailability]) -> None: ...

    @override
    def record_merges(self, merged: Mapping[int, int]) -> None: ...

    @override
    def needs_current_ids(self, hubspot_list: HubSpotList, *, is_member: bool) -> bool:
        return False

    @override
    def forget_contacts(self, record_ids: Collection[int]) -> None: ...

    @override
    def expire_lookups(self) -> None: ...

    @override
    def outdated_contacts(self) -> Iterable[tuple[str, Mapping[str, int]]]:
        return ()

    @override
    def note_moved_addresses(self, record_ids: Mapping[int, int]) -> None: ...

    @override
    def begin_change(self, hubspot_list: HubSpotList, change: Change) -> None: ...

    @override
    def record_confirmation(self, hubspot_list: HubSpotList, confirmation: Confirmation) -> None: ...

    @override
    def record_reading(self, hubspot_list: HubSpotList, reading: Reading) -> None: ...

    @override
    def note_held_back(self, hubspot_list: HubSpotList, members: int | None) -> None: ...

    @override
    def removed_by_hand(self, hubspot_list: HubSpotList) -> Collection[int]:
        return ()

    @override
    def restore_members(self, hubspot_list: HubSpotList, *, except_for: Collection[int]) -> None: ...

    @override
    def accept_losses(self, hubspot_list: HubSpotList) -> None: ...

    @override
    def end(self, accounts: Iterable[Account]) -> None: ...

    @override
    def remember(self, hashes: Mapping[int, bytes], known: Mapping[int, bytes]) -> None: ...


class NoJournal(UnwrittenJournal):
    """The journal of a run without a ledger: it knows nothing, so that HubSpot is asked for everything."""

    def __init__(self) -> None:
        self.restored = Counter[str]()

    @override
    def list_id_of(self, cohort: Cohort) -> str | None:
        return None

    @override
    def restore_routes(self, routed: Collection[Routed]) -> None: ...

    @override
    def note_lists(
        self, routed: Collection[Routed], lists: Mapping[str, HubSpotList]
    ) -> Mapping[str, UnusableList]:
        return {}

    @override
    def owners(self, hubspot_list: HubSpotList) -> ListOwners:
        return ListOwners([], None)

    @override
    def note_cohort(self, cohort: Cohort) -> None: ...

    @override
    def is_created_by_us(self, hubspot_list: HubSpotList) -> bool:
        return False

    @override
    def deleted_list(self, route: Route) -> DeletedList | None:
        return None

    @override
    def vanished_lists(self, stream: str, cohorts: Collection[str]) -> VanishedLists:
        return VanishedLists([], is_certain=True)

    @override
    def unread_lists(self) -> list[KnownList]:
        return []

    @property
    @override
    def lookups_valid_in(self) -> Period | None:
        return None

    @override
    def record_ids(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        return {}

    @override
    def last_known(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        return {}

    @override
    def known_mailability(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:
        return {}

    @override
    def states(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> Mapping[int, bool]:
        return {}

    @override
    def knows_members(self, hubspot_list: HubSpotList) -> bool:
        return False

    @override
    def added_by_us(self, hubspot_list: HubSpotList) -> Collection[int]:
        return ()

    @override
    def members_before_held_back(self, hubspot_list: HubSpotList) -> int | None:
        return None

    @override
    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None: ...

    @override
    def close(self, accounts: Iterable[Account]) -> None: ...

    @override
    def known_hashes(self, record_ids: Collection[int]) -> Mapping[int, bytes]:
        return {}
