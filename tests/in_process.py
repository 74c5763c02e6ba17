"""Runs the target in this process and returns its exit code, its STATE and all its output; needs no pytest."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import signal
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import HubSpotError
from target_hubspot_lists.target import TargetHubSpotLists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hubspot_singer.http import Clock, Timeouts

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, the STATE that it wrote, its log and its output."""

    exit_code: int
    states: list[Any]
    log: str
    output: str  # log and standard output
    crash: str | None = None  # the error that nobody expected: its kind, its text, and where it was raised

    @property
    def errors(self) -> list[str]:
        """Return the lines that say what went wrong."""
        return [line for line in self.log.splitlines() if line.startswith("ERROR ")]


def described(error: BaseException) -> str:
    """Tell the kind, the text and the place of an error that nobody expected."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"


class Log(logging.Handler):
    """Keeps every record as a line, with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def run(
    messages: Iterable[str],
    config: dict[str, Any],
    clock: Clock,
    *,
    timeouts: Timeouts | None = None,
    level: int = logging.INFO,
    starting: Callable[[TargetHubSpotLists], None] | None = None,
) -> Ended:
    """Run the target on these messages; `starting` is given the target before it runs."""
    source = io.BytesIO("".join(f"{message}\n" for message in messages).encode())
    crash = None
    written = io.BytesIO()
    with listening(level, written) as log, _own_signal_handlers():
        try:
            target = TargetHubSpotLists(config=config, clock=clock, timeouts=timeouts)
            if starting is not None:
                starting(target)
            exit_code = target.run(source)
        except HubSpotError as error:
            TargetHubSpotLists.report_error(error)
            exit_code = 1
        except Exception as error:  # noqa: BLE001  # the command logs it; here it is a fault that was found
            crash, exit_code = described(error), 1
    text, output = "\n".join(log.lines), written.getvalue().decode()
    states = [json.loads(line) for line in output.splitlines()]
    return Ended(exit_code, states, text, f"{text}\n{output}", crash)


@contextlib.contextmanager
def listening(level: int, written: io.BytesIO) -> Iterator[Log]:
    """Keep what is logged at this level or above, and what is written to standard output."""
    root, log, output = logging.getLogger(), Log(), io.TextIOWrapper(written, encoding="utf-8")
    before = root.level
    root.addHandler(log)
    root.setLevel(level)
    try:
        with contextlib.redirect_stdout(output):
            yield log
    finally:
        output.flush()
        output.detach()
        root.setLevel(before)
        root.removeHandler(log)


@contextlib.contextmanager
def _own_signal_handlers() -> Iterator[None]:
    """Give back the handlers that the target replaces."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
