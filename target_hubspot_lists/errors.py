"""What ends a run of the target, one sentence each: what, which list or setting, what to do.

HubSpotError                  hubspot_singer.http's family; every error below is one of it
└── TargetError               the input, a list or a setting of this target is not usable
    ├── InputError            the tap's messages cannot be understood
    ├── ListError             a list cannot be found, made or written to
    ├── LedgerError           the ledger cannot be opened, read or written
    │   └── ListHeld          another run writes to the list
    ├── Interrupted           a signal ended the run
    └── AccountsError         the accounts of a run do not balance: a bug of ours
"""

from __future__ import annotations

from hubspot_singer.http import HubSpotError


class TargetError(HubSpotError):
    """The input, a list or a setting of this target is not usable; `str()` is one line for the user."""


class InputError(TargetError):
    """The tap's messages cannot be understood; never quotes them, since they hold people."""


class ListError(TargetError):
    """A list cannot be found, made or written to; names the list and what to do."""


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
