"""What the stores of a ledger share: the database, and whose part of it they see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from target_hubspot_lists.ledger.database import Database

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class PortalView:
    """One portal's part of a ledger's database, as one run sees it."""

    database: Database
    portal_id: int
    run_id: str
    now: Callable[[], datetime]

    def seconds(self) -> int:
        """Return the moment in seconds since 1970."""
        return int(self.now().timestamp())

    def day(self) -> int:
        """Return the day in days since 1970."""
        return self.seconds() // SECONDS_PER_DAY
