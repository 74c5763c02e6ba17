"""Builds what a run works with, once the connection is checked: ledger, journal, and the mode's sync."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
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
from target_hubspot_lists.mirror.kept_mailability import MailabilityOnDisk
from target_hubspot_lists.mirror.mirror import Mirror
from target_hubspot_lists.mirror.written_properties import WrittenProperties
from target_hubspot_lists.sync.contact_properties import ContactProperties
from target_hubspot_lists.sync.delivery import Delivery
from target_hubspot_lists.sync.fallbacks import InTurn
from target_hubspot_lists.sync.incremental import Incremental
from target_hubspot_lists.sync.mailability import MailabilityCheck, MailabilityInMemory, NoMailabilityCheck
from target_hubspot_lists.sync.merged_contacts import MergedContacts
from target_hubspot_lists.sync.no_properties import NoProperties
from target_hubspot_lists.sync.planning import Planning
from target_hubspot_lists.sync.reconciling import Reconciling
from target_hubspot_lists.sync.resolution import ByRecordId
from target_hubspot_lists.sync.resolving import ByProperty
from target_hubspot_lists.sync.retrying import NoRetrying, Retrying
from target_hubspot_lists.sync.routes import Routes
from target_hubspot_lists.sync.schedule import Schedule
from target_hubspot_lists.sync.second_chances import NoSecondChances, SecondChances

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
    from target_hubspot_lists.sync.resolution import Resolver
    from target_hubspot_lists.sync.sync import Sync


class Session(NamedTuple):
    """What a run works with, from the check of the connection to its end."""

    sync: Sync
    schedule: Schedule
    journal: Journal
    reconciling: Reconciling
    delivery: Delivery
    contacts: Contacts
    routes: Routes
    retrying: Retrying | NoRetrying

    def close(self, accounts: Accounts) -> None:
        """Let go of ledger, locks and files; count who was put back besides those whom records name."""
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
    workers = settings.connection.max_concurrency
    routes = Routes(settings, current_list_ids(client, settings.legacy_list_ids))
    every = Lists(client)
    lists = FoundLists(every, settings)
    contacts = Contacts(
        client,
        workers=workers,
        create=settings.create_contacts,
        dry_run=settings.dry_run,
        does_without_reads=settings.are_record_ids,
        checks_mailability=settings.check_mailability,
    )
    writer = ChangeWriter(client, every, contacts)
    reader = MembershipReader(client, workers=workers)

    def now() -> datetime:
        return datetime.fromtimestamp(clock.time(), UTC)

    ledger = open_ledger(settings, portal, run_id=run_id, now=now)
    journal: Journal = NoJournal()
    if ledger is not None and settings.dry_run:
        journal = DryRunJournal(ledger, settings, lists, portal_lists=every, reader=reader, started=now())
    elif ledger is not None:
        journal = LedgerJournal(
            ledger,
            settings,
            client,
            lists,
            portal_lists=every,
            contacts=contacts,
            writer=writer,
            reader=reader,
            started=now(),
        )
    memory: PropertyMemory = journal
    workspace: Workspace | None = None
    if settings.sync_mode == "mirror":
        workspace = PrivateFile() if ledger is None else ledger.workspace()
        if ledger is None:
            # So that what one list wrote of a contact is not written for the next.
            memory = WrittenProperties(workspace)
    properties: ContactProperties | NoProperties = NoProperties()
    if settings.property_mappings or settings.audience_status_property:
        properties = ContactProperties(client, settings, every, of_portal=of_portal, memory=memory)
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
    resolver = _resolver(settings, contacts, journal, accounts, mailability)
    reconciling = Reconciling(
        contacts, every, accounts, journal=journal, settings=settings, mailability=mailability
    )
    planning = Planning(
        routes,
        lists,
        properties,
        every=every,
        journal=journal,
        accounts=accounts,
        reconciling=reconciling,
    )
    second_chances = NoSecondChances() if ledger is None else SecondChances(ledger.kept, settings)
    retrying = _retrying(
        settings,
        ledger,
        second_chances,
        accounts,
        partial(
            Retrying,
            settings,
            routes=routes,
            every=every,
            contacts=contacts,
            resolver=resolver,
            merged=merged,
            delivery=delivery,
            properties=properties,
            journal=journal,
            accounts=accounts,
            now=now,
        ),
    )
    schedule: Schedule

    def flush_full_batch() -> None:
        schedule.flush()  # it is built over the sync, and so after it

    sync: Sync
    if workspace is None:
        sync = Incremental(
            planning,
            batch_size_rows=settings.batch_size_rows,
            flush=flush_full_batch,
            resolver=resolver,
            merged=merged,
            delivery=delivery,
            properties=properties,
            journal=journal,
            mailability=mailability,
            second_chances=second_chances,
        )
    else:
        sync = Mirror(
            settings,
            planning,
            contacts=contacts,
            reader=reader,
            resolver=resolver,
            delivery=delivery,
            properties=properties,
            journal=journal,
            workspace=workspace,
            mailability=mailability,
            second_chances=second_chances,
        )
    schedule = Schedule(
        sync,
        accounts,
        States(settings),
        clock=clock,
        flushed=flushed,
    )
    return Session(sync, schedule, journal, reconciling, delivery, contacts, routes, retrying)


def _resolver(
    settings: Settings,
    contacts: Contacts,
    journal: Journal,
    accounts: Accounts,
    mailability: MailabilityCheck | NoMailabilityCheck,
) -> Resolver:
    """Build what finds the contacts of members, by whatever the settings say that names them."""
    if settings.are_record_ids:
        return ByRecordId()
    if len(settings.identifiers) > 1:
        return InTurn(settings.identifiers, contacts, journal, accounts, mailability)
    return ByProperty(settings.identifiers[0].by, contacts, journal, accounts, mailability)


def _mailability_check(
    settings: Settings,
    contacts: Contacts,
    journal: Journal,
    workspace: Workspace | None,
    clock: Clock,
) -> MailabilityCheck | NoMailabilityCheck:
    if not settings.check_mailability:
        return NoMailabilityCheck()
    store = MailabilityInMemory() if workspace is None else MailabilityOnDisk(workspace)
    return MailabilityCheck(contacts, journal, store, clock.time)


def _retrying(
    settings: Settings,
    ledger: Ledger | None,
    second_chances: SecondChances | NoSecondChances,
    accounts: Accounts,
    build: Callable[[Ledger, SecondChances], Retrying],
) -> Retrying | NoRetrying:
    """Build what tries adds of earlier runs again; a mirror's next snapshot names its members by itself."""
    is_off = settings.sync_mode == "mirror" or not settings.retry_unapplied_days
    if ledger is None or isinstance(second_chances, NoSecondChances) or is_off:
        return NoRetrying()
    accounts.watcher = second_chances
    return build(ledger, second_chances)


