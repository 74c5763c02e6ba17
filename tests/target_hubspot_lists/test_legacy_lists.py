"""Lists named by the id that they had in the lists API v1: HubSpot says which lists those are today."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import email_schema, membership, record_message, schema_message, state_message
from tests.target_hubspot_lists.inputs import adds, snapshot
from tests.target_hubspot_lists.mirrors import mirror
from tests.target_hubspot_lists.test_portal import check

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal
    from tests.hubspot_emulator.answers import Answer

IDMAPPING = "/idmapping"


def by_legacy_id(portal: Portal, **lists: str) -> list[dict[str, Any]]:
    """Return the setting that sends each cohort to the list of that name."""
    return [
        {"cohort": cohort, "legacy_list_id": portal.hubspot_list(name).legacy_id}
        for cohort, name in lists.items()
    ]


def test_a_cohort_goes_to_the_list_that_had_the_id_in_the_lists_api_v1(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    for name in ("Customers", "Testers"):
        portal.add_list(name)

    run = run_target(
        schema_message(),
        membership("VIP", ada),
        membership("Beta", bob),
        membership("Other", cyd),
        lists=by_legacy_id(portal, VIP="Customers", Beta="Testers"),
    )

    assert run.exit_code == 0
    assert portal.members("Customers") == {ada}
    assert portal.members("Testers") == {bob}
    assert portal.members("Other") == {cyd}
    assert hubspot.calls("POST", IDMAPPING) == 1


def test_a_list_is_one_whether_its_legacy_id_or_todays_id_names_it(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    customers = portal.add_list("Customers")
    lists = [*by_legacy_id(portal, VIP="Customers"), {"cohort": "Beta", "list_id": customers.list_id}]

    run = run_target(schema_message(), membership("VIP", ada), membership("Beta", bob), lists=lists)

    assert run.exit_code == 0
    assert portal.members("Customers") == {ada, bob}


def test_a_mirror_may_remove_from_a_list_that_a_legacy_id_names(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("Customers", members=[ada])

    run = mirror(run_target, *snapshot([bob]), lists=by_legacy_id(portal, VIP="Customers"))

    assert run.exit_code == 0
    assert portal.members("Customers") == {bob}


def test_a_legacy_id_is_a_number_or_digits_and_zeros_in_front_do_not_matter(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("Customers")
    legacy_id = portal.hubspot_list("Customers").legacy_id

    for member, told in ((ada, int(legacy_id)), (bob, f" 00{legacy_id} ")):
        run = run_target(*adds([member]), lists=[{"cohort": "VIP", "legacy_list_id": told}])
        assert run.exit_code == 0

    assert portal.members("Customers") == {ada, bob}


@pytest.mark.parametrize(
    "config", [{"sync_mode": "incremental"}, {"sync_mode": "mirror", "list_name_prefix": "c_"}]
)
def test_a_legacy_id_that_no_list_had_costs_its_own_cohort(
    portal: Portal, run_target: TargetRunner, config: dict[str, Any]
) -> None:
    portal.add_list("c_Beta")
    lists = [{"cohort": "VIP", "legacy_list_id": "404404"}, {"cohort": "Beta", "list_name": "c_Beta"}]
    streams = (("VIP", "vip"), ("Beta", "beta"))

    run = run_target(
        *(email_schema("cohort_size", stream=stream) for _, stream in streams),
        *(
            record_message(
                stream, email=f"{stream}@example.com", cohort_name=cohort, operation="add", cohort_size=1
            )
            for cohort, stream in streams
        ),
        state_message({"n": 1}),
        match_by="email",
        lists=lists,
        **config,
    )

    assert run.exit_code == 1
    assert run.states == []
    assert "404404" in run.error
    assert "lists[].legacy_list_id" in run.error
    assert '{"cohort": "VIP", "skip": true}' in run.error
    assert portal.member_emails("c_Beta") == {"beta@example.com"}
    assert portal.list_names() == {"c_Beta"}
    assert portal.find_contact("vip@example.com") is None


def test_a_list_that_was_deleted_since_is_named_by_both_of_its_ids(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    list_id = portal.add_list("Customers").list_id
    lists = by_legacy_id(portal, VIP="Customers")
    portal.delete_list("Customers")

    run = run_target(*adds([ada]), lists=lists)

    assert run.exit_code == 1
    assert f"no list {list_id} (lists[].legacy_list_id {lists[0]['legacy_list_id']})" in run.error


@pytest.mark.parametrize("status", [400, 404, 500])
def test_ids_that_hubspot_does_not_translate_end_the_run_before_anything_is_written(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, status: int
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("Customers")
    hubspot.faults.next("POST", IDMAPPING, status=status)

    run = run_target(
        schema_message(),
        membership("Beta", bob),
        membership("VIP", ada),
        lists=by_legacy_id(portal, VIP="Customers"),
    )

    assert run.exit_code == 1
    assert "lists[].legacy_list_id" in run.error
    assert str(status) in run.error
    assert "lists[].list_id" in run.error
    assert portal.list_names() == {"Customers"}
    assert portal.members("Customers") == set()


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_may_not_translate_ids_is_told_as_such(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, status: int
) -> None:
    portal.add_list("Customers")
    hubspot.faults.next("POST", IDMAPPING, status=status)
    lists = by_legacy_id(portal, VIP="Customers")

    run = run_target(schema_message(), membership("VIP", portal.add_contact()), lists=lists)

    assert run.exit_code == 1
    assert ("MISSING_SCOPES" if status == 403 else "INVALID_AUTHENTICATION") in run.error
    assert "does not translate" not in run.error
    assert portal.members("Customers") == set()


def test_an_answer_that_says_nothing_of_an_id_is_no_absence(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    portal.add_list("Customers")

    def without_pairs(answer: Answer) -> Answer:
        return replace(answer, body={"legacyListIdsToIdsMapping": [], "missingLegacyListIds": []})

    hubspot.faults.change("POST", IDMAPPING, without_pairs)
    run = run_target(*adds([ada]), lists=by_legacy_id(portal, VIP="Customers"))

    assert run.exit_code == 1
    assert "nothing is concluded" in run.error
    assert portal.members("Customers") == set()


def test_the_check_says_which_list_a_legacy_id_is_today(
    hubspot: HubSpotEmulator, portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    list_id = portal.add_list("Customers").list_id
    (entry,) = lists = by_legacy_id(portal, VIP="Customers")

    exit_code, log = check(hubspot, caplog, lists=lists)

    assert exit_code == 0
    assert f"lists[].legacy_list_id {entry['legacy_list_id']}: the list has the id {list_id} today." in log


def test_the_check_fails_where_no_list_had_a_legacy_id(
    hubspot: HubSpotEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    exit_code, log = check(hubspot, caplog, lists=[{"cohort": "VIP", "legacy_list_id": "404404"}])

    assert exit_code == 1
    assert "404404" in log
    assert "lists[].legacy_list_id" in log


def test_without_legacy_ids_nothing_is_translated(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run_target(*adds([ada]))

    assert hubspot.calls("POST", IDMAPPING) == 0
