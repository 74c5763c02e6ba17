"""What is remembered tells the same value from another one, and holds neither names nor values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_lists.journal.property_memory import Hashes

TEXTS = st.dictionaries(st.sampled_from(["plan", "seats", "vip", "beta"]), st.text(max_size=5))


@given(st.lists(TEXTS))
def test_only_what_differs_from_the_last_word_is_unknown(writes: list[dict[str, str]]) -> None:
    hashes = Hashes()
    last_word: dict[str, str] = {}
    for texts in writes:
        assert hashes.unknown(texts) == {
            name: text for name, text in texts.items() if last_word.get(name) != text
        }
        hashes = Hashes(hashes.with_written(texts).packed)
        last_word |= texts

    assert hashes.unknown(last_word) == {}


@given(TEXTS)
def test_the_order_of_writing_does_not_matter(texts: dict[str, str]) -> None:
    one_by_one = Hashes()
    for name, text in reversed(texts.items()):
        one_by_one = one_by_one.with_written({name: text})

    assert one_by_one.packed == Hashes().with_written(texts).packed


def test_what_is_remembered_shows_nobody_anything() -> None:
    packed = Hashes().with_written({"plan": "secret"}).packed

    assert len(packed) == 16
    assert b"secret" not in packed
    assert b"plan" not in packed


@given(TEXTS, st.sets(st.sampled_from(["plan", "seats"])))
def test_what_is_forgotten_is_unknown_whatever_its_value(texts: dict[str, str], names: set[str]) -> None:
    hashes = Hashes().with_written(texts).without(names)

    assert hashes.unknown(texts) == {name: text for name, text in texts.items() if name in names}
