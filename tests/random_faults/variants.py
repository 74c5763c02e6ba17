"""The settings of the runs, combined so that every two values meet in a variant."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Any

from tests.matches import MATCHES
from tests.pairwise import all_pairs

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

LEDGERS = ("none", "sqlite", "postgres")
DIMENSIONS: dict[str, tuple[str, ...]] = {
    "mode": ("incremental", "mirror"),
    "match_by": ("email", "contact_id", "property", "fallbacks"),  # a property, then an address
    "ledger": LEDGERS,
    "extra": ("plain", "properties", "status", "verify", "mailability", "retries"),
    "credential": ("static", "oauth"),
    "history": ("first", "later"),  # whether a run came before, eight days ago
    "calls": ("one", "many"),  # at the same time
    "batch": ("small", "large"),
    "lists": ("by-name", "by-legacy-id"),  # how the list that is there already is named
}


@dataclass(frozen=True)
class Variant:
    """One value of each dimension."""

    mode: str
    match_by: str
    ledger: str
    extra: str
    credential: str
    history: str
    calls: str
    batch: str
    lists: str

    def __str__(self) -> str:
        return ",".join(astuple(self))

    @classmethod
    def parse(cls, text: str) -> Variant:
        values = text.split(",")
        names = [each.name for each in fields(cls)]
        for name, value in zip(names, values, strict=True):
            if value not in DIMENSIONS[name]:
                raise ValueError(f"{value} is no {name}")
        return cls(*values)

    @property
    def is_mirror(self) -> bool:
        return self.mode == "mirror"

    @property
    def creates(self) -> bool:
        """Tell whether members have addresses, by which contacts are made."""
        return self.match_by in {"email", "fallbacks"}

    @property
    def has_numbers(self) -> bool:
        """Tell whether members have customer numbers."""
        return self.match_by in {"property", "fallbacks"}

    @property
    def one_call_at_a_time(self) -> bool:
        return self.calls == "one"

    @property
    def has_kept_add(self) -> bool:
        """Tell whether an earlier run kept an add that is to be tried again."""
        has_ledger = self.ledger != "none" and self.history == "later"
        return self.extra == "retries" and has_ledger and self.creates and not self.is_mirror

    def settings(self) -> dict[str, Any]:
        """Return the settings that follow from the variant alone."""
        chosen: dict[str, Any] = {
            "sync_mode": self.mode,
            **MATCHES[self.match_by],
            "batch_size_rows": 3 if self.batch == "small" else 1000,
            "max_concurrency": 1 if self.one_call_at_a_time else 8,
            "list_name_prefix": "c_",
        }
        extras: dict[str, dict[str, Any]] = {
            "properties": {"property_mappings": [{"field": "plan", "property": "plan"}]},
            "status": {"audience_status_property": True},
            "verify": {"verify_memberships": True},
            "mailability": {"check_mailability": True},
            "retries": {"retry_unapplied_days": 30},
        }
        return chosen | extras.get(self.extra, {})


def variants(random: Random, ledgers: Collection[str] = LEDGERS) -> list[Variant]:
    """Return variants in which every two values of two dimensions meet."""
    rows = all_pairs(DIMENSIONS | {"ledger": tuple(ledgers)}, random)
    return [Variant(**{name: str(value) for name, value in row.items()}) for row in rows]
