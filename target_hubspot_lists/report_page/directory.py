"""Tells which list a line is about: a line written before the list was found has its name and no id."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from target_hubspot_lists.report_page.lines import ListName


class ListKey(NamedTuple):
    """What stands for one list in all runs: its id where any line tells it, else its name without case."""

    portal_id: int | None
    list_id: str | None
    name: str | None


class Directory:
    """The lists that lines and ledger name, by id and by name."""

    def __init__(self) -> None:
        self._ids: dict[tuple[int | None, str], str] = {}

    def learn(self, portal_id: int | None, list_id: str | None, name: str | None) -> None:
        """Take note of a list's name; of two lists the name stands for the one learnt last."""
        if list_id is not None and name:
            self._ids[portal_id, _same(name)] = list_id

    def key(self, of_list: ListName) -> ListKey:
        """The key of the list that a line names."""
        portal_id, name = of_list.portal_id, _same(of_list.name or "")
        list_id = of_list.list_id or self._ids.get((portal_id, name))
        return ListKey(portal_id, list_id, None if list_id else name or None)


def _same(name: str) -> str:
    """HubSpot ignores case in the names of lists."""
    return name.strip().casefold()
