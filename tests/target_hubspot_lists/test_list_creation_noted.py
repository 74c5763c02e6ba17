"""A list that this target made is its own, also where the run ended before it could note which list it was."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests import forked_target
from tests.held_calls import HeldCall
from tests.target_hubspot_lists.inputs import snapshot
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import mirror

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

CREATE = "/crm/lists/2026-03"


@pytest.fixture
def contacts(portal: Portal) -> list[str]:
    return list(portal.add_contacts(4))


def kill_while_making_the_list(
    hubspot: HubSpotEmulator, ledger_url: str, contacts: Sequence[str], *, is_made: bool
) -> None:
    """Run, and kill the process while HubSpot has its call that makes the list; say whether HubSpot makes it."""
    held = HeldCall(hubspot, "POST", CREATE, takes_effect=is_made)
    config = {"api_url": hubspot.url, "access_token": hubspot.token, "ledger_url": ledger_url}
    config |= {"match_by": "contact_id", "list_name_prefix": "", "sync_mode": "mirror"}
    process = forked_target.start(config, *snapshot(contacts))
    assert held.kill(process)
    while is_made and not hubspot.portal.list_names():
        time.sleep(0.001)


@pytest.fixture
def mirror_without_prefix(run_target: TargetRunner, sqlite_url: str) -> Callable[..., Run]:
    def run(contacts: Sequence[str], **config: Any) -> Run:
        return mirror(
            run_target, *snapshot(contacts), **{"list_name_prefix": "", "ledger_url": sqlite_url} | config
        )

    return run


@pytest.mark.parametrize("is_made", [True, False])
def test_a_run_that_is_killed_while_the_list_is_made_leaves_it_to_the_next_as_its_own(
    hubspot: HubSpotEmulator,
    portal: Portal,
    mirror_without_prefix: Callable[..., Run],
    ledger_url: str,
    contacts: list[str],
    *,
    is_made: bool,
) -> None:
    kill_while_making_the_list(hubspot, ledger_url, contacts, is_made=is_made)

    runs = [mirror_without_prefix(some, ledger_url=ledger_url) for some in (contacts, contacts[:2])]

    assert [run.exit_code for run in runs] == [0, 0]
    assert portal.list_names() == {"VIP"}
    assert portal.members("VIP") == set(contacts[:2])


def test_a_dry_run_behind_it_foretells_that_the_list_is_ours(
    hubspot: HubSpotEmulator,
    portal: Portal,
    mirror_without_prefix: Callable[..., Run],
    sqlite_url: str,
    contacts: list[str],
) -> None:
    kill_while_making_the_list(hubspot, sqlite_url, contacts, is_made=True)
    portal.add_members("VIP", *contacts)

    foretold = mirror_without_prefix(contacts[:2], dry_run=True)
    run = mirror_without_prefix(contacts[:2])

    assert (foretold.exit_code, run.exit_code) == (0, 0)
    assert row(foretold.log, "VIP")["removed"] == row(run.log, "VIP")["removed"] == "2"


def test_whom_somebody_puts_there_before_the_next_run_is_seen_and_is_not_ours(
    hubspot: HubSpotEmulator,
    portal: Portal,
    mirror_without_prefix: Callable[..., Run],
    sqlite_url: str,
    contacts: list[str],
) -> None:
    kill_while_making_the_list(hubspot, sqlite_url, contacts[:2], is_made=True)
    portal.add_members("VIP", contacts[3])

    runs = [mirror_without_prefix(some, mirror_removes="ours") for some in (contacts[:2], contacts[:1])]

    assert [run.exit_code for run in runs] == [0, 0]
    assert portal.members("VIP") == {contacts[0], contacts[3]}


@pytest.mark.parametrize("lost", [1, None])
def test_a_list_whose_making_hubspot_did_not_get_to_confirm_is_ours(
    hubspot: HubSpotEmulator,
    portal: Portal,
    mirror_without_prefix: Callable[..., Run],
    contacts: list[str],
    lost: int | None,
) -> None:
    hubspot.faults.accept_then_drop("POST", CREATE)
    if lost is None:
        hubspot.faults.reset("POST", CREATE, times=None)
    first = mirror_without_prefix(contacts)
    hubspot.faults.clear()

    runs = [mirror_without_prefix(some) for some in (contacts, contacts[:2])]

    assert first.exit_code == (lost is None)
    assert [run.exit_code for run in runs] == [0, 0]
    assert portal.members("VIP") == set(contacts[:2])


def test_a_list_that_somebody_else_makes_in_that_moment_is_not_ours(
    hubspot: HubSpotEmulator, portal: Portal, mirror_without_prefix: Callable[..., Run], contacts: list[str]
) -> None:
    hubspot.faults.call("POST", CREATE, lambda: portal.add_list("vip", members=contacts[3:]))

    runs = [mirror_without_prefix(contacts[:2]) for _ in range(2)]

    assert [run.exit_code for run in runs] == [1, 1]
    assert "may have been created by somebody else" in runs[1].error
    assert portal.members("vip") == {*contacts[:2], contacts[3]}


def test_a_list_that_hubspot_refused_to_make_and_somebody_else_makes_later_is_not_ours(
    hubspot: HubSpotEmulator, portal: Portal, mirror_without_prefix: Callable[..., Run], contacts: list[str]
) -> None:
    hubspot.faults.next("POST", CREATE, status=400)
    refused = mirror_without_prefix(contacts[:2])
    portal.add_list("VIP", members=contacts[3:])

    run = mirror_without_prefix(contacts[:2])

    assert (refused.exit_code, run.exit_code) == (1, 1)
    assert "may have been created by somebody else" in run.error
    assert portal.members("VIP") == {*contacts[:2], contacts[3]}
