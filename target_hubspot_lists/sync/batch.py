"""Holds the memberships of incremental mode until the next flush: one integer a member."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_hubspot_lists.reporting.asked import Asked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_hubspot_lists.input.attributes import Attributes
    from target_hubspot_lists.input.records import Cohort, Member, Membership
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.reporting.account import StreamAccount
    from target_hubspot_lists.sync.contact_properties import ContactProperties
    from target_hubspot_lists.sync.no_properties import NoProperties
    from target_hubspot_lists.sync.planning import Destination, Planning


@dataclass
class Held:
    """The memberships held for one list until the next flush: the last word on each member, as `Words` packs it."""

    destination: Destination
    stream: str  # which filled it last
    words: dict[Member, int] = field(default_factory=dict)

    def asked(self) -> Iterator[Asked]:
        """Yield what is asked of each member."""
        account = self.destination.account
        for member, word in self.words.items():
            yield Asked(member, bool(word & 1), word >> 1, account)


class Batch:
    """The last word on each member of each list since the last flush."""

    def __init__(
        self, planning: Planning, properties: ContactProperties | NoProperties, journal: Journal
    ) -> None:
        self._planning = planning
        self._accounts = planning.accounts
        self._properties = properties
        self._journal = journal
        self._by_cohort: dict[Cohort, Held] = {}
        self._by_route: dict[str, Held] = {}
        self._position = 0  # of the record in hand, in the order of the input
        self._cohort: Cohort | None = None  # of the record before this one, with where it was held
        self._stream: str | None = None
        self._held: Held
        self._of_stream: StreamAccount
        self.held = 0  # memberships

    def __iter__(self) -> Iterator[Held]:
        """Yield what is held, list by list; of some nothing is."""
        return iter(self._by_route.values())

    def clear(self) -> None:
        """Let go of what was brought to HubSpot."""
        for each in self:
            each.words = {}
        self.held = 0

    def take(
        self,
        stream: str,
        membership: Membership,
        attributes: Attributes | PropertyProblem | None = None,
        *,
        version: int | None = None,  # noqa: ARG002 - it says nothing about a single change
    ) -> None:
        """Hold a membership, and what its record says of the person, until the next flush."""
        cohort, member, is_member, _ = membership
        if cohort is not self._cohort or stream is not self._stream:
            self._turn_to(stream, cohort)
        held, self._position = self._held, self._position + 1
        account = held.destination.account
        account.records_read += 1
        self._of_stream.records_read += 1
        words = held.words
        if member in words:
            account.superseded += 1
        else:
            self.held += 1
        words[member] = self._position << 1 | is_member
        if attributes is not None:
            self._properties.hold(member, self._position, attributes)

    def _turn_to(self, stream: str, cohort: Cohort) -> None:
        """Note where records of a cohort are held; those of one cohort often stand together."""
        held = self._by_cohort.get(cohort)
        if held is None:
            destination = self._planning.destination(cohort)
            held = self._by_route.setdefault(destination.route.key, Held(destination, stream))
            self._by_cohort[cohort] = held
        held.stream = stream
        self._journal.saw(cohort)
        self._of_stream = self._accounts.streams[stream]
        self._of_stream.lists.add(held.destination.route.key)
        self._held, self._cohort, self._stream = held, cohort, stream
