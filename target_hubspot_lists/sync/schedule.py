"""When memberships are applied, in either mode, and when the STATE that covers them may be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.input.streams import Receiver
from target_hubspot_lists.reporting.problems import (
    dropped_members,
    judge_only_later_changes,
    nothing_applied,
    unusable_lists,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hubspot_singer.http import Clock
    from target_hubspot_lists.input.states import State, States
    from target_hubspot_lists.reporting.accounts import Accounts

# Memberships are not held for longer than this, also if the tap sends few records.
MAX_HELD_SECONDS = 300

# On an input that does not end, STATE waits no longer than this for anything to be applied.
MAX_WAIT_SECONDS = 86_400


class Sync(Receiver, Protocol):
    """One run in one mode. The modes differ in when they plan, against what, and whether absence removes."""

    @property
    def pending(self) -> int:
        """How many memberships wait for the next flush."""

    def count(self) -> None:
        """Bring the accounts up to date with the records taken: they are counted many at a time."""

    def activate(self, stream: str, version: int | None) -> None:
        """An ACTIVATE_VERSION of the stream came."""

    def streams_at_stake(self) -> frozenset[str]:
        """Return the streams whose lists may change only at the end of the input, so that STATE waits for them."""

    def flush(self) -> None:
        """Apply everything held; return once each membership has its outcome."""

    def finish(self) -> Sequence[str]:
        """Apply what only the end of the input allows; return what was held back, one sentence each."""

    def undone_streams(self) -> frozenset[str]:
        """Return, after `finish`, those of the streams at stake of which not all that they asked for was done."""

    def close(self) -> None:
        """Count what was taken, and remove what the run holds on disk."""


class Schedule:
    """Flushes a batch that is full or old, and releases STATE once HubSpot has confirmed what it covers."""

    def __init__(
        self,
        sync: Sync,
        accounts: Accounts,
        states: States,
        *,
        clock: Clock,
        flushed: Callable[[], None],
    ) -> None:
        """`flushed` is called after each flush."""
        self._sync = sync
        self._accounts = accounts
        self._states = states
        self._clock = clock
        self._flushed = flushed
        self._pending_since: float | None = None  # seconds of the monotonic clock
        self._state_waits_since: float | None = None  # for anything to be applied

    def state(self, state: State | None) -> None:
        """Take a STATE: it may be written once every record before it has its outcome."""
        at_stake = self._sync.streams_at_stake()
        self._states.take(state, at_stake)
        if not at_stake and not self._sync.pending:
            self._release_state()

    def flush(self) -> None:
        """Apply everything held; then the latest STATE may be written."""
        self._pending_since = None
        self._sync.flush()
        self._flushed()
        self._release_state()

    def end(self, *, are_all_done: bool) -> None:
        """Release, at the end of the input, the STATE of what is done."""
        self._states.end(self._sync.undone_streams(), are_all_done=are_all_done)

    def attend(self) -> None:
        """Flush what has been held for too long; called also while no record comes."""
        self._sync.count()
        now = self._clock.monotonic()
        if self._state_waits_since is not None and now - self._state_waits_since >= MAX_WAIT_SECONDS:
            self._judge()
        if not self._sync.pending:
            self._pending_since = None
        elif self._pending_since is None:
            self._pending_since = self._clock.monotonic()
        elif self._clock.monotonic() - self._pending_since >= MAX_HELD_SECONDS:
            self.flush()

    def _release_state(self) -> None:
        """Release the latest STATE, unless the run is to exit 1, or may have to at the end of the input.

        It has to if members were dropped or a list cannot be used. It may have to as long as nothing at all was applied
        of a list or a stream.
        """
        if not self._accounts.holds_state and next(nothing_applied(self._accounts), None) is None:
            self._state_waits_since = None
            self._states.confirm()
        elif self._state_waits_since is None and self._states.is_waiting:
            self._state_waits_since = self._clock.monotonic()

    def _judge(self) -> None:
        """Judge what STATE has waited for, once the wait is over: an input without an end has no other moment for that.

        The run ends if members were dropped or a list cannot be used, if nothing of a stream was applied, or if nothing
        of many was applied of a list. Nothing of a few members of a list is no mistake: STATE is released, and the list
        is judged by what comes from here on.
        """
        self.flush()
        if self._state_waits_since is None:
            return
        if problems := [*unusable_lists(self._accounts), *dropped_members(self._accounts)]:
            raise TargetError(" ".join(problems))
        mistakes = [each for each in nothing_applied(self._accounts) if each.is_mistake or each.is_stream]
        if mistakes:
            details = "; ".join(f"of {each.asked} memberships of {each.what} not one" for each in mistakes)
            raise TargetError(
                f"In {MAX_WAIT_SECONDS // 3600} hours nothing was applied ({details}), so that no STATE could leave. "
                "Set report_path for a line on each, correct the source or the settings, and run again."
            )
        judge_only_later_changes(self._accounts)
        self._release_state()
