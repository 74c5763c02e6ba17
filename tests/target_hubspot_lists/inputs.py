"""Whole inputs in a line, runs in mirror mode, and what a run called: what tests of the ledger's use share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.clocks import START
from tests.factories import by_email, email_schema, membership, record_message, schema_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator

ADD_AND_REMOVE = "/memberships/add-and-remove"
SIZED = schema_message("contact_id", "cohort_name", "cohort_size")


def now() -> datetime:
    return datetime.fromtimestamp(START, UTC)


def adds(members: Iterable[str], cohort: str = "VIP") -> list[str]:
    return [schema_message(), *(membership(cohort, member) for member in members)]


def emails(addresses: Iterable[str], cohort: str = "VIP", operation: str = "add") -> list[str]:
    return [email_schema(), *(by_email(cohort, each, operation) for each in addresses)]


def snapshot(members: Iterable[str], cohort: str = "VIP") -> list[str]:
    members = list(members)
    records = (
        record_message(contact_id=each, cohort_name=cohort, cohort_size=len(members)) for each in members
    )
    return [SIZED, *records]


def with_id(members: Iterable[str], name: str, cohort_id: str = "c1") -> list[str]:
    records = (record_message(contact_id=each, cohort_name=name, cohort_id=cohort_id) for each in members)
    return [schema_message("contact_id", "cohort_name", "cohort_id"), *records]


def mirror(run_target: TargetRunner, *messages: str, **config: Any) -> Run:
    settings = {"sync_mode": "mirror", "list_name_prefix": "c_", "max_removal_percent": 100} | config
    return run_target(*messages, **settings)


def calls_of(hubspot: HubSpotEmulator) -> list[str]:
    """The calls since this was last asked, without the one about the token."""
    calls = [f"{each.method} {each.path}" for each in hubspot.requests if "access-token" not in each.path]
    hubspot.requests.clear()
    return calls
