"""The command hubspot-lists-report: one page with the outcome of every membership, by list."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubspot_singer.plugin.private_files import open_private
from hubspot_singer.plugin.standard_output import PrintingCommand
from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.report_page.campaigns import NoCampaigns, read_campaigns
from target_hubspot_lists.report_page.figures import page_figures
from target_hubspot_lists.report_page.members_table import CSV_COLUMNS, MemberRows, members_csv
from target_hubspot_lists.report_page.reading import ListKeys, NoReport, Reports, read_reports
from target_hubspot_lists.reporting.text_tables import csv_heading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_hubspot_lists.ledger import ListInLedger, RunInLedger

RUNS_OF_EACH_LIST = 60  # read from a ledger: two months of daily runs
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Interval(click.ParamType[timedelta]):
    """A span such as `6h` or `1d`."""

    name = "interval"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse it."""
        found = re.fullmatch(r"([1-9][0-9]{0,4})\s*([mhdw])", str(value).strip().lower())
        if not found:
            self.fail(
                f'"{value}" is no interval: write a number and m, h, d or w, as in 6h or 1d.', param, ctx
            )
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


@click.command(cls=PrintingCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="target-hubspot-lists")
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FILE",
    help="A report that report_path made (JSON Lines), or a pattern such as 'report-*.jsonl'; repeatable. "
    "Without it: what TARGET_HUBSPOT_LISTS_REPORT_PATH names, if it is set.",
)
@click.option(
    "--ledger",
    "ledger_url",
    metavar="URL",
    envvar="TARGET_HUBSPOT_LISTS_LEDGER_URL",
    help="The setting ledger_url: lists, sizes and earlier runs come from it too. It is only read. Where it holds a "
    "password, leave it in TARGET_HUBSPOT_LISTS_LEDGER_URL.",
)
@click.option(
    "--campaigns",
    "campaigns_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Figures of email campaigns, as examples/campaigns.sql finds them in a warehouse.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("hubspot-lists.html"),
    show_default=True,
    help="The page to write; a CSV file of members is written beside it. Only you can read them.",
)
@click.option("--show-members", is_flag=True, help="Show people's addresses; without it they are masked.")
@click.option(
    "--expected-every",
    type=Interval(),
    help="How often each list should run, such as 6h or 1d. Without it: as often as it did before.",
)
def main(  # noqa: PLR0913 - the command's options
    *,
    reports: tuple[str, ...],
    ledger_url: str | None,
    campaigns_file: Path | None,
    output: Path,
    show_members: bool,
    expected_every: timedelta | None,
) -> None:
    """Make one page of all outcomes and lists: open it in a browser, print it, pass it on.

    It needs no network, and the extra [report].
    """
    report_path = os.environ.get("TARGET_HUBSPOT_LISTS_REPORT_PATH")
    make_page(
        reports=reports or ((report_path,) if report_path else ()),
        ledger_url=ledger_url or None,
        campaigns_file=campaigns_file,
        output=output,
        show_members=show_members,
        expected_every=expected_every,
        now=datetime.now(UTC),
    )


def make_page(  # noqa: PLR0913 - the command's options, and the time
    *,
    reports: Sequence[str],
    ledger_url: str | None,
    campaigns_file: Path | None,
    output: Path,
    show_members: bool,
    expected_every: timedelta | None,
    now: datetime,
) -> None:
    """Write the page and the CSV file beside it, and print their paths; ClickException says what is wrong."""
    try:
        from target_hubspot_lists.report_page.page import Page  # noqa: PLC0415 - jinja2 is an extra
    except ImportError as error:
        raise click.ClickException(
            f"The page needs {error.name}, which is not installed: pip install 'target-hubspot-lists[report]'."
        ) from None
    if not (reports or ledger_url or campaigns_file):
        raise click.UsageError("Name what the page is about: give --report, --ledger or --campaigns.")
    paths = _files(reports)
    members_file = output.with_name(f"{output.stem}-members.csv")
    _refuse_to_overwrite(output, members_file, [*paths, *([campaigns_file] if campaigns_file else [])])
    try:
        lists, runs = _of_ledger(ledger_url)
        list_keys = ListKeys()
        for in_ledger in lists:
            list_keys.add(in_ledger.portal_id, in_ledger.list_id, in_ledger.name)
        found = read_reports(paths, list_keys) if paths else Reports()
        campaigns = read_campaigns(campaigns_file) if campaigns_file else []
    except (LedgerError, NoReport, NoCampaigns) as error:
        raise click.ClickException(str(error)) from None
    figures = page_figures(found, lists, runs, now=now, expected_every=expected_every)
    has_lists = bool(reports or ledger_url)
    page = Page(
        figures,
        MemberRows(figures.members, show_members=show_members),
        campaigns,
        show_members=show_members,
        has_lists=has_lists,
        csv_name=members_file.name,
    )
    _write(output, [page.html().encode()])
    click.echo(f"Page: {output}")
    if has_lists:
        _write(members_file, members_csv(figures.members, show_members=show_members))
        click.echo(f"Members as CSV: {members_file}")


def _files(patterns: Iterable[str]) -> list[Path]:
    """Return the files that match names and patterns; raise ClickException for one without a file."""
    paths: dict[Path, None] = {}
    for name in patterns:
        pattern = name.replace("{run_id}", "*")
        found = [pattern] if Path(pattern).is_file() else sorted(glob(pattern, recursive=True))  # noqa: PTH207 - any path
        files = [path for path in map(Path, found) if path.is_file()]
        if not files:
            raise click.ClickException(
                f'There is no report "{name}": set report_path in the target\'s settings, run it, and name '
                "that file here."
            )
        paths |= dict.fromkeys(files)
    return list(paths)


def _refuse_to_overwrite(output: Path, members_file: Path, sources: Iterable[Path]) -> None:
    for source in sources:
        for written in (output, members_file):
            if written.exists() and source.exists() and written.samefile(source):
                raise click.UsageError(
                    f'"{written}" is one of the files to read: name another file in --output.'
                )
    if members_file.is_file():
        with members_file.open("rb") as file:
            heading = csv_heading(CSV_COLUMNS)
            if file.read(len(heading)) not in {b"", heading}:
                raise click.UsageError(
                    f'"{members_file}" is not a file that this command made: name another page in --output, or move it.'
                )


def _of_ledger(url: str | None) -> tuple[list[ListInLedger], list[RunInLedger]]:
    if url is None:
        return [], []
    from target_hubspot_lists.ledger import LedgerOverview  # noqa: PLC0415 - SQLAlchemy takes a while

    with LedgerOverview(url) as ledger:
        return ledger.lists(), ledger.runs(of_each_list=RUNS_OF_EACH_LIST)


def _write(path: Path, parts: Iterable[bytes]) -> None:
    try:
        with open_private(path) as file:
            file.writelines(parts)
    except OSError as error:
        raise click.ClickException(
            f'"{path}" cannot be written ({error.strerror}): name a file in a folder that exists, and that you '
            "may write to."
        ) from None


if __name__ == "__main__":
    main(prog_name="hubspot-lists-report")
