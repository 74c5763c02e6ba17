"""The table at the end of a run: what was read of each stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_hubspot_email_events import moments
from tap_hubspot_email_events.windows import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADINGS = ("stream", "windows", "calls", "events", "span")


@dataclass(slots=True)
class StreamReport:
    """What was read of one stream."""

    name: str
    windows: int = 0
    calls: int = 0
    events: int = 0
    span: Window | None = None

    def add_window(self, window: Window) -> None:
        """Count a window that is passed on."""
        self.windows += 1
        self.span = Window(self.span.start if self.span else window.start, window.end)

    @property
    def cells(self) -> tuple[str, ...]:
        """The stream's line."""
        span = f"{moments.to_text(self.span.start)} to {moments.to_text(self.span.end)}" if self.span else "-"
        return self.name, str(self.windows), str(self.calls), str(self.events), span


def table(reports: Sequence[StreamReport]) -> str:
    """The reports as lines of aligned columns, and a sum below them."""
    total = (
        "total",
        str(sum(each.windows for each in reports)),
        str(sum(each.calls for each in reports)),
        str(sum(each.events for each in reports)),
        "",
    )
    rows = [HEADINGS, *(each.cells for each in reports), total]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers, span = row
    cells = [
        name.ljust(widths[0]),
        *(text.rjust(width) for text, width in zip(numbers, widths[1:4], strict=True)),
        span,
    ]
    return "  ".join(cells).rstrip()
