"""Interface of the run journal: what a run knows of earlier ones, and what it writes down."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from target_hubspot_lists.journal.property_memory import PropertyMemory

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.membership_changes import Change, Confirmation
    from target_hubspot_lists.hubspot.membership_reads import Reading
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.ledger import KnownList
    from target_hubspot_lists.reporting.account import Account


class Routed(NamedTuple):
    """A cohort of this run, with the list that it goes to."""

    cohort: Cohort
    route: Route
    stream: str
    is_configured: bool  # the setting `lists` names the cohort


class Vanished(NamedTuple):
    """Lists of cohorts that did not come.

    Not certain where runs of the stream had no cohort in common: they may be of several pipelines that share a ledger
    and name their streams alike, of which each leaves out the others' cohorts.
    """

    lists: list[KnownList]
    is_certain: bool


class Journal(PropertyMemory, Protocol):
    """Interface of the run journal: what earlier runs recorded, and what this run records.

    `NoJournal` is used without a ledger.
    """

    is_kept: bool  # whether there is a ledger: then nothing is recorded that was not read or confirmed

    count_put_back: Counter[str]  # by list id, members besides those whom the records name

    def lock(
        self, lists: Collection[HubSpotList], *, is_waited_for: bool = True
    ) -> Mapping[str, UnusableList]:
        """Keep other runs off lists, by name and by id, until this run ends.

        Return, by list id, those that another run holds: after a wait, unless they are not waited for.
        """

    def begin_making(self, names: Collection[str]) -> None:
        """Note that lists of these names are about to be made: also if this run ends there, they are ours."""

    def end_making(self, names: Collection[str]) -> None:
        """Note that no list of these names was made for us."""

    def restore_routes(self, routed: Collection[Routed]) -> None:
        """Route cohorts to the lists of earlier runs, where HubSpot still has those lists."""

    def know(
        self, routed: Collection[Routed], lists: Mapping[str, HubSpotList]
    ) -> Mapping[str, UnusableList]:
        """Take in the lists that were found for these cohorts, by route key.

        Return, by route key, those that cannot be used after all.
        """

    def note_cohort(self, cohort: Cohort) -> None:
        """Note the name that records give a cohort."""

    @property
    def contacts_since(self) -> datetime | None:
        """The moment since when a look-up in the ledger counts; None if none counts."""

    def record_ids(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        """The contacts of those values of a property, such as addresses, that need not be looked up."""

    def last_known(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        """The contacts that these values of a property had when they were last found, however long ago."""

    def remember_contacts(self, by: str, record_ids: Mapping[str, int]) -> None:
        """Keep which contact each value of a property is, as HubSpot said just now."""

    def follow(self, merged: Mapping[int, int]) -> None:
        """Keep which contacts records became that merges retired; by the old record ids."""

    def may_mislead(self, hubspot_list: HubSpotList, *, is_member: bool) -> bool:
        """Return whether a change that is about to be sent could leave a wrong state under a retired record id.

        Both ids stand for one contact, and the change is recorded under the id that is sent.
        """

    def forget(self, record_ids: Collection[int]) -> None:
        """Forget contacts that HubSpot no longer knows, with their addresses."""

    def states(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> Mapping[int, bool]:
        """Return by record id whether the contact is on the list; ids whose state is not certain are left out."""

    def begin(self, hubspot_list: HubSpotList, change: Change) -> None:
        """Note that calls about these contacts are about to be sent."""

    def confirm(self, hubspot_list: HubSpotList, confirmation: Confirmation) -> None:
        """Note what HubSpot answered."""

    def confirm_reading(self, hubspot_list: HubSpotList, reading: Reading) -> None:
        """Record which contacts were read to be on the list, and which not."""

    def knows_members(self, hubspot_list: HubSpotList) -> bool:
        """Return whether the ledger knows the members of the list."""

    def lost_by_hand(self, hubspot_list: HubSpotList) -> Collection[int]:
        """Return the members that the ledger knows and that a reading of the list did not show any more."""

    def added_by_us(self, hubspot_list: HubSpotList) -> Collection[int]:
        """Return the members that this target added."""

    def is_ours(self, hubspot_list: HubSpotList) -> bool:
        """Return whether this target created the list."""

    def put_back(self, hubspot_list: HubSpotList, *, but_for: Collection[int]) -> None:
        """Add members again that the list has lost, where a mirror was held back and did not judge them.

        `but_for` are the members that a record removes.
        """

    def let_go(self, hubspot_list: HubSpotList) -> None:
        """Accept the loss of members that were removed by hand: a mirror's whole snapshot does not name them."""

    def unread_lists(self) -> list[KnownList]:
        """Return the lists of earlier runs that this run has not found yet."""

    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None:
        """Read a list again, and add the members that it has lost; with `has_snapshot` only note them."""

    def begin_rereading(self) -> None:
        """From here on count only look-ups of this run."""

    def old_contacts(self) -> Iterable[tuple[str, Mapping[str, int]]]:
        """The values of each property that this run has not looked up, with their record ids, a part at a time."""

    def moved(self, record_ids: Mapping[int, int]) -> None:
        """Note contacts whose address another one has now."""

    def gone_list(self, route: Route) -> str | None:
        """Return the id of the list that earlier runs filled, if it is deleted in HubSpot and not made anew yet."""

    def leave(self, route: Route, record_ids: Collection[int]) -> None:
        """Record members that left a deleted list, so that they are not added to the list made in its place.

        UnusableList if another run holds it, or made it anew.
        """

    def vanished(self, stream: str, cohorts: Collection[str]) -> Vanished:
        """Return the lists that runs of this stream filled, its last run included, and whose cohorts are other ones."""

    def end(self, accounts: Iterable[Account]) -> None:
        """Keep what the run did, once its input has ended; rename lists whose cohorts were renamed."""

    def close(self, accounts: Iterable[Account]) -> None:
        """Let go of the ledger, and of every lock; keep what a run did that did not come to its end."""
