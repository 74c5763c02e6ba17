"""Whether HubSpot mails members: by lookups of this run, by the ledger, else by reading their contacts."""

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
    """Where a run keeps mailability, by record id, until the members are settled."""

    def keep(self, known: Mapping[int, KnownMailability]) -> None:
        """Keep the mailability of contacts, in place of what was kept."""

    def kept(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:
        """Return what is kept of these contacts; others are left out."""

    def end_flush(self) -> None:
        """Forget what only the members of one flush need."""


class MailabilityInMemory:
    """Keeps mailability until the next flush."""

    def __init__(self) -> None:
        self._known: dict[int, KnownMailability] = {}

    def keep(self, known: Mapping[int, KnownMailability]) -> None:
        """Keep the mailability of contacts, in place of what was kept."""
        self._known.update(known)

    def kept(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:
        """Return what is kept of these contacts; others are left out."""
        return {each: self._known[each] for each in record_ids if each in self._known}

    def end_flush(self) -> None:
        """Forget all of it."""
        self._known.clear()


class MailabilityCheck:
    """The mailability of members, with the setting `check_mailability`; it never changes who is on a list."""

    is_wanted = True

    def __init__(
        self,
        contacts: Contacts,
        journal: Journal,
        store: MailabilityStore,
        seconds: Callable[[], float],
    ) -> None:
        """`journal` keeps answers from run to run, `store` within a run; `seconds` returns the time since 1970."""
        self._contacts = contacts
        self._journal = journal
        self._store = store
        self._seconds = seconds
        self._may_read = True

    def learn(self, answers: Mapping[int, Mailability]) -> None:
        """Keep the answers of a lookup, by record id, for this run and for later ones."""
        now = int(self._seconds())
        # One object for each kind of answer, however many contacts it is of.
        known = {mailability: KnownMailability(mailability, now) for mailability in set(answers.values())}
        self._store.keep({record_id: known[mailability] for record_id, mailability in answers.items()})
        self.remember(answers)

    def remember(self, answers: Mapping[int, Mailability]) -> None:
        """Keep the answers of a lookup for later runs only: this run settles none of these contacts."""
        self._journal.remember_mailability(answers)

    def of(self, record_ids: Iterable[int]) -> Mapping[int, KnownMailability]:
        """Return the mailability of contacts; those of which none is known yet are read by record id, 100 a call.

        Contacts that HubSpot does not know are left out. If the token may not read contacts, so are all of which
        nothing is known, and the log says so once.
        """
        asked = dict.fromkeys(record_ids)
        known = dict(self._store.kept(asked))
        remaining = [record_id for record_id in asked if record_id not in known]
        if remaining:
            known.update(self._journal.known_mailability(remaining))
            remaining = [record_id for record_id in remaining if record_id not in known]
        if remaining and self._read(remaining):
            known.update(self._store.kept(remaining))
        return known

    def end_flush(self) -> None:
        """Forget what only the members of one flush need."""
        self._store.end_flush()

    def _read(self, record_ids: Collection[int]) -> bool:
        """Read contacts; return False if the token may not."""
        if not self._may_read:
            return False
        try:
            answers = {
                record_id: found.mailability for record_id, found in self._contacts.current(record_ids)
            }
        except MissingScopes as refused:
            self._may_read = False
            logger.warning("check_mailability: who cannot be mailed is not known. %s", refused)
            return False
        self.learn(answers)
        return True


class NoMailabilityCheck:
    """Without `check_mailability` nothing is asked, and nothing is known."""

    is_wanted = False

    def learn(self, answers: Mapping[int, Mailability]) -> None:
        """Do nothing: HubSpot was not asked."""

    def remember(self, answers: Mapping[int, Mailability]) -> None:
        """Do nothing: HubSpot was not asked."""

    def of(self, record_ids: Iterable[int]) -> Mapping[int, KnownMailability]:  # noqa: ARG002 - nothing is known
        """Return nothing."""
        return EMPTY

    def end_flush(self) -> None:
        """Do nothing: nothing is kept."""
