"""A dry run says what the real one would do, so it takes from the ledger as much, and leaves it as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text

from target_hubspot_lists.ledger import Ledger
from tests.factories import membership, record_message, schema_message
from tests.target_hubspot_lists.inputs import adds, calls_of, emails, now, snapshot, with_id
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import mirror

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

OUTCOMES = ("asked", "added", "removed", "already", "not on it", "missing", "rejected", "skipped")


def outcomes(log: str, name: str) -> dict[str, str]:
    figures = row(log, name)
    return {each: figures[each] for each in OUTCOMES}


def contents(url: str) -> dict[str, list[Any]]:
    """Everything in the ledger."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        names = (
            "contacts",
            "lists",
            "cohorts",
            "memberships",
            "mailability",
            "property_hashes",
            "runs",
            "schema",
        )
        rows = {
            name: connection.execute(text(f"SELECT * FROM ledger_{name} ORDER BY 1, 2, 3")).all()  # noqa: S608
            if name != "schema"
            else connection.execute(text("SELECT * FROM ledger_schema")).all()
            for name in names
        }
    engine.dispose()
    return {name: [tuple(each) for each in of_table] for name, of_table in rows.items()}


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_a_dry_run_foretells_the_run_and_leaves_portal_and_ledger_as_they_are(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str, mode: str
) -> None:
    contacts = list(portal.add_contacts(40))
    settings = {"ledger_url": ledger_url, "sync_mode": mode, "max_removal_percent": 100}
    run_target(*snapshot(contacts[:30]), **settings)
    # By hand, so that only the ledger says that they are as they were.
    portal.remove_members("VIP", contacts[10])
    asked = [*snapshot(contacts[5:])]
    if mode == "incremental":
        asked = [
            schema_message(),
            *(membership("VIP", each, "remove") for each in contacts[:5]),
            *adds(contacts[5:]),
        ]
    before = contents(ledger_url), portal.members("VIP")
    writes = hubspot.calls("PUT")

    dry = run_target(*asked, dry_run=True, **settings)
    assert (contents(ledger_url), portal.members("VIP")) == before
    assert hubspot.calls("PUT") == writes
    run = run_target(*asked, **settings)

    assert (dry.exit_code, run.exit_code) == (0, 0)
    assert outcomes(dry.log, "VIP") == outcomes(run.log, "VIP")
    assert outcomes(run.log, "VIP")["already"] == "25"


def test_a_dry_run_costs_no_more_calls_than_an_unchanged_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    addresses = [f"contact{number}@example.com" for number in range(150)]
    portal.add_contacts(150)
    settings = {"ledger_url": sqlite_url, "match_by": "email"}
    run_target(*emails(addresses), **settings)
    calls_of(hubspot)

    dry = run_target(*emails(addresses), dry_run=True, **settings)

    assert len(calls_of(hubspot)) == 2
    assert row(dry.log, "VIP")["already"] == "150"


def test_a_dry_run_finds_the_list_of_a_cohort_that_was_renamed(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "Old"), ledger_url=sqlite_url)

    dry = run_target(*with_id(contacts, "New"), dry_run=True, ledger_url=sqlite_url)

    assert row(dry.log, "Old")["added"] == "1"
    assert "list to be made" not in dry.log
    assert portal.list_names() == {"Old"}


def test_a_dry_run_says_that_a_list_would_take_the_place_of_a_deleted_one(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    contacts = list(portal.add_contacts(3))
    run_target(*adds(contacts[:2]), ledger_url=ledger_url)
    list_id = portal.hubspot_list("VIP").list_id
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")
    before = contents(ledger_url)

    dry = run_target(*adds(contacts[2:]), dry_run=True, ledger_url=ledger_url)
    assert portal.list_names() == set()
    assert contents(ledger_url) == before
    run_target(*adds(contacts[2:]), ledger_url=ledger_url)

    assert f'List "VIP" would take the place of list {list_id}, which was deleted in HubSpot' in dry.log
    assert row(dry.log, "VIP")["added"] == "1"
    assert portal.members("VIP") == set(contacts)


@pytest.mark.parametrize("place", ["no file yet", "no tables yet"])
def test_a_dry_run_before_the_first_run_makes_no_ledger(
    portal: Portal, run_target: TargetRunner, tmp_path: Path, place: str
) -> None:
    path = tmp_path / "none.db"
    if place == "no tables yet":
        path.touch()

    run = run_target(*adds(portal.add_contacts(2)), dry_run=True, ledger_url=f"sqlite:///{path}")

    assert run.exit_code == 0
    assert row(run.log, "VIP")["added"] == "2"
    assert not path.exists() or path.stat().st_size == 0


def test_a_dry_run_that_reconciles_reads_what_the_real_run_would_read(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(5))
    settings = {"ledger_url": sqlite_url, "reconcile": True}
    mirror(run_target, *snapshot(contacts[:4]), ledger_url=sqlite_url)
    portal.remove_members("c_VIP", contacts[0])
    portal.add_members("c_VIP", contacts[4])

    dry = mirror(run_target, *snapshot(contacts[:4]), dry_run=True, **settings)
    run = mirror(run_target, *snapshot(contacts[:4]), **settings)

    assert outcomes(dry.log, "c_VIP") == outcomes(run.log, "c_VIP")
    assert (row(run.log, "c_VIP")["added"], row(run.log, "c_VIP")["removed"]) == ("1", "1")


def test_a_dry_run_waits_for_no_other_run(portal: Portal, run_target: TargetRunner, ledger_url: str) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*adds(contacts[:1]), ledger_url=ledger_url)
    with (
        Ledger.open(ledger_url, portal.portal_id, run_id="other-run", now=now) as other,
        other.lock(["vip"], sleep=run_target.clock.sleep),
    ):
        run = run_target(*adds(contacts), dry_run=True, ledger_url=ledger_url)

    assert run.exit_code == 0
    assert run_target.clock.elapsed == 0


def test_a_dry_run_writes_no_property_and_remembers_none(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    portal.add_property("plan")
    contacts = list(portal.add_contacts(2))
    settings: dict[str, Any] = {
        "ledger_url": sqlite_url,
        "property_mappings": [{"field": "plan", "property": "plan"}],
    }
    plans = [
        schema_message("contact_id", "cohort_name", "plan"),
        *(record_message(contact_id=each, cohort_name="VIP", plan="pro") for each in contacts),
    ]
    run_target(*plans[:2], **settings)

    dry = run_target(*plans, dry_run=True, **settings)
    run = run_target(*plans, **settings)

    figures = [row(each.log, "VIP") for each in (dry, run)]
    assert [(each["properties_updated"], each["properties_unchanged"]) for each in figures] == [
        ("1", "1")
    ] * 2
    assert portal.contact(contacts[1]).properties["plan"] == "pro"
