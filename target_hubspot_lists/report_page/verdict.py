"""The first thing that the page says: whether all is well, and which lists to look at if not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.report_page.figures import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_hubspot_lists.report_page.figures import ListFigures, PageFigures

MOST_NAMED = 3


class Verdict(NamedTuple):
    """A headline, how serious it is (good, note or bad), the lists to look at first, and what else to know."""

    headline: str
    tone: str
    first: Sequence[tuple[ListFigures, str]]
    sentences: Sequence[str]


def verdict(figures: PageFigures) -> Verdict:
    """Judge the last run of every list."""
    if not figures.lists:
        return Verdict(
            "No run brought a list to HubSpot.",
            "bad" if figures.failed else "note",
            [],
            ["" if figures.failed else "The reports name no list: the source sent no membership."],
        )
    to_look_at = [each for each in figures.lists if each.urgency]
    sentences = list(_sentences(figures, to_look_at))
    if not to_look_at:
        tone = "bad" if figures.failed else "good"
        return Verdict(_all_well(len(figures.lists)), tone, [], sentences)
    serious = figures.failed or any(each.urgency > 1 for each in to_look_at)
    return Verdict(
        _need_a_look(len(to_look_at), len(figures.lists)),
        "bad" if serious else "note",
        [(each, _problem(each)) for each in to_look_at[:MOST_NAMED]],
        sentences,
    )


def _all_well(lists: int) -> str:
    return "The list is in place." if lists == 1 else f"All {lists:,} lists are in place."


def _need_a_look(some: int, lists: int) -> str:
    if lists == 1:
        return "The list needs a look."
    return f"{some:,} of {lists:,} lists {'needs' if some == 1 else 'need'} a look."


def _problem(each: ListFigures) -> str:
    run = each.history.last
    if run is None:
        return "the ledger knows the list, and no run of it is told."
    if each.overdue and each.status.urgency < Status.UNFINISHED.urgency:
        return "it did not run when it should have."
    if run.settled < run.asked:
        return f"{run.asked - run.settled:,} of {run.asked:,} memberships have no outcome: the run broke off."
    if run.outcomes["skipped"]:
        return f"{_people(run.outcomes['skipped'])} held back by a safety limit."
    if not run.unapplied:
        return "the run did not come to its end."
    return f"{run.unapplied:,} of {run.asked:,} {'is' if run.unapplied == 1 else 'are'} not in place."


def _people(number: int) -> str:
    return "1 removal is" if number == 1 else f"{number:,} removals are"


def _sentences(figures: PageFigures, to_look_at: Sequence[ListFigures]) -> Sequence[str]:
    sentences = []
    if figures.is_dry:
        sentences.append("Dry run: nothing was written to HubSpot. This is what a real run would do.")
    if (more := len(to_look_at) - MOST_NAMED) > 0:
        sentences.append(f"And {more:,} more: see the table of lists.")
    if figures.cannot_be_mailed:
        are = "person" if figures.cannot_be_mailed == 1 else "people"
        sentences.append(f"{figures.cannot_be_mailed:,} {are} on these lists cannot be mailed.")
    return sentences
