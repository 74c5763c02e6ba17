"""Each list has a contact property of its own that says who is in the cohort and who left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hubspot_singer.http import HubSpotClient
from target_hubspot_lists.hubspot.audience_names import distinct_name
from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route, list_to_create
from target_hubspot_lists.hubspot.lists import Lists
from target_hubspot_lists.hubspot.properties import Properties
from target_hubspot_lists.settings import Settings
from target_hubspot_lists.sync.audience_status import AudienceStatus
from tests.clocks import FakeClock
from tests.factories import by_email, email_schema, membership, record_message, schema_message, state_message
from tests.hubspot_emulator.properties import Group, Option, Property
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


def run_memberships(run_target: TargetRunner, *records: str, **config: Any) -> Run:
    return run_target(schema_message(), *records, audience_status_property=True, **config)


def definition(portal: Portal, name: str) -> dict[str, Any]:
    return portal.properties.get(name).as_json()


def cohorts(portal: Portal) -> set[str]:
    return {each.name for each in portal.properties if each.group == "cohorts"}


def test_members_are_realized_and_those_who_left_are_exited(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contact(), portal.add_contact()
    portal.add_list("amplitude_VIP", members=[bob])

    run = run_memberships(
        run_target, membership("VIP", ada), membership("VIP", bob, "remove"), list_name_prefix="amplitude_"
    )

    assert run.exit_code == 0
    assert portal.contact(ada).properties == {"amplitude_vip": "realized"}
    assert portal.contact(bob).properties == {"amplitude_vip": "exited"}
    assert portal.members("amplitude_VIP") == {ada}
    assert row(run.log, "amplitude_VIP")["properties_updated"] == "2"
    assert "1 contact property made." in run.log


def test_the_property_is_one_that_people_recognise_in_hubspot(
    portal: Portal, run_target: TargetRunner
) -> None:
    run_memberships(run_target, membership("VIP", portal.add_contact()))

    made = definition(portal, "vip")
    assert made["label"] == "VIP (audience status)"
    assert (made["groupName"], portal.properties.group("cohorts").label) == ("cohorts", "Cohorts")
    assert (made["type"], made["fieldType"]) == ("enumeration", "select")
    assert [(each["value"], each["label"]) for each in made["options"]] == [
        ("realized", "Realized"),
        ("exited", "Exited"),
    ]
    assert f"(list {portal.hubspot_list('VIP').list_id})" in made["description"]


def test_properties_and_their_group_are_made_once(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()
    for operation in ("add", "remove"):
        run = run_memberships(
            run_target, membership("VIP", ada, operation), membership("Beta", ada, operation)
        )
        assert run.exit_code == 0

    assert portal.contact(ada).properties == {"vip": "exited", "beta": "exited"}
    assert hubspot.calls("POST", "/contacts/groups") == 1
    assert hubspot.calls("POST", "/contacts/batch/create") == 1


def test_a_contact_on_several_lists_is_written_once(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()

    run_memberships(run_target, *(membership(name, ada) for name in ("VIP", "Beta", "Trial")))

    assert portal.contact(ada).properties == dict.fromkeys(("vip", "beta", "trial"), "realized")
    assert hubspot.calls(path_contains="batch/update") == 1


def test_a_contact_is_created_with_its_status_but_not_for_having_left(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_list("VIP")

    run = run_target(
        email_schema(),
        by_email("VIP", "new@example.com"),
        by_email("VIP", "gone@example.com", "remove"),
        match_by="email",
        audience_status_property=True,
    )

    assert portal.contact("new@example.com").properties == {"vip": "realized"}
    assert portal.emails() == {"new@example.com"}
    assert row(run.log, "VIP")["missing"] == "1"
    assert hubspot.calls(path_contains="batch/update") == 0


def test_a_list_that_does_not_exist_gets_no_property_for_a_removal(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()

    run = run_memberships(run_target, membership("VIP", ada, "remove"))

    assert run.exit_code == 0
    assert cohorts(portal) == set()
    assert portal.contact(ada).properties == {}


# Whose property it is


def test_lists_that_want_one_name_get_the_same_names_in_whatever_order_they_come(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()
    names = ["V.I.P.", "V I P", "v-i-p"]

    first = run_memberships(run_target, *(membership(name, ada) for name in names))
    by_label = {each.label: each.name for each in portal.properties if each.group == "cohorts"}
    second = run_memberships(run_target, *(membership(name, ada, "remove") for name in reversed(names)))

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert by_label["V I P (audience status)"] == "v_i_p"
    assert len(set(by_label.values())) == 3
    assert portal.contact(ada).properties == dict.fromkeys(by_label.values(), "exited")
    assert (
        f'is in the property "{by_label["V.I.P. (audience status)"]}", since "v_i_p" is another' in first.log
    )


def test_a_list_that_comes_later_takes_no_name_that_is_another_lists(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()
    run_memberships(run_target, membership("V.I.P.", ada))

    run_memberships(run_target, membership("V I P", ada, "remove"), membership("V I P", ada))

    assert portal.contact(ada).properties["v_i_p"] == "realized"
    assert len(cohorts(portal)) == 2


def test_a_renamed_list_keeps_its_property_and_a_new_one_of_the_old_name_gets_another(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contact(), portal.add_contact()
    run_memberships(run_target, membership("VIP", ada))
    portal.rename_list("VIP", "Old VIP")

    run_memberships(run_target, membership("VIP", bob))
    run_memberships(run_target, membership("Old VIP", ada, "remove"))

    assert portal.contact(ada).properties == {"vip": "exited"}
    assert list(portal.contact(bob).properties.values()) == ["realized"]
    assert cohorts(portal) == {"vip", *portal.contact(bob).properties}


def test_a_list_deleted_and_made_anew_carries_its_property_on(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()
    run_memberships(run_target, membership("VIP", ada))
    portal.rename_list("VIP", "Old VIP")  # a deleted list keeps its name
    portal.delete_list("Old VIP")

    for _ in range(2):
        run = run_memberships(run_target, membership("VIP", ada, "remove"), membership("VIP", ada))
        assert run.exit_code == 0

    assert cohorts(portal) == {"vip"}
    assert f"(list {portal.hubspot_list('VIP').list_id})" in definition(portal, "vip")["description"]
    assert hubspot.calls("PATCH", "/contacts/vip") == 1


def test_another_property_of_that_name_ends_the_run_before_any_write(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact(company="Analytical Engines")

    run = run_memberships(run_target, membership("Beta", ada), membership("Company", ada))

    assert run.exit_code == 1
    assert 'audience_status_property needs the property "company" for List "Company"' in run.error
    assert 'another one of that name, in group "contactinformation"' in run.error
    assert portal.list_names() == set()
    assert cohorts(portal) == set()
    assert portal.contact(ada).properties == {"company": "Analytical Engines"}


def test_a_property_of_the_group_that_is_nobodys_is_left_alone(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()
    run_memberships(run_target, membership("Beta", ada))
    portal.add_property("vip", group="cohorts")
    portal.update_contact(ada, vip="by hand")

    run = run_memberships(run_target, membership("VIP", ada))

    assert run.exit_code == 0
    assert portal.contact(ada).properties["vip"] == "by hand"
    assert len(cohorts(portal)) == 3


def test_a_list_whose_names_are_all_of_other_lists_ends_the_run_before_any_write(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()
    run_memberships(run_target, membership("Beta", ada))
    names = ("vip", distinct_name("VIP"))
    for name in names:
        portal.add_property(name, group="cohorts")

    run = run_memberships(run_target, membership("VIP", ada), state_message(1))

    assert (run.exit_code, run.states) == (1, [])
    assert (
        f'"{names[0]}" and "{names[1]}" of group "cohorts" are both of other lists than List "VIP"'
        in run.error
    )
    assert portal.list_names() == {"Beta"}


def test_a_property_that_no_longer_takes_the_statuses_ends_the_run(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()
    run_memberships(run_target, membership("VIP", ada))
    changed = replace(portal.properties.get("vip"), options=(Option("realized", "Realized"),))
    portal.properties.update("vip", changed)

    run = run_memberships(run_target, membership("VIP", ada, "remove"))

    assert run.exit_code == 1
    assert 'no longer takes "realized" and "exited"' in run.error
    assert portal.members("VIP") == {ada}


def test_a_mapping_to_a_status_property_is_refused(portal: Portal, run_target: TargetRunner) -> None:
    ada = portal.add_contact()
    run_memberships(run_target, membership("VIP", ada))

    run = run_target(
        schema_message("contact_id", "cohort_name", "plan"),
        membership("VIP", ada),
        audience_status_property=True,
        property_mappings=[{"field": "plan", "property": "vip"}],
    )

    assert run.exit_code == 1
    assert 'names the property "vip", which holds the audience status of List "VIP"' in run.error


# Limits and races


def test_too_many_properties_end_the_run_before_any_write_saying_how_many_are_needed(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()
    portal.properties.custom_limit = 2

    run = run_memberships(run_target, *(membership(f"Cohort {number}", ada) for number in range(5)))

    assert run.exit_code == 1
    assert "needs 5 more custom contact properties" in run.error
    assert "portal takes only 2 more: archive" in run.error
    assert portal.list_names() == set()
    assert cohorts(portal) == set()


def test_where_hubspot_does_not_tell_the_limit_its_refusal_says_how_many_are_needed(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.properties.custom_limit = 1
    hubspot.faults.next("GET", "/crm/limits/", status=404)

    run = run_memberships(run_target, *(membership(name, portal.add_contact()) for name in ("VIP", "Beta")))

    assert run.exit_code == 1
    assert 'needs 1 more contact properties, and HubSpot did not make "vip"' in run.error


def test_an_archived_property_that_holds_the_name_is_said(portal: Portal, run_target: TargetRunner) -> None:
    ada = portal.add_contact()
    run_memberships(run_target, membership("VIP", ada))
    portal.archive_property("vip")
    portal.quirks.restores_archived_properties = False

    run = run_memberships(run_target, membership("VIP", ada))

    assert run.exit_code == 1
    assert "an archived property may hold the name" in run.error


@pytest.mark.parametrize("meanwhile", ["group", "property", "property, for whose sake all are refused"])
def test_what_another_run_makes_at_the_same_moment_is_used(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, meanwhile: str
) -> None:
    ada = portal.add_contact()

    def other_run() -> None:
        portal.properties.add_group(Group("cohorts", "Cohorts"))
        if meanwhile != "group":
            options = (Option("realized", "Realized"), Option("exited", "Exited"))
            label = "VIP (audience status)"
            portal.properties.create(Property("vip", label, "enumeration", "select", "cohorts", "", options))

    hubspot.faults.call("POST", "/contacts/groups", other_run)
    if meanwhile.endswith("refused"):
        hubspot.faults.next("POST", "/properties/2026-03/contacts/batch/create", status=409)
    run = run_memberships(run_target, membership("VIP", ada), membership("Beta", ada))

    assert run.exit_code == 0
    assert portal.contact(ada).properties == {"vip": "realized", "beta": "realized"}


def test_a_refusal_to_make_any_property_ends_the_run_with_hubspots_words(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    hubspot.faults.next("POST", "/properties/2026-03/contacts/batch/create", status=400)

    run = run_memberships(run_target, membership("VIP", portal.add_contact()))

    assert run.exit_code == 1
    assert 'did not make "vip"' in run.error
    assert "was answered 400" in run.error
    assert portal.members("VIP") == set()


@pytest.mark.parametrize(("asked", "name", "of_list"), [("V!I!P", "VIP", "vip"), ("V!I!P", "V I P", "v_i_p")])
def test_a_new_list_that_hubspot_names_otherwise_has_its_property_all_the_same(
    hubspot: HubSpotEmulator, portal: Portal, asked: str, name: str, of_list: str
) -> None:
    settings = Settings.from_config({"api_url": hubspot.url, "access_token": hubspot.token})
    made = portal.add_list(name)
    with HubSpotClient(settings.connection, clock=FakeClock()) as client:
        properties = Properties(client)
        properties.read()
        status = AudienceStatus(client, properties, Lists(client), mapped=(), dry_run=False)

        status.check([list_to_create(Route(None, asked))])
        renamed = HubSpotList(made.list_id, name, "MANUAL", "0-1")
        status.create([renamed])

    assert status.name_for(renamed) == of_list
    assert cohorts(portal) == {of_list}


def test_a_list_that_was_there_after_all_keeps_its_property(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    run_memberships(run_target, membership("VIP", ada))
    hubspot.faults.next("GET", "/name/VIP", status=404)

    run = run_memberships(run_target, membership("VIP", bob))

    assert run.exit_code == 0
    assert cohorts(portal) == {"vip"}
    assert [portal.contact(each).properties for each in (ada, bob)] == [{"vip": "realized"}] * 2


def test_lists_that_only_some_would_call_alike_have_a_property_each(
    hubspot: HubSpotEmulator, portal: Portal
) -> None:
    settings = Settings.from_config({"api_url": hubspot.url, "access_token": hubspot.token})
    lists = [HubSpotList("1", "Straße", "MANUAL", "0-1"), HubSpotList("2", "Strasse", "MANUAL", "0-1")]
    with HubSpotClient(settings.connection, clock=FakeClock()) as client:
        properties = Properties(client)
        properties.read()
        status = AudienceStatus(client, properties, Lists(client), mapped=(), dry_run=False)

        status.check(lists)
        status.create(lists)

    assert len({status.name_for(each) for each in lists}) == 2
    assert len(cohorts(portal)) == 2


# A list that was deleted in HubSpot


def test_who_left_while_the_list_was_deleted_is_exited_and_stays_so_once_it_is_made_anew(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    config: dict[str, Any] = {"match_by": "email", "list_name_prefix": "c_", "ledger_url": sqlite_url}
    config["audience_status_property"] = True
    ada, bob, cyd = (f"{name}@example.com" for name in ("ada", "bob", "cyd"))
    run_target(email_schema(), by_email("VIP", ada), by_email("VIP", bob), **config)
    portal.rename_list("c_VIP", "Old")
    portal.delete_list("Old")

    foretold = run_target(email_schema(), by_email("VIP", ada, "remove"), **config, dry_run=True)
    assert portal.contact(ada).properties["c_vip"] == "realized"
    left = run_target(email_schema(), by_email("VIP", ada, "remove"), **config)

    assert portal.contact(ada).properties["c_vip"] == "exited"
    assert cohorts(portal) == {"c_vip"}
    assert row(left.log, "c_VIP") == row(foretold.log, "c_VIP")
    assert row(left.log, "c_VIP").items() >= {("not on it", "1"), ("properties_updated", "1")}

    run_target(email_schema(), by_email("VIP", cyd), **config)

    assert portal.member_emails("c_VIP") == {bob, cyd}
    assert {each: portal.contact(each).properties["c_vip"] for each in (ada, bob, cyd)} == {
        ada: "exited",
        bob: "realized",
        cyd: "realized",
    }


def test_a_status_that_a_stopped_run_did_not_write_is_written_by_the_next_one(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    config: dict[str, Any] = {"match_by": "email", "ledger_url": sqlite_url, "audience_status_property": True}
    run_target(email_schema(), by_email("VIP", "ada@example.com"), **config)
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")
    for _ in range(20):
        hubspot.faults.next("POST", "/contacts/batch/update", status=401)
    stopped = run_target(email_schema(), by_email("VIP", "ada@example.com", "remove"), **config)
    assert stopped.exit_code == 1
    hubspot.faults.clear()

    again = run_target(email_schema(), by_email("VIP", "ada@example.com", "remove"), **config)

    assert again.exit_code == 0
    assert portal.contact("ada@example.com").properties["vip"] == "exited"


def test_lists_of_cohorts_with_one_name_keep_a_property_each_while_both_are_deleted(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    ada, bob = portal.add_contacts(2)
    schema = schema_message("contact_id", "cohort_id", "cohort_name", "operation")
    config: dict[str, Any] = {"ledger_url": ledger_url, "audience_status_property": True}

    def records(operation: str, member: str, name: str, cohort_id: int) -> str:
        return record_message(contact_id=member, cohort_id=cohort_id, cohort_name=name, operation=operation)

    both = [(each, name, number) for each in (ada, bob) for name, number in (("VIP", 7), ("Gold", 8))]
    first = run_target(schema, *(records("add", *each) for each in both), **config)
    assert first.exit_code == 0, first.log
    for name in ("VIP", "Gold"):
        portal.rename_list(name, f"Old {name}")
        portal.delete_list(f"Old {name}")

    # The cohort with the id 8 was renamed.
    run = run_target(schema, records("remove", bob, "VIP", 7), records("remove", ada, "VIP", 8), **config)

    assert run.exit_code == 0, run.log
    statuses = {each: portal.contact(each).properties for each in (ada, bob)}
    assert (statuses[ada]["vip"], statuses[ada]["gold"]) == ("realized", "exited")
    assert (statuses[bob]["vip"], statuses[bob]["gold"]) == ("exited", "realized")
