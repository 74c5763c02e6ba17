"""The contacts of a snapshot's members: found by the ledger or by HubSpot, and followed where they were merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.contact_answers import retired
from target_hubspot_lists.mirror.comparison import Resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.ledger.workspace import Workspace
    from target_hubspot_lists.mirror.comparison import Comparison, LastWord
    from target_hubspot_lists.mirror.differences import Differences
    from target_hubspot_lists.mirror.list_snapshot import ListSnapshot
    from target_hubspot_lists.mirror.stores import HeldProperties
    from target_hubspot_lists.outcomes import Mailability, Outcome, Refusal
    from target_hubspot_lists.reporting.account import RequestedChange
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.applier import Applier
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.resolution import Resolution


class Identification:
    """Fills a comparison with the contacts of one list's snapshot after the other."""

    def __init__(  # noqa: PLR0913, PLR0917 - what finds contacts, and where they are noted
        self,
        applier: Applier,
        journal: Journal,
        accounts: Accounts,
        comparison: Comparison,
        properties: HeldProperties,
        merges: Merges,
        *,
        checks_mailability: bool,
    ) -> None:
        self._applier = applier
        self._journal = journal
        self._accounts = accounts
        self._comparison = comparison
        self._properties = properties
        self._merges = merges
        self._checks_mailability = checks_mailability

    def begin(self, snapshot: ListSnapshot) -> None:
        """Begin the comparison of a list with the members of its snapshot; no contact is looked up yet."""
        for cohort in snapshot.cohorts:
            cohort.account.superseded += cohort.records  # less the last words, below
            cohort.records = 0
        last_words = self._comparison.start([cohort.number for cohort in snapshot.cohorts])
        for cohort_number, members in last_words.items():
            snapshot.account(cohort_number).superseded -= members

    def settle(self, snapshot: ListSnapshot, outcome: Outcome, refusal: Refusal | None = None) -> None:
        """Give each member of the snapshot this outcome, without a lookup."""
        for word in self._comparison.words():
            self._accounts.settle(snapshot.asked(word), outcome, refusal=refusal)

    def identify(self, snapshot: ListSnapshot) -> None:
        """Find the contacts of the members of the snapshot; a member without one gets its outcome."""
        self._comparison.identify(self._journal.lookups_valid_in, with_mailability=self._checks_mailability)
        for words in self._comparison.unidentified():
            self._look_up(snapshot, words)
        for cohort_number, superseded in self._comparison.resolve().items():
            snapshot.account(cohort_number).superseded += superseded

    def _look_up(self, snapshot: ListSnapshot, words: Sequence[LastWord]) -> None:
        """Look up the contacts of some members, and create those that are to be created."""
        properties = self._properties.begin(word.member for word in words)
        changes = [snapshot.asked(word) for word in words]
        if snapshot.hubspot_list is not None:
            route = snapshot.cohorts[0].route
            properties.expect([(route, changes)], {route.key: snapshot.hubspot_list})
        members = [(asked.member, asked.is_member) for asked in changes]
        contacts = self._applier.find_contacts(members, properties)
        contacts.count_found(self._accounts, members)
        self._merges.learn(contacts)
        snapshot.unclear += sum(asked.is_member and asked.member in contacts.unclear for asked in changes)
        found: list[Resolved] = []
        without_contact: list[RequestedChange] = []
        for word, asked in zip(words, changes, strict=True):
            record_id = contacts.record_id(asked.member)
            if record_id is None:
                without_contact.append(asked)
                continue
            is_created = word.member in contacts.created
            result = properties.results.get(record_id) if is_created else None
            found.append(
                Resolved(
                    record_id,
                    *word,
                    is_created=is_created,
                    properties=result.packed if result else None,
                    found_by=contacts.found_by.get(asked.member),
                )
            )
        contacts.settle(self._accounts, contacts.last_of_new(without_contact), properties.results)
        self._comparison.take_contacts(found)


class Merges:
    """Gives contacts the record ids that they have since they were merged, in a snapshot and on its list.

    So that a contact does not count as two: one to remove and one to add. The table `mirror_current` has, for the whole
    run, the current id of the contact of each id that was looked up.
    """

    def __init__(  # noqa: PLR0913 - what reads contacts, and where their ids are noted
        self,
        contacts: Contacts,
        journal: Journal,
        *,
        workspace: Workspace,
        comparison: Comparison,
        differences: Differences,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._contacts = contacts
        self._journal = journal
        self._workspace = workspace
        self._comparison = comparison
        self._differences = differences
        self._mailability = mailability
        workspace.create("mirror_current", f"record_id {workspace.ordered_key}, current_id BIGINT")
        workspace.change(
            "CREATE INDEX mirror_retired ON mirror_current (record_id) WHERE current_id <> record_id"
        )

    def learn(self, contacts: Resolution) -> None:
        """Note the record ids that a lookup returned, with those that merges retired."""
        looked_up = set(contacts.record_ids.values()) - contacts.remembered
        self._note((record_id, record_id) for record_id in looked_up)
        self._note(contacts.merged.items())

    def follow(self, is_too_much: Callable[[int], bool]) -> list[Resolved]:
        """Give contacts on the list and in the snapshot their current ids; return the words that are superseded.

        Contacts to remove are read first, until so many are known to be absent from the snapshot that none may be
        removed: `is_too_much` says so of their number. Then contacts to add are read, if any are left to remove.
        """
        superseded = self._replace_retired()
        while record_ids := self._differences.unread_to_remove():
            if is_too_much(self._differences.sure_to_remove()):
                return superseded
            self._read(record_ids)
            superseded += self._replace_retired()
        if next(self._differences.to_remove(), None) is None:
            return superseded
        while record_ids := self._differences.unread_to_add():
            self._read(record_ids)
        return superseded + self._replace_retired()

    def missing(self, record_ids: Collection[int]) -> set[int]:
        """Return the record ids that no contact has; none if the token may not read contacts."""
        return set(record_ids) - self._contacts.known_ids(record_ids).keys()

    def _read(self, record_ids: Collection[int]) -> None:
        """Look up the current record ids of these contacts; an id that HubSpot does not know stays as it is."""
        merged: dict[int, int] = {}
        mailability: dict[int, Mailability] = {}
        for record_id, found in self._contacts.current(record_ids):
            merged |= dict.fromkeys((record_id, *found.merged), found.record_id)
            if self._mailability.is_wanted:
                mailability[found.record_id] = found.mailability
        self._mailability.learn(mailability)  # so that no contact is read again for it
        self._note((record_id, record_id) for record_id in record_ids)
        self._note((current_id, current_id) for current_id in merged.values())
        self._note(merged.items())
        self._journal.record_merges(retired(merged))

    def _note(self, record_ids: Iterable[tuple[int, int]]) -> None:
        """Note pairs of a record id, retired or not, and the id that its contact has now."""
        self._workspace.insert(
            "mirror_current",
            list(dict(record_ids).items()),
            on_conflict="ON CONFLICT (record_id) DO UPDATE SET current_id = excluded.current_id",
        )

    def _replace_retired(self) -> list[Resolved]:
        """Replace retired ids in the snapshot and on the list; return the words that are superseded."""
        on_list = self._comparison.retired("mirror_baseline")
        for record_id, _ in on_list:
            self._differences.drop_member(record_id)
        self._differences.take_members((current_id for _, current_id in on_list), is_settled=False)
        self._differences.unsettle_merged()
        replaced = (self._comparison.replace(*ids) for ids in self._comparison.retired("mirror_resolved"))
        return [word for word in replaced if word is not None]
