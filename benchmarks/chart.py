"""Draws growth curves as an SVG: seconds over records, both by powers of ten, one line a curve."""

from __future__ import annotations

from html import escape
from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 40, 30, 110
# Told apart without colours, too: each line has dashes of its own.
STYLES = (("#1f5fa8", ""), ("#b34700", "7 4"), ("#2f7d32", "2 4"), ("#7b3fa0", "9 3 2 3"))


def chart(curves: Mapping[str, Sequence[tuple[float, float]]], title: str) -> str:
    """Return the SVG; each curve has points of records and seconds, both above 0."""
    across = _Scale([x for each in curves.values() for x, _ in each], LEFT, WIDTH - RIGHT)
    up = _Scale([y for each in curves.values() for _, y in each], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        '<g font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *_axes(across, up),
        *(
            line
            for number, name in enumerate(curves)
            for line in _curve(number, name, curves[name], across, up)
        ),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Scale:
    """Places of values between two ends, by powers of ten."""

    def __init__(self, values: Sequence[float], first: float, last: float) -> None:
        self._low = floor(log10(min(values)))
        self._high = max(-floor(-log10(max(values))), self._low + 1)
        self._first, self._last = first, last

    def place(self, value: float) -> float:
        share = (log10(value) - self._low) / (self._high - self._low)
        return round(self._first + share * (self._last - self._first), 1)

    def powers(self) -> Iterator[tuple[float, str]]:
        """Yield the place and the name of each power of ten."""
        for power in range(self._low, self._high + 1):
            yield self.place(10.0**power), f"{10.0**power:,.{max(0, -power)}f}"


def _axes(across: _Scale, up: _Scale) -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    for place, name in across.powers():
        yield f'<line x1="{place}" y1="{TOP}" x2="{place}" y2="{bottom}" stroke="#ddd"/>'
        yield f'<text x="{place}" y="{bottom + 18}" text-anchor="middle">{name}</text>'
    for place, name in up.powers():
        yield f'<line x1="{LEFT}" y1="{place}" x2="{WIDTH - RIGHT}" y2="{place}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{place + 4}" text-anchor="end">{name}</text>'
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{bottom + 36}" text-anchor="middle">records of a run</text>'
    yield f'<text x="{LEFT - 6}" y="{TOP - 12}" text-anchor="end">seconds</text>'


def _curve(
    number: int, name: str, points: Sequence[tuple[float, float]], across: _Scale, up: _Scale
) -> Iterator[str]:
    colour, dashes = STYLES[number % len(STYLES)]
    places = [(across.place(x), up.place(y)) for x, y in points]
    line = " ".join(f"{x},{y}" for x, y in places)
    stroke = f'stroke="{colour}" stroke-width="2"' + (f' stroke-dasharray="{dashes}"' if dashes else "")
    yield f'<polyline points="{line}" fill="none" {stroke}/>'
    yield from (f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places)
    legend = HEIGHT - BOTTOM + 56 + 17 * number
    yield f'<line x1="{LEFT}" y1="{legend - 4}" x2="{LEFT + 36}" y2="{legend - 4}" {stroke}/>'
    yield f'<text x="{LEFT + 44}" y="{legend}">{escape(name)}</text>'
