"""Adds that HubSpot did not know or refused, kept in the ledger until a later record or snapshot replaces them."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.identifiers import is_same_person, joined, match_text, named_by
from target_hubspot_lists.ledger.records import KeptAdd, KnownRemoval
from target_hubspot_lists.outcomes import Outcome, Reason
from target_hubspot_lists.sync.contact_lookup import look_up

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.input.records import Cohort, Member
    from target_hubspot_lists.ledger.kept_adds import KeptAddStore
    from target_hubspot_lists.outcomes import Refusal
    from target_hubspot_lists.reporting.account import Account, RequestedChange
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.resolution import Resolution

# A Postgres index has room for 2,704 bytes: https://www.postgresql.org/docs/current/btree.html
LONGEST_KEPT = 2_500  # bytes of the match settings and the member together


class Source(NamedTuple):
    """Where records come from: the stream, and the cohort that they name."""

    stream: str
    cohort: Cohort


class Sources:
    """The sources of the records about one list: several streams and cohorts may lead to it."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        self._since: list[int] = []  # the position from which on records come from each of them

    def turn_to(self, source: Source, position: int) -> None:
        """Note that records from this position on, in the order of the input, come from this source."""
        if not self._sources or self._sources[-1] != source:
            self._sources.append(source)
            self._since.append(position)

    @property
    def streams(self) -> frozenset[str]:
        """The streams that they come from."""
        return frozenset(source.stream for source in self._sources)

    def of(self, position: int) -> Source:
        """Return the source of the record at a position."""
        return self._sources[bisect_right(self._since, position) - 1]


class ListChanges(NamedTuple):
    """The changes that one flush asks of one list: the last word on each member, see `packed`."""

    list_id: str
    sources: Sources
    account: Account
    words: Mapping[Member, int]


class UnappliedAdds:
    """Keeps adds that did not apply, from what the accounts settle (`Watcher`) and what flushes ask.

    A run that keeps none, with `retry_unapplied_days: 0`, still replaces what earlier runs kept.
    """

    def __init__(self, kept: KeptAddStore, settings: Settings) -> None:
        self._kept = kept
        self.match = match_text(settings.identifiers)
        self._longest = LONGEST_KEPT - len(self.match.encode())
        self._is_dry = settings.dry_run
        self._unapplied: list[RequestedChange] = []  # since the last flush
        self._has_any: dict[str, bool] = {}  # by list id, whether adds to it are kept
        self.outcomes: dict[Member, Outcome] = {}  # of adds that are tried again
        self._last_earlier_word: int | None = None  # once this run has noted any

    @property
    def last_earlier_word(self) -> int:
        """The last word of the runs before this one; what was kept since is this run's own."""
        return self._kept.last_word() if self._last_earlier_word is None else self._last_earlier_word

    # Outcomes of members: `Watcher`

    def watches(self, account: Account, outcome: Outcome, *, is_member: bool) -> bool:
        """Return whether `settled` is to be called for each member with this outcome."""
        return account.is_retry or (is_member and outcome in {Outcome.MISSING, Outcome.REJECTED})

    def settled(self, asked: RequestedChange, outcome: Outcome, refusal: Refusal | None) -> None:
        """Note an add that did not apply because of its own member, and any outcome of a retry."""
        if asked.account.is_retry:
            self.outcomes[asked.member] = outcome
        elif refusal is None or refusal.reason is Reason.REFUSED_BY_HUBSPOT:
            self._unapplied.append(asked)

    # What flushes and snapshots ask

    def note(self, changes: Iterable[ListChanges], resolution: Resolution) -> None:
        """Keep the adds of a flush that did not apply; its other changes replace what was kept before."""
        by_account: dict[int, list[RequestedChange]] = {}
        for asked in self._unapplied:
            by_account.setdefault(id(asked.account), []).append(asked)
        self._unapplied = []
        if self._is_dry:
            return
        last_word: int | None = None  # read once a flush, and only if anything is noted
        for of_list in changes:
            adds = [
                asked
                for asked in by_account.get(id(of_list.account), ())
                if of_list.words.get(asked.member) == asked.word and self._fits(asked.member)
            ]
            list_id = of_list.list_id
            if list_id not in self._has_any:
                self._has_any[list_id] = self._kept.has_any(list_id)
            if adds or self._has_any[list_id]:
                if last_word is None:
                    last_word = self._kept.last_word()
                if self._last_earlier_word is None:
                    self._last_earlier_word = last_word
                self._note(of_list, adds, resolution, first=last_word + 1)
                self._has_any[list_id] = True

    def _note(
        self, of_list: ListChanges, adds: Sequence[RequestedChange], resolution: Resolution, *, first: int
    ) -> None:
        """Note the changes of one list; words are numbered from `first` on, by the positions of their records."""
        list_id = of_list.list_id
        kept = [
            KeptAdd(
                list_id,
                self.match,
                str(asked.member),
                source.stream,
                source.cohort.key,
                source.cohort.name,
                first + asked.position,
            )
            for asked in adds
            for source in [of_list.sources.of(asked.position)]
        ]
        removals = [
            KnownRemoval(list_id, self.match, str(member), resolution.record_id(member), first + (word >> 1))
            for member, word in of_list.words.items()
            if not word & 1 and self._fits(member)
        ]
        self._kept.note(list_id, self.match, map(str, of_list.words), adds=kept, removals=removals)

    def _fits(self, member: Member) -> bool:
        """Return whether the ledger can keep a member: several long identifiers may be too long for a table's key."""
        return len(str(member).encode()) <= self._longest

    def forget_list(self, list_id: str) -> None:
        """Forget what is kept of a list: a whole snapshot says who is to be on it."""
        if not self._is_dry and self._kept.has_any(list_id):
            self._kept.forget_list(list_id)


