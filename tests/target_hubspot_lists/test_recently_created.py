"""Contacts made a moment ago, which lists or reads do not know yet, and false words that a contact is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import by_email, email_schema, membership, record_message, schema_message, state_message
from tests.hubspot_emulator import HubSpotEmulator
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal

PUT = "/memberships/add-and-remove"
READ, CREATE = "/contacts/batch/read", "/contacts/batch/create"
STATE = state_message({"n": 1})
SCOPES = ["oauth", "crm.lists.read", "crm.lists.write"]
LAG = 5.0  # seconds
LONG = 3600.0
END_OF_INPUT: dict[str, Any] = {
    "sync_mode": "mirror",
    "snapshot_end": "end_of_input",
    "max_removal_percent": 100,
}
MODES = [{}, END_OF_INPUT | {"lists": [{"cohort": "VIP", "list_name": "VIP"}]}]


@pytest.fixture(autouse=True)
def _one_clock(portal: Portal, run_target: TargetRunner) -> None:
    """Time passes in HubSpot while the target waits."""
    portal.clock = run_target.clock.time


@pytest.fixture(params=[False, True], ids=["no ledger", "a ledger"])
def settings(request: pytest.FixtureRequest, sqlite_url: str) -> dict[str, Any]:
    return {"ledger_url": sqlite_url} if request.param else {}


def run_emails(run_target: TargetRunner, addresses: Iterable[str], **config: Any) -> Run:
    return run_target(
        email_schema(), *(by_email("VIP", each) for each in addresses), STATE, match_by="email", **config
    )


def run_ids(run_target: TargetRunner, members: Iterable[str], operation: str = "add", **config: Any) -> Run:
    return run_target(
        schema_message(), *(membership("VIP", each, operation) for each in members), STATE, **config
    )


# Contacts that this run made or found


@pytest.mark.parametrize("mode", MODES, ids=["incremental", "mirror"])
@pytest.mark.parametrize("reads_lag", [False, True], ids=["reads at once", "reads lag"])
def test_a_contact_that_this_run_made_is_asked_for_again_until_the_list_knows_it(
    portal: Portal,
    run_target: TargetRunner,
    settings: dict[str, Any],
    mode: dict[str, Any],
    *,
    reads_lag: bool,
) -> None:
    portal.add_contact("ada@example.com")
    portal.quirks.new_contact_lag = LAG
    portal.quirks.contact_lag = LAG if reads_lag else 0.0

    run = run_emails(run_target, ["ada@example.com", "new@example.com"], **settings, **mode)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.member_emails("VIP") == {"ada@example.com", "new@example.com"}
    assert LAG <= run_target.clock.elapsed <= 3 * LAG
    assert row(run.log, "VIP")["added"] == "2"


@pytest.mark.parametrize("mode", MODES, ids=["incremental", "mirror"])
@pytest.mark.parametrize("reads_lag", [False, True], ids=["reads at once", "reads lag"])
def test_a_contact_that_the_list_does_not_come_to_know_is_dropped_and_the_next_run_heals_it(
    portal: Portal,
    run_target: TargetRunner,
    settings: dict[str, Any],
    mode: dict[str, Any],
    *,
    reads_lag: bool,
) -> None:
    portal.add_contact("ada@example.com")
    portal.quirks.new_contact_lag = LONG
    portal.quirks.contact_lag = LONG if reads_lag else 0.0
    addresses = ["ada@example.com", "new@example.com"]

    run = run_emails(run_target, addresses, **settings, **mode)

    assert (run.exit_code, run.states) == (1, [])
    assert row(run.log, "VIP")["dropped"] == "1"
    assert 'List "VIP": 1 members are not as asked' in run.error.replace(" (1)", "")
    assert portal.member_emails("VIP") == {"ada@example.com"}

    run_target.clock.sleep(LONG)
    again = run_emails(run_target, addresses, **settings, **mode)

    assert (again.exit_code, again.states) == (0, [{"n": 1}])
    assert portal.member_emails("VIP") == set(addresses)
    assert portal.emails() == set(addresses)


def test_a_contact_that_somebody_made_a_moment_ago_and_that_is_found_is_asked_for_again(
    portal: Portal, run_target: TargetRunner, settings: dict[str, Any]
) -> None:
    portal.quirks.new_contact_lag = LAG
    portal.add_contact("ada@example.com")

    run = run_emails(run_target, ["ada@example.com"], **settings)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.member_emails("VIP") == {"ada@example.com"}


def test_a_record_id_that_hubspot_knows_and_the_list_does_not_yet_is_asked_for_again(
    portal: Portal, run_target: TargetRunner, settings: dict[str, Any]
) -> None:
    portal.quirks.new_contact_lag = LAG
    ada = portal.add_contact("ada@example.com")

    run = run_ids(run_target, [ada], **settings)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == {ada}


def test_a_record_id_that_hubspot_knows_and_the_list_never_does_is_dropped(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, settings: dict[str, Any]
) -> None:
    portal.quirks.new_contact_lag = LONG
    ada = portal.add_contact("ada@example.com")

    run = run_ids(run_target, [ada, "1"], **settings)

    assert (run.exit_code, run.states) == (1, [])
    assert (row(run.log, "VIP")["dropped"], row(run.log, "VIP")["missing"]) == ("1", "1")
    assert hubspot.calls("POST", READ) == 1
    assert hubspot.calls("PUT", PUT) == 4  # the waits are short, and few


def test_a_record_id_that_nobody_has_is_asked_for_once(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_ids(run_target, [ada, "1", "2"])

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert row(run.log, "VIP")["missing"] == "2"
    assert (hubspot.calls("POST", READ), hubspot.calls("PUT", PUT)) == (1, 1)


@pytest.mark.parametrize("honours_trace_ids", [False, True])
def test_a_contact_that_exists_and_that_reads_do_not_show_yet_is_read_again(
    portal: Portal, run_target: TargetRunner, settings: dict[str, Any], *, honours_trace_ids: bool
) -> None:
    portal.quirks.honours_trace_ids = honours_trace_ids
    portal.quirks.contact_lag = LAG
    portal.add_contact("ada@example.com")

    run = run_emails(run_target, ["ada@example.com", "new@example.com"], **settings)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.member_emails("VIP") == {"ada@example.com", "new@example.com"}
    assert row(run.log, "VIP")["rejected"] == "0"


def test_a_contact_that_exists_and_that_reads_do_not_come_to_show_counts_by_the_id_that_hubspot_names(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.quirks.contact_lag = LONG
    ada = portal.add_contact("ada@example.com")

    run = run_emails(run_target, ["ada@example.com"])

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == {ada}


def test_an_address_that_exists_and_that_is_nobodys_is_rejected_with_hubspots_words(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    body = {"category": "CONFLICT", "message": "Contact already exists."}
    hubspot.faults.next("POST", CREATE, times=None, status=409, body=body)

    run = run_emails(run_target, ["blocked@example.com"])

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert row(run.log, "VIP")["rejected"] == "1"
    assert portal.emails() == set()


def test_a_create_of_which_hubspot_does_not_say_what_became_ends_the_run(
    hubspot: HubSpotEmulator, run_target: TargetRunner
) -> None:
    hubspot.faults.next("POST", CREATE, times=None, status=201, body={"status": "COMPLETE", "results": []})

    run = run_emails(run_target, ["new@example.com"])

    assert (run.exit_code, run.states) == (1, [])
    assert "said neither that it did nor why not" in run.error
    assert "new@" not in run.log


def test_a_signal_while_a_new_contact_is_waited_for_ends_the_run_without_state(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.quirks.new_contact_lag = LONG
    hubspot.faults.call("PUT", PUT, run_target.terminate, after=1)

    run = run_emails(run_target, ["new@example.com"])

    assert (run.exit_code, run.states) == (143, [])


# STATE and dropped members


def test_a_member_who_was_dropped_holds_every_later_state_and_no_earlier_one(
    portal: Portal, run_target: TargetRunner
) -> None:
    people = list(portal.add_contacts(2))
    portal.quirks.new_contact_lag = LONG
    new = portal.add_contact("new@example.com")
    messages = [
        each
        for number, member in enumerate([people[0], new, people[1]])
        for each in (membership("VIP", member), state_message({"n": number}))
    ]

    run = run_target(schema_message(), *messages, batch_size_rows=1)

    assert run.exit_code == 1
    assert portal.members("VIP") == set(people)
    assert run.states == [{"n": 0}]


@pytest.mark.parametrize("operation", ["add", "remove"])
def test_a_member_whom_verification_finds_not_to_be_as_asked_holds_the_state(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, operation: str
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP", members=[ada, bob] if operation == "remove" else [])
    hubspot.faults.next("PUT", PUT, status=200, body={"recordsIdsAdded": [bob], "recordIdsRemoved": [bob]})

    run = run_ids(run_target, [ada, bob], operation, verify_memberships=True)

    assert row(run.log, "VIP")["dropped"] == "1"
    assert (run.exit_code, run.states) == (1, [])


def test_a_mirrors_stream_with_a_dropped_member_holds_its_state_and_not_that_of_another_stream(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    portal.quirks.new_contact_lag = LONG
    new = portal.add_contact("new@example.com")
    schemas = {each: schema_message("contact_id", stream=each) for each in ("Good", "Bad")}

    run = run_target(
        schemas["Good"],
        membership("", ada, stream="Good"),
        state_message({"good": 1}),
        schemas["Bad"],
        membership("", new, stream="Bad"),
        state_message({"bad": 1}),
        **END_OF_INPUT,
    )

    assert (run.exit_code, run.states) == (1, [{"good": 1}])
    assert portal.members("Good") == {ada}


# Contacts that were merged


@pytest.mark.parametrize("keeps_primary_id", [False, True])
@pytest.mark.parametrize("operation", ["add", "remove"])
def test_a_record_id_that_a_merge_retired_is_sent_under_the_id_that_its_contact_has_now(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    settings: dict[str, Any],
    operation: str,
    *,
    keeps_primary_id: bool,
) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    portal.add_list("VIP", members=[ada, bob, cyd] if operation == "remove" else [])
    merged = portal.merge(ada, bob, keeps_primary_id=keeps_primary_id)

    run = run_ids(run_target, [bob, cyd], operation, **settings)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == ({merged, cyd} if operation == "add" else set())
    assert row(run.log, "VIP")["missing"] == "0"
    assert hubspot.calls("PUT", PUT) <= 2


def test_a_record_id_whose_contact_was_merged_again_and_again_is_followed(
    portal: Portal, run_target: TargetRunner, settings: dict[str, Any]
) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    merged = portal.merge(portal.merge(ada, bob), cyd)

    run = run_ids(run_target, [ada, bob, cyd], **settings)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == {merged}


@pytest.mark.parametrize("last", ["add", "remove"])
@pytest.mark.parametrize("old_is_last", [False, True])
@pytest.mark.parametrize("batch_size_rows", [1, 100])
def test_the_last_word_on_a_merged_contact_counts_under_whichever_id_it_came(
    portal: Portal,
    run_target: TargetRunner,
    settings: dict[str, Any],
    last: str,
    batch_size_rows: int,
    *,
    old_is_last: bool,
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP", members=[ada] if last == "remove" else [])
    merged = portal.merge(ada, bob)
    first = "remove" if last == "add" else "add"
    ids = (merged, ada) if old_is_last else (ada, merged)

    run = run_target(
        schema_message(),
        membership("VIP", ids[0], first),
        membership("VIP", ids[1], last),
        STATE,
        batch_size_rows=batch_size_rows,
        **settings,
    )

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == ({merged} if last == "add" else set())


def test_attributes_of_a_retired_record_id_reach_the_contact_that_it_is_now(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_property("plan")
    merged = portal.merge(ada, bob)
    record = record_message(contact_id=ada, cohort_name="VIP", operation="add", plan="pro")

    run = run_target(
        schema_message("contact_id", "cohort_name", "operation", "plan"),
        record,
        property_mappings=[{"field": "plan", "property": "plan"}],
    )

    assert run.exit_code == 0
    assert portal.contact(merged).properties == {"plan": "pro"}
    assert portal.members("VIP") == {merged}


def test_without_the_scope_to_read_contacts_a_retired_id_is_missing_which_is_said_once(
    portal: Portal, run_target: TargetRunner, settings: dict[str, Any]
) -> None:
    ada, bob, cyd, dee = portal.add_contacts(4)
    portal.merge(ada, bob)
    with HubSpotEmulator(portal, tokens={"pat-na1-lists": SCOPES}) as hubspot:
        where = {"api_url": hubspot.url, "access_token": hubspot.token}

        run = run_ids(run_target, [ada, cyd, bob, dee], batch_size_rows=2, **where, **settings)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == {cyd, dee}
    assert row(run.log, "VIP")["missing"] == "2"
    assert run.log.count("crm.objects.contacts.read") == 1


# False words of a list that a contact is missing


def falsely_missing(hubspot: HubSpotEmulator, *members: str, times: int | None = 1) -> None:
    hubspot.faults.next("PUT", PUT, times=times, status=200, body={"recordIdsMissing": members})


@pytest.mark.parametrize("match_by", ["contact_id", "email"])
@pytest.mark.parametrize("operation", ["add", "remove"])
def test_a_false_word_that_a_contact_is_missing_is_asked_again(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    settings: dict[str, Any],
    match_by: str,
    operation: str,
) -> None:
    ada = portal.add_contact("ada@example.com")
    portal.add_list("VIP", members=[ada] if operation == "remove" else [])
    falsely_missing(hubspot, ada)
    schema = email_schema() if match_by == "email" else schema_message()
    record = (
        by_email("VIP", "ada@example.com", operation)
        if match_by == "email"
        else membership("VIP", ada, operation)
    )

    run = run_target(schema, record, STATE, match_by=match_by, **settings)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == ({ada} if operation == "add" else set())


@pytest.mark.parametrize("match_by", ["contact_id", "email"])
def test_a_removal_that_a_list_keeps_calling_missing_is_dropped_and_the_ledger_keeps_the_member(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str, match_by: str
) -> None:
    ada, bob = portal.add_contact("ada@example.com"), portal.add_contact("bob@example.com")
    by_address = match_by == "email"
    people = ["ada@example.com", "bob@example.com"] if by_address else [ada, bob]
    run_all = run_emails if by_address else run_ids
    assert run_all(run_target, people, ledger_url=sqlite_url).exit_code == 0
    falsely_missing(hubspot, ada, times=4)
    removal = (
        [email_schema(), by_email("VIP", people[0], "remove")]
        if by_address
        else [schema_message(), membership("VIP", people[0], "remove")]
    )

    run = run_target(*removal, STATE, match_by=match_by, ledger_url=sqlite_url)

    assert (run.exit_code, run.states) == (1, [])
    assert row(run.log, "VIP")["dropped"] == "1"
    assert portal.members("VIP") == {ada, bob}

    mirrored = run_all(run_target, people[1:], ledger_url=sqlite_url, **MODES[1])

    assert (mirrored.exit_code, mirrored.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == {bob}


def test_a_mirrors_false_removal_is_told_and_the_next_mirror_makes_it(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, settings: dict[str, Any]
) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    assert run_ids(run_target, [ada, bob, cyd], **settings).exit_code == 0
    falsely_missing(hubspot, ada, times=4)

    run = run_ids(run_target, [bob, cyd], **MODES[1], **settings)

    assert (run.exit_code, run.states) == (1, [])
    assert portal.members("VIP") == {ada, bob, cyd}

    again = run_ids(run_target, [bob, cyd], **MODES[1], **settings)

    assert (again.exit_code, again.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == {bob, cyd}


def test_a_removal_that_a_list_calls_missing_of_a_contact_that_is_not_on_it_is_as_asked(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, settings: dict[str, Any]
) -> None:
    (ada,) = portal.add_contacts(1)
    portal.add_list("VIP")
    falsely_missing(hubspot, ada, times=None)

    run = run_ids(run_target, [ada], "remove", **settings)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])


def test_a_contact_that_is_gone_is_forgotten_and_its_removal_is_as_asked(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada, bob = portal.add_contacts(2)
    run_ids(run_target, [ada, bob], ledger_url=sqlite_url)
    portal.delete_contact(ada)

    run = run_ids(run_target, [ada], "remove", ledger_url=sqlite_url)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert row(run.log, "VIP")["missing"] == "1"


def test_members_put_back_that_the_list_falsely_calls_missing_are_put_back_again(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada, bob = portal.add_contacts(2)
    run_ids(run_target, [ada], ledger_url=sqlite_url)
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")
    falsely_missing(hubspot, ada)

    run = run_ids(run_target, [bob], ledger_url=sqlite_url)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == {ada, bob}
