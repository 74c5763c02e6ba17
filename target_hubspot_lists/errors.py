"""The errors that end a run of the target, one sentence each: what happened, to which list or setting, what to do.

HubSpotError                  of hubspot_singer.http; all errors below are subclasses
└── TargetError               the input, a list or a setting of this target is not usable
    ├── InputError            the tap's messages cannot be understood
    ├── ListError             several cohorts or streams need the same list
    ├── UnusableList          one list cannot be used: its members are rejected, and the others go on
    ├── LedgerError           the ledger cannot be opened, read or written
    │   └── ListHeld          another run writes to the list
    ├── Interrupted           a signal ended the run
    └── AccountsError         outcomes and records of a run do not add up: a bug of this target
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubspot_singer.http import HubSpotError
from target_hubspot_lists.outcomes import Refusal

if TYPE_CHECKING:
    from target_hubspot_lists.outcomes import Reason


class TargetError(HubSpotError):
    """The input, a list or a setting of this target is not usable; `str()` is one line for the user."""


class InputError(TargetError):
    """The tap's messages cannot be understood; the error never quotes them, since they hold people's addresses."""


class ListError(TargetError):
    """Several cohorts or streams need the same list, so that none can be written; names them and what to do."""


class UnusableList(TargetError):
    """One list cannot be found, created, read or written to; names the list and what to do.

    Its members are rejected with `reason`, and all other lists go on.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def refusal(self) -> Refusal:
        """Why each member of the list is rejected."""
        return Refusal(self.reason, str(self))


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
