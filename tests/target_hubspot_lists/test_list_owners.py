"""A mirror with a ledger removes nobody from a list that, as the ledger knows, others fill than those who came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.ledger.overview import LedgerOverview
from tests.factories import (
    activate_version,
    email_schema,
    record_message,
    schema_message,
    state_message,
    versioned,
)
from tests.target_hubspot_lists import mirrors

if TYPE_CHECKING:
    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal

ADA, BEN, CYD, DAN, EVE = (f"{name}@example.com" for name in ("ada", "ben", "cyd", "dan", "eve"))
COLUMNS = ("email", "cohort_name", "cohort_id", "cohort_size")
STATE = {"n": 1}


def snapshot(cohort_id: str | None, name: str, *members: str, stream: str = "people") -> list[str]:
    """A cohort that is complete by its own cohort_size."""
    records = (
        record_message(stream, email=each, cohort_name=name, cohort_id=cohort_id, cohort_size=len(members))
        for each in members
    )
    return [schema_message(*COLUMNS, stream=stream), *records]


def mirror(run_target: TargetRunner, *messages: str, **config: Any) -> Run:
    """Run in mirror mode, by address, with a STATE at the end."""
    return mirrors.mirror(run_target, *messages, state_message(STATE), **{"match_by": "email"} | config)


def assert_held_back(run: Run) -> None:
    assert (run.exit_code, run.states) == (1, [])
    assert "No member was removed" in run.error
    assert 'List "c_VIP" (' in run.error


def assert_done(run: Run) -> None:
    assert (run.exit_code, run.states) == (0, [STATE]), run.log


# Other cohorts


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [
        pytest.param(("1", "VIP"), ("2", "VIP"), '"VIP" (id 2)', id="ids"),
        pytest.param((None, "VIP"), (None, "vip"), '"vip"', id="upper and lower case"),
    ],
)
def test_a_cohort_that_shares_a_list_and_does_not_come_keeps_its_members(
    portal: Portal,
    run_target: TargetRunner,
    ledger_url: str,
    one: tuple[str | None, str],
    other: tuple[str | None, str],
    named: str,
) -> None:
    both = [*snapshot(*one, ADA, BEN), *snapshot(*other, CYD, DAN)[1:]]
    assert_done(mirror(run_target, *both, ledger_url=ledger_url))

    for _ in range(2):
        run = mirror(run_target, *snapshot(*one, ADA, EVE), ledger_url=ledger_url)

        assert_held_back(run)
        assert named in run.error
        assert portal.member_emails("c_VIP") == {ADA, BEN, CYD, DAN, EVE}

    assert_done(
        mirror(run_target, *snapshot(*one, ADA, EVE), *snapshot(*other, CYD)[1:], ledger_url=ledger_url)
    )
    assert portal.member_emails("c_VIP") == {ADA, CYD, EVE}


def test_a_cohort_with_another_ones_name_does_not_empty_its_list(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    assert_done(mirror(run_target, *snapshot("1", "VIP", ADA, BEN, CYD), ledger_url=sqlite_url))

    run = mirror(run_target, *snapshot("2", "VIP", CYD, DAN), ledger_url=sqlite_url)

    assert_held_back(run)
    assert '"VIP" (id 1)' in run.error
    list_id = portal.hubspot_list("c_VIP").list_id
    assert f'[{{"cohort": "2", "list_id": "{list_id}"}}]' in run.error
    assert portal.member_emails("c_VIP") == {ADA, BEN, CYD, DAN}
    # The members of the other cohort are on the list now: to remove them is no less wrong.
    assert_held_back(mirror(run_target, *snapshot("1", "VIP", ADA), ledger_url=sqlite_url))
    assert portal.member_emails("c_VIP") == {ADA, BEN, CYD, DAN}


def test_the_line_that_the_message_gives_lets_one_cohort_rule_the_list(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    both = [*snapshot("1", "VIP", ADA, BEN), *snapshot("2", "VIP", CYD, DAN)[1:]]
    list_id = portal.add_list("c_VIP").list_id
    mirror(run_target, *both, ledger_url=sqlite_url)
    one = snapshot("1", "VIP", ADA)
    line = [{"cohort": "1", "list_id": list_id}]
    assert (
        f'[{{"cohort": "1", "list_id": "{list_id}"}}]'
        in mirror(run_target, *one, ledger_url=sqlite_url).error
    )

    assert_done(mirror(run_target, *one, ledger_url=sqlite_url, lists=line))

    assert portal.member_emails("c_VIP") == {ADA}
    assert_held_back(mirror(run_target, *snapshot("2", "VIP", DAN), ledger_url=sqlite_url, lists=line))
    assert portal.member_emails("c_VIP") == {ADA, DAN}


def test_a_cohort_that_lists_sends_elsewhere_leaves_the_list_to_the_others(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    mirror(run_target, *snapshot("1", "VIP", ADA, BEN), *snapshot("2", "VIP", CYD)[1:], ledger_url=sqlite_url)
    one = snapshot("1", "VIP", ADA)

    skipped = mirror(run_target, *one, ledger_url=sqlite_url, lists=[{"cohort": "2", "skip": True}])
    assert_held_back(skipped)
    moved = mirror(run_target, *one, ledger_url=sqlite_url, lists=[{"cohort": "2", "list_name": "Two"}])

    assert_done(moved)
    assert portal.member_emails("c_VIP") == {ADA}


@pytest.mark.parametrize("end", ["proven", "end_of_input"])
def test_an_entry_of_lists_by_a_name_that_both_cohorts_have_is_not_for_one_of_them(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, end: str
) -> None:
    settings: dict[str, Any] = {"ledger_url": sqlite_url, "snapshot_end": end}
    lists = [{"cohort": "VIP", "list_id": portal.add_list("c_VIP").list_id}]
    mirror(
        run_target, *snapshot("1", "VIP", ADA, BEN), *snapshot("2", "VIP", CYD)[1:], lists=lists, **settings
    )

    run = mirror(run_target, *snapshot("1", "VIP", ADA), lists=lists, **settings)

    assert_held_back(run)
    assert 'take "VIP" out of lists' in run.error
    assert portal.member_emails("c_VIP") == {ADA, BEN, CYD}
    by_id = [{"cohort": "1", "list_id": lists[0]["list_id"]}]
    assert_done(mirror(run_target, *snapshot("1", "VIP", ADA), lists=by_id, **settings))
    assert portal.member_emails("c_VIP") == {ADA}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(("1", "VIP"), ("1", "VIP"), id="the same"),
        pytest.param(("1", "VIP"), ("1", "Gold"), id="renamed"),
        pytest.param((None, "VIP"), ("1", "VIP"), id="with an id from now on"),
        pytest.param(("1", "VIP"), (None, "VIP"), id="without an id from now on"),
    ],
)
def test_a_cohort_that_is_still_the_same_loses_who_left(
    portal: Portal,
    run_target: TargetRunner,
    sqlite_url: str,
    before: tuple[str | None, str],
    after: tuple[str | None, str],
) -> None:
    assert_done(mirror(run_target, *snapshot(*before, ADA, BEN), ledger_url=sqlite_url))

    for _ in range(2):
        assert_done(mirror(run_target, *snapshot(*after, BEN, CYD), ledger_url=sqlite_url))

        assert portal.member_emails(f"c_{after[1]}") == {BEN, CYD}


def test_a_cohort_that_got_an_id_and_then_another_name_loses_who_left(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    for cohort_id, name, members in (
        (None, "VIP", [ADA, BEN]),
        ("1", "VIP", [ADA, CYD]),
        ("1", "Gold", [ADA, DAN]),
    ):
        assert_done(mirror(run_target, *snapshot(cohort_id, name, *members), ledger_url=sqlite_url))

        assert portal.member_emails("c_VIP") == set(members)


def test_of_many_cohorts_that_fill_a_list_the_message_names_some(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    cohorts = [[*snapshot(str(number), "VIP", f"{number}@example.com")] for number in range(10)]
    mirror(run_target, *(message for each in cohorts for message in each), ledger_url=sqlite_url)

    run = mirror(run_target, *(message for each in cohorts[:5] for message in each), ledger_url=sqlite_url)

    assert_held_back(run)
    assert 'cohort "VIP" (id 5), "VIP" (id 6), "VIP" (id 7) and 2 more fills it as well' in run.error
    assert '"VIP" (id 2) and 2 more alone rule the list' in run.error
    assert "] and so on. Else" in run.error
    assert len(portal.members("c_VIP")) == 10


def test_a_cohort_that_shared_a_deleted_list_counts_for_the_list_in_its_place(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    mirror(run_target, *snapshot("1", "VIP", ADA), *snapshot("2", "VIP", CYD)[1:], ledger_url=sqlite_url)
    portal.rename_list("c_VIP", "Old")
    portal.delete_list("Old")
    one = snapshot("1", "VIP", ADA)

    foretold = mirror(run_target, *one, ledger_url=sqlite_url, dry_run=True)
    run = mirror(run_target, *one, ledger_url=sqlite_url)

    assert (foretold.exit_code, run.exit_code) == (1, 1)
    assert '"VIP" (id 2)' in foretold.error
    assert '"VIP" (id 2)' in run.error


# Another stream


def test_a_list_that_another_stream_filled_keeps_its_members_run_after_run(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    crm = snapshot(None, "VIP", ADA, BEN, CYD, stream="crm")
    shop = snapshot(None, "VIP", CYD, DAN, stream="shop")
    assert_done(mirror(run_target, *crm, ledger_url=ledger_url))

    for _ in range(2):
        run = mirror(run_target, *shop, ledger_url=ledger_url)

        assert_held_back(run)
        assert 'stream "crm" filled it last, not "shop"' in run.error
        assert '[{"cohort": "VIP", "list_id": "' in run.error
        assert portal.member_emails("c_VIP") == {ADA, BEN, CYD, DAN}
        with LedgerOverview(ledger_url) as overview:
            assert [each.stream for each in overview.lists()] == ["crm"]


def test_lists_hands_a_list_over_to_another_stream_for_good(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    lists = [{"cohort": "VIP", "list_id": portal.add_list("c_VIP").list_id}]
    assert_done(mirror(run_target, *snapshot(None, "VIP", ADA, stream="old"), ledger_url=sqlite_url))
    renamed = snapshot(None, "VIP", BEN, stream="new")

    assert_done(mirror(run_target, *renamed, ledger_url=sqlite_url, lists=lists))
    assert_done(mirror(run_target, *snapshot(None, "VIP", CYD, stream="new"), ledger_url=sqlite_url))

    assert portal.member_emails("c_VIP") == {CYD}
    assert_held_back(mirror(run_target, *snapshot(None, "VIP", ADA, stream="old"), ledger_url=sqlite_url))
    assert portal.member_emails("c_VIP") == {ADA, CYD}


def test_a_list_that_another_stream_filled_as_well_is_not_emptied_when_its_cohort_vanishes(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    settings: dict[str, Any] = {"ledger_url": sqlite_url, "empty_vanished_cohorts": True}

    def crm(version: int, *names: str) -> list[str]:
        schema = schema_message(*COLUMNS, stream="crm")
        records = [record for name in names for record in snapshot(None, name, ADA, stream="crm")[1:]]
        return [
            schema,
            *(versioned(each, version) for each in records),
            activate_version(version, stream="crm"),
        ]

    assert_done(mirror(run_target, *crm(1, "VIP", "Gone", "Other"), **settings))
    assert_held_back(mirror(run_target, *snapshot(None, "VIP", BEN, stream="shop"), **settings))

    run = mirror(run_target, *crm(2, "Other"), **settings)

    assert_done(run)
    assert portal.member_emails("c_VIP") == {ADA, BEN}
    assert portal.member_emails("c_Gone") == set()
    assert 'left alone: lists "c_VIP" (' in run.log


# What stays as it is


def test_a_dry_run_foretells_that_nobody_is_removed(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    mirror(run_target, *snapshot("1", "VIP", ADA, BEN, stream="crm"), ledger_url=sqlite_url)
    for brought in (snapshot("2", "VIP", CYD, stream="crm"), snapshot("1", "VIP", CYD, stream="shop")):
        foretold = mirror(run_target, *brought, ledger_url=sqlite_url, dry_run=True)
        with LedgerOverview(sqlite_url) as overview:
            assert [(each.stream, each.cohorts) for each in overview.lists()] == [("crm", ("VIP",))]

        assert_held_back(foretold)
        assert portal.member_emails("c_VIP") == {ADA, BEN}

    run = mirror(run_target, *brought, ledger_url=sqlite_url)
    assert run.error == foretold.error


def test_an_incremental_run_adds_and_removes_whoever_else_fills_the_list(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    mirror(run_target, *snapshot("1", "VIP", ADA, BEN, stream="crm"), ledger_url=sqlite_url)
    changes = [
        email_schema("cohort_id", stream="shop"),
        *(
            record_message("shop", email=email, cohort_name="VIP", cohort_id="2", operation=operation)
            for email, operation in ((ADA, "remove"), (CYD, "add"))
        ),
    ]

    assert_done(mirror(run_target, *changes, ledger_url=sqlite_url, sync_mode="incremental"))

    assert portal.member_emails("c_VIP") == {BEN, CYD}
    with LedgerOverview(sqlite_url) as overview:
        assert [each.stream for each in overview.lists()] == ["shop"]


def test_without_a_ledger_nobody_is_known_who_fills_a_list_besides(
    portal: Portal, run_target: TargetRunner
) -> None:
    mirror(run_target, *snapshot("1", "VIP", ADA, BEN))

    assert_done(mirror(run_target, *snapshot("2", "VIP", CYD, stream="shop")))

    assert portal.member_emails("c_VIP") == {CYD}


def changes(stream: str, *members: str) -> list[str]:
    """Adds to cohort VIP, from one stream."""
    records = (record_message(stream, email=each, cohort_name="VIP", operation="add") for each in members)
    return [email_schema(stream=stream), *records]


@pytest.mark.parametrize("in_one_run", [True, False])
def test_a_list_that_two_streams_fill_loses_nobody_to_a_mirror_of_the_last_one(
    portal: Portal, run_target: TargetRunner, ledger_url: str, *, in_one_run: bool
) -> None:
    crm, shop = changes("crm", ADA, BEN), changes("shop", CYD, DAN)
    for messages in ([*crm, *shop],) if in_one_run else (crm, shop):
        run = mirror(run_target, *messages, ledger_url=ledger_url, sync_mode="incremental")
        assert_done(run)

    for _ in range(2):
        run = mirror(run_target, *snapshot(None, "VIP", DAN, stream="shop"), ledger_url=ledger_url)

        assert_held_back(run)
        assert 'stream "crm" fills it as well, besides "shop"' in run.error
        assert portal.member_emails("c_VIP") == {ADA, BEN, CYD, DAN}


def test_lists_hands_a_list_of_two_streams_over_to_one_of_them_for_good(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    settings = {"ledger_url": sqlite_url}
    both = [*changes("crm", ADA, BEN), *changes("shop", CYD)]
    mirror(run_target, *both, **settings, sync_mode="incremental")
    lists = [{"cohort": "VIP", "list_name": "c_VIP"}]

    assert_done(mirror(run_target, *snapshot(None, "VIP", CYD, stream="shop"), **settings, lists=lists))
    assert_done(mirror(run_target, *snapshot(None, "VIP", DAN, stream="shop"), **settings))

    assert portal.member_emails("c_VIP") == {DAN}


def test_the_streams_of_a_deleted_list_count_for_the_list_in_its_place(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    both = [*changes("crm", ADA, BEN), *changes("shop", CYD)]
    mirror(run_target, *both, ledger_url=sqlite_url, sync_mode="incremental")
    portal.rename_list("c_VIP", "Old")
    portal.delete_list("Old")
    mirror(run_target, *changes("shop", CYD), ledger_url=sqlite_url, sync_mode="incremental")

    run = mirror(run_target, *snapshot(None, "VIP", DAN, stream="shop"), ledger_url=sqlite_url)

    assert_held_back(run)
    assert portal.member_emails("c_VIP") == {ADA, BEN, CYD, DAN}


def test_a_list_that_two_streams_filled_in_one_run_is_not_emptied_when_its_cohort_vanishes(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    settings: dict[str, Any] = {"ledger_url": sqlite_url, "empty_vanished_cohorts": True}
    other = record_message("shop", email=EVE, cohort_name="Other", operation="add")
    both = [*changes("crm", ADA), *changes("shop", BEN), other]
    assert_done(mirror(run_target, *both, **settings, sync_mode="incremental"))
    whole = [
        schema_message(*COLUMNS, stream="shop"),
        versioned(record_message("shop", email=EVE, cohort_name="Other"), 1),
        activate_version(1, stream="shop"),
    ]

    assert_done(mirror(run_target, *whole, **settings))

    assert portal.member_emails("c_VIP") == {ADA, BEN}
