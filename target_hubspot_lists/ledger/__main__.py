"""The command that forgets a person: `python -m target_hubspot_lists.ledger forget --help`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.ledger import Ledger
from target_hubspot_lists.report import new_run_id


@click.group()
def main() -> None:
    """Look after the ledger of target-hubspot-lists."""


@main.command()
@click.option(
    "--ledger-url",
    envvar="TARGET_HUBSPOT_LISTS_LEDGER_URL",
    required=True,
    help="The setting ledger_url. Where it holds a password, leave it in TARGET_HUBSPOT_LISTS_LEDGER_URL.",
)
@click.option("--portal-id", type=click.IntRange(min=1), required=True, help="The portal the person is in.")
@click.option("--email", help="An address of the person.")
@click.option("--record-id", type=click.IntRange(min=1), help="The person's record id in HubSpot.")
def forget(ledger_url: str, portal_id: int, email: str | None, record_id: int | None) -> None:
    """Delete all that the ledger knows of a person, and say how much that was.

    Delete the contact in HubSpot and in the source as well: a person whom the source still names is looked up
    again by the next run.
    """
    if email is None and record_id is None:
        raise click.UsageError("Name the person: give --email, --record-id, or both.")
    try:
        with Ledger.open(
            ledger_url, portal_id, run_id=new_run_id(), now=lambda: datetime.now(UTC), create=False
        ) as ledger:
            forgotten = ledger.forget_person(email=email, record_id=record_id)
    except LedgerError as error:
        raise click.ClickException(str(error)) from None
    if not forgotten.anything:
        click.echo(
            f"The ledger knows nothing of this person in portal {portal_id}. People whose address it never "
            "learnt, or no longer has, are known by record id alone: try --record-id."
        )
        return
    click.echo(
        f"Deleted for portal {portal_id}: addresses {forgotten.addresses}, "
        f"list memberships {forgotten.memberships}, property hashes {forgotten.property_hashes}."
    )


if __name__ == "__main__":
    main(prog_name="python -m target_hubspot_lists.ledger")
