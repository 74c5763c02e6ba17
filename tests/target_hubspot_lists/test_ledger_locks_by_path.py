"""Two runs never write to one list, by whatever path they open the ledger, and whatever the list is named meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests import forked_target
from tests.processes import TIMEOUT
from tests.target_hubspot_lists.inputs import ADD_AND_REMOVE, adds

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


@pytest.fixture
def contacts(portal: Portal) -> list[str]:
    return list(portal.add_contacts(3))


class FirstRun:
    """A run in a process of its own that writes to the list VIP, and whose call HubSpot has not answered yet."""

    def __init__(self, hubspot: HubSpotEmulator, ledger_url: str, contact: str) -> None:
        came, self._go_on = threading.Event(), threading.Event()

        def hold() -> None:
            came.set()
            self._go_on.wait(TIMEOUT)

        hubspot.faults.call("PUT", ADD_AND_REMOVE, hold)
        config = {"api_url": hubspot.url, "access_token": hubspot.token, "ledger_url": ledger_url}
        config |= {"match_by": "contact_id", "list_name_prefix": ""}
        self._process = forked_target.start(config, *adds([contact]))
        assert came.wait(TIMEOUT)
        self.named = f"(process {self._process.pid})"

    def finish(self) -> int | None:
        self._go_on.set()
        self._process.join(TIMEOUT)
        return self._process.exitcode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.finish()
        self._process.kill()


@pytest.fixture
def _known_list(run_target: TargetRunner, sqlite_url: str, contacts: list[str]) -> None:
    """The ledger knows the list VIP, id 1."""
    assert run_target(*adds(contacts[:1]), ledger_url=sqlite_url).exit_code == 0


@pytest.mark.parametrize("link", ["file", "folder", "dots"])
def test_a_sqlite_ledger_is_the_same_by_whatever_path_it_is_opened(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    contacts: list[str],
    tmp_path: Path,
    link: str,
) -> None:
    folder = tmp_path / "ledgers"
    (folder / "more").mkdir(parents=True)
    (tmp_path / "folder").symlink_to(folder)
    (tmp_path / "linked.db").symlink_to(folder / "ledger.db")
    paths = {
        "file": tmp_path / "linked.db",
        "folder": tmp_path / "folder" / "ledger.db",
        "dots": folder / "more" / ".." / "ledger.db",
    }
    with FirstRun(hubspot, f"sqlite:///{folder}/ledger.db", contacts[0]) as first:
        run = run_target(*adds(contacts[1:2]), ledger_url=f"sqlite:///{paths[link]}")

        assert run.exit_code == 1
        assert first.named in run.error
        assert first.finish() == 0
    assert portal.members("VIP") == {contacts[0]}
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["ledger.db"]


def test_a_ledger_that_is_a_link_to_nothing_yet_is_made_where_the_link_leads(
    run_target: TargetRunner, contacts: list[str], tmp_path: Path
) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near.db").symlink_to(tmp_path / "far" / "ledger.db")

    run = run_target(*adds(contacts), ledger_url=f"sqlite:///{tmp_path}/near.db")

    assert run.exit_code == 0
    assert {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "far").iterdir()} == {
        "ledger.db": 0o600
    }


def test_a_link_that_leads_to_itself_is_told(
    run_target: TargetRunner, contacts: list[str], tmp_path: Path
) -> None:
    (tmp_path / "loop.db").symlink_to(tmp_path / "loop.db")

    run = run_target(*adds(contacts), ledger_url=f"sqlite:///{tmp_path}/loop.db")

    assert run.exit_code == 1
    assert "ledger" in run.error


@pytest.mark.usefixtures("_known_list")
@pytest.mark.parametrize(
    "config", [{}, {"lists": [{"cohort": "VIP", "list_id": "1"}]}], ids=["known", "configured"]
)
def test_a_list_that_is_renamed_by_hand_while_a_run_holds_it_is_still_held(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    contacts: list[str],
    sqlite_url: str,
    config: dict[str, Any],
) -> None:
    with FirstRun(hubspot, sqlite_url, contacts[1]) as first:
        portal.rename_list("VIP", "Gold")

        run = run_target(*adds(contacts[2:]), ledger_url=sqlite_url, **config)

        assert run.exit_code == 1
        assert "List 1 is held by run" in run.error
        assert first.named in run.error
        assert first.finish() == 0
    assert portal.members("Gold") == set(contacts[:2])


def test_a_list_that_was_made_just_now_is_held_whatever_its_name_becomes(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, contacts: list[str], sqlite_url: str
) -> None:
    with FirstRun(hubspot, sqlite_url, contacts[0]) as first:
        portal.rename_list("VIP", "Gold")

        run = run_target(
            *adds(contacts[1:2]), ledger_url=sqlite_url, lists=[{"cohort": "VIP", "list_id": "1"}]
        )

        assert run.exit_code == 1
        assert first.finish() == 0
    assert portal.members("Gold") == {contacts[0]}


@pytest.mark.usefixtures("_known_list")
def test_the_name_of_a_list_that_is_held_is_held_as_well(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, contacts: list[str], sqlite_url: str
) -> None:
    with FirstRun(hubspot, sqlite_url, contacts[1]) as first:
        other = portal.add_list("Other").list_id
        portal.rename_list("VIP", "Gold")
        portal.rename_list("Other", "vip")

        run = run_target(
            *adds(contacts[2:]), ledger_url=sqlite_url, lists=[{"cohort": "VIP", "list_id": other}]
        )

        assert run.exit_code == 1
        assert 'List "vip" is held by run' in run.error
        assert first.finish() == 0
    assert portal.members("Gold") == set(contacts[:2])
