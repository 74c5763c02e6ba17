"""Snapshots as taps send them, and a run that mirrors them; a test says only what matters to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.factories import STREAM, record_message, schema_message, versioned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conftest import Run, TargetRunner

SIZED_COLUMNS = ("contact_id", "cohort_name", "cohort_size")
SIZED = schema_message(*SIZED_COLUMNS)


def sized(members: Iterable[str], size: Any, cohort: str = "VIP", stream: str = STREAM) -> list[str]:
    """The RECORDs of a cohort, each of which tells how many there are."""
    return [
        record_message(stream, contact_id=member, cohort_name=cohort, cohort_size=size) for member in members
    ]


def of_version(records: Iterable[str], version: int) -> list[str]:
    """The RECORDs with a version."""
    return [versioned(record, version) for record in records]


def mirror(run_target: TargetRunner, *messages: str, **config: Any) -> Run:
    """Run in mirror mode; unless a test is about a guard, it allows everything."""
    settings = {"sync_mode": "mirror", "list_name_prefix": "c_", "max_removal_percent": 100} | config
    return run_target(*messages, **settings)
