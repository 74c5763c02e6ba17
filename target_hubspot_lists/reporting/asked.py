"""The last change asked for each member of a list. Pure; packed, since many are held."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.reporting.account import Account

NOT_SEVERAL: Mapping[Member, int] = MappingProxyType({})  # members have one identifier
NO_RECORD = -1  # the position of what no record asked for: a removal of a mirror


class Asked(NamedTuple):
    """The last change asked for one member of one list, and the account that it counts on."""

    member: Member
    is_member: bool
    position: int
    account: Account
    found_by: int | None = (
        None  # of several identifiers, the place of the one by which HubSpot knows the member
    )

    @classmethod
    def unpacked(cls, member: Member, word: int, account: Account, found_by: int | None = None) -> Asked:
        """Return what a word asks of a member: see `packed`."""
        return cls(member, bool(word & 1), word >> 1, account, found_by)

    @property
    def word(self) -> int:
        """The same as one integer: see `Words`."""
        return packed(self.position, is_member=self.is_member)


def packed(position: int, *, is_member: bool) -> int:
    """Return a word as one integer: of two words the later is the larger, and an odd one adds."""
    return position << 1 | is_member


@dataclass(frozen=True, slots=True)
class Words:
    """What one account asks of its list: by record id the last word on each contact, `packed`.

    `members` has, by record id, what was asked for; None where members are asked for by record id. `found_by` has, by
    member, the place of the identifier by which HubSpot knows the contact, where there are several.
    """

    account: Account
    words: dict[int, int]
    members: Mapping[int, Member] | None = None
    found_by: Mapping[Member, int] = field(default_factory=lambda: NOT_SEVERAL)

    def asked(self, record_id: int) -> Asked:
        """Return what is asked of one contact."""
        word = self.words[record_id]
        member = record_id if self.members is None else self.members[record_id]
        return Asked.unpacked(member, word, self.account, self.found_by.get(member))
