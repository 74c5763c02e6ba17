"""The ledger: what the target knows of a portal from run to run, in SQLite or Postgres."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from target_hubspot_lists.ledger.records import Forgotten, KnownList, Period, State

if TYPE_CHECKING:
    from target_hubspot_lists.ledger.ledger import Ledger
    from target_hubspot_lists.ledger.overview import LedgerOverview, ListInLedger, RunInLedger

__all__ = [
    "Forgotten",
    "KnownList",
    "Ledger",
    "LedgerOverview",
    "ListInLedger",
    "Period",
    "RunInLedger",
    "State",
]

_MODULES = {
    "Ledger": "ledger",
    "LedgerOverview": "overview",
    "ListInLedger": "overview",
    "RunInLedger": "overview",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever has the name
    """Import what needs SQLAlchemy when it is first used, so that a run without a ledger starts without it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
