"""One plan while it is delivered: who of it has no outcome yet, and how each comes by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.list_memberships import Doubts
from target_hubspot_lists.outcomes import Refusal, Seen, outcome_of
from target_hubspot_lists.reporting.accounts import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.list_memberships import Confirmation
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.outcomes import PropertyResult
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.plans import Plan


@dataclass
class UnderWay:
    """One plan, and how far its delivery has come."""

    plan: Plan
    accounts: Accounts
    left: set[int]  # contacts without an outcome
    doubts: Doubts = field(default_factory=Doubts)
    not_named: set[int] = field(default_factory=set)  # HubSpot took the call and said nothing of them
    missing: set[int] = field(default_factory=set)  # the list called them missing
    read: dict[int, int | None] = field(
        default_factory=dict
    )  # of those, who was read: the id of today, or nobody
    # What became of properties, by record id.
    results: Mapping[Member, PropertyResult] = field(default_factory=dict)
    problem: UnusableList | None = None

    @property
    def hubspot_list(self) -> HubSpotList:
        """The list that is changed."""
        return self.plan.hubspot_list

    def note(self, confirmation: Confirmation) -> None:
        """Take in what HubSpot said of a part of the plan."""
        account = self.plan.account
        account.calls += confirmation.calls
        account.seconds += confirmation.seconds
        self.doubts.note(confirmation)
        self.missing |= confirmation.missing
        self.read |= confirmation.read

    def settle(
        self,
        record_ids: AbstractSet[int],
        seen: Seen,
        *,
        is_member: bool | None = None,
        is_sent: bool = True,
        refusals: Mapping[int, Refusal] = NOTHING,
    ) -> None:
        """Give contacts their outcome; `is_member` is what all of them ask, None where they differ."""
        if not record_ids:
            return
        for part in self.plan.parts:
            of_part = record_ids if len(self.plan.parts) == 1 else record_ids & part.words.keys()
            for asks, some in _apart(part.words, of_part, is_member=is_member):
                self.accounts.settle_all(
                    part,
                    some,
                    outcome_of(seen, is_member=asks, is_sent=is_sent),
                    is_member=asks,
                    created=self.plan.created,
                    refusals=refusals,
                    results=self.results,
                )
        self.left -= record_ids

    def reject(self, problem: UnusableList) -> None:
        """Settle everybody who is left of a list that cannot be used."""
        for part in self.plan.parts:
            part.account.problem = problem
        refusal = Refusal(problem.reason, str(problem))
        self.missing = set()
        self.settle(self.left, Seen.REFUSED, refusals=dict.fromkeys(self.left, refusal))


def _apart(
    words: Mapping[int, int], record_ids: AbstractSet[int], *, is_member: bool | None
) -> Iterator[tuple[bool, AbstractSet[int]]]:
    """Yield True with those that are to be members, and False with those that are not."""
    if is_member is not None:
        yield is_member, record_ids
        return
    adds = {each for each in record_ids if words[each] & 1}
    yield True, adds
    yield False, record_ids - adds
