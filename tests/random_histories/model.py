"""The members that a list must have, as record ids: those that are certain, and those that may be on it or not.

The rules are the design's. A run that exits 0 has applied its whole input. A run that fails has applied what its last
STATE covers, and perhaps more. HubSpot keeps a membership until somebody changes it.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass
class Members:
    """The members of one list."""

    on: set[int] = field(default_factory=set)
    # Members that a failed run may have added or removed, until a later run applies the same change.
    unsure: set[int] = field(default_factory=set)
    # Members that were removed or added by hand, and of which the ledger learns when a run reconciles.
    removed_by_hand: set[int] = field(default_factory=set)
    added_by_hand: set[int] = field(default_factory=set)
    # Records that the source removed, and has not added again: a contact that they are merged into may stay off.
    left: set[int] = field(default_factory=set)
    # Members whose contacts were deleted: who has their address or number since may be put on the list.
    deleted: set[int] = field(default_factory=set)
    # Members that a failed run was putting on a list made again, until a later run ends well.
    refilling: set[int] = field(default_factory=set)
    # Adds of members whom HubSpot did not know, by identifier, since when: a later run may try them again, or not.
    waiting: dict[str, float] = field(default_factory=dict)

    def learn(self, found: Collection[int], numbers: Collection[int]) -> None:
        """Of these members nobody can say whether a run has added them: it is as HubSpot has it."""
        for number in numbers:
            (self.on.add if number in found else self.on.discard)(number)

    def problems(self, found: Collection[int]) -> list[str]:
        """Return how the members that HubSpot has differ from those that must be on the list."""
        free = self.unsure | self.removed_by_hand | self.added_by_hand | self.refilling
        wanted, held = self.on - free, set(found) - free
        told = {"lacks": wanted - held, "has": held - wanted}
        return [f"{verb} {sorted(ids)}" for verb, ids in told.items() if ids]

    def apply(self, changes: Mapping[int, bool]) -> None:
        """A run applied these changes: whether each record id is a member."""
        for number, is_member in changes.items():
            if not is_member:
                self.left.add(number)
            elif number not in self.on:
                self.left.discard(number)
            (self.on.add if is_member else self.on.discard)(number)
        self.unsure -= changes.keys()

    def may_have_applied(self, changes: Mapping[int, bool]) -> None:
        """A run failed before a STATE covered these changes."""
        self.unsure |= changes.keys()
        self.left |= {number for number, is_member in changes.items() if not is_member}

    def replace(self, wanted: Collection[int]) -> None:
        """A mirror made the list equal to a snapshot."""
        self.left = (self.left | self.on | self.unsure) - set(wanted)
        self.on, self.unsure = set(wanted), set()

    def may_have_replaced(self, wanted: Collection[int]) -> None:
        """A mirror failed: of those to be added and to be removed each may be on the list or not."""
        self.unsure |= self.on ^ set(wanted)
        self.left |= self.on - set(wanted)

    def add_only(self, wanted: Collection[int]) -> None:
        """A mirror whose snapshot is not proven added its members, and removed nobody."""
        self.unsure -= set(wanted)
        self.on |= set(wanted)

    def reconcile(self, found: Collection[int], *, is_exact: bool) -> None:
        """A run read the list again: lost members are put back, members added by hand are learnt.

        A mirror's list `is_exact`: it was made equal to a snapshot, and members added by hand are removed. A lost
        member is left off if the source removed one of the records that were merged into the contact.
        """
        if not is_exact:
            self.learn(found, self.added_by_hand | (self.removed_by_hand & self.left))
        self.removed_by_hand, self.added_by_hand = set(), set()

    def remove_by_hand(self, number: int, *, is_in_ledger: bool) -> None:
        """A user removes a member in HubSpot."""
        if is_in_ledger:
            self.removed_by_hand.add(number)
        else:
            self.on.discard(number)
            self.unsure.discard(number)

    def add_by_hand(self, number: int, *, is_in_ledger: bool) -> None:
        """A user adds a member in HubSpot."""
        if is_in_ledger:
            self.added_by_hand.add(number)
        else:
            self.on.add(number)
            self.unsure.discard(number)

    def made_again(self) -> Members:
        """Return the members of the list that replaces this deleted one: those that a ledger knows."""
        again = deepcopy(self)
        again.refilling = set(self.on)
        return again

    def merge(self, old: Collection[int], merged: int) -> None:
        """Two contacts are merged; the merged contact is a member where either of them was."""
        for numbers in self._all():
            if numbers & set(old):
                numbers -= set(old)
                numbers.add(merged)

    def forget(self, number: int) -> None:
        """A contact is deleted, and with it its memberships."""
        if number in self.on | self.unsure:
            self.deleted.add(number)
        for numbers in self._all():
            numbers.discard(number)

    def _all(self) -> tuple[set[int], ...]:
        return (self.on, self.unsure, self.left, self.removed_by_hand, self.added_by_hand, self.refilling)
