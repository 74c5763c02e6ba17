"""The settings that a history keeps, and how HubSpot behaves in it."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.matches import MATCHES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random


@dataclass(frozen=True)
class Variant:
    """One way to set up the target and HubSpot."""

    is_mirror: bool
    match_by: str  # email, contact_id, property, or fallbacks: a property, then an address
    ledger: str  # none, sqlite or postgres
    has_ids: bool  # whether cohorts have ids beside their names
    prefix: str
    batch_size: int
    was_there: bool  # whether the first cohort's list exists before the first run, with members of its own
    creates: bool  # whether contacts are created for addresses that HubSpot does not know
    asks_mailability: bool  # whether runs ask who cannot be mailed
    lag: float  # seconds by which HubSpot's reads lag behind its writes

    @property
    def by_email(self) -> bool:
        """Tell whether members have addresses, so that contacts are made."""
        return self.match_by in {"email", "fallbacks"}

    @property
    def has_ledger(self) -> bool:
        """Tell whether runs have a ledger."""
        return self.ledger != "none"

    def as_json(self) -> dict[str, Any]:
        """Return the variant as a JSON object."""
        return asdict(self)

    def settings(self) -> dict[str, Any]:
        """Return the target's settings that follow from the variant alone."""
        return {
            "sync_mode": "mirror" if self.is_mirror else "incremental",
            **MATCHES[self.match_by],
            "list_name_prefix": self.prefix,
            "batch_size_rows": self.batch_size,
            "max_removal_percent": 100,
            "create_contacts": self.creates,
            "check_mailability": self.asks_mailability,
            "max_concurrency": 1,
        }

    def plainer(self) -> Iterator[Variant]:
        """Yield variants that differ in one value, and are easier to understand."""
        candidates = [
            replace(self, lag=0.0),
            replace(self, creates=True),
            replace(self, asks_mailability=False),
            replace(self, was_there=False),
            replace(self, has_ids=False),
            replace(self, batch_size=1000),
            replace(self, prefix="c_"),
            replace(self, ledger="sqlite") if self.ledger == "postgres" else self,
        ]
        yield from (each for each in candidates if each != self)


def combinations(ledgers: Sequence[str]) -> list[tuple[bool, str, str]]:
    """Return each combination of mode (whether it is a mirror), identifier, and one of these kinds of ledger."""
    return list(itertools.product((False, True), MATCHES, ledgers))


def random_variant(random: Random, combination: tuple[bool, str, str]) -> Variant:
    """Return a variant of a combination."""
    is_mirror, match_by, ledger = combination
    # Without a ledger a mirror removes nobody from a list whose name has no prefix.
    prefix = "c_" if is_mirror and ledger == "none" else random.choice(("c_", "c_", ""))
    return Variant(
        is_mirror=is_mirror,
        match_by=match_by,
        ledger=ledger,
        has_ids=random.random() < 0.5,
        prefix=prefix,
        batch_size=random.choice((2, 1000)),
        was_there=bool(prefix) and random.random() < 0.4,
        creates=random.random() < 0.6,
        asks_mailability=random.random() < 0.3,
        lag=random.choice((0.0, 0.0, 4.0)),
    )
