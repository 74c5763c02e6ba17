"""Draws small charts as inline SVG: no text in them, no style and no script, so that a page may forbid both.

They stretch to the width of their place; headings, axes and the table with the same figures are HTML beside them.
Colours come from the style sheet by class.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from target_hubspot_lists.report_page import wording
from target_hubspot_lists.report_page.lines import OUTCOMES
from target_hubspot_lists.reporting.explanations import OUTCOMES as EXPLAINED
from target_hubspot_lists.reporting.explanations import explained

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from target_hubspot_lists.report_page.campaigns import Campaign
    from target_hubspot_lists.report_page.histories import RunOfList

WIDTH = 1000  # of every view box, in units of its own
BAR_HEIGHT = 10
PLOT_HEIGHT = 100
MOST_DAYS = 60  # of a campaign, that are drawn


class Box(NamedTuple):
    """A rectangle: its upper left corner, its width and its height."""

    x: float
    y: float
    width: float
    height: float


class Part(NamedTuple):
    """A part of a bar: its label, its value, and the CSS class that colours it."""

    label: str
    value: float
    css_class: str


def bar(parts: Sequence[Part], label: str, *, total: float | None = None) -> Markup:
    """Draw a bar from left to right; its length is `total`, or the sum of the parts."""
    whole = total or sum(part.value for part in parts)
    shapes, x = [], 0.0
    for part in parts:
        width = WIDTH * part.value / whole if whole else 0.0
        if width > 0:
            shapes.append(_rectangle(Box(x, 0, width, BAR_HEIGHT), part.css_class, part.label))
        x += width
    return _svg(shapes, label, BAR_HEIGHT, "bar")


class UpAndDown(NamedTuple):
    """A pair of columns, one upwards and one downwards, and their label."""

    label: str
    up: int
    down: int


def columns(pairs: Sequence[UpAndDown], label: str, *, with_hover: bool = True) -> Markup:
    """Draw columns upwards and downwards from a line, all to one scale."""
    highest, deepest = max((p.up for p in pairs), default=0), max((p.down for p in pairs), default=0)
    scale = PLOT_HEIGHT / ((highest + deepest) or 1)
    middle = highest * scale
    step = WIDTH / max(len(pairs), 1)
    up, down = [], []
    for number, pair in enumerate(pairs):
        left, width = number * step + step * 0.15, step * 0.7
        if pair.up:
            up.append(_column(left, middle, width, -pair.up * scale))
        if pair.down:
            down.append(_column(left, middle, width, pair.down * scale))
    shapes = [
        Markup('<path class="axis" d="M0 {}H{}"/>').format(_n(middle), WIDTH),
        Markup('<path class="c-added" d="{}"/>').format("".join(up)),
        Markup('<path class="c-removed" d="{}"/>').format("".join(down)),
        *(_hover([pair.label for pair in pairs]) if with_hover else ()),
    ]
    return _svg(shapes, label, PLOT_HEIGHT, "plot")


def _column(left: float, foot: float, width: float, height: float) -> str:
    return f"M{_n(left)} {_n(foot)}h{_n(width)}v{_n(height)}h{_n(-width)}z"


class Point(NamedTuple):
    """A point of a line; None leaves a gap."""

    label: str
    value: float | None


def line(
    points: Sequence[Point], label: str, *, lowest: float, highest: float, with_hover: bool = True
) -> Markup:
    """Draw a line through the points, with a dot for each; the axis goes from `lowest` to `highest`."""
    span = (highest - lowest) or 1
    step = WIDTH / max(len(points), 1)
    places = [
        None
        if point.value is None
        else (number * step + step / 2, PLOT_HEIGHT * (1 - (point.value - lowest) / span))
        for number, point in enumerate(points)
    ]
    shapes = [
        Markup('<path class="line" d="{}"/>').format(" ".join(_moves(places))),
        Markup('<path class="dots" d="{}"/>').format(
            " ".join(f"M{_n(x)} {_n(y)}h0" for x, y in filter(None, places))
        ),
        *(_hover([point.label for point in points]) if with_hover else ()),
    ]
    return _svg(shapes, label, PLOT_HEIGHT, "plot")


def _hover(labels: Sequence[str]) -> Iterable[Markup]:
    """Yield areas that show their label under the pointer; the table beside the chart has the same figures."""
    step = WIDTH / max(len(labels), 1)
    for number, label in enumerate(labels):
        yield _rectangle(Box(number * step, 0, step, PLOT_HEIGHT), "hover", label)


def _moves(places: Iterable[tuple[float, float] | None]) -> Iterable[str]:
    command = "M"
    for place in places:
        if place is None:
            command = "M"
            continue
        yield f"{command}{_n(place[0])} {_n(place[1])}"
        command = "L"


def _rectangle(box: Box, css_class: str, title: str | None = None) -> Markup:
    shape = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"').format(css_class, *map(_n, box))
    return shape + (Markup("><title>{}</title></rect>").format(title) if title else Markup("/>"))


def _svg(shapes: Iterable[Markup], label: str, height: int, css_class: str) -> Markup:
    return Markup(
        '<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>'
    ).format(css_class, label, WIDTH, height, Markup("").join(shapes))


def _n(number: float) -> str:
    """Return a number with at most one decimal: half a thousandth of the width cannot be seen."""
    return f"{number:.1f}".removesuffix(".0")


class PageCharts:
    """The charts of the page. `name` cleans and masks a name, as everywhere on the page."""

    def __init__(self, name: Callable[[str], str], *, with_hover: bool) -> None:
        self._name = name
        self._with_hover = with_hover

    def small_bar(self, run: RunOfList) -> Markup:
        """Draw the share of the memberships asked for that is in place."""
        label = f"{run.applied:,} of {run.asked:,} in place"
        return bar([Part(label, run.applied, "c-added")], label, total=run.asked)

    def outcome_bar(self, run: RunOfList, name: str) -> Markup:
        """Draw the outcomes of a run."""
        parts = [
            Part(f"{explained(outcome, EXPLAINED).title}: {count:,}", count, f"c-{outcome}")
            for outcome, count in outcomes_in_order(run.outcomes)
        ]
        labels = ", ".join(part.label for part in parts) or "nothing"
        return bar(parts, f"Outcomes of {self._name(name)}: {labels}", total=max(run.asked, run.settled))

    def time_charts(self, runs: Sequence[RunOfList], name: str) -> Markup:
        """Draw size, changes and match rate of a list, run by run."""
        first, last = wording.day(runs[0].started), wording.day(runs[-1].started)
        name = self._name(name)
        rates = [run.match_rate for run in runs if run.match_rate is not None]
        floor = max(math.floor(min(rates, default=0) * 10 - 1) / 10, 0)
        drawn = [
            _figure(
                "Added and removed",
                columns(
                    [
                        UpAndDown(
                            f"{wording.at(run.started)}: {run.outcomes['added']:,} added, "
                            f"{run.outcomes['removed']:,} removed",
                            run.outcomes["added"],
                            run.outcomes["removed"],
                        )
                        for run in runs
                    ],
                    f"Members added to and removed from {name}, run by run",
                    with_hover=self._with_hover,
                ),
                (first, last),
                f"up to {max(run.outcomes['added'] for run in runs):,} added, "
                f"{max(run.outcomes['removed'] for run in runs):,} removed",
            ),
            _figure(
                "Match rate",
                line(
                    [
                        Point(f"{wording.at(run.started)}: {wording.percent(run.match_rate)}", run.match_rate)
                        for run in runs
                    ],
                    f"Match rate of {name}, run by run",
                    lowest=floor,
                    highest=1,
                    with_hover=self._with_hover,
                ),
                (first, last),
                f"from {wording.percent(floor)} to 100 %",
            ),
        ]
        sizes = [run.size for run in runs if run.size is not None]
        if sizes:
            drawn.insert(
                0,
                _figure(
                    "Members on the list",
                    line(
                        [
                            Point(
                                f"{wording.at(run.started)}: "
                                + (f"{run.size:,} members" if run.size is not None else wording.UNKNOWN),
                                run.size,
                            )
                            for run in runs
                        ],
                        f"Members of {name}, run by run",
                        lowest=0,
                        highest=max(*sizes, 1),
                        with_hover=self._with_hover,
                    ),
                    (first, last),
                    f"from 0 to {max(sizes):,}",
                ),
            )
        return Markup("").join(drawn)

    def funnel_bar(self, campaign: Campaign, count: str) -> Markup:
        """Draw how many of the people that a campaign was sent to are counted in a step."""
        people, sent = campaign.people[count], campaign.people["sent"]
        label = f"{count.capitalize()}: {people:,} of {sent:,}"
        return bar([Part(label, people, "c-added")], label, total=sent)

    def day_charts(self, campaign: Campaign) -> Markup:
        """Draw opens and clicks of a campaign, and its losses, day by day."""
        days = campaign.every_day(MOST_DAYS)
        name = self._name(campaign.name)
        return Markup("").join(
            _figure(
                f"{up.capitalize()} and {down}",
                columns(
                    [
                        UpAndDown(
                            f"{wording.day(day)}: {people[up]:,} {up}, {people[down]:,} {down}",
                            people[up],
                            people[down],
                        )
                        for day, people in days
                    ],
                    f"People who {up} and {down}, of {name}, day by day",
                ),
                (wording.day(days[0][0]), wording.day(days[-1][0])),
                f"upwards {up}, at most {max(people[up] for _, people in days):,}; "
                f"downwards {down}, at most {max(people[down] for _, people in days):,}",
            )
            for up, down in (("opened", "clicked"), ("bounced", "unsubscribed"))
        )


def _figure(title: str, drawn: Markup, ends: tuple[str, str], scale: str) -> Markup:
    return Markup(
        '<figure><figcaption>{}</figcaption><div class="axis-label"><span>{}</span></div>{}'
        '<div class="axis-label"><span>{}</span><span>{}</span></div></figure>'
    ).format(title, scale, drawn, *ends)


def outcomes_in_order(outcomes: Counter[str]) -> Iterator[tuple[str, int]]:
    """Yield the outcomes that occur, those in place first, and those of a newer version last."""
    for outcome in (*OUTCOMES, *sorted(outcomes.keys() - set(OUTCOMES))):
        if outcomes[outcome]:
            yield outcome, outcomes[outcome]
