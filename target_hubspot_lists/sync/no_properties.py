"""Stands where properties of contacts are written, in a run whose settings ask for none: nothing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.reporting.account import EMPTY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.input.attributes import Attributes, HeldAttributes
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.outcomes import PropertyProblem, PropertyResult
    from target_hubspot_lists.reporting.account import RequestedChange
    from target_hubspot_lists.sync.plans import Plan
    from target_hubspot_lists.sync.property_flush import Flush
    from target_hubspot_lists.sync.resolution import Resolution


class NoFlush:
    """A flush that reads and writes no property: see `Flush`."""

    read: Sequence[str] = ()
    results: Mapping[Member, PropertyResult] = EMPTY

    def attributes(self, address: str) -> Mapping[str, str]:
        """Return nothing."""
        del address
        return EMPTY

    statuses = attributes

    def latest(self, members: Sequence[str]) -> str:
        """Return the last: of none is anything held."""
        return members[-1]

    def expect(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> None:
        """Do nothing."""

    def resolved(self, contacts: Resolution) -> None:
        """Do nothing."""

    def write(self, plans: Sequence[Plan], resolution: Resolution) -> None:
        """Do nothing."""


NO_FLUSH = NoFlush()


class NoProperties:
    """The properties of a run that writes none."""

    is_wanted = False
    names: tuple[str, ...] = ()
    created: Sequence[str] = ()

    def parser(self, stream: str, columns: Sequence[str]) -> None:
        """Return None: no field is mapped."""

    def hold(self, member: Member, position: int, attributes: Attributes | PropertyProblem) -> None:
        """Do nothing."""

    def check_lists(self, lists: Iterable[HubSpotList]) -> None:
        """Do nothing."""

    def make_for(self, lists: Iterable[HubSpotList]) -> None:
        """Do nothing."""

    def begin(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> Flush:
        """Return a flush that writes nothing."""
        del asked, lists
        return NO_FLUSH

    def flush(self, held: HeldAttributes, created: Mapping[Member, PropertyResult] | None = None) -> Flush:
        """Return a flush that writes nothing."""
        del held, created
        return NO_FLUSH
