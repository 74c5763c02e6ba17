"""Whole inputs in a line, and what a run called: what tests of the ledger's use share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.clocks import START
from tests.factories import by_email, email_schema, membership, record_message, schema_message
from tests.target_hubspot_lists.mirrors import SIZED, sized

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.hubspot_emulator import HubSpotEmulator

ADD_AND_REMOVE = "/memberships/add-and-remove"


def now() -> datetime:
    return datetime.fromtimestamp(START, UTC)


def adds(members: Iterable[str], cohort: str = "VIP") -> list[str]:
    return [schema_message(), *(membership(cohort, member) for member in members)]


def emails(addresses: Iterable[str], cohort: str = "VIP", operation: str = "add") -> list[str]:
    return [email_schema(), *(by_email(cohort, each, operation) for each in addresses)]


def snapshot(members: Iterable[str], cohort: str = "VIP") -> list[str]:
    members = list(members)
    return [SIZED, *sized(members, len(members), cohort)]


def with_id(members: Iterable[str], name: str, cohort_id: str = "c1") -> list[str]:
    records = (record_message(contact_id=each, cohort_name=name, cohort_id=cohort_id) for each in members)
    return [schema_message("contact_id", "cohort_name", "cohort_id"), *records]


def calls_of(hubspot: HubSpotEmulator) -> list[str]:
    """The calls since this was last asked, without the one about the token."""
    calls = [f"{each.method} {each.path}" for each in hubspot.requests if "access-token" not in each.path]
    hubspot.requests.clear()
    return calls
