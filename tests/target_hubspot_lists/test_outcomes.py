"""What becomes of a membership, by what is known of it: pure, tested with values."""

from __future__ import annotations

import pytest

from hubspot_singer.http import ErrorBody, Refused
from hubspot_singer.http.calls import Call
from hubspot_singer.http.redaction import Redactor
from target_hubspot_lists.outcomes import (
    KnownMailability,
    Mailability,
    Outcome,
    PropertyOutcome,
    PropertyProblem,
    PropertyReason,
    PropertyResult,
    Refusal,
    Seen,
    blamed_properties,
    is_applied,
    outcome_of,
)


@pytest.mark.parametrize(
    ("seen", "to_add", "to_remove"),
    [
        (Seen.CHANGED, Outcome.ADDED, Outcome.REMOVED),
        (Seen.ON_LIST, Outcome.ALREADY_MEMBER, Outcome.DROPPED),
        (Seen.NOT_ON_LIST, Outcome.DROPPED, Outcome.NOT_A_MEMBER),
        (Seen.NOT_NAMED, Outcome.UNCONFIRMED, Outcome.UNCONFIRMED),
        (Seen.NO_CONTACT, Outcome.MISSING, Outcome.MISSING),
        (Seen.REFUSED, Outcome.REJECTED, Outcome.REJECTED),
    ],
)
def test_each_thing_that_is_known_has_one_outcome(seen: Seen, to_add: Outcome, to_remove: Outcome) -> None:
    assert outcome_of(seen, is_member=True) is to_add
    assert outcome_of(seen, is_member=False) is to_remove


@pytest.mark.parametrize(
    ("seen", "to_add", "to_remove"),
    [
        (Seen.ON_LIST, Outcome.ALREADY_MEMBER, Outcome.REMOVED),
        (Seen.NOT_ON_LIST, Outcome.ADDED, Outcome.NOT_A_MEMBER),
    ],
)
def test_of_a_change_that_was_not_sent_the_outcome_is_what_a_run_would_bring(
    seen: Seen, to_add: Outcome, to_remove: Outcome
) -> None:
    assert outcome_of(seen, is_member=True, is_sent=False) is to_add
    assert outcome_of(seen, is_member=False, is_sent=False) is to_remove


def test_a_list_is_as_asked_unless_hubspot_did_not_take_the_change() -> None:
    unapplied = {each for each in Outcome if not is_applied(each, is_member=True)}

    assert unapplied == {Outcome.MISSING, Outcome.REJECTED, Outcome.SKIPPED, Outcome.DROPPED}


def test_nobody_is_on_a_list_whom_hubspot_does_not_know() -> None:
    unapplied = {each for each in Outcome if not is_applied(each, is_member=False)}

    assert unapplied == {Outcome.REJECTED, Outcome.SKIPPED, Outcome.DROPPED}


def test_a_contact_is_mailable_if_nothing_speaks_against_it() -> None:
    mailable = {each for each in Mailability if KnownMailability(each, 0).is_mailable}

    assert mailable == {Mailability.MAILABLE}


@pytest.mark.parametrize(
    "result",
    [
        PropertyResult(PropertyOutcome.UPDATED),
        PropertyResult(PropertyOutcome.REJECTED, PropertyProblem(PropertyReason.TOO_LONG, "plan")),
        PropertyResult(PropertyOutcome.REJECTED, PropertyProblem.by_hubspot({"plan", "city"}, "c-1")),
        PropertyResult(PropertyOutcome.REJECTED, PropertyProblem.by_hubspot((), None)),
    ],
)
def test_a_result_of_properties_is_kept_on_disk_and_read_again(result: PropertyResult) -> None:
    assert PropertyResult.unpacked(result.packed) == result


def test_of_several_blamed_properties_the_first_by_name_is_told() -> None:
    assert PropertyProblem.by_hubspot({"plan", "city"}, None).property == "city"


@pytest.mark.parametrize(("body", "message"), [(ErrorBody(message="no"), "no"), (None, "418")])
def test_a_refusal_says_what_hubspot_said_or_at_least_its_status(
    body: ErrorBody | None, message: str
) -> None:
    refused = Refused(Call("POST", "/crm/objects/2026-03/contacts/batch/create", Redactor()), 418, body)

    assert Refusal.by_hubspot(refused).message == message


def test_hubspot_blames_properties_in_the_error_and_in_its_details() -> None:
    body = ErrorBody.parse(
        {
            "message": "invalid",
            "context": {"propertyName": ["plan"]},
            "errors": [{"message": "no option", "context": {"propertyName": ["city"]}}, {"message": "no"}],
        }
    )

    assert blamed_properties(body) == {"plan", "city"}
    assert blamed_properties(ErrorBody(message="invalid")) == frozenset()
