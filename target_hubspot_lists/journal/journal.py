"""Interface of the run journal: what a run knows of earlier runs, and what it records for later ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from target_hubspot_lists.journal.property_memory import PropertyMemory

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.membership_changes import Change, Confirmation
    from target_hubspot_lists.hubspot.membership_reads import Reading
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.ledger import KnownList, Period
    from target_hubspot_lists.outcomes import KnownMailability, Mailability
    from target_hubspot_lists.reporting.account import Account


class Routed(NamedTuple):
    """A cohort of this run, with the list that it goes to."""

    cohort: Cohort
    route: Route
    stream: str
    is_configured: bool  # the setting `lists` names the cohort


class DeletedList(NamedTuple):
    """A list that HubSpot no longer has, with the name that it had: that of its cohort may be another one by now."""

    list_id: str
    name: str


class VanishedLists(NamedTuple):
    """Lists of earlier runs whose cohorts are absent from this run's input.

    Not certain if two runs of the stream had no cohort in common. Then they may be runs of several pipelines that share
    a ledger and name their streams alike, and each of these pipelines has cohorts of its own.
    """

    lists: list[KnownList]
    is_certain: bool
    shared: Sequence[KnownList] = ()  # besides: such lists that runs of another stream filled as well


class ListOwners(NamedTuple):
    """Who fills a list, as far as a ledger knows."""

    cohorts: list[Cohort]  # that go to the list, those of this run included
    stream: str | None  # which filled it last; None if no ledger knows the list
    streams: frozenset[str] = frozenset()  # all that fill it


class Journal(PropertyMemory, Protocol):
    """Interface of the run journal. There are three: without a ledger, with one, and for a dry run with one.

    `NoJournal` is used without `ledger_url`: it knows nothing and records nothing. `LedgerJournal` reads and writes the
    ledger. `DryRunJournal` only reads it.
    """

    is_kept: bool  # whether this run records in a ledger what HubSpot confirmed

    restored: Counter[str]  # by list id, how many lost members were added again that no record names

    # Lists

    def lock(
        self, lists: Collection[HubSpotList], *, is_waited_for: bool = True
    ) -> Mapping[str, UnusableList]:
        """Keep other runs off lists, by name and by id, until this run ends.

        Return, by list id, those that another run holds: after a wait, unless they are not waited for.
        """

    def begin_creating(self, names: Collection[str]) -> None:
        """Note that lists of these names are about to be created: if this run ends before the answer, they are ours."""

    def end_creating(self, names: Collection[str]) -> None:
        """Note that HubSpot created no list of these names for us."""

    def list_id_of(self, cohort: Cohort) -> str | None:
        """Return the id of the list that earlier runs used for a cohort; None if none is known."""

    def restore_routes(self, routed: Collection[Routed]) -> None:
        """Route cohorts to the lists of earlier runs, if HubSpot still has those lists."""

    def note_lists(
        self, routed: Collection[Routed], lists: Mapping[str, HubSpotList]
    ) -> Mapping[str, UnusableList]:
        """Note the lists that were found for these cohorts, by route key.

        Return, by route key, those that cannot be used after all.
        """

    def owners(self, hubspot_list: HubSpotList) -> ListOwners:
        """Return the cohorts that go to a list, and the stream that filled it last."""

    def take_over(self, hubspot_list: HubSpotList, stream: str) -> None:
        """Record that this stream fills a list from here on: of a mirror, noting the list does not record it.

        So a list that another stream filled stays that stream's as long as the mirror is held back for its sake.
        """

    def note_streams(self, hubspot_list: HubSpotList, streams: AbstractSet[str]) -> None:
        """Note the streams that fill a list of which this run has noted one."""

    def note_cohort(self, cohort: Cohort) -> None:
        """Note the name that records give a cohort: the last name is the one of its list."""

    def is_created_by_us(self, hubspot_list: HubSpotList) -> bool:
        """Return whether this target created the list."""

    def deleted_list(self, route: Route) -> DeletedList | None:
        """Return the list that earlier runs filled, if it is deleted in HubSpot and not created again yet."""

    def record_leavers(self, route: Route, record_ids: Collection[int]) -> None:
        """Record members who left a deleted list, so that they are not added to the list created in its place.

        UnusableList if another run holds it, or created it again.
        """

    def vanished_lists(self, stream: str, cohorts: Collection[str]) -> VanishedLists:
        """Return the lists that runs of this stream filled, its last run included, and none of whose cohorts came."""

    def unread_lists(self) -> list[KnownList]:
        """Return, with `reconcile`, the lists of earlier runs that this run has not found yet; else none.

        A list is returned once for each cohort that goes to it.
        """

    # Contacts

    @property
    def lookups_valid_in(self) -> Period | None:
        """The time from which a look-up in the ledger must be to count, up to now; None if none counts."""

    def record_ids(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        """Return the contacts of those values of a property, such as addresses, that need not be looked up."""

    def last_known(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        """Return the contacts that these values of a property had when they were last found, however long ago."""

    def remember_contacts(self, by: str, record_ids: Mapping[str, int]) -> None:
        """Record which contact each value of a property is, as HubSpot says now."""

    def known_mailability(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:
        """Return by record id whether HubSpot mails contacts, as far as that need not be read again."""

    def remember_mailability(self, mailabilities: Mapping[int, Mailability]) -> None:
        """Record by record id whether HubSpot mails contacts, as it says now."""

    def record_merges(self, merged: Mapping[int, int]) -> None:
        """Record which contacts retired record ids were merged into; by the retired record ids."""

    def needs_current_ids(self, hubspot_list: HubSpotList, *, is_member: bool) -> bool:
        """Return whether contacts must be read for merges before an add (`is_member`) or a removal is sent.

        The change is recorded under the id that is sent. If a merge retired it, the ledger could go on to say the
        opposite under the contact's other id.
        """

    def forget_contacts(self, record_ids: Collection[int]) -> None:
        """Forget contacts that HubSpot no longer knows, with their addresses."""

    def expire_lookups(self) -> None:
        """From here on, only look-ups of this run count."""

    def outdated_contacts(self) -> Iterable[tuple[str, Mapping[str, int]]]:
        """Yield each property with its values that this run has not looked up, and their record ids, page by page."""

    def note_moved_addresses(self, record_ids: Mapping[int, int]) -> None:
        """Note contacts whose address another contact has now: the old record ids, with the new ones."""

    # Memberships

    def states(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> Mapping[int, bool]:
        """Return by record id whether the contact is on the list; ids whose state is not certain are left out."""

    def begin_change(self, hubspot_list: HubSpotList, change: Change) -> None:
        """Record that calls about these contacts are about to be sent."""

    def record_confirmation(self, hubspot_list: HubSpotList, confirmation: Confirmation) -> None:
        """Record what HubSpot answered to a change."""

    def record_reading(self, hubspot_list: HubSpotList, reading: Reading) -> None:
        """Record which contacts were read to be on the list, and which not."""

    def knows_members(self, hubspot_list: HubSpotList) -> bool:
        """Return whether the ledger knows the members of the list."""

    def added_by_us(self, hubspot_list: HubSpotList) -> Collection[int]:
        """Return the members that this target added."""

    # Removals that were held back

    def members_before_held_back(self, hubspot_list: HubSpotList) -> int | None:
        """Return how many members the list had before earlier runs whose removals were held back; None if none are."""

    def note_held_back(self, hubspot_list: HubSpotList, members: int | None) -> None:
        """Record how many members the list has before removals that may be held back; None: none are any more."""

    # Members that a list has lost in HubSpot

    def removed_by_hand(self, hubspot_list: HubSpotList) -> Collection[int]:
        """Return the members that the ledger knows and that this run's reading of the list did not show any more."""

    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None:
        """Read a list again, and add the members that it has lost; with `has_snapshot` only note them."""

    def restore_members(self, hubspot_list: HubSpotList, *, except_for: Collection[int]) -> None:
        """Add the members again that the list has lost; for a mirror that was held back and did not judge them.

        `except_for` are the members that a record removes.
        """

    def accept_losses(self, hubspot_list: HubSpotList) -> None:
        """Accept that members were removed by hand: a mirror's complete snapshot does not name them."""

    # The end of the run

    def end(self, accounts: Iterable[Account]) -> None:
        """Record what the run did, once its input has ended; rename lists whose cohorts were renamed."""

    def close(self, accounts: Iterable[Account]) -> None:
        """Release the ledger and every lock; record what a run did that did not reach its end."""
