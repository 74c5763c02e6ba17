"""Setting `reconcile`: reads again the contacts and lists that the ledger knows, also those that no record names."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hubspot_singer.http import MissingScopes
from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.list_objects import Route, check_writable, shown
from target_hubspot_lists.identifiers import EMAIL
from target_hubspot_lists.journal.earlier_lists import cohort_of_list
from target_hubspot_lists.reporting.account import Account
from target_hubspot_lists.sync.contact_lookup import look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck

logger = logging.getLogger(__name__)


class Reconciling:
    """Reads again what the ledger knows: contacts at the beginning of a run with `reconcile`, lists at its end."""

    def __init__(  # noqa: PLR0913 - what it reads, and where the answers are recorded
        self,
        contacts: Contacts,
        lists: Lists,
        accounts: Accounts,
        *,
        journal: Journal,
        settings: Settings,
        skips: Callable[[Cohort], bool],
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._mailability = mailability
        self._skips = skips
        self._journal = journal
        self._reads_contacts = settings.reconcile
        # Not other properties by which other pipelines match: whether the portal still has them is not known here.
        self._properties = {EMAIL, *(each.by for each in settings.identifiers)}
        self._contacts = contacts
        self._lists = lists
        self._accounts = accounts

    def begin(self) -> None:
        """Look up all contacts that the ledger knows, once a run; what HubSpot does not know stays in the ledger."""
        if not self._reads_contacts:
            return
        self._reads_contacts = False
        self._journal.expire_lookups()
        try:
            for by, known in self._journal.outdated_contacts():
                if by in self._properties:
                    self._read(by, known)
        except MissingScopes as refused:
            logger.warning("The addresses that the ledger knows are not looked up again: %s", refused)

    def _read(self, by: str, known: Mapping[str, int]) -> None:
        """Look up values of a property; `known` has the record ids that the ledger knows."""
        found = look_up(self._contacts, by, known)
        self._journal.record_merges(found.merged)
        self._journal.remember_contacts(by, found.record_ids)
        self._mailability.remember(found.mailability)
        self._journal.note_moved_addresses(
            {
                known[value]: record_id
                for value, record_id in found.record_ids.items()
                if found.merged.get(known[value], known[value]) != record_id
            }
        )

    def end(self) -> Iterator[str]:
        """Read each list of the ledger that this run has not read yet, and restore the members that it lost.

        A list whose cohorts the setting `lists` all leaves out is left as it is. Yield why a list could not be read.
        """
        self.begin()
        unread = {
            known.list_id: known
            for known in self._journal.unread_lists()
            if not self._skips(cohort_of_list(known))
        }
        existing = self._lists.find_all(unread.keys()) if unread else {}
        for known in unread.values():
            if (found := existing.get(known.list_id)) is None:
                logger.warning(
                    'List "%s" (%s) was deleted in HubSpot: it is created again when a record adds a member.',
                    shown(known.name),
                    known.list_id,
                )
                continue
            try:
                check_writable(found)
                for problem in self._journal.lock([found], is_waited_for=False).values():
                    raise problem
                # An account, so that the summary says how many members were restored.
                account = Account(cohort_of_list(known), found.name, found)
                self._accounts.lists.setdefault(Route(found.list_id, "").key, account)
                self._journal.reread(found, has_snapshot=False)
            except UnusableList as problem:
                yield f"Not reconciled: {problem}"
