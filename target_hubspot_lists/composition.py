"""Builds what a run works with, once the connection is checked: ledger, journal, and the mode's sync."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.hubspot.contacts import Contacts
from target_hubspot_lists.hubspot.found_lists import FoundLists
from target_hubspot_lists.hubspot.lists import Lists, current_list_ids
from target_hubspot_lists.hubspot.membership_reads import MembershipReader
from target_hubspot_lists.hubspot.membership_writes import ChangeWriter
from target_hubspot_lists.input.states import States
from target_hubspot_lists.journal.ledger_journal import LedgerJournal
from target_hubspot_lists.journal.ledger_reading import DryRunJournal
from target_hubspot_lists.journal.no_journal import NoJournal
from target_hubspot_lists.ledger.workspace import PrivateFile
from target_hubspot_lists.mirror.mirror import build_mirror
from target_hubspot_lists.mirror.stores import MailabilityOnDisk, WrittenProperties
from target_hubspot_lists.sync.applier import Applier
from target_hubspot_lists.sync.contact_properties import ContactProperties, NoProperties
from target_hubspot_lists.sync.delivery import Delivery
from target_hubspot_lists.sync.destinations import Destinations, Routes
from target_hubspot_lists.sync.incremental import Incremental
from target_hubspot_lists.sync.mailability import MailabilityCheck, MailabilityInMemory, NoMailabilityCheck
from target_hubspot_lists.sync.merged_contacts import MergedContacts
from target_hubspot_lists.sync.reconciling import Reconciling
from target_hubspot_lists.sync.resolvers import ByIdentifiers, ByProperty, ByRecordId
from target_hubspot_lists.sync.retrying import Retrying
from target_hubspot_lists.sync.schedule import Schedule
from target_hubspot_lists.sync.unapplied_adds import NoUnappliedAdds, UnappliedAdds

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubspot_singer.http import Clock, HubSpotClient
    from hubspot_singer.plugin.portal import Portal
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.journal.property_memory import PropertyMemory
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.ledger.workspace import Workspace
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.contact_properties import PortalProperties
    from target_hubspot_lists.sync.resolvers import Resolver
    from target_hubspot_lists.sync.schedule import Sync


class Session(NamedTuple):
    """What a run works with, from the check of the connection to its end."""

    sync: Sync
    schedule: Schedule
    journal: Journal
    reconciling: Reconciling
    delivery: Delivery
    contacts: Contacts
    destinations: Destinations
    retrying: Retrying | None

    def close(self, accounts: Accounts) -> None:
        """Close ledger, locks and files; count the members that were restored besides those whom records name."""
        self.sync.close()
        for account in accounts.lists.values():
            account.restored += self.journal.restored.pop(account.list_id or "", 0)
        self.journal.close(accounts.lists.values())


def compose(  # noqa: PLR0913 - all that a run has
    client: HubSpotClient,
    settings: Settings,
    accounts: Accounts,
    *,
    portal: Portal,
    of_portal: PortalProperties,
    run_id: str,
    clock: Clock,
    flushed: Callable[[], None],
) -> Session:
    """Open the ledger, if the settings name one, and build the sync of the mode that they name."""

    def now() -> datetime:
        return datetime.fromtimestamp(clock.time(), UTC)

    workers = settings.connection.max_concurrency
    is_mirror = settings.sync_mode == "mirror"

    # What reads and writes HubSpot
    lists = Lists(client)
    found_lists = FoundLists(lists, settings)
    contacts = Contacts(
        client,
        workers=workers,
        create=settings.create_contacts,
        dry_run=settings.dry_run,
        does_without_reads=settings.are_record_ids,
        checks_mailability=settings.check_mailability,
    )
    writer = ChangeWriter(client, lists, contacts)
    reader = MembershipReader(client, workers=workers)
    routes = Routes(settings, current_list_ids(client, settings.legacy_list_ids))

    # What is known of earlier runs
    ledger = open_ledger(settings, portal, run_id=run_id, now=now)
    journal: Journal = NoJournal()
    if ledger is not None and settings.dry_run:
        journal = DryRunJournal(
            ledger, settings, found_lists, portal_lists=lists, reader=reader, started=now()
        )
    elif ledger is not None:
        journal = LedgerJournal(
            ledger,
            settings,
            client,
            found_lists,
            portal_lists=lists,
            contacts=contacts,
            writer=writer,
            reader=reader,
            started=now(),
        )
    unapplied_adds = NoUnappliedAdds() if ledger is None else UnappliedAdds(ledger.kept, settings)
    memory: PropertyMemory = journal
    workspace: Workspace | None = None
    if is_mirror:
        workspace = PrivateFile() if ledger is None else ledger.workspace()
        if ledger is None:
            memory = WrittenProperties(workspace)

    # The steps from a membership to its outcome
    properties: ContactProperties | NoProperties = NoProperties()
    if settings.property_mappings or settings.audience_status_property:
        properties = ContactProperties(client, settings, lists, of_portal=of_portal, memory=memory)
    mailability = _mailability_check(settings, contacts, journal, workspace, clock)
    merged = MergedContacts(contacts, journal)
    delivery = Delivery(
        client,
        settings,
        writer=writer,
        reader=reader,
        merged=merged,
        journal=journal,
        accounts=accounts,
        mailability=mailability,
    )
    applier = Applier(
        resolver=_resolver(settings, contacts, journal, accounts, mailability),
        merged=merged,
        delivery=delivery,
        properties=properties,
        accounts=accounts,
    )
    reconciling = Reconciling(
        contacts,
        lists,
        accounts,
        journal=journal,
        settings=settings,
        skips=routes.skips,
        mailability=mailability,
    )
    destinations = Destinations(
        routes,
        found_lists,
        properties,
        lists=lists,
        journal=journal,
        accounts=accounts,
        reconciling=reconciling,
    )
    retrying: Retrying | None = None
    # Not in a mirror: its next snapshot names its members again.
    is_retried = settings.retry_unapplied_days > 0 and not is_mirror
    if ledger is not None and isinstance(unapplied_adds, UnappliedAdds) and is_retried:
        accounts.watcher = unapplied_adds
        retrying = Retrying(
            settings,
            ledger,
            unapplied_adds,
            routes=routes,
            lists=lists,
            contacts=contacts,
            merged=merged,
            properties=properties,
            applier=applier,
            journal=journal,
            accounts=accounts,
            now=now,
        )

    # The mode, and when it applies memberships
    schedule: Schedule

    def flush_full_batch() -> None:
        schedule.flush()  # it is built over the sync, and so after it

    sync: Sync
    if workspace is None:
        sync = Incremental(
            destinations,
            applier=applier,
            properties=properties,
            journal=journal,
            mailability=mailability,
            unapplied_adds=unapplied_adds,
            batch_size_rows=settings.batch_size_rows,
            flush=flush_full_batch,
        )
    else:
        sync = build_mirror(
            settings,
            destinations,
            contacts=contacts,
            reader=reader,
            applier=applier,
            delivery=delivery,
            properties=properties,
            journal=journal,
            workspace=workspace,
            mailability=mailability,
            unapplied_adds=unapplied_adds,
        )
    schedule = Schedule(sync, accounts, States(settings), clock=clock, flushed=flushed)
    return Session(sync, schedule, journal, reconciling, delivery, contacts, destinations, retrying)


def _resolver(
    settings: Settings,
    contacts: Contacts,
    journal: Journal,
    accounts: Accounts,
    mailability: MailabilityCheck | NoMailabilityCheck,
) -> Resolver:
    """Build what finds the contacts of members, by the identifiers that the settings name."""
    if settings.are_record_ids:
        return ByRecordId()
    if len(settings.identifiers) > 1:
        return ByIdentifiers(settings.identifiers, contacts, journal, accounts, mailability)
    return ByProperty(settings.identifiers[0].by, contacts, journal, accounts, mailability)


def _mailability_check(
    settings: Settings,
    contacts: Contacts,
    journal: Journal,
    workspace: Workspace | None,
    clock: Clock,
) -> MailabilityCheck | NoMailabilityCheck:
    """Build what knows whether HubSpot mails members, if the settings ask for it."""
    if not settings.check_mailability:
        return NoMailabilityCheck()
    store = MailabilityInMemory() if workspace is None else MailabilityOnDisk(workspace)
    return MailabilityCheck(contacts, journal, store, clock.time)


def open_ledger(
    settings: Settings, portal: Portal, *, run_id: str, now: Callable[[], datetime]
) -> Ledger | None:
    """Open the ledger that the settings name, in a dry run only to read; return None if they name none."""
    if settings.ledger_url is None:
        return None
    from target_hubspot_lists.ledger import Ledger  # noqa: PLC0415 - SQLAlchemy takes long to import

    opening = Ledger.open_to_read if settings.dry_run else Ledger.open
    return opening(settings.ledger_url, known_id(portal), run_id=run_id, now=now)


def check_ledger(settings: Settings, portal: Portal) -> str:
    """Try to open the ledger and to write to it, without a change; return what was found as a sentence."""
    from target_hubspot_lists.ledger import Ledger  # noqa: PLC0415 - SQLAlchemy takes long to import

    known_id(portal)
    exists = Ledger.check(settings.ledger_url or "")
    return f"Ledger: {'it can be used' if exists else 'not there yet, the first run creates it'}."


def known_id(portal: Portal) -> int:
    """Return the portal's id, under which the ledger records; raise LedgerError if HubSpot does not say it."""
    if portal.portal_id is None:
        raise LedgerError(
            "HubSpot does not say which portal this token is of, and a ledger is kept by portal: run again "
            "later, or without ledger_url."
        )
    return portal.portal_id
