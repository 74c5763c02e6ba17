"""Puts the figures into one HTML file: no network, no script and no style but its own, everything escaped."""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from target_hubspot_lists.report_page import charts, wording
from target_hubspot_lists.report_page.lines import MAILABLE, OUTCOMES
from target_hubspot_lists.report_page.masking import without_addresses
from target_hubspot_lists.report_page.verdict import verdict
from target_hubspot_lists.reporting.explanations import OUTCOMES as EXPLAINED_OUTCOMES
from target_hubspot_lists.reporting.explanations import explained

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Sequence

    from target_hubspot_lists.report_page.campaigns import Campaign
    from target_hubspot_lists.report_page.figures import PageFigures
    from target_hubspot_lists.report_page.histories import RunOfList
    from target_hubspot_lists.report_page.members_table import MemberRows

PACKAGE = "target_hubspot_lists.report_page"
LONGEST_MESSAGE = 2_000
MOST_RUNS = 50
MOST_DAYS = 60  # of a campaign, that are drawn
# Lists that are open when the page is: few enough to read, and where something is to be done.
MOST_OPEN_LISTS = 3
# Of more lists only a row is shown, and none of their charts tells what is under the pointer.
MOST_DETAILED_LISTS = 500
MOST_LISTS_WITH_HOVER = 50
# Runs that are drawn for each list. A page of 500 lists has room for a few of each.
MOST_POINTS, FEWEST_POINTS, POINTS_IN_ALL = 60, 6, 3_000


