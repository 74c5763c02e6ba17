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


class Led(NamedTuple):
    """A cohort of this run, and where it is to go."""

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
    """What a run knows of earlier ones, asks at its steps, and writes down; one object, passed to whoever needs it."""

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

    def lead(self, led: Collection[Led]) -> None:
        """Let cohorts go to the lists that they went to in earlier runs, where HubSpot still has them."""

    def know(self, led: Collection[Led], lists: Mapping[str, HubSpotList]) -> Mapping[str, UnusableList]:
        """Learn the lists of these cohorts, by route key, so that what is known of each can be trusted.

        Return, by route key, those that cannot be used after all.
        """

    def saw(self, cohort: Cohort) -> None:
        """Note that a record named the cohort so."""

    @property
    def contacts_since(self) -> datetime | None:
        """From when on a look-up in the ledger is trusted; None: none is."""

    def record_ids(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        """The contacts of those values of a property, such as addresses, that need not be looked up."""

    def last_known(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        """The contacts that these values of a property had when they were last found, however long ago."""

    def remember_contacts(self, by: str, record_ids: Mapping[str, int]) -> None:
        """Keep which contact each value of a property is, as HubSpot said just now."""

    def follow(self, merged: Mapping[int, int]) -> None:
        """Keep which contacts records became that merges retired; by the old record ids."""

    def may_mislead(self, hubspot_list: HubSpotList, *, is_member: bool) -> bool:
        """Whether a word that is about to be sent could leave a wrong state of a record that a merge retired.

        It stands for the same contact, yet what the word changes is kept under the other id alone.
        """

    def forget(self, record_ids: Collection[int]) -> None:
        """Forget contacts that HubSpot no longer knows, with their addresses."""

    def states(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> Mapping[int, bool]:
        """Who of these is on the list, and who is not; of whom nothing is certain is left out."""

    def begin(self, hubspot_list: HubSpotList, change: Change) -> None:
        """Note that calls about these contacts are about to be sent."""

    def confirm(self, hubspot_list: HubSpotList, confirmation: Confirmation) -> None:
        """Note what HubSpot answered."""

    def confirm_reading(self, hubspot_list: HubSpotList, reading: Reading) -> None:
        """Note who was read to be on the list, and who not to be."""

    def knows_members(self, hubspot_list: HubSpotList) -> bool:
        """Whether the ledger knows who is on the list, or perhaps is; else only HubSpot does."""

    def lost_by_hand(self, hubspot_list: HubSpotList) -> Collection[int]:
        """Whom the ledger knows to belong on the list, and who were found not to be there any more."""

    def added_by_us(self, hubspot_list: HubSpotList) -> Collection[int]:
        """Whom this target put onto the list."""

    def is_ours(self, hubspot_list: HubSpotList) -> bool:
        """Whether this target made the list."""

    def put_back(self, hubspot_list: HubSpotList, *, but_for: Collection[int]) -> None:
        """Put back whom the list has lost, since a mirror that was held back neither added nor removed them.

        `but_for` are those of whom a record says that they left.
        """

    def let_go(self, hubspot_list: HubSpotList) -> None:
        """Let those stay away whom the list has lost by hand, since a mirror's whole snapshot does not name them."""

    def unread_lists(self) -> list[KnownList]:
        """The lists to which cohorts of earlier runs go, and which this run has not come upon."""

    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None:
        """Read a list again, and put back whom it has lost; with a snapshot of it to come only note them."""

    def begin_rereading(self) -> None:
        """From here on only addresses that this run looks up are known well enough."""

    def old_contacts(self) -> Iterable[tuple[str, Mapping[str, int]]]:
        """The values of each property that this run has not looked up, with their record ids, a part at a time."""

    def moved(self, record_ids: Mapping[int, int]) -> None:
        """Note contacts whose address another one has now."""

    def gone_list(self, route: Route) -> str | None:
        """Return the id of the list that earlier runs filled, if it is deleted in HubSpot and not made anew yet."""

    def leave(self, route: Route, record_ids: Collection[int]) -> None:
        """Note who left a list that is gone, so that they are not put onto the one made in its place.

        UnusableList if another run holds it, or made it anew.
        """

    def vanished(self, stream: str, cohorts: Collection[str]) -> Vanished:
        """The lists that runs of this stream filled, the last one too, and whose cohorts are none of these keys."""

    def end(self, accounts: Iterable[Account]) -> None:
        """Keep what the run did, once its input has ended; rename lists whose cohorts were renamed."""

    def close(self, accounts: Iterable[Account]) -> None:
        """Let go of the ledger, and of every lock; keep what a run did that did not come to its end."""
