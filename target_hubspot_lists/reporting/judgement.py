"""Judges whether too little of a run was applied: nothing at all of many is a mistake, whatever the settings allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.hubspot.list_objects import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_hubspot_lists.reporting.account import Account, StreamAccount
    from target_hubspot_lists.reporting.accounts import Accounts

# So many asked, and not one applied: whatever the settings allow, that is a mistake.
ENOUGH_TO_JUDGE = 20


class InVain(NamedTuple):
    """A list or a stream of which something was asked and nothing at all was applied."""

    what: str  # as messages name it
    asked: int
    is_stream: bool

    @property
    def is_mistake(self) -> bool:
        """Whether so many were asked for that it cannot be for the members' sake."""
        return self.asked >= ENOUGH_TO_JUDGE


class Judgement:
    """What the accounts of a run say of it, by list and by stream."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def problems(self, max_unapplied_percent: int) -> Iterator[str]:
        """Yield a sentence for each list or stream of which too little applied."""
        mistakes = {each.what: each.asked for each in self.in_vain() if each.is_mistake}
        for what, asked, applied in self._applied():
            if what in mistakes:
                yield (
                    f"Of {mistakes[what]} memberships of {what} not one was applied: see the reasons above, and set "
                    "report_path for a line on each."
                )
            elif (unapplied := asked - applied) * 100 > asked * max_unapplied_percent:
                yield (
                    f"{unapplied} of {asked} memberships of {what} were not applied, more than max_unapplied_percent "
                    f"({max_unapplied_percent}) allows: set report_path for a line on each."
                )

    def in_vain(self) -> Iterator[InVain]:
        """Yield the lists, then the streams, of which something was asked and nothing applied; not those excused."""
        for account in self._accounts.lists.values():
            if not account.applied and account.asked > account.excused and account.is_judged:
                yield InVain(_list(account), account.asked - account.excused, is_stream=False)
        for name, stream in self._accounts.streams.items():
            if stream.records_read and not self._applied_of(stream) and self._is_judged(stream):
                yield InVain(_stream(name), stream.records_read, is_stream=True)

    def excuse(self) -> None:
        """Let lists with nothing applied be judged from here on by what is asked for later."""
        for account in self._accounts.lists.values():
            if not account.applied:
                account.excused = account.asked

    def _applied(self) -> Iterator[tuple[str, int, int]]:
        """Yield each list and stream with how many memberships were asked for and how many applied."""
        for account in self._accounts.lists.values():
            if account.is_judged:
                yield _list(account), account.asked, account.applied
        for name, stream in self._accounts.streams.items():
            if self._is_judged(stream):
                yield _stream(name), stream.records_read, self._applied_of(stream)

    def _is_judged(self, stream: StreamAccount) -> bool:
        """Whether it says something that nothing of a stream was applied: see `Account.is_judged`."""
        return not stream.lists or all(self._accounts.lists[key].is_judged for key in stream.lists)

    def _applied_of(self, stream: StreamAccount) -> int:
        """How many records of a stream count as applied; none where nothing is on any of its lists."""
        # Few may be asked for each of many lists: judged together they are enough.
        is_in_vain = stream.lists and not any(self._accounts.lists[key].applied for key in stream.lists)
        return 0 if is_in_vain else stream.records_read - stream.rejected


def _list(account: Account) -> str:
    return f'list "{shown(account.label)}"'


def _stream(name: str) -> str:
    return f'stream "{name}"'
