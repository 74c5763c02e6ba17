"""The command hubspot-lists-ledger: shows the lists and runs of the ledger, and deletes what it knows of a person."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import orjson

from hubspot_singer.plugin.standard_output import PrintingGroup
from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.ledger.ledger import Ledger
from target_hubspot_lists.ledger.overview import LedgerOverview
from target_hubspot_lists.outcomes import UNAPPLIED, Outcome
from target_hubspot_lists.reporting.report import new_run_id
from target_hubspot_lists.reporting.text_tables import aligned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_hubspot_lists.ledger.overview import ListInLedger, RunInLedger

DEFAULT_RUNS = 20

_ledger_url = click.option(
    "--ledger-url",
    envvar="TARGET_HUBSPOT_LISTS_LEDGER_URL",
    required=True,
    help="The setting ledger_url. Where it holds a password, leave it in TARGET_HUBSPOT_LISTS_LEDGER_URL.",
)
_portals = click.option(
    "--portal-id", "portals", type=click.IntRange(min=1), multiple=True, help="Only this portal; repeatable."
)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for a script.")


@click.group(cls=PrintingGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="target-hubspot-lists")
def main() -> None:
    """Show what the ledger of target-hubspot-lists knows of lists and runs, and let it forget a person.

    `lists` and `runs` only read: the database itself refuses to be written to.
    """


@main.command("lists")
@_ledger_url
@_portals
@_json
def show_lists(ledger_url: str, portals: tuple[int, ...], *, as_json: bool) -> None:
    """Show each list: its cohorts, how many members it has, and its last run and last complete run."""
    with _errors(), LedgerOverview(ledger_url) as ledger:
        rows = [_list_row(each) for each in ledger.lists(portals)]
    _show(rows, _LIST_COLUMNS, text_columns=3, as_json=as_json, nothing="The ledger knows no list.")


@main.command("runs")
@_ledger_url
@_portals
@click.option("--list", "wanted", help="Only this list, by its id or its name.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=DEFAULT_RUNS,
    show_default=True,
    help="How many lines to show, the newest first.",
)
@_json
def show_runs(
    ledger_url: str, portals: tuple[int, ...], wanted: str | None, limit: int, *, as_json: bool
) -> None:
    """Show what each run did to each list, the newest first."""
    with _errors(), LedgerOverview(ledger_url) as ledger:
        rows = [_run_row(run) for run in ledger.runs(portals, of_list=wanted, limit=limit)]
    if not rows and wanted is not None:
        raise click.ClickException(
            f'The ledger has no run of a list "{wanted}": see the ids and names that '
            "`hubspot-lists-ledger lists` shows. Lines of runs are kept for 90 days."
        )
    _show(rows, _RUN_COLUMNS, text_columns=3, as_json=as_json, nothing="The ledger knows no run.")


@main.command()
@_ledger_url
@click.option("--portal-id", type=click.IntRange(min=1), required=True, help="The portal the person is in.")
@click.option("--email", help="An address of the person.")
@click.option("--record-id", type=click.IntRange(min=1), help="The person's record id in HubSpot.")
@click.option(
    "--property",
    "unique",
    nargs=2,
    metavar="NAME VALUE",
    help="A unique property (match_property), and the person's value of it, as HubSpot spells it.",
)
def forget(
    ledger_url: str,
    portal_id: int,
    email: str | None,
    record_id: int | None,
    unique: tuple[str, str] | None,
) -> None:
    """Delete all that the ledger knows of a person, and say how much that was.

    Delete the contact in HubSpot and in the source as well, and in HubSpot first: the next run reads the lists again
    that the person was on, and looks up again whom the source still names.
    """
    if email is None and record_id is None and unique is None:
        raise click.UsageError("Name the person: give --email, --record-id or --property.")
    with (
        _errors(),
        Ledger.open(
            ledger_url, portal_id, run_id=new_run_id(), now=lambda: datetime.now(UTC), create=False
        ) as ledger,
    ):
        forgotten = ledger.people.forget_person(email=email, record_id=record_id, unique=unique)
    if not forgotten.anything:
        click.echo(
            f"The ledger knows nothing of this person in portal {portal_id}. People whose address it never "
            "learnt, or no longer has, are known by record id alone: try --record-id."
        )
        return
    click.echo(
        f"Deleted for portal {portal_id}: addresses and other identifiers {forgotten.identifiers}, "
        f"list memberships {forgotten.memberships}, property hashes {forgotten.property_hashes}, "
        f"adds to be tried again {forgotten.kept_adds}, mailability {forgotten.mailability}."
    )
    if forgotten.lists_to_read:
        click.echo(
            "Lists that the next run reads from HubSpot again, since the person was on them: "
            f"{forgotten.lists_to_read}."
        )


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except LedgerError as error:
        raise click.ClickException(str(error)) from None


def _list_row(known: ListInLedger) -> dict[str, Any]:
    return {
        "portal_id": known.portal_id,
        "list_id": known.list_id,
        "list_name": known.name,
        "cohorts": list(known.cohorts),
        "members": known.members,
        "made_by_target": known.created_by_us,
        "stream": known.stream,
        "last_run": known.last_run,
        "last_complete_run": known.last_complete_run,
    }


def _run_row(run: RunInLedger) -> dict[str, Any]:
    outcomes = run.outcomes
    settled = sum(outcomes.values())
    unmatched = outcomes.get(Outcome.MISSING, 0) + outcomes.get(Outcome.REJECTED, 0)
    return {
        "started": run.started,
        "ended": run.ended,
        "run_id": run.run_id,
        "portal_id": run.portal_id,
        "list_id": run.list_id,
        "list_name": run.list_name,
        "stream": run.stream,
        "asked": run.asked,
        "outcomes": dict(outcomes),
        "not_applied": sum(outcomes.get(each, 0) for each in UNAPPLIED),
        "match_rate": (settled - unmatched) / settled if settled else None,
        "is_complete": run.is_complete,
    }


# The columns of a table: a heading, and how a row's cell reads.
_Columns = dict[str, "Callable[[dict[str, Any]], str]"]
_LIST_COLUMNS: _Columns = {
    "list": lambda row: shown(row["list_name"]),
    "id": lambda row: row["list_id"],
    "cohorts": lambda row: ", ".join(map(shown, row["cohorts"])) or "-",
    "portal": lambda row: str(row["portal_id"]),
    "members": lambda row: f"{row['members']:,}",
    "last run": lambda row: _moment(row["last_run"]),
    "last complete run": lambda row: _moment(row["last_complete_run"]),
}
_RUN_COLUMNS: _Columns = {
    "started": lambda row: _moment(row["started"]),
    "list": lambda row: shown(row["list_name"]) if row["list_name"] else f"(list {row['list_id']})",
    "complete": lambda row: "yes" if row["is_complete"] else "NO",
    "portal": lambda row: str(row["portal_id"]),
    "asked": lambda row: f"{row['asked']:,}",
    "added": lambda row: f"{row['outcomes'].get('added', 0):,}",
    "removed": lambda row: f"{row['outcomes'].get('removed', 0):,}",
    "not applied": lambda row: f"{row['not_applied']:,}",
    "match rate": lambda row: "-" if row["match_rate"] is None else f"{row['match_rate']:.1%}",
}


def _show(
    rows: Sequence[dict[str, Any]], columns: _Columns, *, text_columns: int, as_json: bool, nothing: str
) -> None:
    """Print the rows, as a table or as JSON; moments are in UTC."""
    if as_json:
        for row in rows:
            click.echo(orjson.dumps(row, option=orjson.OPT_UTC_Z).decode())
        return
    if not rows:
        click.echo(nothing)
        return
    table = [[heading, *(cell(row) for row in rows)] for heading, cell in columns.items()]
    for line in aligned(table, text_columns=text_columns):
        click.echo(line)


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"


if __name__ == "__main__":
    main(prog_name="hubspot-lists-ledger")
