"""Finds the contacts of a snapshot's members: by the ledger, in one statement, else by asking HubSpot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.mirror.comparison import Resolved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.mirror.comparison import Comparison, LastWord
    from target_hubspot_lists.mirror.held_properties import HeldProperties
    from target_hubspot_lists.mirror.merges import Merges
    from target_hubspot_lists.mirror.snapshots import ListSnapshot
    from target_hubspot_lists.outcomes import Outcome, Refusal
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.property_flush import Flush
    from target_hubspot_lists.sync.resolution import Resolver


class Identification:
    """Fills a comparison with the contacts of one snapshot after the other."""

    def __init__(  # noqa: PLR0913, PLR0917 - whom it asks, and where it notes the answers
        self,
        resolver: Resolver,
        journal: Journal,
        accounts: Accounts,
        comparison: Comparison,
        properties: HeldProperties,
        merges: Merges,
        *,
        checks_mailability: bool,
    ) -> None:
        self._checks_mailability = checks_mailability
        self._resolver = resolver
        self._journal = journal
        self._accounts = accounts
        self._comparison = comparison
        self._properties = properties
        self._merges = merges

    def begin(self, unit: ListSnapshot) -> None:
        """Begin the comparison of a list with the members of its snapshot; no contact is looked up yet."""
        for snapshot in unit.cohorts:
            snapshot.account.superseded += snapshot.records  # less the last words
            snapshot.records = 0
        last_words = self._comparison.start([each.number for each in unit.cohorts])
        for cohort, number in last_words.items():
            unit.account(cohort).superseded -= number

    def settle(self, unit: ListSnapshot, outcome: Outcome, refusal: Refusal | None = None) -> None:
        """Give each member of the snapshot this outcome, without a look-up."""
        for word in self._comparison.words():
            self._accounts.settle(unit.asked(word), outcome, refusal=refusal)

    def identify(self, unit: ListSnapshot) -> None:
        """Find the contacts of the members of the snapshot; a member without one gets its outcome."""
        self._comparison.identify(
            self._journal.lookups_valid_since, with_mailability=self._checks_mailability
        )
        for words in self._comparison.unidentified():
            self._look_up(unit, words)
        for cohort, number in self._comparison.resolve().items():
            unit.account(cohort).superseded += number

    def _look_up(self, unit: ListSnapshot, words: Sequence[LastWord]) -> None:
        """Look up the contacts of a run of addresses, and create those that are to be created."""
        flush = self._properties.begin(word.member for word in words)
        asked = [unit.asked(word) for word in words]
        if unit.hubspot_list is not None:
            route = unit.cohorts[0].route
            flush.expect([(route, asked)], {route.key: unit.hubspot_list})
        members = [(each.member, each.is_member) for each in asked]
        contacts = self._resolver.resolve(members, flush)
        contacts.count_found(self._accounts, members)
        flush.resolved(contacts)
        self._merges.learn(contacts)
        unit.unclear += sum(each.is_member and each.member in contacts.unclear for each in asked)
        found = []
        for word, each in zip(words, asked, strict=True):
            record_id = contacts.record_id(each.member)
            if record_id is None:
                contacts.settle(self._accounts, [each], flush.results)
                continue
            is_created = word.member in contacts.created
            found.append(
                Resolved(
                    record_id,
                    *word,
                    is_created,
                    _packed(flush, record_id) if is_created else None,
                    contacts.found_by.get(each.member),
                )
            )
        self._comparison.take_contacts(found)


def _packed(flush: Flush, record_id: int) -> bytes | None:
    """Return the result of writing the properties of a contact that was created."""
    result = flush.results.get(record_id)
    return result.packed if result else None
