"""The table at the end of a run: what was read of each stream; and what went wrong with a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events import moments
from tap_hubspot_email_events.windows import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADINGS = ("stream", "windows", "calls", "events", "passed over", "span")
PASSED_OVER = HEADINGS.index("passed over")


@dataclass(slots=True)
class StreamReport:
    """What was read of one stream.

    `passed_over` counts events that were read and are not for the stream, `unidentified` those that were left out
    because they have no id or no time. `failure` says what ended the stream before its end, `unreadable_state`
    why it was not begun.
    """

    name: str
    windows: int = 0
    calls: int = 0
    events: int = 0
    passed_over: int = 0
    unidentified: int = 0
    incomplete: list[Window] = field(default_factory=list)
    span: Window | None = None
    failure: str | None = None
    unreadable_state: str | None = None

    def add_window(self, window: Window) -> None:
        """Count a window that was passed on."""
        self.windows += 1
        self.span = Window(self.span.start if self.span else window.start, window.end)

    @property
    def problems(self) -> list[str]:
        """What the exit code 1 is for, one sentence each; nothing for a stream that was read completely."""
        problems = [self.unreadable_state] if self.unreadable_state else []
        if self.unidentified:
            counted = "1 event" if self.unidentified == 1 else f"{self.unidentified} events"
            problems.append(
                f"{self.name}: {counted} without an id or a time could not be passed on. All others were; show"
                " HubSpot's support if it stays so."
            )
        if self.incomplete:
            spans = ", ".join(_span(each, " and ") for each in self.incomplete)
            problems.append(
                f"{self.name}: HubSpot has more events than it gives between {spans}. All others were passed on; to"
                " try again, move the stream's bookmark in the state back."
            )
        if self.failure:
            problems.append(
                f"{self.name}: {self.failure} What was read before is kept, and the next run goes on from there."
            )
        return problems

    @property
    def figures(self) -> dict[str, Any]:
        """What a structured log has as a field beside the stream's row; `start` and `end` are None for no window."""
        return {
            "stream": self.name,
            "windows": self.windows,
            "calls": self.calls,
            "events": self.events,
            "passed_over": self.passed_over,
            "unidentified": self.unidentified,
            "start": moments.to_text(self.span.start) if self.span else None,
            "end": moments.to_text(self.span.end) if self.span else None,
            "is_complete": not self.problems,
        }

    @property
    def cells(self) -> tuple[str, ...]:
        """The stream's row."""
        span = _span(self.span) if self.span else "-"
        numbers = (self.windows, self.calls, self.events, self.passed_over)
        return (self.name, *map(str, numbers), span)


def table(reports: Sequence[StreamReport]) -> str:
    """Return the reports as aligned rows, and a sum below them; a column in which nothing happened is left out."""
    total = (
        "total",
        str(sum(each.windows for each in reports)),
        str(sum(each.calls for each in reports)),
        str(sum(each.events for each in reports)),
        str(sum(each.passed_over for each in reports)),
        "",
    )
    rows = [HEADINGS, *(each.cells for each in reports), total]
    if not any(each.passed_over for each in reports):
        rows = [(*row[:PASSED_OVER], *row[PASSED_OVER + 1 :]) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def _span(window: Window, separator: str = " to ") -> str:
    return f"{moments.to_text(window.start)}{separator}{moments.to_text(window.end)}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers, span = row
    cells = [
        name.ljust(widths[0]),
        *(text.rjust(width) for text, width in zip(numbers, widths[1:-1], strict=True)),
        span,
    ]
    return "  ".join(cells).rstrip()
