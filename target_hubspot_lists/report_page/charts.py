"""Draws small charts as inline SVG: no text in them, no style and no script, so that a page may forbid both.

They stretch to the width that they are given; headings, axes and the table with the same figures are HTML beside
them. Colours come from the style sheet by class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 1000  # of every view box, in units of its own
BAR_HEIGHT = 10
PLOT_HEIGHT = 100


class Box(NamedTuple):
    """A rectangle: its upper left corner, its width and its height."""

    x: float
    y: float
    width: float
    height: float


class Part(NamedTuple):
    """A part of a bar: how it is told, how much it is, and the class that colours it."""

    label: str
    value: float
    css_class: str


def bar(parts: Sequence[Part], label: str, *, total: float | None = None) -> Markup:
    """One bar from left to right; `total` is its whole length, else the sum of the parts."""
    whole = total or sum(part.value for part in parts)
    shapes, left = [], 0.0
    for part in parts:
        width = WIDTH * part.value / whole if whole else 0.0
        if width > 0:
            shapes.append(_rectangle(Box(left, 0, width, BAR_HEIGHT), part.css_class, part.label))
        left += width
    return _svg(shapes, label, BAR_HEIGHT, "bar")


class UpAndDown(NamedTuple):
    """A pair of columns: one upwards, one downwards, and how they are told."""

    label: str
    up: int
    down: int


def columns(pairs: Sequence[UpAndDown], label: str, *, with_hover: bool = True) -> Markup:
    """Columns upwards and downwards from a line, all to one scale."""
    highest, deepest = max((p.up for p in pairs), default=0), max((p.down for p in pairs), default=0)
    scale = PLOT_HEIGHT / ((highest + deepest) or 1)
    middle = highest * scale
    step = WIDTH / max(len(pairs), 1)
    up, down = [], []
    for number, pair in enumerate(pairs):
        left, width = number * step + step * 0.15, step * 0.7
        if pair.up:
            up.append(_column(left, middle, width, -pair.up * scale))
        if pair.down:
            down.append(_column(left, middle, width, pair.down * scale))
    shapes = [
        Markup('<path class="axis" d="M0 {}H{}"/>').format(_n(middle), WIDTH),
        Markup('<path class="c-added" d="{}"/>').format("".join(up)),
        Markup('<path class="c-removed" d="{}"/>').format("".join(down)),
        *(_hover([pair.label for pair in pairs]) if with_hover else ()),
    ]
    return _svg(shapes, label, PLOT_HEIGHT, "plot")


def _column(left: float, foot: float, width: float, height: float) -> str:
    return f"M{_n(left)} {_n(foot)}h{_n(width)}v{_n(height)}h{_n(-width)}z"


class Point(NamedTuple):
    """A point of a line; None where nothing is told, which leaves a gap."""

    label: str
    value: float | None


def line(
    points: Sequence[Point], label: str, *, lowest: float, highest: float, with_hover: bool = True
) -> Markup:
    """A line through the points, with a dot for each, between two values."""
    span = (highest - lowest) or 1
    step = WIDTH / max(len(points), 1)
    places = [
        None
        if point.value is None
        else (number * step + step / 2, PLOT_HEIGHT * (1 - (point.value - lowest) / span))
        for number, point in enumerate(points)
    ]
    shapes = [
        Markup('<path class="line" d="{}"/>').format(" ".join(_moves(places))),
        Markup('<path class="dots" d="{}"/>').format(
            " ".join(f"M{_n(x)} {_n(y)}h0" for x, y in filter(None, places))
        ),
        *(_hover([point.label for point in points]) if with_hover else ()),
    ]
    return _svg(shapes, label, PLOT_HEIGHT, "plot")


def _hover(labels: Sequence[str]) -> Iterable[Markup]:
    """What is told where the pointer rests; the table beside the chart tells it to everybody."""
    step = WIDTH / max(len(labels), 1)
    for number, label in enumerate(labels):
        yield _rectangle(Box(number * step, 0, step, PLOT_HEIGHT), "hover", label)


def _moves(places: Iterable[tuple[float, float] | None]) -> Iterable[str]:
    command = "M"
    for place in places:
        if place is None:
            command = "M"
            continue
        yield f"{command}{_n(place[0])} {_n(place[1])}"
        command = "L"


def _rectangle(box: Box, css_class: str, title: str | None = None) -> Markup:
    shape = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"').format(css_class, *map(_n, box))
    return shape + (Markup("><title>{}</title></rect>").format(title) if title else Markup("/>"))


def _svg(shapes: Iterable[Markup], label: str, height: int, css_class: str) -> Markup:
    return Markup(
        '<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>'
    ).format(css_class, label, WIDTH, height, Markup("").join(shapes))


def _n(number: float) -> str:
    """A number with one decimal at most: half a thousandth of the width cannot be seen."""
    return f"{number:.1f}".removesuffix(".0")
