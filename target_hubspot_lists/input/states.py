"""Keeps the tap's STATE until all that it covers has its outcome, and passes it on as the tap sent it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.json import serialize_json

from hubspot_singer.plugin.standard_output import write_out
from target_hubspot_lists.errors import TargetError

if TYPE_CHECKING:
    from target_hubspot_lists.settings import Settings

EVERYTHING = 100  # percent

State = dict[str, Any]


class States:
    """The STATE of one run: what the tap sent last, and what was written last."""

    def __init__(self, settings: Settings) -> None:
        self._is_kept = (
            settings.dry_run
        )  # a dry run writes no members, so the real run must read everything again
        self._waits_for_end = settings.max_unapplied_percent < EVERYTHING
        self._latest: State | None = None
        self._released: State | None = None
        # Of a mirror: the latest STATE by the streams that had begun when it came, in that order.
        self._by_streams: dict[frozenset[str], State | None] = {}

    def take(self, state: State | None, begun: frozenset[str] = frozenset()) -> None:
        """Hold a STATE; in a mirror it is held for the streams that have begun."""
        if begun:
            self._by_streams.pop(begun, None)  # the order is that of the latest
            self._by_streams[begun] = state
        else:
            self._latest = state

    @property
    def is_waiting(self) -> bool:
        """Return whether a STATE is held that may be written and was not."""
        return bool(self._latest) and self._latest != self._released and not self._is_kept

    def confirm(self) -> None:
        """Write the latest STATE: every record before it has its outcome."""
        if not self._waits_for_end:
            self._release()

    def end(self, undone: frozenset[str], *, are_all_done: bool) -> None:
        """Write the latest STATE with no stream undone; a STATE held for no stream covers all streams."""
        done = [state for streams, state in self._by_streams.items() if streams.isdisjoint(undone)]
        if done:
            self._latest = done[-1]
        if done or are_all_done:
            self._release()

    def _release(self) -> None:
        # Meltano takes an empty STATE for the whole one: https://github.com/meltano/sdk/issues/3000
        if self.is_waiting and self._latest:
            _write(self._latest)
            self._released = self._latest


def _write(state: State) -> None:
    """Write STATE as the tap sent it; the SDK's own way fails on fractions, and shows STATE in its log."""
    if not sys.stdout:  # the process was started without it, so that nothing reads STATE
        return
    try:
        write_out(f"{serialize_json(state)}\n".encode())
    except OSError as error:
        raise TargetError(
            f"STATE cannot be written to standard output ({error.strerror}): whatever starts this target has "
            "to keep reading it. Run again from the last STATE that was stored: nothing is applied twice."
        ) from error