def open_ledger(
    settings: Settings, portal: Portal, *, run_id: str, now: Callable[[], datetime]
) -> Ledger | None:
    """Open the ledger that the settings name; a dry run leaves it as it is, and None where there is none."""
    if settings.ledger_url is None:
        return None
    from target_hubspot_lists.ledger import Ledger  # noqa: PLC0415 - SQLAlchemy takes long to import

    opening = Ledger.open_to_read if settings.dry_run else Ledger.open
    return opening(settings.ledger_url, known_id(portal), run_id=run_id, now=now)


def check_ledger(settings: Settings, portal: Portal) -> str:
    """Try to open the ledger and to write to it, and leave it as it is; return what was found as a sentence."""
    from target_hubspot_lists.ledger import Ledger  # noqa: PLC0415 - SQLAlchemy takes long to import

    known_id(portal)
    is_there = Ledger.check(settings.ledger_url or "")
    return f"Ledger: {'it can be used' if is_there else 'not there yet, the first run makes it'}."


def known_id(portal: Portal) -> int:
    """Return the portal's id, by which a ledger is kept."""
    if portal.portal_id is None:
        raise LedgerError(
            "HubSpot does not say which portal this token is of, and a ledger is kept by portal: run again "
            "later, or without ledger_url."
        )
    return portal.portal_id
