"""One fault at any request of a run: STATE covers no more than was applied, and a rerun mends the rest."""

from __future__ import annotations

import itertools
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.clocks import FakeClock
from tests.conftest import TargetRunner
from tests.factories import email_schema, record_message, state_message
from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hubspot_emulator.faults import Faults

# Of a known contact, a secondary address, one who leaves, new ones, and one on two lists.
ROWS = [
    ("ada@example.com", "New", "add"),
    ("bobby@example.com", "New", "add"),
    ("cyd@example.com", "Old", "remove"),
    ("new1@example.com", "New", "add"),
    ("new2@example.com", "Old", "add"),
    ("ada@example.com", "Old", "add"),
]
FAULTS: dict[str, Callable[[Faults, int], None]] = {
    "reset": lambda faults, after: faults.reset("*", "", after=after),
    "truncated": lambda faults, after: faults.truncate("*", "", after=after),
    "503": lambda faults, after: faults.next("*", "", status=503, after=after),
    "500": lambda faults, after: faults.next("*", "", status=500, after=after),
    "429 DAILY": lambda faults, after: faults.next("*", "", status=429, policy="DAILY", after=after),
    "401": lambda faults, after: faults.next("*", "", status=401, after=after),
    "answer lost": lambda faults, after: faults.accept_then_drop("*", "", after=after),
    "SIGTERM": lambda faults, after: faults.call("*", "", _terminate, after=after),
}
RETRIED = {"reset", "truncated", "503", "answer lost"}
PLAN = {"property_mappings": [{"field": "plan", "property": "plan"}]}


def _terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


class World:
    """A portal of its own for each try, and what the input asks of it."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.portal = Portal()
        for name in ("ada", "cyd"):
            self.portal.add_contact(f"{name}@example.com")
        self.portal.add_contact("bob@example.com", additional_emails=["bobby@example.com"])
        self.portal.add_list("Old", members=["bob@example.com", "cyd@example.com"])
        self.portal.add_property("plan")
        self._writes_plan = bool(config)

    def has_applied(self, rows: int) -> bool:
        """Whether the portal is as the first so many rows ask."""
        return all(self._is_as_asked(*row) for row in ROWS[:rows])

    def _is_as_asked(self, email: str, cohort: str, operation: str) -> bool:
        contact = self.portal.find_contact(email)
        members = self.portal.members(cohort) if cohort in self.portal.list_names() else set()
        if contact is None or (contact.record_id in members) != (operation == "add"):
            return False
        return contact.properties.get("plan") == "pro" or not self._writes_plan


@pytest.mark.parametrize("config", [{}, PLAN], ids=["memberships", "properties"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_request_loses_nothing_and_a_rerun_mends_it(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, fault: str, config: dict[str, Any]
) -> None:
    messages = [email_schema("plan")]
    for number, (email, cohort, operation) in enumerate(ROWS, start=1):
        record = record_message(email=email, cohort_name=cohort, operation=operation, plan="pro")
        messages += [record, state_message({"rows": number})]
    settings = {"match_by": "email", "batch_size_rows": 3, "max_concurrency": 1, **config}

    for struck in itertools.count():
        world = World(config)
        with HubSpotEmulator(world.portal) as hubspot:
            run_target = TargetRunner(hubspot, capsys, caplog, FakeClock())
            FAULTS[fault](hubspot.faults, struck)

            run = run_target(*messages, **settings)
            if hubspot.faults.pending:
                break  # the run has fewer requests than that

            where = f"request {struck}, {hubspot.requests[struck].target}"
            assert run.exit_code == 0 or fault not in RETRIED, where
            assert run.exit_code == 143 or fault != "SIGTERM", where
            assert run.exit_code != 0 or world.has_applied(len(ROWS)), where
            assert all(world.has_applied(state["rows"]) for state in run.states), where

            rerun = run_target(*messages, **settings)

            assert rerun.exit_code == 0, where
            assert rerun.states[-1] == {"rows": len(ROWS)}, where
            assert world.has_applied(len(ROWS)), where
            assert world.portal.list_names() == {"New", "Old"}, where
            assert len(world.portal.emails()) == 5, where
    assert struck > 10
