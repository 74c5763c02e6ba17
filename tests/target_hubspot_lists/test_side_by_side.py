"""Several targets at once on one portal: different cohorts, one Postgres ledger, each with its share of the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.factories import membership, schema_message, state_message
from tests.hubspot_emulator import HubSpotEmulator
from tests.processes import Plugin, config_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hubspot_emulator import Portal
    from tests.postgres import PostgresServer

PROCESSES = 4
COHORTS = 40
MEMBERS = 30
BURST_LIMIT = 100  # requests per 10 s
INTERVAL = 2.0  # seconds; the limit is told with it, so that the test need not take tens of seconds
SHARE = 100  # of each process, per 10 s: together they are the whole limit


def test_four_processes_over_forty_cohorts_end_exact_and_draw_no_429(
    portal: Portal, postgres: PostgresServer, tmp_path: Path
) -> None:
    contacts = list(portal.add_contacts(COHORTS * MEMBERS))
    cohorts = {
        f"Cohort {number}": contacts[number * MEMBERS : (number + 1) * MEMBERS] for number in range(COHORTS)
    }
    ledger_url = postgres.new_url()
    with HubSpotEmulator(portal, burst_limit=BURST_LIMIT * 4 // 5) as hubspot:
        hubspot.limits.interval = INTERVAL

        first = run_side_by_side(hubspot, cohorts, ledger_url, tmp_path)
        writes = hubspot.calls("PUT")
        second = run_side_by_side(hubspot, cohorts, ledger_url, tmp_path)

        assert first == second == [(0, [{"done": number}]) for number in range(PROCESSES)]
        assert {name: portal.members(name) for name in cohorts} == {
            name: set(each) for name, each in cohorts.items()
        }
        assert portal.list_names() == cohorts.keys()
        assert hubspot.calls(status=429) == 0
        assert hubspot.calls("PUT") == writes == COHORTS


def run_side_by_side(
    hubspot: HubSpotEmulator, cohorts: dict[str, list[str]], ledger_url: str, folder: Path
) -> list[tuple[int, list[object]]]:
    """Run the processes at once, each on its cohorts; return their exit codes and what STATE they wrote."""
    config = {
        "api_url": hubspot.url,
        "access_token": hubspot.token,
        "match_by": "contact_id",
        "list_name_prefix": "",
        "requests_per_10_seconds": SHARE,
        "ledger_url": ledger_url,
    }
    plugins = []
    for number in range(PROCESSES):
        own = folder / str(number)
        own.mkdir(exist_ok=True)
        plugins.append(Plugin("target_hubspot_lists", "--config", config_file(own, config)))
    for number, plugin in enumerate(plugins):
        names = list(cohorts)[number::PROCESSES]
        records = [membership(name, member) for name in names for member in cohorts[name]]
        plugin.write(schema_message(), *records, state_message({"done": number}))
    ended = [(plugin.finish(), plugin.lines) for plugin in plugins]
    for plugin in plugins:
        plugin.__exit__(None, None, None)
    return ended
