"""Remembers from run to run what HubSpot said of whether it mails contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.outcomes import KnownMailability, Mailability


class MailabilityMemory(Protocol):
    """What is known of earlier runs; by record id."""

    def known(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:
        """Return what was said of these contacts, where it need not be asked for again."""

    def remember(self, told: Mapping[int, Mailability]) -> None:
        """Keep what HubSpot said just now."""


class LedgerMailability:
    """With a ledger an answer is trusted as long as the record id of an address: for `contact_cache_days`."""

    def __init__(self, ledger: Ledger, journal: Journal, *, is_written: bool) -> None:
        self._people = ledger.people
        self._journal = journal
        self._is_written = is_written  # not in a dry run

    def known(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:
        """Return what was said of contacts that were looked up lately enough."""
        since = self._journal.contacts_since
        return {} if since is None else self._people.mailability(record_ids, since=since)

    def remember(self, told: Mapping[int, Mailability]) -> None:
        """Keep what HubSpot said just now."""
        if told and self._is_written:
            self._people.remember_mailability(told)


class NoMailabilityMemory:
    """Without a ledger nothing is remembered."""

    def known(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:  # noqa: ARG002
        """Return nothing."""
        return {}

    def remember(self, told: Mapping[int, Mailability]) -> None:
        """Nothing."""
