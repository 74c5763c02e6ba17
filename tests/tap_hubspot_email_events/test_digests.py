from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.digests import MOST_REMEMBERED, SLACK, Memory, digest
from tap_hubspot_email_events.errors import UnreadableState

EVENT: dict[str, Any] = {"id": "e1", "created": 1_795_000_000_123, "sentBy": {"id": "e0", "created": 1}}


def test_the_order_of_fields_makes_no_difference() -> None:
    assert digest(EVENT) == digest(dict(reversed(EVENT.items())))


@pytest.mark.parametrize(
    "change", [{"id": "e2"}, {"obsoletedBy": {"id": "e9", "created": 2}}, {"sentBy": None}]
)
def test_whatever_hubspot_says_differently_makes_a_difference(change: dict[str, Any]) -> None:
    assert digest(EVENT) != digest({**EVENT, **change})


@pytest.mark.parametrize("value", ["half of a pair \ud83d", 2**70])
def test_what_fast_json_cannot_write_has_a_digest_too(value: Any) -> None:
    assert len(digest({**EVENT, "subject": value})) == 8


def test_a_digest_stays_what_it_was_when_it_was_put_into_a_state() -> None:
    assert digest(EVENT).hex() == "d5e8441f2b91e540"


@given(st.sets(st.binary(min_size=8, max_size=8)))
def test_a_memory_survives_being_written_and_read(digests: set[bytes]) -> None:
    memory = Memory(10)
    for each in digests:
        memory.add(each, 15)

    again = Memory.of(10, 20, memory.encoded())

    assert all(each in again for each in digests)
    assert len(again) == len(digests)


def test_the_same_memory_is_written_alike() -> None:
    one, other = Memory(0), Memory(0)
    for each in (b"12345678", b"87654321"):
        one.add(each, 5)
    for each in (b"87654321", b"12345678"):
        other.add(each, 6)

    assert one.encoded() == other.encoded()


@pytest.mark.parametrize("encoded", ["no base64!", "AAAA", "äöü"])
def test_a_memory_that_cannot_be_read_is_an_error(encoded: str) -> None:
    with pytest.raises(UnreadableState):
        Memory.of(0, 10, encoded)


def test_what_is_older_is_forgotten() -> None:
    memory = Memory(0)
    memory.add(b"older...", 9)
    memory.add(b"newer...", 10)

    memory.forget_before(10)

    assert b"older..." not in memory
    assert b"newer..." in memory
    assert memory.since == 10


def test_only_the_newest_are_kept_and_no_moment_in_part() -> None:
    memory = Memory(0)
    for index in range(MOST_REMEMBERED + 100):
        memory.add(index.to_bytes(8), index // 200)

    memory.forget_all_but_newest()

    assert memory.since == 1  # 100 too many, so all 200 of the oldest moment go
    assert len(memory) == MOST_REMEMBERED - 100


def test_a_memory_is_bounded_while_it_grows() -> None:
    memory = Memory(0)
    for index in range(3 * SLACK * MOST_REMEMBERED):
        memory.add(index.to_bytes(8), index)

    assert len(memory) <= SLACK * MOST_REMEMBERED
