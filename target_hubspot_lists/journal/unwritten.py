"""The methods of a journal that records nothing: without a ledger, or in a dry run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from target_hubspot_lists.journal.journal import Journal

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.membership_changes import Change, Confirmation
    from target_hubspot_lists.hubspot.membership_reads import Reading
    from target_hubspot_lists.reporting.account import Account


class UnwrittenJournal(Journal):
    """The recording half of a journal, without effect; each subclass says what is known."""

    is_kept = False

    @override
    def lock(
        self, lists: Collection[HubSpotList], *, is_waited_for: bool = True
    ) -> Mapping[str, UnusableList]:
        return {}

    @override
    def begin_making(self, names: Collection[str]) -> None: ...

    @override
    def end_making(self, names: Collection[str]) -> None: ...

    @override
    def remember_contacts(self, by: str, record_ids: Mapping[str, int]) -> None: ...

    @override
    def follow(self, merged: Mapping[int, int]) -> None: ...

    @override
    def may_mislead(self, hubspot_list: HubSpotList, *, is_member: bool) -> bool:
        return False

    @override
    def forget(self, record_ids: Collection[int]) -> None: ...

    @override
    def begin(self, hubspot_list: HubSpotList, change: Change) -> None: ...

    @override
    def confirm(self, hubspot_list: HubSpotList, confirmation: Confirmation) -> None: ...

    @override
    def confirm_reading(self, hubspot_list: HubSpotList, reading: Reading) -> None: ...

    @override
    def lost_by_hand(self, hubspot_list: HubSpotList) -> Collection[int]:
        return ()

    @override
    def put_back(self, hubspot_list: HubSpotList, *, but_for: Collection[int]) -> None: ...

    @override
    def let_go(self, hubspot_list: HubSpotList) -> None: ...

    @override
    def begin_rereading(self) -> None: ...

    @override
    def old_contacts(self) -> Iterable[tuple[str, Mapping[str, int]]]:
        return ()

    @override
    def moved(self, record_ids: Mapping[int, int]) -> None: ...

    @override
    def leave(self, route: Route, record_ids: Collection[int]) -> None: ...

    @override
    def end(self, accounts: Iterable[Account]) -> None: ...

    @override
    def remember(self, hashes: Mapping[int, bytes]) -> None: ...
