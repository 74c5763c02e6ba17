"""Which list a cohort goes to: deleted ones, renamed ones, and those that were there before the ledger."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.ledger import KnownList, Ledger
from tests.factories import STREAM, membership, record_message, schema_message, state_message
from tests.target_hubspot_lists.inputs import ADD_AND_REMOVE, adds, calls_of, emails, now, snapshot, with_id
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import SIZED, mirror, sized

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


# Lists


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_list_deleted_in_hubspot_gets_all_members_again(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, *, by_hand: bool
) -> None:
    contacts = list(portal.add_contacts(6))
    run_target(*adds(contacts[:5]), ledger_url=sqlite_url)
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")
    if by_hand:
        portal.add_list("VIP")

    run = run_target(*adds(contacts[5:]), membership("VIP", contacts[0], "remove"), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts[1:])
    assert 'List "VIP": 5 members of earlier runs put back' in run.log


def test_a_run_that_broke_off_while_it_put_members_back_is_healed_by_the_next(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(6))
    run_target(*adds(contacts[:5]), ledger_url=sqlite_url)
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500)
    assert run_target(*adds(contacts[5:]), ledger_url=sqlite_url).exit_code == 1

    run = run_target(*adds(contacts[5:]), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts)


@pytest.mark.parametrize("size", [5, 6])
def test_a_mirror_fills_a_list_made_anew_and_loses_nobody_for_an_incomplete_snapshot(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, size: int
) -> None:
    contacts = list(portal.add_contacts(7))
    mirror(run_target, *snapshot(contacts[:6]), ledger_url=sqlite_url)
    portal.rename_list("c_VIP", "Old")
    portal.delete_list("Old")
    records = [record_message(contact_id=each, cohort_name="VIP", cohort_size=size) for each in contacts[2:]]

    run = mirror(run_target, SIZED, *records, ledger_url=sqlite_url)

    is_complete = size == 5
    assert run.exit_code == (not is_complete)
    assert portal.members("c_VIP") == set(contacts[2:] if is_complete else contacts)


def test_a_list_renamed_by_hand_is_still_its_cohorts(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*adds(contacts[:1]), ledger_url=sqlite_url)
    portal.rename_list("VIP", "Very important")

    run_target(*adds(contacts), ledger_url=sqlite_url)

    assert portal.list_names() == {"Very important"}
    assert portal.members("Very important") == set(contacts)


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_new_or_lost_ledger_takes_over_the_lists_there_are(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    tmp_path: Path,
    *,
    is_lost: bool,
) -> None:
    contacts = list(portal.add_contacts(4))
    url = f"sqlite:///{tmp_path}/new.db"
    if is_lost:
        mirror(run_target, *snapshot(contacts[:3]), ledger_url=url)
        for path in tmp_path.glob("new.db*"):
            path.unlink()
    else:
        portal.add_list("c_VIP", members=contacts[:3])
    calls_of(hubspot)

    run = mirror(run_target, *snapshot(contacts[1:]), ledger_url=url)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(contacts[1:])
    assert len([call for call in calls_of(hubspot) if call.endswith("/memberships")]) == 1
    run_target.clock.sleep(1)
    mirror(run_target, *snapshot(contacts[1:]), ledger_url=url)
    assert len(calls_of(hubspot)) == 2


def test_a_list_that_was_there_is_read_before_its_members_are_trusted(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(4))
    portal.add_list("VIP", members=contacts[:3])

    run = run_target(*adds(contacts), ledger_url=sqlite_url)

    figures = row(run.log, "VIP")
    assert (figures["added"], figures["already"]) == ("1", "3")
    assert [request.inputs for request in hubspot.requests if ADD_AND_REMOVE in request.path] == [1]


def test_a_list_that_became_active_since_the_last_run_costs_its_own_cohort(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    both = [*adds(contacts[:1], "VIP"), *adds(contacts[:1], "Beta")]
    run_target(*both, ledger_url=sqlite_url)
    portal.hubspot_list("VIP").processing_type = "DYNAMIC"

    run = run_target(*adds(contacts, "VIP"), *adds(contacts, "Beta"), state_message(1), ledger_url=sqlite_url)

    assert (run.exit_code, run.states) == (1, [])
    assert "list_not_writable" in run.log
    assert '[{"cohort": "VIP", "skip": true}]' in run.error
    assert portal.members("VIP") == set(contacts[:1])
    assert portal.members("Beta") == set(contacts)


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_members_of_a_deleted_list_go_to_the_list_of_its_name_also_if_that_is_another_cohorts(
    portal: Portal, run_target: TargetRunner, ledger_url: str, mode: str
) -> None:
    contacts = list(portal.add_contacts(5))
    settings = {"ledger_url": ledger_url, "list_name_prefix": "c_"}
    run_target(*adds(contacts[:2], "VIP"), *adds(contacts[1:4], "EU"), **settings)
    run_target(schema_message(), membership("EU", contacts[3], "remove"), **settings)
    portal.rename_list("c_VIP", "Old")
    portal.delete_list("Old")
    portal.rename_list("c_EU", "c_VIP")

    if mode == "incremental":
        run = run_target(*adds([contacts[4]], "VIP"), state_message(1), **settings)
        assert (run.exit_code, run.states) == (0, [1])
        assert "takes the place of list" in run.log
        assert portal.members("c_VIP") == {*contacts[:3], contacts[4]}
    else:
        run = mirror(run_target, SIZED, *sized(contacts[:2], 2, "VIP"), **settings)
        assert run.exit_code == 1  # its removals are another cohort's
        assert portal.members("c_VIP") == set(contacts[:3])
    again = run_target(*adds(contacts[:1], "VIP"), membership("EU", contacts[1], "remove"), **settings)
    assert again.exit_code == 0
    assert portal.members("c_VIP") == {contacts[0], contacts[2], *contacts[4 : 5 * (mode == "incremental")]}


def made_anew_by_another_run(portal: Portal, url: str, old_id: str) -> Callable[[], None]:
    """What another run does to a list "VIP" that was deleted: it creates it again, without its members yet."""

    def create() -> None:
        made = portal.add_list("VIP")
        new = KnownList(made.list_id, "VIP", "vip", STREAM, created_by_us=True, was_read=True)
        with Ledger.open(url, portal.portal_id, run_id="another", now=now) as ledger:
            ledger.lists.replace_list(old_id, new)

    return create


def test_a_list_that_another_run_makes_anew_at_the_same_moment_gets_all_members_again(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    contacts = list(portal.add_contacts(3))
    run_target(*adds(contacts[:2]), ledger_url=ledger_url)
    old_id = portal.hubspot_list("VIP").list_id
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")
    hubspot.faults.call("GET", "/name/VIP", made_anew_by_another_run(portal, ledger_url, old_id))

    run = run_target(*adds(contacts[2:]), state_message(1), ledger_url=ledger_url)

    assert (run.exit_code, run.states) == (0, [1])
    assert portal.members("VIP") == set(contacts)


def test_who_leaves_a_list_that_another_run_makes_anew_meanwhile_leaves_it_in_the_next_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    addresses = ["ada@example.com", "bob@example.com"]
    settings = {"ledger_url": ledger_url, "match_by": "email", "contact_cache_days": 0}
    run_target(*emails(addresses), **settings)
    old_id = portal.hubspot_list("VIP").list_id
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")
    make = made_anew_by_another_run(portal, ledger_url, old_id)
    hubspot.faults.call("POST", "/contacts/batch/read", make)
    leaver = emails(addresses[:1], operation="remove")

    run = run_target(*leaver, state_message(1), **settings)

    assert (run.exit_code, run.states) == (1, [])
    assert 'The list "VIP" was made anew by another run during this one: run again.' in run.error
    assert row(run.log, "VIP")["rejected"] == "1"
    again = run_target(*leaver, state_message(1), **settings)
    assert (again.exit_code, again.states) == (0, [1])
    assert portal.member_emails("VIP") == set(addresses[1:])


# Renamed cohorts


def test_a_renamed_cohort_renames_its_list_once(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "Old"), ledger_url=sqlite_url)

    run = run_target(*with_id(contacts[:1], "Newer"), *with_id(contacts, "New"), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.list_names() == {"New"}
    assert portal.members("New") == set(contacts)
    assert hubspot.calls("PUT", "update-list-name") == 1
    calls_of(hubspot)
    run_target(*with_id(contacts, "New"), ledger_url=sqlite_url)
    assert len(calls_of(hubspot)) == 2


def test_a_taken_name_leaves_the_list_as_it_is(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "Old"), ledger_url=sqlite_url)
    portal.add_list("New")

    run = run_target(*with_id(contacts, "New"), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert "keeps its name" in run.log
    assert portal.members("Old") == set(contacts)
    assert portal.members("New") == set()


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_a_cohort_with_the_former_name_of_another_costs_itself_only_and_gets_its_list_next_time(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, mode: str
) -> None:
    contacts = list(portal.add_contacts(3))
    config = {"ledger_url": sqlite_url, "sync_mode": mode, "snapshot_end": "end_of_input"}
    run_target(*with_id(contacts[:1], "Old", "c1"), **config)
    swapped = [
        *with_id(contacts[:1], "New", "c1"),
        *with_id(contacts[1:2], "Old", "c2")[1:],
        *with_id(contacts[2:], "Other", "c3")[1:],
        state_message({"n": 1}),
    ]

    refused = run_target(*swapped, **config)

    assert (refused.exit_code, refused.states) == (1, [])
    assert "former name" in refused.error
    assert '[{"cohort": "c2", "skip": true}]' in refused.error
    assert "list_name_taken" in refused.log
    assert portal.members("New") == set(contacts[:1])
    assert portal.members("Other") == set(contacts[2:])
    assert portal.list_names() == {"New", "Other"}

    again = run_target(*swapped, **config)

    assert (again.exit_code, again.states) == (0, [{"n": 1}])
    assert portal.members("New") == set(contacts[:1])
    assert portal.members("Old") == set(contacts[1:2])


def of_one_name(first: list[str], second: list[str]) -> list[str]:
    """The records of two cohorts, c1 and c2, that are both named VIP."""
    return [*with_id(first, "VIP", "c1"), *with_id(second, "VIP", "c2")[1:]]


def two_lists_of_one_name(run_target: TargetRunner, contacts: list[str], url: str) -> None:
    """Fill list Gold from c1 and list VIP from c2, with one contact each: c1 was VIP, then Gold, and is VIP again."""
    for records in (
        with_id([], "VIP", "c1") + with_id(contacts[:1], "VIP", "c1")[1:],
        with_id(contacts[:1], "Gold", "c1"),
        with_id(contacts[1:2], "VIP", "c2"),
    ):
        assert run_target(*records, ledger_url=url).exit_code == 0


@pytest.mark.parametrize("swapped", [False, True])
def test_two_cohorts_of_one_name_keep_the_lists_that_they_have(
    portal: Portal, run_target: TargetRunner, ledger_url: str, *, swapped: bool
) -> None:
    contacts = list(portal.add_contacts(4))
    two_lists_of_one_name(run_target, contacts, ledger_url)
    schema, *records = of_one_name(contacts[2:3], contacts[3:])

    run = run_target(schema, *(records[::-1] if swapped else records), ledger_url=ledger_url)

    assert run.exit_code == 0
    assert portal.members("Gold") == {contacts[0], contacts[2]}
    assert portal.members("VIP") == {contacts[1], contacts[3]}
    assert "lead to one list" not in run.log


def test_a_mirror_of_two_cohorts_of_one_name_removes_from_each_list_who_left_it(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(4))
    two_lists_of_one_name(run_target, contacts, sqlite_url)
    columns = ("contact_id", "cohort_name", "cohort_id", "cohort_size")
    row_of: dict[str, Any] = {"cohort_name": "VIP", "cohort_size": 1}

    run = mirror(
        run_target,
        schema_message(*columns),
        record_message(contact_id=contacts[2], cohort_id="c1", **row_of),
        record_message(contact_id=contacts[3], cohort_id="c2", **row_of),
        list_name_prefix="",
        ledger_url=sqlite_url,
    )

    assert run.exit_code == 0
    assert (portal.members("Gold"), portal.members("VIP")) == ({contacts[2]}, {contacts[3]})


def test_two_cohorts_of_one_name_whose_lists_are_deleted_both_get_their_members_again(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(4))
    two_lists_of_one_name(run_target, contacts, sqlite_url)
    for name in ("Gold", "VIP"):
        portal.rename_list(name, f"Old {name}")
        portal.delete_list(f"Old {name}")

    run = run_target(*of_one_name(contacts[2:3], contacts[3:]), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.list_names() == {"VIP"}
    assert portal.members("VIP") == set(contacts)


@pytest.mark.parametrize("is_deleted", [False, True])
@pytest.mark.parametrize("change", ["begins", "ceases"])
def test_a_source_that_begins_or_ceases_to_give_ids_goes_on_with_the_lists_of_its_cohorts(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, change: str, *, is_deleted: bool
) -> None:
    contacts = list(portal.add_contacts(3))
    before, after = adds(contacts[:2]), with_id(contacts[2:], "VIP")
    if change == "ceases":
        before, after = with_id(contacts[:2], "VIP"), adds(contacts[2:])
    run_target(*before, ledger_url=sqlite_url)
    portal.rename_list("VIP", "Old")
    if is_deleted:
        portal.delete_list("Old")

    assert run_target(*after, ledger_url=sqlite_url).exit_code == 0

    name = "VIP" if is_deleted else "Old"
    assert portal.list_names() == {name}
    assert portal.members(name) == set(contacts)


def test_a_name_that_two_cohorts_with_ids_have_leads_to_none_of_their_lists(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(3))
    for each, cohort in zip(contacts, ("c1", "c2"), strict=False):
        run_target(*with_id([each], "VIP", cohort), ledger_url=sqlite_url)
        portal.rename_list("VIP", f"Old {cohort}")

    run_target(*adds(contacts[2:]), ledger_url=sqlite_url)

    assert portal.members("VIP") == {contacts[2]}


def test_an_error_about_cohorts_can_be_read_whatever_their_names_hold(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "Old\u202e", "c\u200b1"), ledger_url=sqlite_url)
    swapped = [
        *with_id(contacts[:1], "New\x1b[31m", "c\u200b1"),
        *with_id(contacts[1:], "Old\u202e", "c2\u2028")[1:],
    ]

    error = run_target(*swapped, ledger_url=sqlite_url).error

    assert "former name" in error
    assert error.isprintable()


def test_a_configured_name_counts_also_where_its_list_was_renamed_by_hand(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(3))
    settings = {"ledger_url": sqlite_url, "lists": [{"cohort": "VIP", "list_name": "Team"}]}
    run_target(*adds(contacts[:2]), **settings)
    portal.rename_list("Team", "Old team")

    run = run_target(*adds(contacts[2:]), **settings)

    assert run.exit_code == 0
    assert 'Made: List "Team"' in run.log
    assert portal.members("Old team") == set(contacts[:2])
    assert portal.members("Team") == set(contacts[2:])
    said = 'lists[] names "Team" for cohort "VIP", and its list of earlier runs is now named "Old team" in HubSpot'
    assert said in run.log
    again = run_target(*adds(contacts[:1]), **settings)
    assert said not in again.log


def test_the_line_that_the_warning_gives_goes_on_with_the_renamed_list(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    by_name = [{"cohort": "VIP", "list_name": "Team"}]
    run_target(*adds(contacts[:1]), ledger_url=sqlite_url, lists=by_name)
    portal.rename_list("Team", "Old team")
    run = run_target(*adds(contacts[1:]), ledger_url=sqlite_url, lists=by_name, dry_run=True)
    (line,) = re.findall(r"lists: (\[.*?\])", run.log)

    run_target(*adds(contacts[1:]), ledger_url=sqlite_url, lists=json.loads(line))

    assert portal.list_names() == {"Old team"}
    assert portal.members("Old team") == set(contacts)


@pytest.mark.parametrize("by", ["list_id", "list_name"])
def test_a_cohort_that_lists_sends_to_another_list_is_told_that_its_members_stay_where_they_are(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, by: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*adds(contacts[:1]), ledger_url=sqlite_url)
    other = portal.add_list("Other")
    lists = [{"cohort": "VIP", by: getattr(other, "list_id" if by == "list_id" else "name")}]
    said = 'lists[] sends cohort "VIP" to another list than in earlier runs: list "VIP" ('

    run = run_target(*adds(contacts[1:]), ledger_url=sqlite_url, lists=lists)

    assert run.exit_code == 0
    assert (portal.members("VIP"), portal.members("Other")) == ({contacts[0]}, {contacts[1]})
    assert run.log.count(said) == 1
    assert said not in run_target(*adds(contacts[1:]), ledger_url=sqlite_url, lists=lists).log
    assert said not in run_target(*adds(contacts[1:]), ledger_url=sqlite_url).log


def test_a_configured_list_is_never_renamed(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(1))
    list_id = portal.add_list("Kept").list_id
    lists = [{"cohort": "c1", "list_id": list_id}]

    run_target(*with_id(contacts, "New"), ledger_url=sqlite_url, lists=lists)

    assert portal.list_names() == {"Kept"}
    assert portal.members("Kept") == set(contacts)


def test_who_left_while_the_list_was_gone_is_not_put_back(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(3))
    run_target(*adds(contacts[:2]), ledger_url=sqlite_url)
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")
    left = run_target(schema_message(), membership("VIP", contacts[0], "remove"), ledger_url=sqlite_url)
    assert left.exit_code == 0
    assert portal.list_names() == set()

    run_target(*adds(contacts[2:]), ledger_url=sqlite_url)

    assert portal.members("VIP") == set(contacts[1:])


def test_who_left_by_address_while_the_list_was_gone_is_not_put_back(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    addresses = ["ada@example.com", "bob@example.com", "eve@example.com"]
    settings = {"ledger_url": sqlite_url, "match_by": "email"}
    run_target(*emails(addresses[:2]), **settings)
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")
    run_target(*emails(addresses[:1], operation="remove"), **settings)

    run_target(*emails(addresses[2:]), **settings)

    assert portal.member_emails("VIP") == set(addresses[1:])


def test_a_list_renamed_by_hand_keeps_its_name_while_its_cohort_does(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "VIP"), ledger_url=sqlite_url)
    portal.rename_list("VIP", "Very important")

    run_target(*with_id(contacts, "VIP"), ledger_url=sqlite_url)

    assert portal.list_names() == {"Very important"}
    assert portal.members("Very important") == set(contacts)


def test_a_name_that_hubspot_does_not_take_leaves_the_list_as_it_is(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "Old"), ledger_url=sqlite_url)
    hubspot.faults.next("PUT", "/update-list-name", status=400)

    run = run_target(*with_id(contacts, "ada@example.com"), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert "keeps its name" in run.log
    assert "ada@" not in run.log
    assert portal.members("Old") == set(contacts)


@pytest.mark.parametrize("status", [403, 500])
def test_a_rename_that_hubspot_refuses_otherwise_is_tried_again_by_the_next_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str, status: int
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "Old"), *with_id(contacts, "A", "a"), ledger_url=sqlite_url)
    list_id = portal.hubspot_list("Old").list_id
    body = {"status": "error", "category": "FORBIDDEN", "message": "Not now"}
    hubspot.faults.next("PUT", f"/{list_id}/update-list-name", status=status, body=body, times=3)
    renamed = [*with_id(contacts, "New"), *with_id(contacts, "B", "a"), state_message(1)]

    run = run_target(*renamed, ledger_url=sqlite_url)

    assert (run.exit_code, run.states) == (0, [1])
    assert (
        f'keeps its name: its cohort is now "New", but HubSpot did not rename it ({status} Not now)'
        in run.log
    )
    assert portal.list_names() == {"Old", "B"}
    hubspot.faults.clear()
    run_target(*renamed, ledger_url=sqlite_url)
    assert portal.list_names() == {"New", "B"}


def test_a_token_that_may_not_rename_lists_is_told_as_such(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "Old"), ledger_url=sqlite_url)
    hubspot.faults.next("PUT", "/update-list-name", status=403)

    run = run_target(*with_id(contacts, "New"), ledger_url=sqlite_url)

    assert run.exit_code == 1
    assert "MISSING_SCOPES" in run.error
    assert portal.members("Old") == set(contacts)


def test_a_list_that_is_deleted_before_it_is_renamed_holds_up_no_other(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "Old"), *with_id(contacts, "A", "a"), ledger_url=sqlite_url)
    list_id = portal.hubspot_list("Old").list_id
    hubspot.faults.call("PUT", f"/{list_id}/update-list-name", lambda: portal.delete_list("Old"))
    renamed = [*with_id(contacts, "New"), *with_id(contacts, "B", "a"), state_message(1)]

    run = run_target(*renamed, ledger_url=sqlite_url)

    assert (run.exit_code, run.states) == (0, [1])
    assert f'List "Old" ({list_id}) was deleted in HubSpot during this run' in run.log
    assert portal.list_names() == {"B"}
    run_target(*with_id(contacts[:1], "New"), ledger_url=sqlite_url)
    assert portal.members("New") == set(contacts)


def test_an_id_and_a_name_that_are_spelt_alike_are_two_cohorts(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(4))
    run_target(*with_id(contacts[:1], "VIP", "5"), *adds(contacts[1:2], "5"), ledger_url=sqlite_url)

    run_target(*with_id(contacts[2:3], "VIP", "5"), *adds(contacts[3:], "5"), ledger_url=sqlite_url)

    assert portal.members("VIP") == {contacts[0], contacts[2]}
    assert portal.members("5") == {contacts[1], contacts[3]}


def test_a_list_that_is_gone_does_not_hide_those_that_are_there(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*adds(contacts[:1], "VIP"), *adds(contacts[:1], "Beta"), ledger_url=sqlite_url)
    portal.rename_list("Beta", "Old")
    portal.delete_list("Old")
    hubspot.faults.next("GET", "/crm/lists/2026-03?listIds=", status=404)

    run = run_target(*adds(contacts[1:], "VIP"), *adds(contacts[1:], "Beta"), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.members("VIP") == portal.members("Beta") == set(contacts)


def test_an_answer_about_lists_that_is_not_as_documented_ends_the_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*adds(contacts[:1]), ledger_url=sqlite_url)
    hubspot.faults.next("GET", "/crm/lists/2026-03?listIds=", status=200, body={})

    run = run_target(*adds(contacts), ledger_url=sqlite_url)

    assert run.exit_code == 1
    assert "in a form that HubSpot does not document" in run.error
    assert portal.members("VIP") == {contacts[0]}


def test_two_streams_that_mean_two_cohorts_by_one_id_are_refused(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    columns = ("contact_id", "cohort_name", "cohort_id")
    messages = [
        message
        for stream, name, contact in (("campaigns", "Spring", contacts[0]), ("segments", "Gold", contacts[1]))
        for message in (
            schema_message(*columns, stream=stream),
            record_message(stream, contact_id=contact, cohort_name=name, cohort_id="5"),
        )
    ]

    run = run_target(*messages, ledger_url=sqlite_url)

    assert run.exit_code == 1
    assert (
        'Streams "campaigns" and "segments" have a cohort with id 5 each, named "Spring" and "Gold"'
        in run.error
    )
    assert portal.list_names() == set()


def test_merged_contacts_are_put_onto_the_list_that_was_made_anew(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    addresses = ["ada@example.com", "bob@example.com", "eve@example.com"]
    settings = {"ledger_url": sqlite_url, "match_by": "email"}
    run_target(*emails(addresses[:2]), **settings)
    merged = portal.merge("ada@example.com", "bob@example.com")
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")

    run = run_target(*emails(addresses[2:]), **settings)

    assert run.exit_code == 0
    assert portal.members("VIP") == {merged, portal.contact("eve@example.com").record_id}


def test_a_merged_contact_that_left_is_not_put_onto_the_list_that_was_made_anew(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    addresses = ["ada@example.com", "bob@example.com", "eve@example.com"]
    settings = {"ledger_url": sqlite_url, "match_by": "email", "contact_cache_days": 0}
    run_target(*emails(addresses[:2]), **settings)
    portal.merge("ada@example.com", "bob@example.com")
    run_target.clock.sleep(1)
    run_target(*emails(addresses[:1], operation="remove"), **settings)
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")

    run = run_target(*emails(addresses[2:]), **settings)

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == {"eve@example.com"}
