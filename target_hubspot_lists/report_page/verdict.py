"""The verdict at the top of the page: whether all lists are in place, and which lists need a look."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.report_page.figures import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_hubspot_lists.report_page.figures import ListFigures, PageFigures

MOST_NAMED = 3


class Verdict(NamedTuple):
    """A headline, the lists to look at first with the problem of each, and further sentences."""

    headline: str
    tone: str  # good, note or bad
    lists: Sequence[tuple[ListFigures, str]]
    sentences: Sequence[str]


def verdict(figures: PageFigures) -> Verdict:
    """Return the verdict on the last run of every list."""
    if not figures.lists:
        return Verdict(
            "No run brought a list to HubSpot.",
            "bad" if figures.failed else "note",
            [],
            ["" if figures.failed else "The reports name no list: the source sent no membership."],
        )
    to_look_at = [of_list for of_list in figures.lists if of_list.urgency]
    sentences = list(_sentences(figures, to_look_at))
    if not to_look_at:
        lists = len(figures.lists)
        headline = "The list is in place." if lists == 1 else f"All {lists:,} lists are in place."
        return Verdict(headline, "bad" if figures.failed else "good", [], sentences)
    is_serious = figures.failed or any(of_list.urgency > 1 for of_list in to_look_at)
    return Verdict(
        _need_a_look(len(to_look_at), len(figures.lists)),
        "bad" if is_serious else "note",
        [(of_list, _problem(of_list)) for of_list in to_look_at[:MOST_NAMED]],
        sentences,
    )


def _need_a_look(number: int, lists: int) -> str:
    if lists == 1:
        return "The list needs a look."
    return f"{number:,} of {lists:,} lists {'needs' if number == 1 else 'need'} a look."


def _problem(of_list: ListFigures) -> str:
    run = of_list.history.last
    if run is None:
        return "the ledger has the list, and no run of it is known."
    if of_list.overdue and of_list.status.urgency < Status.UNFINISHED.urgency:
        return "it did not run when it should have."
    if run.settled < run.asked:
        return f"{run.asked - run.settled:,} of {run.asked:,} memberships have no outcome: the run broke off."
    if run.outcomes["skipped"]:
        removals = run.outcomes["skipped"]
        return f"{'1 removal is' if removals == 1 else f'{removals:,} removals are'} held back by a safety limit."
    if not run.unapplied:
        return "the run did not come to its end."
    return f"{run.unapplied:,} of {run.asked:,} {'is' if run.unapplied == 1 else 'are'} not in place."


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
