"""The changes that `make mutants` makes: those that can make a difference, each once."""

from __future__ import annotations

import pytest

pytest.importorskip("cosmic_ray", reason="`make mutants` installs it")

from tests.mutants.making import mutants  # it imports cosmic-ray

SOURCE = '''\
from __future__ import annotations

MOST = 7  # a choice


def is_enough(count: int | None) -> bool:
    """Tell whether there are more than two."""
    return count is not None and count > 2
'''


def test_each_comparison_number_and_connective_is_changed() -> None:
    changed = {each.after.removeprefix("return ") for each in mutants(SOURCE)}

    assert changed == {
        "count is None and count > 2",
        "count is not None or count > 2",
        "count is not None and count >= 2",
        "count is not None and count <= 2",
        "count is not None and count > 3",
        "count is not None and count > 1",
    }


def test_a_change_tells_its_line_before_and_after() -> None:
    first = next(iter(mutants("def f(a: int) -> int:\n    return a + 1\n")))

    assert str(first).splitlines()[:2] == ["line 2:", "    - return a + 1"]


def test_a_change_of_what_cannot_be_noticed_is_left_out() -> None:
    source = "def f(a: int, *, b: int = A) -> int:\n    return a\n"

    assert list(mutants(source)) == []
