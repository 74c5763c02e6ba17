"""The tables of the documents say what the code says, and every table stands in some page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests import tables
from tests.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("page", "text"), [pytest.param(*each, id=each[0].stem) for each in tables.files()])
def test_every_page_says_what_the_code_says(page: Path, text: str) -> None:
    assert page.read_text("utf-8") == text, "run `make definitions`"


def test_every_table_stands_in_a_page_and_every_mark_is_closed() -> None:
    pages = "".join(page.read_text("utf-8") for page in tables.PAGES)

    assert set(re.findall(r"^<!-- table: (.+) -->$", pages, re.MULTILINE)) == set(TABLES)
    assert (
        pages.count("<!-- table: ")
        == pages.count("<!-- end of table -->")
        == len(tables.MARKED.findall(pages))
    )


def test_a_cell_with_a_bar_stays_one_cell() -> None:
    assert tables.table(["a"], [["x | y"]]).splitlines()[-1] == r"| x \| y |"
