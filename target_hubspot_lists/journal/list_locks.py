"""Keeps other runs off the lists of this one, as long as it lives."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import ListHeld, UnusableList
from target_hubspot_lists.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.ledger import Ledger


class ListLocks:
    """The locks that a run has taken in its ledger."""

    def __init__(self, ledger: Ledger, wait: Callable[[float], None]) -> None:
        self._ledger = ledger
        self._wait = wait
        self._locks = ExitStack()
        self._names: set[str] = set()
        self._ids: set[str] = set()

    def hold(
        self, lists: Collection[HubSpotList], *, is_waited_for: bool = True
    ) -> Mapping[str, UnusableList]:
        """Hold lists by name and by id until the run ends; return, by list id, those that another run holds.

        They are waited for once, all together.
        """
        try:
            self.take(
                [each.name for each in lists],
                [each.list_id for each in lists if not each.is_foreseen],
                is_waited_for=is_waited_for,
            )
        except UnusableList:
            # All or none were taken: which of them are free? In one order, and none is waited for.
            return dict(self._hold_each(sorted(lists, key=lambda each: each.name.casefold())))
        return {}

    def _hold_each(self, lists: Iterable[HubSpotList]) -> Iterator[tuple[str, UnusableList]]:
        for each in lists:
            try:
                self.take([each.name], [] if each.is_foreseen else [each.list_id], is_waited_for=False)
            except UnusableList as problem:
                yield each.list_id, problem

    def take(self, names: Collection[str], list_ids: Collection[str], *, is_waited_for: bool = True) -> None:
        """Hold lists by name and by id, all or none; UnusableList names the run that has one."""
        new_names = {name.casefold() for name in names} - self._names
        new_ids = set(list_ids) - self._ids
        if new_names or new_ids:
            waits: dict[str, float] = {} if is_waited_for else {"wait_seconds": 0}
            lock = self._ledger.lock(new_names, list_ids=new_ids, sleep=self._wait, **waits)
            try:
                self._locks.enter_context(lock)
            except ListHeld as held:
                raise UnusableList(Reason.LIST_LOCKED, str(held)) from held
            self._names |= new_names
            self._ids |= new_ids

    def close(self) -> None:
        """Let go of all of them."""
        self._locks.close()
