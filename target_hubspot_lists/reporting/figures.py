"""The figures of a run and of each of its lists, as the report and the structured log tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from target_hubspot_lists.outcomes import Outcome, PropertyOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_hubspot_lists.outcomes import Reason
    from target_hubspot_lists.reporting.account import Account
    from target_hubspot_lists.reporting.accounts import Accounts


def list_figures(account: Account) -> dict[str, Any]:
    """The counts of one list.

    `match_rate` is a share from 0 to 1, or None where nothing was asked; `size` how many members the list has now,
    or None where HubSpot does not tell. `membership_calls` are those that change the list's members or read back
    whether they did; look-ups and creates of contacts serve all lists, and count with the run's `calls` alone.
    `mailability` has members on the list by what HubSpot said of them, the oldest of these answers at
    `mailability_as_of`; {} and None where that was not asked.
    """
    return {
        "records_read": account.records_read,
        "superseded": account.superseded,
        "mirror_removals": account.mirror_removals,
        "put_back": account.put_back,
        "retried": account.retried,
        "asked": account.asked,
        "applied": account.applied,
        **{outcome.value: account.outcomes[outcome] for outcome in Outcome},
        "reasons": _by_name(account.reasons),
        "contacts_created": account.contacts_created,
        **{f"properties_{each.value}": account.properties[each] for each in PropertyOutcome},
        "property_problems": [
            {"property": name, "reason": reason, "members": count}
            for (reason, name), count in account.property_problems.items()
        ],
        "mailability": {each.value: count for each, count in account.mailability.items()},
        "mailability_as_of": moment_text(account.mailability_as_of),
        "match_rate": account.match_rate,
        "size": account.size,
        "membership_calls": account.calls,
        "membership_seconds": round(account.seconds, 3),
    }


def run_figures(accounts: Accounts) -> dict[str, Any]:
    """The counts of the run that are of no single list."""
    return {
        "records_read": accounts.records_read,
        "not_settled": accounts.records_read - accounts.done,
        "lists_created": accounts.lists_created,
        "contacts_created": accounts.contacts_created,
        "properties_created": accounts.properties_created,
        "found_by": accounts.found_by_label,
        "streams": {
            name: {
                "records_read": stream.records_read,
                "rejected_without_list": _by_name(stream.reasons),
            }
            for name, stream in accounts.streams.items()
        },
    }


def moment_text(seconds: int | None) -> str | None:
    """Return seconds since 1970 as ISO 8601 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _by_name(reasons: Mapping[Reason, int]) -> dict[str, int]:
    return {reason.value: count for reason, count in reasons.items()}
