"""The journal of a run without `ledger_url`."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from target_hubspot_lists.journal.journal import Vanished
from target_hubspot_lists.journal.unwritten import UnwrittenJournal

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Routed
    from target_hubspot_lists.ledger import KnownList
    from target_hubspot_lists.reporting.account import Account


class NoJournal(UnwrittenJournal):
    """The journal of a run without a ledger: it knows nothing, keeps nothing, and HubSpot is asked for everything."""

    def __init__(self) -> None:
        self.count_put_back = Counter[str]()

    @override
    def restore_routes(self, routed: Collection[Routed]) -> None: ...

    @override
    def know(
        self, routed: Collection[Routed], lists: Mapping[str, HubSpotList]
    ) -> Mapping[str, UnusableList]:
        return {}

    @override
    def note_cohort(self, cohort: Cohort) -> None: ...

    @property
    @override
    def contacts_since(self) -> datetime | None:
        return None

    @override
    def record_ids(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        return {}

    @override
    def last_known(self, by: str, values: Collection[str]) -> Mapping[str, int]:
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
    def is_ours(self, hubspot_list: HubSpotList) -> bool:
        return False

    @override
    def unread_lists(self) -> list[KnownList]:
        return []

    @override
    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None: ...

    @override
    def gone_list(self, route: Route) -> str | None:
        return None

    @override
    def vanished(self, stream: str, cohorts: Collection[str]) -> Vanished:
        return Vanished([], is_certain=True)

    @override
    def close(self, accounts: Iterable[Account]) -> None: ...

    @override
    def known_hashes(self, record_ids: Collection[int]) -> Mapping[int, bytes]:
        return {}
