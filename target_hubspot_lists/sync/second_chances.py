"""Keeps adds that HubSpot did not know or refused, until a later record, or a mirror, says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.identifiers import match_text
from target_hubspot_lists.ledger.records import KeptAdd, KnownRemoval
from target_hubspot_lists.outcomes import Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.ledger.kept_adds import KeptAddStore
    from target_hubspot_lists.outcomes import Refusal
    from target_hubspot_lists.reporting.account import Account, RequestedChange
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.resolution import Resolution


# A Postgres index has room for 2,704 bytes: https://www.postgresql.org/docs/current/btree.html
LONGEST_KEPT = 2_500  # bytes of the match settings and the member together


class Heard(NamedTuple):
    """What the records of one flush say of one list: the last word on each member: see `packed`."""

    list_id: str
    stream: str
    account: Account
    words: Mapping[Member, int]


class SecondChances:
    """Takes in what records say, and what became of it: an add is kept until a later record replaces it.

    A run that keeps none, with `retry_unapplied_days: 0`, replaces what earlier ones kept all the same.
    """

    def __init__(self, kept: KeptAddStore, settings: Settings) -> None:
        self._kept = kept
        self.match = match_text(settings.identifiers)
        self._longest = LONGEST_KEPT - len(self.match.encode())
        self._is_dry = settings.dry_run
        self._unapplied: list[RequestedChange] = []
        self._has_any: dict[str, bool] = {}  # by list id, whether adds to it are kept
        self.outcomes: dict[Member, Outcome] = {}  # of adds that are tried again
        self._earlier: int | None = None  # the last word of earlier runs, once this run has noted any

    @property
    def last_earlier_word(self) -> int:
        """The last word of the runs before this one: what was kept since is this run's own."""
        return self._kept.last_word() if self._earlier is None else self._earlier

    # What became of members: `Watcher`

    def watches(self, account: Account, outcome: Outcome, *, is_member: bool) -> bool:
        """Whether it has to be told of every member with this outcome."""
        return account.is_retry or (is_member and outcome in {Outcome.MISSING, Outcome.REJECTED})

    def settled(self, asked: RequestedChange, outcome: Outcome, refusal: Refusal | None) -> None:
        """Note an add that did not apply for its own sake, and any outcome of one that was tried again."""
        if asked.account.is_retry:
            self.outcomes[asked.member] = outcome
        elif refusal is None or refusal.reason is Reason.REFUSED_BY_HUBSPOT:
            self._unapplied.append(asked)

    # What records say

    def note(self, heard: Iterable[Heard], resolution: Resolution) -> None:
        """Keep the adds of a flush that did not apply, and let its other words replace what was kept before."""
        by_account: dict[int, list[RequestedChange]] = {}
        for asked in self._unapplied:
            by_account.setdefault(id(asked.account), []).append(asked)
        self._unapplied = []
        if self._is_dry:
            return
        last: int | None = None  # asked for once a flush, and only if anything is noted
        for each in heard:
            unapplied = by_account.get(id(each.account), ())
            adds = [
                asked
                for asked in unapplied
                if each.words.get(asked.member) == asked.word and self._fits(asked.member)
            ]
            if adds or self._has_kept(each.list_id):
                last = self._last_word() if last is None else last
                self._note(each, adds, resolution, first=last + 1)
                self._has_any[each.list_id] = True

    def forget_list(self, list_id: str) -> None:
        """Forget what is kept of a list: a whole snapshot says who is to be on it."""
        if not self._is_dry and self._kept.has_any(list_id):
            self._kept.forget_list(list_id)

    def _has_kept(self, list_id: str) -> bool:
        if list_id not in self._has_any:
            self._has_any[list_id] = self._kept.has_any(list_id)
        return self._has_any[list_id]

    def _fits(self, member: Member) -> bool:
        """Whether a ledger takes a member: several long identifiers may be too much for the key of a table."""
        return len(str(member).encode()) <= self._longest

    def _last_word(self) -> int:
        """Return the last word of which anything is kept: before this run's first, of those of earlier runs."""
        last = self._kept.last_word()
        if self._earlier is None:
            self._earlier = last
        return last

    def _note(
        self, heard: Heard, adds: Sequence[RequestedChange], resolution: Resolution, *, first: int
    ) -> None:
        """Note what is said of one list; words are numbered from `first` on, by the positions of their records."""
        list_id, cohort = heard.list_id, heard.account.cohort
        kept = [
            KeptAdd(
                list_id,
                self.match,
                str(asked.member),
                heard.stream,
                cohort.key,
                cohort.name,
                first + asked.position,
            )
            for asked in adds
        ]
        removals = [
            KnownRemoval(list_id, self.match, str(member), resolution.record_id(member), first + (word >> 1))
            for member, word in heard.words.items()
            if not word & 1 and self._fits(member)
        ]
        self._kept.note(list_id, self.match, map(str, heard.words), adds=kept, removals=removals)


class NoSecondChances:
    """Without a ledger no add is kept."""

    def note(self, heard: Iterable[Heard], resolution: Resolution) -> None:
        """Nothing."""

    def forget_list(self, list_id: str) -> None:
        """Nothing."""
