"""What ends a run of the target, one sentence each: what, which list or setting, what to do.

HubSpotError                  hubspot_singer.http's family; every error below is one of it
└── TargetError               the input, a list or a setting of this target is not usable
    ├── InputError            the tap's messages cannot be understood
    ├── ListError             lists of several cohorts are in each other's way
    ├── UnusableList          one list cannot be used: its members are rejected, and the others go on
    ├── LedgerError           the ledger cannot be opened, read or written
    │   └── ListHeld          another run writes to the list
    ├── Interrupted           a signal ended the run
    └── AccountsError         the accounts of a run do not balance: a bug of ours
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubspot_singer.http import HubSpotError

if TYPE_CHECKING:
    from target_hubspot_lists.outcomes import Reason


class TargetError(HubSpotError):
    """The input, a list or a setting of this target is not usable; `str()` is one line for the user."""


class InputError(TargetError):
    """The tap's messages cannot be understood; never quotes them, since they hold people."""


class ListError(TargetError):
    """Lists of several cohorts are in each other's way, so that none can be written; names them and what to do."""


class UnusableList(TargetError):
    """One list cannot be found, made, read or written to; names the list and what to do.

    The members asked for are rejected with `reason`, and every other list goes on.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class LedgerError(TargetError):
    """The ledger cannot be opened, read or written; shows no part of ledger_url that could be a password."""


class ListHeld(LedgerError):
    """Another run writes to a list; names the list and the run."""


class Interrupted(TargetError):
    """A signal ended the run before the end of the input."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(
            f"Stopped by {signal_name}: what was held was not sent. Run again: the STATE written so far covers "
            "only what HubSpot confirmed."
        )


class AccountsError(TargetError):
    """The outcomes of a run do not add up to what was asked: a bug, and nothing is promised."""
