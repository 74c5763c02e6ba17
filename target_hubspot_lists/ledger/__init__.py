"""The ledger: what the target knows of a portal from run to run, in SQLite or Postgres."""

from __future__ import annotations

from target_hubspot_lists.ledger.known_lists import KnownList, RunLine
from target_hubspot_lists.ledger.ledger import Ledger
from target_hubspot_lists.ledger.memberships import State
from target_hubspot_lists.ledger.overview import LedgerOverview, ListInLedger, RunInLedger
from target_hubspot_lists.ledger.people import Forgotten

__all__ = [
    "Forgotten",
    "KnownList",
    "Ledger",
    "LedgerOverview",
    "ListInLedger",
    "RunInLedger",
    "RunLine",
    "State",
]
