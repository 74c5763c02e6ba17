"""What `make bench` makes of its figures: rows beside floors, tables and the chart; nothing is measured here."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from benchmarks import pages
from benchmarks.chart import chart
from benchmarks.rows import Row, as_text, figure

SVG = "{http://www.w3.org/2000/svg}"


def test_a_figure_is_told_with_its_floor_and_the_ratio() -> None:
    row = Row("calls for 90,000 events", 102, "calls", 93, "the pages they fill")

    assert row.cells() == ("calls for 90,000 events", "102 calls", "93 calls: the pages they fill", "1.10")


def test_a_figure_without_a_floor_has_no_ratio() -> None:
    assert Row("peak memory", 122.4, "MB").cells() == ("peak memory", "122 MB", "", "")
    assert Row("lost", 0, "events", 0, "none").ratio is None


def test_small_figures_keep_three_digits() -> None:
    assert [figure(each) for each in (0.4567, 2.0, 23.71, 99.96, 12_345.6)] == [
        "0.457",
        "2",
        "23.7",
        "100",
        "12,346",
    ]


def test_columns_stand_below_their_heading() -> None:
    assert as_text(("what", "s"), [("a long name", "1"), ("b", "22")]).splitlines() == [
        "what         s",
        "a long name  1",
        "b            22",
    ]


def test_points_ten_times_as_far_are_as_far_apart_on_the_chart() -> None:
    drawn = ET.fromstring(chart({"target": [(10, 0.1), (100, 1), (1_000, 10)]}, "Growth"))  # noqa: S314  # ours

    circles = [(float(each.get("cx", 0)), float(each.get("cy", 0))) for each in drawn.iter(f"{SVG}circle")]
    (first, second, third) = circles
    assert second[0] - first[0] == third[0] - second[0] > 0
    assert first[1] - second[1] == second[1] - third[1] > 0


def test_the_documents_chart_has_a_line_and_a_name_for_each_curve() -> None:
    drawn = ET.fromstring(pages.drawing())  # noqa: S314  # ours

    names = {each.text for each in drawn.iter(f"{SVG}text")}
    curves = {cells[0] for cells in pages.growth()[1]}
    assert len(list(drawn.iter(f"{SVG}polyline"))) == len(curves)
    assert curves <= names
