"""When memberships are brought to HubSpot, and when the STATE that covers them may leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.reporting.problems import (
    dropped_members,
    judge_only_later_changes,
    nothing_applied,
    unusable_lists,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubspot_singer.http import Clock
    from target_hubspot_lists.input.states import State, States
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.sync import Sync

# Memberships of a tap that says little are not held for longer than this.
MAX_HELD_SECONDS = 300

# So long STATE waits, on an input that does not end, for something to be applied.
MAX_WAIT_SECONDS = 86_400


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
        self._sync = sync
        self._accounts = accounts
        self._states = states
        self._clock = clock
        self._flushed = flushed
        self._held_since: float | None = None
        self._waits_since: float | None = None  # since when STATE waits for something to be applied

    def state(self, state: State | None) -> None:
        """Take a STATE: it leaves once every record that came before it has its outcome."""
        at_stake = self._sync.streams_at_stake()
        self._states.take(state, at_stake)
        if not at_stake and not self._sync.held:
            self._confirm()

    def flush(self) -> None:
        """Bring everything held to HubSpot; after that the latest STATE is confirmed, and may leave."""
        self._flush_held()
        self._confirm()

    def end(self, *, are_all_done: bool) -> None:
        """Release, at the end of the input, the STATE of what is done."""
        self._states.end(self._sync.is_done, are_all_done=are_all_done)

    def attend(self) -> None:
        """Flush what has been held for too long, also while the tap says nothing."""
        self._sync.count()
        if self._waits_since is not None and self._clock.monotonic() - self._waits_since >= MAX_WAIT_SECONDS:
            self._judge()
        if not self._sync.held:
            self._held_since = None
        elif self._held_since is None:
            self._held_since = self._clock.monotonic()
        elif self._clock.monotonic() - self._held_since >= MAX_HELD_SECONDS:
            self.flush()

    def _flush_held(self) -> None:
        self._held_since = None
        self._sync.flush()
        self._flushed()

    def _confirm(self) -> None:
        """Let the latest STATE leave, unless the run is to exit 1, or may be at the end of the input.

        It is where members were dropped or a list cannot be used. It may be as long as nothing at all has applied of a
        list or a stream.
        """
        if not self._accounts.holds_state and next(nothing_applied(self._accounts), None) is None:
            self._waits_since = None
            self._states.confirm()
        elif self._waits_since is None and self._states.is_waiting:
            self._waits_since = self._clock.monotonic()

    def _judge(self) -> None:
        """Judge what STATE has waited for as long as it may: an input without an end has no other moment for that.

        The run ends where members were dropped or a list cannot be used, where nothing of a stream applied, and where
        nothing of many applied of a list. Of a list with a few members that is no mistake: STATE leaves, and from here
        on the list is judged by what comes.
        """
        self.flush()
        if self._waits_since is None:
            return
        if problems := [*unusable_lists(self._accounts), *dropped_members(self._accounts)]:
            raise TargetError(" ".join(problems))
        mistakes = [each for each in nothing_applied(self._accounts) if each.is_mistake or each.is_stream]
        if mistakes:
            counts = "; ".join(f"of {each.asked} memberships of {each.what} not one" for each in mistakes)
            raise TargetError(
                f"In {MAX_WAIT_SECONDS // 3600} hours nothing was applied ({counts}), so that no STATE could leave. "
                "Set report_path for a line on each, correct the source or the settings, and run again."
            )
        judge_only_later_changes(self._accounts)
        self._confirm()
