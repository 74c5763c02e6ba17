"""Writes the page as one HTML file. It loads nothing, runs only its own script, and escapes all text of records."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from target_hubspot_lists.report_page import wording
from target_hubspot_lists.report_page.charts import PageCharts, outcomes_in_order
from target_hubspot_lists.report_page.lines import MAILABLE, OUTCOMES
from target_hubspot_lists.report_page.members_table import without_addresses
from target_hubspot_lists.report_page.verdict import verdict
from target_hubspot_lists.reporting.explanations import OUTCOMES as EXPLAINED
from target_hubspot_lists.reporting.explanations import explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_hubspot_lists.report_page.campaigns import Campaign
    from target_hubspot_lists.report_page.figures import PageFigures
    from target_hubspot_lists.report_page.members_table import MemberRows

PACKAGE = "target_hubspot_lists.report_page"
LONGEST_MESSAGE = 2_000
MOST_RUNS = 50
# Lists that are shown unfolded: few enough to read, and those with something to do.
MOST_OPEN_LISTS = 3
# Further lists have a row only, and with many lists the charts show no labels under the pointer.
MOST_DETAILED_LISTS = 500
MOST_LISTS_WITH_HOVER = 50
# Runs that are drawn for each list; a page of 500 lists has room for a few runs of each.
MOST_POINTS, FEWEST_POINTS, POINTS_IN_ALL = 60, 6, 3_000


@dataclass(frozen=True)
class Page:
    """The contents of one page."""

    figures: PageFigures
    rows: MemberRows
    campaigns: Sequence[Campaign]
    show_members: bool
    has_lists: bool  # else the page is about campaigns alone
    csv_name: str

    def html(self) -> str:
        """Return the page."""
        css, js = _asset("page.css"), _asset("page.js")
        figures = self.figures
        lists = figures.lists
        detailed = lists[:MOST_DETAILED_LISTS]
        anchors = {of_list.history.key: f"list-{number}" for number, of_list in enumerate(detailed, start=1)}
        to_look_at = sum(of_list.urgency > 0 for of_list in lists)
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
                overdue=[of_list for of_list in lists if of_list.overdue],
                not_in_place=figures.asked - figures.applied,
                shows_size=any(of_list.history.size is not None for of_list in lists),
                shows_mailability=any(of_list.mailability for of_list in lists),
                anchors=anchors,
                detailed=detailed,
                open_lists=MOST_OPEN_LISTS
                if len(lists) <= MOST_OPEN_LISTS
                else min(to_look_at, MOST_OPEN_LISTS),
                points=max(FEWEST_POINTS, min(MOST_POINTS, POINTS_IN_ALL // max(len(lists), 1))),
                most_runs=MOST_RUNS,
                members_json=Markup(self.rows.as_json()),  # noqa: S704 - JSON in which no < is left
                rows_in_page=len(self.rows.rows),
                csv_name=self.csv_name,
                show_members=self.show_members,
                has_lists=self.has_lists,
                campaigns=self.campaigns,
                outcomes=[EXPLAINED[outcome] for outcome in OUTCOMES],
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
        charts = PageCharts(self._name, with_hover=len(self.figures.lists) <= MOST_LISTS_WITH_HOVER)
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
            "in_order": outcomes_in_order,
            "outcome_title": lambda code: explained(code, EXPLAINED).title,
            "unmailable": lambda rows: [row for row in rows if row.code != MAILABLE],
            "latest": lambda runs, most: runs[-most:],
        }
        environment.globals |= {
            "small_bar": charts.small_bar,
            "outcome_bar": charts.outcome_bar,
            "time_charts": charts.time_charts,
            "funnel_bar": charts.funnel_bar,
            "day_charts": charts.day_charts,
        }
        return environment

    def _name(self, text: str, longest: int = 200) -> str:
        """Return text of a record as the page shows it; jinja escapes it."""
        return wording.one_line(text if self.show_members else without_addresses(text), longest)


def _asset(name: str) -> str:
    return files(PACKAGE).joinpath("assets", name).read_text("utf-8")


def _policy(*, css: str, js: str) -> str:
    """Return a policy that allows only this style and this script: https://www.w3.org/TR/CSP3/#framework-directive-source-list."""
    return (
        f"default-src 'none'; script-src '{_hash(js)}'; style-src '{_hash(css)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
