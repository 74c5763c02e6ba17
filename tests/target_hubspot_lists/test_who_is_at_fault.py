"""Whether an input that HubSpot refuses is at fault, or the list or endpoint: pure, tested with values."""

from __future__ import annotations

import pytest

from hubspot_singer.http import Refused
from hubspot_singer.http.answers import ErrorBody
from hubspot_singer.http.calls import Call
from hubspot_singer.http.redaction import Redactor
from target_hubspot_lists.hubspot.refusals import (
    MAX_REFUSED_WITHOUT_SUCCESS,
    CallHistory,
    Doubt,
    RefusalLimit,
    changes_of,
    is_named_in,
    look_ups_by,
)

CALL = Call("PUT", "/crm/lists/2026-03/42/memberships/add-and-remove", Redactor())
ADDS, REMOVALS = changes_of("42", is_add=True), changes_of("42", is_add=False)


def refusal(message: str = "Not these", **fields: object) -> Refused:
    return Refused(CALL, 400, ErrorBody.parse({"message": message, **fields}))


def test_each_kind_of_call_is_another() -> None:
    kinds = [ADDS, REMOVALS, changes_of("43", is_add=True), look_ups_by("email"), look_ups_by("customer_id")]

    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize(
    ("problem", "is_named"),
    [
        (refusal("Contact 17 is locked"), True),
        (refusal("Contact 170 or 117 is locked"), False),
        (refusal(context={"id": ["17"]}), True),
        (refusal(context={"id": ["170"]}), False),
        (refusal(errors=[{"message": "17 is locked"}]), True),
        (refusal(errors=[{"message": "locked", "context": {"id": ["17"]}}]), True),
        (refusal(""), False),
    ],
)
def test_an_input_is_named_where_its_id_stands_alone(problem: Refused, *, is_named: bool) -> None:
    assert is_named_in(problem, 17) is is_named


def test_an_address_is_named_in_any_case() -> None:
    assert is_named_in(refusal("ADA@Example.com is no contact"), "ada@example.com")
    assert not is_named_in(refusal("nada@example.com is no contact"), "ada@example.com")


def test_inputs_are_given_up_once_a_hundred_were_refused_and_none_was_accepted() -> None:
    limit = RefusalLimit()

    assert [limit.refused() for _ in range(MAX_REFUSED_WITHOUT_SUCCESS - 1)].count(True) == 0
    assert limit.refused()


def test_inputs_are_not_given_up_once_one_was_accepted() -> None:
    limit = RefusalLimit()
    limit.accepted()

    assert not any(limit.refused() for _ in range(2 * MAX_REFUSED_WITHOUT_SUCCESS))


def test_an_input_is_at_fault_if_a_call_of_its_kind_was_accepted_between_two_refusals() -> None:
    history = CallHistory()
    among_others = history.refused(refusal())
    history.accepted([ADDS], history.now())
    alone = history.refused(refusal())

    assert history.judge_alone([ADDS], 17, alone, among_others.moment) is None
    assert history.judge_alone([ADDS], 17, alone, None, among_others.moment) is None


def test_an_input_is_in_doubt_if_no_call_of_its_kind_was_accepted_in_between() -> None:
    history = CallHistory()
    history.accepted([ADDS], history.now())
    among_others = history.refused(refusal())
    history.accepted([REMOVALS], history.now())
    alone = history.refused(refusal())

    assert history.judge_alone([ADDS], 17, alone, among_others.moment) == Doubt(alone.problem, alone.moment)
    assert history.judge_alone([ADDS], 17, alone) == Doubt(alone.problem, alone.moment)
    history.accepted([ADDS], history.now())
    assert history.judge_alone([ADDS, REMOVALS], 17, alone, among_others.moment) is None


def test_a_call_counts_as_accepted_from_the_moment_it_was_sent() -> None:
    history = CallHistory()
    sent = history.now()
    among_others = history.refused(refusal())
    history.accepted([ADDS], history.now())
    history.accepted([ADDS], sent)  # its answer comes later

    assert history.has_accepted_since([ADDS], among_others.moment)
    assert not history.has_accepted_since([ADDS, REMOVALS], among_others.moment)
    assert not history.has_accepted_since([ADDS], history.now())


def test_an_input_that_is_named_is_at_fault_whatever_was_accepted() -> None:
    history = CallHistory()

    assert history.judge_alone([ADDS], 17, history.refused(refusal("17 is locked"))) is None


def test_a_list_is_hopeless_once_a_hundred_in_a_row_are_in_doubt_for_each_kind() -> None:
    history = CallHistory()

    def doubt(kinds: list[object], times: int) -> None:
        for _ in range(times):
            assert history.judge_alone(kinds, 17, history.refused(refusal()))  # type: ignore[arg-type]

    doubt([ADDS], MAX_REFUSED_WITHOUT_SUCCESS - 1)
    assert not history.is_hopeless([ADDS])
    doubt([ADDS], 1)
    assert history.is_hopeless([ADDS])
    assert not history.is_hopeless([ADDS, REMOVALS])
    doubt([REMOVALS], MAX_REFUSED_WITHOUT_SUCCESS)
    assert history.is_hopeless([ADDS, REMOVALS])

    history.accepted([ADDS], history.now())
    history.reset_doubts([REMOVALS])
    for kind in (ADDS, REMOVALS):
        assert not history.is_hopeless([kind])
        doubt([kind], MAX_REFUSED_WITHOUT_SUCCESS - 1)
        assert not history.is_hopeless([kind])
        doubt([kind], 1)
        assert history.is_hopeless([kind])