class NoUnappliedAdds:
    """Without a ledger no add is kept."""

    def note(self, changes: Iterable[ListChanges], resolution: Resolution) -> None:
        """Do nothing."""

    def forget_list(self, list_id: str) -> None:
        """Do nothing."""


# Which of the kept adds are tried again


def lists_of_pipeline(runs: Iterable[Collection[str]], of_this_run: Collection[str]) -> set[str]:
    """Return the lists of the pipeline that this run is of: its runs have lists in common, directly or by other runs.

    `runs` has the lists of each earlier run of a stream's name. If this run has no list yet, the pipeline is the only
    one there is; if several pipelines name their streams alike, none is returned, since nothing says which it is.
    """
    by_run = enumerate((*runs, of_this_run))
    pipelines = map(set, joined((run, list_id) for run, lists in by_run for list_id in lists))
    candidates = [
        pipeline for pipeline in pipelines if not of_this_run or not pipeline.isdisjoint(of_this_run)
    ]
    return candidates[0] if len(candidates) == 1 else set()


def cancelled_by_name(adds: Iterable[KeptAdd], removals: Iterable[KnownRemoval]) -> Iterator[KeptAdd]:
    """Yield the adds after which a removal with one of the same identifiers came, also of unknown contacts."""
    by_name: dict[tuple[str, str], list[KnownRemoval]] = {}
    for removal in removals:
        for name in named_by(removal.matched_by, removal.member):
            by_name.setdefault(name, []).append(removal)
    for add in adds:
        alike = (
            removal for name in named_by(add.matched_by, add.member) for removal in by_name.get(name, ())
        )
        if any(
            removal.word > add.word
            and is_same_person(add.matched_by, add.member, removal.matched_by, removal.member)
            for removal in alike
        ):
            yield add


def cancelled_by_contact(
    kept_since: Mapping[int, int],
    removals: Collection[KnownRemoval],
    merged: Mapping[int, int],
    contacts: Contacts,
) -> Iterator[int]:
    """Yield the contacts of whom a removal came after their add was kept, by whatever identifier.

    `kept_since` has the word of each add by record id; `merged` has by record id that a merge retired the one that the
    contact has now. Removals of contacts that HubSpot did not know then are looked up: it may know them by now.
    """
    latest: dict[int, int] = {}
    unknown: dict[str, dict[str, int]] = {}  # by property and value, the latest removal
    for removal in removals:
        if removal.record_id is not None:
            record_id = merged.get(removal.record_id, removal.record_id)
            latest[record_id] = max(removal.word, latest.get(record_id, 0))
            continue
        for by, value in named_by(removal.matched_by, removal.member):
            words = unknown.setdefault(by, {})
            words[value] = max(removal.word, words.get(value, 0))
    for by, words in unknown.items():
        for value, record_id in look_up(contacts, by, words).record_ids.items():
            latest[record_id] = max(words[value], latest.get(record_id, 0))
    for record_id, word in kept_since.items():
        if latest.get(merged.get(record_id, record_id), 0) > word:
            yield record_id
