from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.digests import digest, pack, unpack
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
def test_digests_survive_being_packed_and_unpacked(digests: set[bytes]) -> None:
    assert unpack(pack(digests)) == digests


def test_the_same_digests_are_written_alike() -> None:
    assert pack([b"12345678", b"87654321"]) == pack([b"87654321", b"12345678"])


@pytest.mark.parametrize("encoded", ["no base64!", "AAAA", "äöü"])
def test_digests_that_cannot_be_read_are_an_error(encoded: str) -> None:
    with pytest.raises(UnreadableState):
        unpack(encoded)
