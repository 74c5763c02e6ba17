"""Which list a cohort goes to, and how it is found or made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.hubspot.list_objects import Route
from tests.factories import membership, record_message, schema_message, state_message
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


def test_a_list_is_named_with_the_prefix_that_amplitude_uses(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run_target(schema_message(), membership("VIP", ada), list_name_prefix=None)

    assert portal.members("amplitude_VIP") == {ada}


def test_a_list_is_found_whatever_the_case_of_its_name(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("Vip Customers")

    run_target(schema_message(), membership("VIP customers", ada), membership("vip CUSTOMERS", bob))

    assert portal.list_names() == {"Vip Customers"}
    assert portal.members("Vip Customers") == {ada, bob}
    assert hubspot.calls("GET", "/name/") == 1


@pytest.mark.parametrize("name", ["50% off / 2026?", "naïve #1 & co", "a+b c", "..", "日本"])
def test_a_name_with_any_character_is_found_again(
    portal: Portal, run_target: TargetRunner, name: str
) -> None:
    ada, bob = portal.add_contacts(2)

    run_target(schema_message(), membership(name, ada))
    run_target(schema_message(), membership(name, bob))

    assert portal.list_names() == {name}
    assert portal.members(name) == {ada, bob}


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_would_lead_to_another_path_is_searched_for(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, name: str
) -> None:
    ada, bob = portal.add_contacts(2)
    run_target(schema_message(), membership(name, ada))

    run = run_target(schema_message(), membership(name, bob))

    assert run.exit_code == 0
    assert portal.list_names() == {name}
    assert portal.members(name) == {ada, bob}
    assert hubspot.calls("GET", "/object-type-id/") == 0


def test_an_absent_list_may_be_a_400_that_says_so(portal: Portal, run_target: TargetRunner) -> None:
    portal.quirks.missing_list_status = 400
    (ada,) = portal.add_contacts(1)

    run = run_target(schema_message(), membership("VIP", ada))

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_look_up_that_fails_is_never_an_absence(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, status: int
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.faults.next("GET", "/name/", status=status)

    run = run_target(schema_message(), membership("VIP", ada))

    assert run.exit_code == 1
    assert str(status) in run.error
    assert portal.list_names() == set()


def test_a_removal_alone_makes_no_list_and_its_member_is_not_on_it(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(schema_message(), membership("VIP", ada, "remove"))

    assert run.exit_code == 0
    assert portal.list_names() == set()
    assert row(run.log, "VIP")["id"] == "-"
    assert row(run.log, "VIP")["not on it"] == "1"


def test_cohorts_go_to_the_lists_that_the_settings_name(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    by_id = portal.add_list("Made by hand")

    run_target(
        schema_message("contact_id", "cohort_id", "cohort_name"),
        record_message(contact_id=ada, cohort_id="c1", cohort_name="VIP"),
        record_message(contact_id=bob, cohort_id="c2", cohort_name="Trial"),
        record_message(contact_id=cyd, cohort_id="c3", cohort_name="trial"),
        lists=[{"cohort": "c1", "list_id": by_id.list_id}, {"cohort": "Trial", "list_name": "On trial"}],
        list_name_prefix="p_",
    )

    assert portal.members("Made by hand") == {ada}
    assert portal.members("On trial") == {bob}
    assert portal.members("p_trial") == {cyd}


def test_an_entry_for_a_cohorts_id_goes_before_one_for_its_name(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run_target(
        schema_message("contact_id", "cohort_id", "cohort_name"),
        record_message(contact_id=ada, cohort_id="c1", cohort_name="VIP"),
        lists=[{"cohort": "VIP", "list_name": "by name"}, {"cohort": "c1", "list_name": "by id"}],
    )

    assert portal.list_names() == {"by id"}


def test_two_routes_to_one_list_keep_the_last_word(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contacts(2)
    hubspot_list = portal.add_list("VIP")

    run_target(
        schema_message(),
        membership("gold", ada, "add"),
        membership("VIP", ada, "remove"),
        membership("VIP", bob, "remove"),
        membership("gold", bob, "add"),
        lists=[{"cohort": "gold", "list_id": hubspot_list.list_id}],
    )

    assert portal.members("VIP") == {bob}


def test_new_lists_are_made_in_the_folder(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)
    folder = portal.lists.add_folder("Cohorts", 0)

    run_target(schema_message(), membership("VIP", ada), list_folder_id=str(folder.folder_id))

    assert portal.hubspot_list("VIP").folder_id == folder.folder_id


def test_a_list_that_somebody_else_makes_meanwhile_is_found(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.faults.call("POST", "/lists/", lambda: portal.add_list("VIP"))

    run = run_target(schema_message(), membership("VIP", ada))

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}


def test_a_duplicate_that_takes_time_to_show_is_searched_for(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    portal.add_list("VIP")
    portal.add_list("VIP and more")
    hubspot.faults.next("GET", "/name/", status=404, times=5)

    run = run_target(schema_message(), membership("VIP", ada))

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
    assert run_target.clock.elapsed >= 7


def test_a_duplicate_is_searched_for_on_every_page(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    portal.add_list("VIP")
    for number in range(501):  # a search has newer lists first
        portal.add_list(f"VIP {number}")
    hubspot.faults.next("GET", "/name/", status=404, times=5)

    run = run_target(schema_message(), membership("VIP", ada))

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
    assert hubspot.calls("POST", "/lists/2026-03/search") == 2


def test_a_search_that_does_not_get_on_finds_nothing(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_list("VIP")
    hubspot.faults.next("GET", "/name/", status=404, times=5)
    page = {"lists": [], "offset": 0, "hasMore": True}
    hubspot.faults.next("POST", "/lists/2026-03/search", status=200, body=page)

    run = run_target(schema_message(), membership("VIP", portal.add_contact()))

    assert run.exit_code == 1
    assert "list_name_taken" in run.log
    assert hubspot.calls("POST", "/lists/2026-03/search") == 1


def test_a_duplicate_that_takes_no_members_is_refused(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    def make() -> None:
        portal.add_list("VIP", processing_type="DYNAMIC")

    hubspot.faults.call("POST", "/lists/", make)

    run = run_target(schema_message(), membership("VIP", portal.add_contact()), state_message(1))

    assert (run.exit_code, run.states) == (1, [])
    assert "list_not_writable" in run.log
    assert 'List "VIP" (1) is an active list' in run.error


def test_a_deleted_list_that_holds_the_name_is_said(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)
    portal.add_list("VIP")
    portal.delete_list("VIP")

    run = run_target(schema_message(), membership("VIP", ada))

    assert run.exit_code == 1
    assert 'the list name "VIP" is taken' in run.error
    assert "a deleted list may hold the name" in run.error


def test_a_list_whose_creation_was_accepted_but_not_answered_is_made_once(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.faults.accept_then_drop("POST", "/lists/")

    run = run_target(schema_message(), membership("VIP", ada))

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}


def test_a_snapshot_list_takes_members_as_a_manual_one_does(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)
    portal.add_list("VIP", processing_type="SNAPSHOT")

    run = run_target(schema_message(), membership("VIP", ada))

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}


def test_a_list_of_companies_is_refused(hubspot: HubSpotEmulator, run_target: TargetRunner) -> None:
    companies = {"listId": "7", "name": "Firms", "processingType": "MANUAL", "objectTypeId": "0-2"}
    hubspot.faults.next("GET", "/lists/2026-03/7", status=200, body={"list": companies})

    run = run_target(schema_message(), membership("VIP", 1), lists=[{"cohort": "VIP", "list_id": "7"}])

    assert run.exit_code == 1
    assert run.error.startswith('List "Firms" (7) is not a list of contacts')


@pytest.mark.parametrize("version", ["2026-03", "2026-09", "v3"])
def test_each_version_of_the_api_is_asked_at_its_own_paths(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, version: str
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(schema_message(), membership("VIP", ada), api_version=version)

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
    about_the_token = 1  # has a path of its own
    assert hubspot.calls(path_contains=version) == hubspot.calls() - about_the_token


def test_a_column_that_differs_in_every_record_does_not_cost_a_look_up_for_each(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(
        schema_message(),
        *(membership(f"person{number}@example.com", ada) for number in range(300)),
        max_new_lists=10,
    )

    assert run.exit_code == 1
    assert "max_new_lists" in run.error
    assert hubspot.calls("GET", "/name/") < 30
    assert not portal.list_names()
    assert "@example.com" not in run.log


def test_names_that_only_some_would_call_alike_are_not_taken_for_one_list() -> None:
    assert Route(None, "VIP").key == Route(None, "vip").key
    assert Route(None, "Straße").key != Route(None, "STRASSE").key


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({"cohort_name": "VIP"}, {"cohort_name": "vip"}, 'The cohorts "VIP" and "vip" lead to one list'),
        (
            {"cohort_name": "VIP", "cohort_id": 7},
            {"cohort_name": "VIP", "cohort_id": 8},
            'The cohorts "VIP" (id 7) and "VIP" (id 8) lead to one list',
        ),
    ],
)
def test_cohorts_that_share_a_list_by_name_are_told_once(
    portal: Portal,
    run_target: TargetRunner,
    first: dict[str, Any],
    second: dict[str, Any],
    told: str,
) -> None:
    ada, bob = portal.add_contacts(2)
    columns = ("contact_id", "cohort_name", "cohort_id")

    run = run_target(
        schema_message(*columns),
        *(record_message(contact_id=each, **cohort) for each in (ada, bob) for cohort in (first, second)),
    )

    assert run.exit_code == 0
    assert run.log.count(told) == run.log.count("lead to one list") == 1
    assert portal.members("VIP") == {ada, bob}


def test_a_cohort_known_with_and_without_its_id_or_named_in_lists_shares_nothing(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)

    run = run_target(
        schema_message("contact_id", "cohort_name", "cohort_id"),
        record_message(contact_id=ada, cohort_name="VIP", cohort_id=7),
        record_message(contact_id=bob, cohort_name="VIP", cohort_id=None),
        record_message(contact_id=bob, cohort_name="Gold", cohort_id=9),
        lists=[{"cohort": "Gold", "list_name": "VIP"}],
    )

    assert run.exit_code == 0
    assert "lead to one list" not in run.log
    assert portal.members("VIP") == {ada, bob}


def test_a_list_named_after_a_person_is_shown_without_the_address_on_one_line(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(schema_message(), membership("ada@example.com\n\x1b[31m", ada))

    assert run.exit_code == 0
    assert "example.com" not in run.log
    assert "\x1b" not in run.log
    assert 'Made: List "<email>' in run.log


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/name/", 400), ("GET", "/name/", 414), ("POST", "/crm/lists/2026-03", 400)],
)
def test_a_name_that_hubspot_does_not_take_is_named_with_its_reason(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, method: str, path: str, status: int
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.faults.next(method, path, status=status, body={"message": "name of ada@example.com is too long"})

    run = run_target(schema_message(), membership("V" * 500, ada), state_message({"n": 1}))

    assert run.exit_code == 1
    assert "as a list: " in run.error
    assert "name of <email> is too long. Name another list" in run.error
    assert len(run.error) < 600
    assert run.states == []
