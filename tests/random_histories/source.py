"""The data source of a history: which members it has in which cohorts, and the input that it gives to a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.factories import record_message, schema_message, state_message
from tests.random_histories import naming

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.random_histories.variants import Variant

COHORTS = ("c1", "c2")  # their ids; the names may change
STATE_KEY = "changes"  # of a STATE: how many changes of the source it covers


@dataclass(frozen=True)
class Change:
    """One record: a member joins or leaves a cohort; the identifier is as `naming.py` writes it."""

    cohort: str
    identifier: str
    is_member: bool


class Source:
    """A log of changes, and the cohorts as they are after the last of them.

    An incremental run gets the changes that no STATE covers yet; a mirror gets the cohorts.
    """

    def __init__(self, variant: Variant, identifiers: Iterable[str]) -> None:
        self._variant = variant
        self.identifiers = list(identifiers)
        self.names = {cohort: f"Cohort {cohort}" for cohort in COHORTS}
        self.bookmark = 0  # the number of changes that the last STATE covers
        self._log: list[Change] = []
        self._members: dict[str, dict[str, None]] = {
            cohort: {} for cohort in COHORTS
        }  # in the order of joining

    def key(self, cohort: str) -> str:
        """Return what a setting names a cohort by: its id, else its name."""
        return cohort if self._variant.has_ids else self.names[cohort]

    @property
    def length(self) -> int:
        """The number of changes so far."""
        return len(self._log)

    def change(self, changes: Iterable[Change]) -> None:
        """Record changes."""
        for each in changes:
            self._log.append(each)
            if each.is_member:
                self._members[each.cohort][each.identifier] = None
            else:
                self._members[each.cohort].pop(each.identifier, None)

    def pending(self) -> list[Change]:
        """Return what the next run gets: the changes after the bookmark, or for a mirror every member."""
        if not self._variant.is_mirror:
            return self._log[self.bookmark :]
        return [Change(cohort, each, is_member=True) for cohort in COHORTS for each in self._members[cohort]]

    def messages(self, changes: Sequence[Change], *, is_proven: bool = True) -> list[str]:
        """Return these changes as Singer messages.

        An incremental input has a STATE after each record, a mirror's has one at the end. The snapshot of a mirror
        that is not proven announces one member more than it has.
        """
        return (
            self._mirror(changes, is_proven=is_proven)
            if self._variant.is_mirror
            else self._incremental(changes)
        )

    def _incremental(self, changes: Sequence[Change]) -> list[str]:
        messages = [self._schema("operation")]
        for number, change in enumerate(changes, start=1):
            operation = "add" if change.is_member else "remove"
            messages.append(record_message(**self._record(change), operation=operation))
            messages.append(state_message({STATE_KEY: self.bookmark + number}))
        return messages

    def _mirror(self, changes: Sequence[Change], *, is_proven: bool) -> list[str]:
        sizes = {
            cohort: sum(each.cohort == cohort for each in changes) + (not is_proven) for cohort in COHORTS
        }
        records = [record_message(**self._record(each), cohort_size=sizes[each.cohort]) for each in changes]
        return [self._schema("cohort_size"), *records, state_message({STATE_KEY: self.length})]

    def _schema(self, column: str) -> str:
        columns = [*self._columns, "cohort_name", column]
        return schema_message(*columns, *(["cohort_id"] if self._variant.has_ids else []))

    def _record(self, change: Change) -> dict[str, Any]:
        values = naming.parts(change.identifier)
        record = dict(zip(self._columns, values, strict=True)) | {"cohort_name": self.names[change.cohort]}
        return record | ({"cohort_id": change.cohort} if self._variant.has_ids else {})

    @property
    def _columns(self) -> Sequence[str]:
        return naming.COLUMNS[self._variant.match_by]
