"""Bytes become lines: whatever the chunks, each byte is handled a few times at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_lists.input.reader import whole_lines
from tests.factories import membership, record_message, schema_message

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal


class CountedBytes(bytes):
    """Bytes that count how many bytes were copied or searched for their sake."""

    handled = 0

    def partition(self, separator: bytes, /) -> tuple[bytes, bytes, bytes]:  # type: ignore[override]
        CountedBytes.handled += len(self)
        before, found, after = super().partition(separator)
        return CountedBytes(before), found, CountedBytes(after)

    def split(self, separator: bytes | None = None, maxsplit: int = -1) -> list[bytes]:  # type: ignore[override]
        CountedBytes.handled += len(self)
        return [CountedBytes(each) for each in super().split(separator, maxsplit)]

    def __add__(self, other: bytes, /) -> bytes:  # type: ignore[override]
        CountedBytes.handled += len(self) + len(other)
        return CountedBytes(super().__add__(other))

    def __radd__(self, other: bytes, /) -> bytes:
        CountedBytes.handled += len(self) + len(other)
        return CountedBytes(other + bytes(self))


def bytes_handled(chunks: int, size: int = 1_000) -> int:
    """How many bytes are handled for one line that arrives in so many chunks."""
    CountedBytes.handled = 0
    arriving = [CountedBytes(b"x" * size) for _ in range(chunks)]
    ((line,),) = whole_lines(arriving)
    assert len(line) == chunks * size
    return CountedBytes.handled


def test_a_line_ten_times_as_long_is_ten_times_the_work() -> None:
    assert bytes_handled(1_000) <= 11 * bytes_handled(100)


def test_a_line_of_64_kilobytes_in_tiny_chunks_is_handled_twice_at_most() -> None:
    assert bytes_handled(64_000, size=1) <= 2 * 64_000


@given(st.lists(st.binary(max_size=5)), st.data())
def test_lines_are_the_same_however_the_input_is_cut(lines: list[bytes], data: st.DataObject) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    text = b"".join(line + b"\n" for line in lines) + data.draw(st.sampled_from([b"", b"the last"]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    chunks = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    read = [line for given_lines in whole_lines(chunks) for line in given_lines]

    assert b"\n".join(read) == text.removesuffix(b"\n") or not lines
    assert len(read) == len(text.split(b"\n")) - text.endswith(b"\n") - (not text)


def test_a_line_of_megabytes_is_read_like_any_other(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contacts(2)

    run = run_target(
        schema_message("contact_id", "cohort_name", "notes"),
        record_message(contact_id=ada, cohort_name="VIP", notes="x" * 5_000_000),
        record_message(contact_id=bob, cohort_name="VIP"),
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada, bob}


@pytest.mark.parametrize("before", [0, 1, 40_000])
def test_the_line_that_is_wrong_is_named_wherever_it_stands(run_target: TargetRunner, before: int) -> None:
    lines = [schema_message(), *[membership("VIP", 1)] * before, "oops", *[membership("VIP", 1)] * 3]

    run = run_target(*lines, dry_run=True)

    assert run.exit_code == 1
    assert run.error.startswith(f"Line {before + 2} of the input is not JSON")
