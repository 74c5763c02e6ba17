"""Sends what is asked of a mirror's list, or says what a real run would do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from target_hubspot_lists.outcomes import Outcome
from target_hubspot_lists.sync.redelivery import deliver_again

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.mirror.comparison import Comparison
    from target_hubspot_lists.mirror.held_properties import HeldProperties
    from target_hubspot_lists.mirror.merges import Merges
    from target_hubspot_lists.mirror.snapshots import ListSnapshot
    from target_hubspot_lists.outcomes import PropertyResult
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.delivery import Delivery
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.plans import Plan, Stale
    from target_hubspot_lists.sync.resolution import Resolver


class Sending:
    """Sends changes, and again those of contacts that have other record ids now."""

    def __init__(  # noqa: PLR0913 - what a delivery needs, and what it changes
        self,
        settings: Settings,
        accounts: Accounts,
        *,
        resolver: Resolver,
        delivery: Delivery,
        comparison: Comparison,
        properties: HeldProperties,
        merges: Merges,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._mailability = mailability
        self._settings = settings
        self._accounts = accounts
        self._resolver = resolver
        self._delivery = delivery
        self._comparison = comparison
        self._properties = properties
        self._merges = merges

    def deliver(self, plan: Plan, results: Mapping[Member, PropertyResult]) -> list[Stale]:
        """Send a change; return those whose contacts have other record ids now, and no outcome yet.

        `results` says what became of properties.
        """
        if not self._settings.dry_run:
            return self._delivery.deliver([plan], results)
        self._foresee(plan, results)
        return []

    def write_again(self, unit: ListSnapshot, stale: Collection[Stale]) -> None:
        """Send memberships again whose remembered contact is gone, under the record id that the contact has now."""
        properties = self._properties.begin(each.asked.member for each in stale)
        deliver_again(
            stale,
            partial(self._is_outdone, unit),
            resolver=self._resolver,
            properties=properties,
            delivery=self._delivery,
            accounts=self._accounts,
        )

    def _is_outdone(self, unit: ListSnapshot, stale: Stale, record_id: int) -> bool:
        """Return whether another word on the same contact asks for the same, or came later."""
        self._comparison.baseline.drop(stale.record_id)
        other = self._comparison.word_on(record_id)
        if other and other.position == stale.asked.position:
            return False  # it is this word: the contact has the id that it had
        if other and (other.is_member == stale.asked.is_member or other.position > stale.asked.position):
            return True
        if other and not other.is_member and self._comparison.baseline.has(record_id):
            unit.supersede([other])  # who is on the list and to go has no outcome yet
        self._comparison.replace(stale.record_id, record_id)
        return False

    def _foresee(self, plan: Plan, results: Mapping[Member, PropertyResult]) -> None:
        """Settle by what a real run would do; the list was read, so only a record id of the input may be missing."""
        every = plan.all_asked()
        to_add = [record_id for record_id, asked in every.items() if asked.is_member]
        missing = self._merges.missing(to_add) if self._settings.are_record_ids else set()
        mailability = self._mailability.of(to_add)
        for record_id, asked in every.items():
            outcome = Outcome.ADDED if asked.is_member else Outcome.REMOVED
            outcome = Outcome.MISSING if record_id in missing else outcome
            self._accounts.settle(
                asked,
                outcome,
                record_id=record_id,
                properties=results.get(record_id),
                mailability=mailability.get(record_id),
            )
