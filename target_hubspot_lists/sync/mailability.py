"""Knows of members whether HubSpot mails them: by look-ups of this run, by the ledger, else by asking for them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from hubspot_singer.http import MissingScopes
from target_hubspot_lists.outcomes import KnownMailability
from target_hubspot_lists.reporting.account import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.outcomes import Mailability

logger = logging.getLogger(__name__)


class MailabilityStore(Protocol):
    """Where a run keeps what it was told, by record id, until the members are settled."""

    def keep(self, known: Mapping[int, KnownMailability]) -> None:
        """Keep this of contacts, in place of what was kept."""

    def kept(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:
        """Return what is kept of these contacts."""

    def end_flush(self) -> None:
        """Let go of what only the members of one flush need."""


class MailabilityInMemory:
    """What a run was told since its last flush."""

    def __init__(self) -> None:
        self._known: dict[int, KnownMailability] = {}

    def keep(self, known: Mapping[int, KnownMailability]) -> None:
        """Keep this of contacts, in place of what was kept."""
        self._known.update(known)

    def kept(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:
        """Return what is kept of these contacts."""
        return {each: self._known[each] for each in record_ids if each in self._known}

    def end_flush(self) -> None:
        """Let go of all of it."""
        self._known.clear()


class MailabilityCheck:
    """Whether HubSpot mails members, with `check_mailability`. It never changes who is on a list."""

    is_wanted = True

    def __init__(
        self,
        contacts: Contacts,
        journal: Journal,
        store: MailabilityStore,
        seconds: Callable[[], float],
    ) -> None:
        """Take where to ask, what earlier runs know, where to keep answers, and the clock: seconds since 1970."""
        self._contacts = contacts
        self._journal = journal
        self._store = store
        self._seconds = seconds
        self._may_read = True

    def learn(self, told: Mapping[int, Mailability]) -> None:
        """Take in what a look-up told of contacts."""
        now = int(self._seconds())
        # One object for each answer, however many contacts it is of.
        answers = {each: KnownMailability(each, now) for each in set(told.values())}
        self._store.keep({record_id: answers[each] for record_id, each in told.items()})
        self.remember(told)

    def remember(self, told: Mapping[int, Mailability]) -> None:
        """Remember for later runs what a look-up told of contacts whom this run does not settle."""
        self._journal.remember_mailability(told)

    def of(self, record_ids: Iterable[int]) -> Mapping[int, KnownMailability]:
        """Return what is known of contacts; of whom nothing is known yet is read by record id, 100 a call.

        Those whom HubSpot does not know are left out; where the token may not read contacts, so is everybody of whom
        nothing is known, which is said once.
        """
        asked = dict.fromkeys(record_ids)
        known = dict(self._store.kept(asked))
        left = [each for each in asked if each not in known]
        if left:
            known.update(self._journal.known_mailability(left))
            left = [each for each in left if each not in known]
        if left and self._read(left):
            known.update(self._store.kept(left))
        return known

    def end_flush(self) -> None:
        """Let go of what only the members of one flush need."""
        self._store.end_flush()

    def _read(self, record_ids: Collection[int]) -> bool:
        """Read contacts, and return whether the token may."""
        if not self._may_read:
            return False
        try:
            told = {asked: found.mailability for asked, found in self._contacts.current(record_ids)}
        except MissingScopes as refused:
            self._may_read = False
            logger.warning("check_mailability: who cannot be mailed is not known. %s", refused)
            return False
        self.learn(told)
        return True


class NoMailabilityCheck:
    """Without `check_mailability` nothing is asked and nothing is told."""

    is_wanted = False

    def learn(self, told: Mapping[int, Mailability]) -> None:
        """Nothing: HubSpot was not asked."""

    def remember(self, told: Mapping[int, Mailability]) -> None:
        """Nothing: HubSpot was not asked."""

    def of(self, record_ids: Iterable[int]) -> Mapping[int, KnownMailability]:  # noqa: ARG002 - nobody is
        """Return nothing."""
        return EMPTY

    def end_flush(self) -> None:
        """Nothing: nothing is kept."""
