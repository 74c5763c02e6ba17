"""Says at the end of a run what became of everybody, in one table and a few sentences."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from target_hubspot_lists.hubspot_lists import shown
from target_hubspot_lists.outcomes import Outcome, PropertyOutcome, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.accounts import Account, Accounts, StreamAccount

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
# Columns of their own where the settings ask for properties.
PROPERTY_COLUMNS: Mapping[PropertyOutcome, str] = {
    outcome: f"properties_{outcome.value}" for outcome in PropertyOutcome
}
LONGEST_NAME = 40  # characters of a list's name that the table shows


def summary(accounts: Accounts, *, dry_run: bool, is_mirror: bool) -> Iterator[str]:
    """Yield the lines of the summary; they name lists, streams and counts, and no person."""
    if dry_run:
        yield "Dry run: nothing was written to HubSpot, and no STATE leaves. A real run would:"
    if accounts.lists:
        yield from table(accounts.lists.values())
    else:
        yield "No memberships were read."
    for account in accounts.lists.values():
        if account.put_back:
            yield (
                f'List "{shown(account.label)}": {_count(account.put_back, "member")} of earlier runs put back, whom '
                "it had lost in HubSpot."
            )
    yield from _rejections(list(accounts.lists.values()), accounts.streams)
    yield from _property_problems(accounts.lists.values())
    if accounts.properties_created:
        yield f"{_count(accounts.properties_created, 'contact property', 'contact properties')} made."
    if accounts.lists_created:
        yield f"{_count(accounts.lists_created, 'list')} made."
    if accounts.contacts_created:
        yield (
            f"{_count(accounts.contacts_created, 'contact')} created: check that the portal treats this app's "
            "contacts as marketing contacts, since only those can be mailed."
        )
    add_only = sorted(name for name, stream in accounts.streams.items() if not stream.can_remove)
    if add_only and not is_mirror:
        yield (
            f"No record of {_names(add_only)} can remove anybody from a list: "
            "there is no operation column and no _sdc_deleted_at. Where a stream holds whole cohorts, "
            "sync_mode: mirror removes who is not in them."
        )


def table(accounts: Collection[Account]) -> Iterator[str]:
    """Yield a line for each list under a line of headings, columns aligned."""
    of_properties = PROPERTY_COLUMNS if any(account.properties for account in accounts) else {}
    headings = [*COLUMNS.values(), *of_properties.values()]
    rows = [
        ["list", "id", "asked", *headings, "match rate", "calls", "seconds"],
        *(_row(account, of_properties) for account in accounts),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        name, *numbers = row
        aligned = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        yield "  ".join([name.ljust(widths[0]), *aligned])


def _row(account: Account, of_properties: Iterable[PropertyOutcome]) -> list[str]:
    label = shown(account.label)
    rate = account.match_rate
    return [
        label if len(label) <= LONGEST_NAME else f"{label[: LONGEST_NAME - 1]}…",
        account.list_id or "-",
        str(account.asked),
        *(str(account.outcomes[outcome]) for outcome in COLUMNS),
        *(str(account.properties[outcome]) for outcome in of_properties),
        "-" if rate is None else f"{rate:.1%}",
        str(account.calls),
        f"{account.seconds:.1f}",
    ]


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
        told = (
            f"{count} {reason}" + (f' of "{name}"' if name else "")
            for (reason, name), count in sorted(problems.items(), key=str)
        )
        yield f"Properties rejected, not the memberships: {', '.join(told)}."


def _reasons(reasons: Counter[Reason]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))


def _names(names: Sequence[str]) -> str:
    return ", ".join(f'stream "{name}"' for name in names)


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