@dataclass(frozen=True)
class Page:
    """All that one page is made of."""

    figures: PageFigures
    rows: MemberRows
    campaigns: Sequence[Campaign]
    show_members: bool
    has_lists: bool  # else it is about campaigns alone
    csv_name: str

    def html(self) -> str:
        """The page."""
        css, js = _asset("page.css"), _asset("page.js")
        figures = self.figures
        lists = figures.lists
        detailed = lists[:MOST_DETAILED_LISTS]
        anchors = {each.history.key: f"list-{number}" for number, each in enumerate(detailed, start=1)}
        html: str = (
            self._environment()
            .get_template("page.html.j2")
            .render(
                title="HubSpot lists" if self.has_lists else "HubSpot email campaigns",
                policy=_policy(css=css, js=js),
                css=Markup(css),  # noqa: S704 - the style sheet of this package
                js=Markup(js),  # noqa: S704 - the script of this package
                version=version("target-hubspot-lists"),
                figures=figures,
                verdict=verdict(figures),
                overdue=[each for each in lists if each.overdue],
                not_in_place=figures.asked - figures.applied,
                shows=_Shows(
                    size=any(each.history.size is not None for each in lists),
                    mailability=any(each.mailability for each in lists),
                ),
                anchors=anchors,
                detailed=detailed,
                open_lists=MOST_OPEN_LISTS if len(lists) <= MOST_OPEN_LISTS else _urgent(figures),
                points=max(FEWEST_POINTS, min(MOST_POINTS, POINTS_IN_ALL // max(len(lists), 1))),
                most_runs=MOST_RUNS,
                members_json=Markup(self.rows.as_json()),  # noqa: S704 - JSON in which no < is left
                rows_in_page=len(self.rows.rows),
                csv_name=self.csv_name,
                show_members=self.show_members,
                has_lists=self.has_lists,
                campaigns=self.campaigns,
                outcomes=[EXPLAINED_OUTCOMES[outcome] for outcome in OUTCOMES],
            )
        )
        return html

    def _environment(self) -> Environment:
        environment = Environment(
            loader=PackageLoader(PACKAGE, "assets"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        drawing = Drawing(self._name, with_hover=len(self.figures.lists) <= MOST_LISTS_WITH_HOVER)
        environment.filters |= {
            "name": self._name,
            "words": lambda text: self._name(text, LONGEST_MESSAGE),
            "number": wording.number,
            "ratio": wording.ratio,
            "share": wording.share,
            "percent": wording.percent,
            "moment": wording.at,
            "briefly": wording.at_briefly,
            "day": wording.day,
            "seconds": wording.seconds,
            "span": wording.span,
            "every": wording.every,
            "took": wording.took,
            "category": lambda code: code.replace("_", " ").strip().capitalize(),
            "is_https": lambda url: bool(url) and url.startswith("https://"),
            "in_order": _in_order,
            "outcome_title": lambda code: explained(code, EXPLAINED_OUTCOMES).title,
            "unmailable": lambda rows: [each for each in rows if each.code != MAILABLE],
            "latest": lambda runs, most: runs[-most:],
        }
        environment.globals |= {
            "small_bar": drawing.small_bar,
            "outcome_bar": drawing.outcome_bar,
            "time_charts": drawing.time_charts,
            "funnel_bar": drawing.funnel_bar,
            "day_charts": drawing.day_charts,
        }
        return environment

    def _name(self, text: str, longest: int = 200) -> str:
        """Text of a record as the page shows it; jinja escapes it."""
        return wording.one_line(text if self.show_members else without_addresses(text), longest)


@dataclass(frozen=True)
class _Shows:
    """Columns that are there only where something is told in them."""

    size: bool
    mailability: bool


class Drawing:
    """The charts of the page; names in them are cleaned and masked as everywhere."""

    def __init__(self, name: Callable[[str], str], *, with_hover: bool) -> None:
        self._name = name
        self._with_hover = with_hover

    def small_bar(self, run: RunOfList) -> Markup:
        """How much of what was asked is in place."""
        label = f"{run.applied:,} of {run.asked:,} in place"
        return charts.bar([charts.Part(label, run.applied, "c-added")], label, total=run.asked)

    def outcome_bar(self, run: RunOfList, name: str) -> Markup:
        """What became of those asked for."""
        parts = [
            charts.Part(f"{explained(each, EXPLAINED_OUTCOMES).title}: {count:,}", count, f"c-{each}")
            for each, count in _in_order(run.outcomes)
        ]
        told = ", ".join(part.label for part in parts) or "nothing"
        return charts.bar(parts, f"Outcomes of {self._name(name)}: {told}", total=max(run.asked, run.settled))

    def time_charts(self, runs: Sequence[RunOfList], name: str) -> Markup:
        """Size, changes and match rate of a list, run by run."""
        first, last = wording.day(runs[0].started), wording.day(runs[-1].started)
        name = self._name(name)
        rates = [run.match_rate for run in runs if run.match_rate is not None]
        floor = max(math.floor(min(rates, default=0) * 10 - 1) / 10, 0)
        drawn = [
            _figure(
                "Added and removed",
                charts.columns(
                    [
                        charts.UpAndDown(
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
                charts.line(
                    [
                        charts.Point(
                            f"{wording.at(run.started)}: {wording.percent(run.match_rate)}", run.match_rate
                        )
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
                    charts.line(
                        [
                            charts.Point(
                                f"{wording.at(run.started)}: "
                                + (f"{run.size:,} members" if run.size is not None else wording.NOT_TOLD),
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
        """How many of those it was sent to came to a step."""
        people, sent = campaign.people[count], campaign.people["sent"]
        label = f"{count.capitalize()}: {people:,} of {sent:,}"
        return charts.bar([charts.Part(label, people, "c-added")], label, total=sent)

    def day_charts(self, campaign: Campaign) -> Markup:
        """Opens and clicks of a campaign, and its losses, day by day."""
        days = campaign.every_day(MOST_DAYS)
        name = self._name(campaign.name)
        return Markup("").join(
            _figure(
                f"{up.capitalize()} and {down}",
                charts.columns(
                    [
                        charts.UpAndDown(
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


def _in_order(outcomes: Counter[str]) -> Iterator[tuple[str, int]]:
    """The outcomes that there are, those in place first; one of a newer version last."""
    known = [each for each in OUTCOMES if outcomes[each]]
    for each in (*known, *sorted(outcomes.keys() - set(OUTCOMES))):
        if outcomes[each]:
            yield each, outcomes[each]


def _urgent(figures: PageFigures) -> int:
    return min(sum(each.urgency > 0 for each in figures.lists), MOST_OPEN_LISTS)


def _asset(name: str) -> str:
    return files(PACKAGE).joinpath("assets", name).read_text("utf-8")


def _policy(*, css: str, js: str) -> str:
    """Only this style and this script: https://www.w3.org/TR/CSP3/#framework-directive-source-list."""
    return (
        f"default-src 'none'; script-src '{_hash(js)}'; style-src '{_hash(css)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
