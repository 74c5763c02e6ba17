"""From standard input to the portal: the behaviours a user would name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.factories import membership, record_message, schema_message, state_message
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from tests.clocks import FakeClock
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


def test_members_of_interleaved_cohorts_land_on_their_lists(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob, cyd = portal.add_contacts(3)

    run = run_target(
        schema_message(),
        membership("VIP", ada),
        membership("Trial", bob),
        membership("VIP", cyd),
        membership("Trial", ada),
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada, cyd}
    assert portal.members("Trial") == {ada, bob}


def test_a_contact_who_left_the_cohort_is_removed_from_the_list(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP", members=[ada, bob])

    run_target(schema_message(), membership("VIP", ada, "remove"))

    assert portal.members("VIP") == {bob}


def test_the_last_record_of_a_contact_wins(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP", members=[bob])

    run_target(
        schema_message(),
        membership("VIP", ada, "add"),
        membership("VIP", ada, "remove"),
        membership("VIP", bob, "remove"),
        membership("VIP", bob, "add"),
    )

    assert portal.members("VIP") == {bob}


def test_the_last_record_wins_across_streams_that_lead_to_one_list(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)

    run_target(
        schema_message(stream="first"),
        schema_message(stream="second"),
        membership("VIP", ada, "remove", stream="second"),
        membership("VIP", ada, "add", stream="first"),
        membership("VIP", bob, "add", stream="first"),
        membership("vip", bob, "remove", stream="second"),
    )

    assert portal.members("VIP") == {ada}


def test_a_bad_record_costs_itself_only_and_is_counted_with_its_reason(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(
        schema_message(),
        membership("VIP", None),
        membership("VIP", "x"),
        membership("VIP", ada),
        membership("VIP", ada, "merge"),
        membership(" ", ada),
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
    assert "Rejected: 1 invalid_member, 1 missing_member, 1 unknown_operation." in run.log
    assert 'Rejected in stream "cohort_members", of no list: 1 missing_cohort.' in run.log


def test_a_soft_deleted_row_leaves_the_list(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP", members=[ada])

    run_target(
        schema_message("contact_id", "cohort_name", "_sdc_deleted_at"),
        record_message(contact_id=ada, cohort_name="VIP", _sdc_deleted_at="2026-11-01T00:00:00Z"),
        record_message(contact_id=bob, cohort_name="VIP", _sdc_deleted_at=None),
    )

    assert portal.members("VIP") == {bob}


def test_running_the_same_input_again_changes_nothing(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP", members=[bob])
    messages = (schema_message(), membership("VIP", ada), membership("VIP", bob, "remove"))
    run_target(*messages)

    run = run_target(*messages)

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}


def test_a_contact_that_hubspot_does_not_know_is_missing_and_sinks_nobody(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(schema_message(), membership("VIP", ada), membership("VIP", 987654321))

    assert portal.members("VIP") == {ada}
    assert row(run.log, "VIP")["missing"] == "1"
    assert row(run.log, "VIP")["match rate"] == "50.0%"


def test_a_schema_that_changes_in_the_middle_keeps_the_order(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run_target(
        schema_message("contact_id", "cohort_name", "operation"),
        membership("VIP", ada, "remove"),
        schema_message("contact_id", "cohort_name"),
        record_message(contact_id=ada, cohort_name="VIP"),
    )

    assert portal.members("VIP") == {ada}


def test_a_stream_without_operations_says_that_nobody_can_be_removed(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(schema_message("contact_id", stream="VIP"), record_message(stream="VIP", contact_id=ada))

    assert portal.members("VIP") == {ada}
    assert 'No record of stream "VIP" can remove a member' in run.log


def test_columns_can_be_mapped_by_the_sdks_stream_maps(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contacts(2)

    run_target(
        schema_message("id", "plan", stream="users"),
        record_message(stream="users", id=int(ada), plan="pro"),
        record_message(stream="users", id=int(bob), plan="free"),
        schema_message("unrelated", stream="other"),
        record_message(stream="other", unrelated=1),
        stream_maps={
            "users": {
                "contact_id": "id",
                "cohort_name": "'Pro users'",
                "__filter__": "plan == 'pro'",
                "__else__": None,
            },
            "other": None,
        },
    )

    assert portal.members("Pro users") == {ada}


def test_states_leave_as_sent_and_after_what_they_cover(portal: Portal, run_target: TargetRunner) -> None:
    contacts = portal.add_contacts(4)

    run = run_target(
        state_message({"start": 1}),
        schema_message(),
        membership("VIP", contacts[0]),
        membership("VIP", contacts[1]),
        state_message({"bookmark": 1.50, "big": 2**70}),
        membership("VIP", contacts[2]),
        membership("VIP", contacts[3]),
        state_message({"bookmark": 2}),
        batch_size_rows=2,
    )

    assert run.states == [{"start": 1}, {"bookmark": 1.5, "big": 2**70}, {"bookmark": 2}]


def test_no_state_leaves_that_covers_what_hubspot_did_not_confirm(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(4)
    hubspot.faults.call(
        "PUT", "/memberships/", lambda: hubspot.faults.next("PUT", "/memberships/", status=500)
    )

    run = run_target(
        schema_message(),
        membership("VIP", contacts[0]),
        state_message({"bookmark": 1}),
        membership("VIP", contacts[1]),
        state_message({"bookmark": 2}),
        membership("VIP", contacts[2]),
        state_message({"bookmark": 3}),
        batch_size_rows=1,
    )

    assert run.exit_code == 1
    assert run.states == [{"bookmark": 1}]
    assert portal.members("VIP") == {contacts[0]}


class SilentInput:
    """Says something, then nothing until the members are on the list (or much time has passed), then ends."""

    def __init__(self, content: str, portal: Portal, clock: FakeClock) -> None:
        self._content = content.encode()
        self._portal = portal
        self._clock = clock
        self.members_before_the_end: set[str] = set()
        self.waited = 0.0

    def read(self, size: int) -> bytes:
        content, self._content = self._content[:size], self._content[size:]
        deadline = time.monotonic() + 20
        while not content and not self.members_before_the_end and time.monotonic() < deadline:
            self._clock.sleep(10)
            time.sleep(0.01)
            if self._portal.list_names():
                self.members_before_the_end = self._portal.members("VIP")
            else:
                self.waited += 10
        return content


def test_what_is_held_is_sent_after_five_minutes_also_while_no_input_arrives(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    silence = SilentInput(f"{schema_message()}\n{membership('VIP', ada)}\n", portal, run_target.clock)

    run_target.on(silence)

    assert silence.members_before_the_end == {ada}
    assert 300 <= silence.waited <= 600


def test_meltanos_test_of_a_loader_writes_nothing(hubspot: HubSpotEmulator, run_target: TargetRunner) -> None:
    run = run_target(
        schema_message("id", "name", stream="meltano_test_stream"),
        record_message(stream="meltano_test_stream", id=1, name="Test"),
    )

    assert run.exit_code == 0
    assert hubspot.calls(path_contains="/crm/") == 0
    assert "The connection works." in run.log
    assert "error" not in run.log.lower()
