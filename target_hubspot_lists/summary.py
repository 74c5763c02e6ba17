"""Says at the end of a run what became of everybody, in one table and a few sentences."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from target_hubspot_lists.outcomes import Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.delivery import Delivery
    from target_hubspot_lists.outcomes import ListTally, StreamTally

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
LONGEST_NAME = 40  # characters of a list's name that the table shows


def summary(delivery: Delivery) -> Iterator[str]:
    """Yield the lines of the summary; they name lists, streams and counts, and no person."""
    tallies = list(delivery.tallies)
    if tallies:
        yield from table(tallies)
    else:
        yield "No memberships were read."
    yield from _rejections(tallies, delivery.streams)
    if delivery.lists_created:
        yield f"{_count(delivery.lists_created, 'list')} made."
    if delivery.contacts_created:
        yield (
            f"{_count(delivery.contacts_created, 'contact')} created: "
            "check that the portal treats this app's contacts as marketing contacts, "
            "since only those can be mailed."
        )
    if add_only := sorted(name for name, stream in delivery.streams.items() if not stream.can_remove):
        yield (
            f"No record of {_names(add_only)} can remove anybody from a list: "
            "there is no operation column and no _sdc_deleted_at."
        )


def table(tallies: Iterable[ListTally]) -> Iterator[str]:
    """Yield a line for each list under a line of headings, columns aligned."""
    headings = ["list", "id", "asked", *COLUMNS.values(), "match rate", "calls", "seconds"]
    rows = [headings, *(_row(tally) for tally in tallies)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(headings))]
    for row in rows:
        name, *numbers = (
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join([name, *numbers])


def _row(tally: ListTally) -> list[str]:
    label = tally.label if len(tally.label) <= LONGEST_NAME else f"{tally.label[: LONGEST_NAME - 1]}…"
    outcomes = [str(tally.outcomes[outcome]) for outcome in COLUMNS]
    return [
        label,
        tally.list_id or "-",
        str(tally.asked),
        *outcomes,
        match_rate(tally),
        str(tally.calls),
        f"{tally.seconds:.1f}",
    ]


def match_rate(tally: ListTally) -> str:
    """The share of the members asked for that HubSpot knows, or came to know."""
    if not tally.asked:
        return "-"
    unmatched = tally.outcomes[Outcome.MISSING] + tally.outcomes[Outcome.REJECTED]
    return f"{(tally.asked - unmatched) / tally.asked:.1%}"


def _rejections(tallies: Sequence[ListTally], streams: Mapping[str, StreamTally]) -> Iterator[str]:
    reasons = sum((tally.reasons for tally in tallies), Counter[Reason]())
    if reasons:
        yield f"Rejected: {_reasons(reasons)}."
    for name, stream in streams.items():
        if stream.reasons:
            yield f'Rejected in stream "{name}", of no list: {_reasons(stream.reasons)}.'


def _reasons(reasons: Counter[Reason]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))


def _names(names: Sequence[str]) -> str:
    return ", ".join(f'stream "{name}"' for name in names)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
