from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.texts import may_hold_unstorable, storable

JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "replaced"),
    [
        ("nul \x00 in text", "nul \ufffd in text"),
        ("half a surrogate pair \ud83d", "half a surrogate pair ?"),
        ("Zoë \x00 🎉", "Zoë \ufffd 🎉"),
        (
            {"k\x00": ["\x00", {"\ud83d": "\x00"}, 5, None, True]},
            {"k\ufffd": ["\ufffd", {"?": "\ufffd"}, 5, None, True]},
        ),
    ],
)
def test_what_cannot_be_stored_is_replaced_wherever_it_is(value: Any, replaced: Any) -> None:
    assert storable(value) == replaced


@given(JSON)
def test_what_can_be_stored_stays(value: Any) -> None:
    if not may_hold_unstorable(json.dumps(value).encode()):
        assert storable(value) == value


@pytest.mark.parametrize("text", ["a\x00b", "\ud83d", "\ude00 at first", "Zoë \udcff"])
@pytest.mark.parametrize("is_escaped", [True, False])
def test_a_document_with_such_a_character_is_noticed(text: str, is_escaped: bool) -> None:  # noqa: FBT001
    document = json.dumps({"a": [text]}, ensure_ascii=is_escaped)

    assert may_hold_unstorable(document.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("text", ["plain", "Zoë 日本語 🎉", "한국어"])
def test_other_documents_are_left_alone(text: str) -> None:
    assert not may_hold_unstorable(json.dumps({"a": text}, ensure_ascii=False).encode())
