"""Format the end-of-run summary: one row for each list, then totals and warnings, with the counts as log fields."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.outcomes import Mailability, Outcome, PropertyOutcome, Reason
from target_hubspot_lists.reporting.account import time_text
from target_hubspot_lists.reporting.text_tables import aligned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.reporting.account import Account, StreamAccount
    from target_hubspot_lists.reporting.accounts import Accounts

# Outcomes in the order of the table's columns, with their headings.
COLUMNS: Mapping[Outcome, str] = {
    Outcome.ADDED: "added",
    Outcome.REMOVED: "removed",
    Outcome.ALREADY_MEMBER: "already",
    Outcome.NOT_A_MEMBER: "not on it",
    Outcome.UNCONFIRMED: "unconfirmed",
    Outcome.MISSING: "missing",
    Outcome.REJECTED: "rejected",
    Outcome.SKIPPED: "skipped",
    Outcome.DROPPED: "dropped",
}
PROPERTY_COLUMNS: Mapping[PropertyOutcome, str] = {
    outcome: f"properties_{outcome.value}" for outcome in PropertyOutcome
}
_Kind = TypeVar("_Kind", bound=StrEnum)
LONGEST_NAME = 40  # characters of a list's name that the table shows


class SummaryLine(NamedTuple):
    """A line of the summary, and the fields that a structured log has beside its text."""

    text: str
    fields: Mapping[str, Any] = {}


class RunFacts(NamedTuple):
    """What the summary says of a run that is not in its accounts."""

    run_id: str
    portal_id: int | None
    dry_run: bool
    is_mirror: bool
    exit_code: int
    calls: int
    seconds: float


def summary(accounts: Accounts, run: RunFacts) -> Iterator[SummaryLine]:
    """Yield the lines of the summary; they name lists, streams and counts, and no person.

    In a structured log the row of a list has the field `hubspot_list` and the last line `hubspot_run`, with the same
    counts as the report.
    """
    lists = list(accounts.lists.values())
    if run.dry_run and (lists or not run.exit_code):
        yield SummaryLine(
            "Dry run: nothing was written to HubSpot, and no STATE is written. A real run would:"
        )
    if lists:
        heading, *rows = table(lists)
        yield SummaryLine(heading)
        for row, account in zip(rows, lists, strict=True):
            yield SummaryLine(row, {"hubspot_list": _list_fields(account, run)})
    elif not run.exit_code:
        yield SummaryLine("No memberships were read.")
    yield from map(SummaryLine, _sentences(accounts, run))
    yield SummaryLine(
        f"{_count(run.calls, 'call')} to HubSpot, {run.seconds:.1f} seconds.",
        {"hubspot_run": {**run._asdict(), "seconds": round(run.seconds, 3), **accounts.figures}},
    )


def _list_fields(account: Account, run: RunFacts) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "portal_id": run.portal_id,
        "dry_run": run.dry_run,
        "list_id": account.list_id,
        "list_name": shown(account.label),
        "cohort": shown(account.cohort.name),
        **account.figures,
    }


def _sentences(accounts: Accounts, run: RunFacts) -> Iterator[str]:
    lists = list(accounts.lists.values())
    for account in lists:
        if account.restored:
            yield (
                f'List "{shown(account.label)}": {_count(account.restored, "member")} of earlier runs put back: '
                "the list had lost them in HubSpot."
            )
        if account.retried:
            applied = "would apply" if run.dry_run else "applied"
            yield (
                f'List "{shown(account.label)}": {_count(account.retried, "add")} of earlier runs tried again and '
                f"{applied}."
            )
    if found_by := accounts.found_by_label:
        counts = (f"{name} {count:,}" for name, count in found_by.items())
        yield f"Members found by: {', '.join(counts)}."
    yield from _rejections(lists, accounts.streams)
    yield from _property_problems(lists)
    yield from _mailability(lists)
    made = "to be made" if run.dry_run else "made"
    if accounts.properties_created:
        yield f"{_count(accounts.properties_created, 'contact property', 'contact properties')} {made}."
    if accounts.lists_created:
        yield f"{_count(accounts.lists_created, 'list')} {made}."
    if number := accounts.created_contacts.count:
        created = "to be created" if run.dry_run else "created"
        most = "At most " if accounts.created_contacts.may_count_twice else ""
        yield (
            f"{most}{_count(number, 'contact')} {created}: check that the portal treats this app's contacts as "
            "marketing contacts, since only those can be mailed."
        )
    add_only = sorted(
        f'stream "{name}"' for name, stream in accounts.streams.items() if not stream.can_remove
    )
    if add_only and not run.is_mirror:
        yield (
            f"No record of {', '.join(add_only)} can remove a member from a list: "
            "there is no operation column and no _sdc_deleted_at. Where a stream holds whole cohorts, "
            "sync_mode: mirror removes members that are not in them."
        )


def table(accounts: Sequence[Account]) -> Iterator[str]:
    """Yield a line of headings and a line for each list; columns that are 0 for every list are left out."""
    columns = [
        ["list", *(_name(account) for account in accounts)],
        ["id", *(account.list_id or "-" for account in accounts)],
        ["asked", *(str(account.asked) for account in accounts)],
        *_columns_of(COLUMNS, [account.outcomes for account in accounts]),
        *_columns_of(PROPERTY_COLUMNS, [account.properties for account in accounts]),
        *_cannot_be_mailed(accounts),
        ["match rate", *(_rate(account.match_rate) for account in accounts)],
    ]
    yield from aligned(columns)


def _columns_of(headings: Mapping[_Kind, str], counts: Sequence[Counter[_Kind]]) -> Iterator[list[str]]:
    for kind, heading in headings.items():
        if any(of_list[kind] for of_list in counts):
            yield [heading, *(str(of_list[kind]) for of_list in counts)]


def _cannot_be_mailed(accounts: Sequence[Account]) -> Iterator[list[str]]:
    if any(account.cannot_be_mailed for account in accounts):
        yield ["cannot be mailed", *(str(account.cannot_be_mailed) for account in accounts)]


def _name(account: Account) -> str:
    label = shown(account.label)
    return label if len(label) <= LONGEST_NAME else f"{label[: LONGEST_NAME - 1]}…"


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"


def _rejections(accounts: Sequence[Account], streams: Mapping[str, StreamAccount]) -> Iterator[str]:
    reasons = sum((account.reasons for account in accounts), Counter[Reason]())
    if reasons:
        yield f"Rejected: {_reasons(reasons)}."
    for name, stream in streams.items():
        if stream.reasons:
            yield f'Rejected in stream "{name}", of no list: {_reasons(stream.reasons)}.'


def _property_problems(accounts: Iterable[Account]) -> Iterator[str]:
    problems = sum((account.property_problems for account in accounts), Counter[Any]())
    if problems:
        counts = (
            f"{count} {reason}" + (f' of "{name}"' if name else "")
            for (reason, name), count in sorted(problems.items(), key=str)
        )
        yield f"Properties rejected, not the memberships: {', '.join(counts)}."


def _mailability(accounts: Sequence[Account]) -> Iterator[str]:
    counts = sum((account.mailability for account in accounts), Counter[Mailability]())
    del counts[Mailability.MAILABLE]
    if counts:
        reasons = ", ".join(f"{counts[reason]} {reason}" for reason in Mailability if counts[reason])
        oldest = min(
            account.mailability_as_of for account in accounts if account.mailability_as_of is not None
        )
        yield (
            f"On these lists and not to be mailed: {reasons}, as HubSpot said at {time_text(oldest)} or later."
        )


def _reasons(reasons: Counter[Reason]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
