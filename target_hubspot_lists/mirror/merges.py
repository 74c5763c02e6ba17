"""Follows merged contacts before members are removed, so that one contact does not count as two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.contact_answers import retired

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.ledger.workspace import Workspace
    from target_hubspot_lists.mirror.comparison import Comparison, Resolved
    from target_hubspot_lists.mirror.differences import Differences
    from target_hubspot_lists.outcomes import Mailability
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.resolution import Resolution


class Merges:
    """Gives contacts the record ids that they have since they were merged, in a snapshot and on its list.

    Its table, `current`, holds for the whole run which id the contact of each id that was looked up has now.
    """

    def __init__(  # noqa: PLR0913 - whom it asks, and where it notes the answers
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
        """Note the record ids that a look-up by address returned, with those that merges retired."""
        looked_up = set(contacts.record_ids.values()) - contacts.remembered
        self._note((each, each) for each in looked_up)
        self._note(contacts.merged.items())

    def follow(self, is_too_much: Callable[[int], bool]) -> list[Resolved]:
        """Give contacts on the list and in the snapshot the ids they have now; return the words that lost.

        Read are those who would be removed, until so many of them are no part of the snapshot that nobody is going
        to be; then, unless nobody is left to remove, those who would be added.
        """
        lost = self._replace_retired()
        while record_ids := self._differences.unread_to_remove():
            if is_too_much(self._differences.sure_to_remove()):
                return lost
            self._read(record_ids)
            lost += self._replace_retired()
        if next(self._differences.to_remove(), None) is None:
            return lost
        while record_ids := self._differences.unread_to_add():
            self._read(record_ids)
        return lost + self._replace_retired()

    def missing(self, record_ids: Collection[int]) -> set[int]:
        """Return the record ids that no contact has; none where the token may not read contacts."""
        return set(record_ids) - self._contacts.known_ids(record_ids).keys()

    def _read(self, record_ids: Collection[int]) -> None:
        """Look up the current record ids of these contacts; an id that HubSpot does not know stays as it is."""
        merged: dict[int, int] = {}
        told: dict[int, Mailability] = {}
        for asked, found in self._contacts.current(record_ids):
            merged |= dict.fromkeys((asked, *found.merged), found.record_id)
            if self._mailability.is_wanted:
                told[found.record_id] = found.mailability
        self._mailability.learn(told)  # so that nobody is read once more for it
        self._note((each, each) for each in record_ids)
        self._note((each, each) for each in merged.values())
        self._note(merged.items())
        self._journal.record_merges(retired(merged))

    def _note(self, record_ids: Iterable[tuple[int, int]]) -> None:
        """Note which ids contacts have now, by record id, as HubSpot said in this run: retired ones and others."""
        self._workspace.insert(
            "mirror_current",
            list(dict(record_ids).items()),
            on_conflict="ON CONFLICT (record_id) DO UPDATE SET current_id = excluded.current_id",
        )

    def _replace_retired(self) -> list[Resolved]:
        """Give contacts the ids that they have now, in snapshot and baseline; return the words that lost."""
        on_list = self._comparison.retired("mirror_baseline")
        for record_id, _ in on_list:
            self._comparison.baseline.drop(record_id)
        self._comparison.baseline.take((current for _, current in on_list), is_settled=False)
        # What the ledger says of a merged contact is unsettled, on whichever list one of its records was.
        self._workspace.change(
            "UPDATE mirror_baseline SET is_settled = 0 WHERE record_id IN "
            "(SELECT current_id FROM mirror_current WHERE current_id <> record_id)"
        )
        replaced = (self._comparison.replace(*each) for each in self._comparison.retired("mirror_resolved"))
        return [lost for lost in replaced if lost is not None]
