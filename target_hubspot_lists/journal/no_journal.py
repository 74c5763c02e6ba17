"""The journal of a run without `ledger_url`."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from target_hubspot_lists.journal.journal import Journal, Vanished

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.list_memberships import Change, Confirmation
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.membership_reads import Reading
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Led
    from target_hubspot_lists.ledger import KnownList
    from target_hubspot_lists.reporting.account import Account


class NoJournal(Journal):
    """The journal of a run without a ledger: it knows nothing, keeps nothing, and HubSpot is asked for everything."""

    is_kept = False

    def __init__(self) -> None:
        self.count_put_back = Counter[str]()

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
    def lead(self, led: Collection[Led]) -> None: ...

    @override
    def know(self, led: Collection[Led], lists: Mapping[str, HubSpotList]) -> Mapping[str, UnusableList]:
        return {}

    @override
    def saw(self, cohort: Cohort) -> None: ...

    @property
    @override
    def contacts_since(self) -> datetime | None:
        return None

    @override
    def record_ids(self, addresses: Collection[str]) -> Mapping[str, int]:
        return {}

    @override
    def remember_contacts(self, record_ids: Mapping[str, int]) -> None: ...

    @override
    def follow(self, merged: Mapping[int, int]) -> None: ...

    @override
    def may_mislead(self, hubspot_list: HubSpotList, *, is_member: bool) -> bool:
        return False

    @override
    def forget(self, record_ids: Collection[int]) -> None: ...

    @override
    def states(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> Mapping[int, bool]:
        return {}

    @override
    def begin(self, hubspot_list: HubSpotList, change: Change) -> None: ...

    @override
    def confirm(self, hubspot_list: HubSpotList, confirmation: Confirmation) -> None: ...

    @override
    def confirm_reading(self, hubspot_list: HubSpotList, reading: Reading) -> None: ...

    @override
    def knows_members(self, hubspot_list: HubSpotList) -> bool:
        return False

    @override
    def lost_by_hand(self, hubspot_list: HubSpotList) -> Collection[int]:
        return ()

    @override
    def added_by_us(self, hubspot_list: HubSpotList) -> Collection[int]:
        return ()

    @override
    def is_ours(self, hubspot_list: HubSpotList) -> bool:
        return False

    @override
    def put_back(self, hubspot_list: HubSpotList, *, but_for: Collection[int]) -> None: ...

    @override
    def let_go(self, hubspot_list: HubSpotList) -> None: ...

    @override
    def unread_lists(self) -> list[KnownList]:
        return []

    @override
    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None: ...

    @override
    def begin_rereading(self) -> None: ...

    @override
    def old_addresses(self) -> Iterable[Mapping[str, int]]:
        return ()

    @override
    def moved(self, record_ids: Mapping[int, int]) -> None: ...

    @override
    def is_gone(self, route: Route) -> bool:
        return False

    @override
    def leave(self, route: Route, record_ids: Collection[int]) -> None: ...

    @override
    def vanished(self, stream: str, cohorts: Collection[str]) -> Vanished:
        return Vanished([], is_certain=True)

    @override
    def end(self, accounts: Iterable[Account]) -> None: ...

    @override
    def close(self, accounts: Iterable[Account]) -> None: ...

    @override
    def known_hashes(self, record_ids: Collection[int]) -> Mapping[int, bytes]:
        return {}

    @override
    def remember(self, hashes: Mapping[int, bytes]) -> None: ...
