"""Reads again what the ledger knows of HubSpot, whether or not a record of this run names it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hubspot_singer.http import MissingScopes
from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.list_objects import Route, check_writable, shown
from target_hubspot_lists.identifiers import EMAIL
from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.reporting.account import Account
from target_hubspot_lists.sync.no_properties import NO_FLUSH
from target_hubspot_lists.sync.resolving import look_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.ledger import KnownList
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck

logger = logging.getLogger(__name__)


class Reconciling:
    """The part of a run with `reconcile` that no record asks for: addresses at its beginning, lists at its end."""

    def __init__(  # noqa: PLR0913 - what it reads, and who is told
        self,
        contacts: Contacts,
        lists: Lists,
        accounts: Accounts,
        *,
        journal: Journal,
        settings: Settings,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._mailability = mailability
        self._journal = journal
        self._reads_lists = settings.reconcile
        self._reads_addresses = settings.reconcile and not settings.dry_run
        # Whether the portal still has another property, by which another pipeline matches, is not known here.
        self._properties = {EMAIL, *(each.by for each in settings.identifiers)}
        self._contacts = contacts
        self._lists = lists
        self._accounts = accounts

    def begin(self) -> None:
        """Look up every address that the ledger knows, once a run; those that nobody has stay as they were known."""
        if not self._reads_addresses:
            return
        self._reads_addresses = False
        self._journal.expire_lookups()
        try:
            for by, known in self._journal.outdated_contacts():
                if by in self._properties:
                    self._read(by, known)
        except MissingScopes as refused:
            logger.warning("The addresses that the ledger knows are not looked up again: %s", refused)

    def _read(self, by: str, known: Mapping[str, int]) -> None:
        found = look_up(self._contacts, by, known, NO_FLUSH)
        self._journal.record_merges(found.merged)
        self._journal.remember_contacts(by, found.record_ids)
        self._mailability.remember(found.mailability)
        became = {address: found.merged.get(record_id, record_id) for address, record_id in known.items()}
        self._journal.note_moved_addresses(
            {
                known[address]: record_id
                for address, record_id in found.record_ids.items()
                if became[address] != record_id
            }
        )

    def end(self) -> Iterator[str]:
        """Read every list of the ledger that this run has not come upon, and put back whom it lost.

        Yield why a list could not be read.
        """
        if not self._reads_lists:
            return
        self.begin()
        unread = self._journal.unread_lists()
        there = self._lists.find_all({each.list_id for each in unread}) if unread else {}
        for known in unread:
            if (found := there.get(known.list_id)) is None:
                logger.warning(
                    'List "%s" (%s) was deleted in HubSpot: it is made anew when a record adds somebody to it.',
                    shown(known.name),
                    known.list_id,
                )
                continue
            try:
                check_writable(found)
                for problem in self._journal.lock([found], is_waited_for=False).values():
                    raise problem
                self._open_account(known, found)
                self._journal.reread(found, has_snapshot=False)
            except UnusableList as problem:
                yield f"Not reconciled: {problem}"

    def _open_account(self, known: KnownList, found: HubSpotList) -> None:
        """Let the list appear among those of the run, so that it is told how many were put back."""
        cohort = Cohort.from_key(known.cohort_key or "", known.cohort_name)
        self._accounts.lists.setdefault(Route(found.list_id, "").key, Account(cohort, found.name, found))
