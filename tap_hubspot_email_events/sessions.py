"""What the streams of a run share: the client, the run of the event streams, the writer of messages, and the end."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from hubspot_singer.http.errors import HubSpotError, Stopped
from hubspot_singer.plugin.errors import RunEnded
from tap_hubspot_email_events.errors import ENDS_THE_RUN, UnreadableState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hubspot_singer.http.client import HubSpotClient
    from tap_hubspot_email_events.messages import MessageWriter
    from tap_hubspot_email_events.runs import Run

SIGNALLED = 128  # a process ended by signal n exits with 128 + n, by the shell's convention


class Session:
    """One run of the tap, from the first call to the last STATE.

    `connect` makes the client when the first stream asks for it, `begin` plans the event streams, and `write_state`
    writes the whole state as a STATE.
    """

    def __init__(
        self,
        messages: MessageWriter,
        *,
        connect: Callable[[], HubSpotClient],
        begin: Callable[[HubSpotClient], Run],
        write_state: Callable[[], None],
    ) -> None:
        self.messages = messages
        self._connect = connect
        self._begin = begin
        self._write_state = write_state
        self._hubspot: HubSpotClient | None = None
        self._run: Run | None = None
        self._signal: int | None = None
        self._problems: list[str] = []
        self._has_progress = False
        self._is_ended = False

    @property
    def hubspot(self) -> HubSpotClient:
        """The client."""
        if self._hubspot is None:
            self._hubspot = self._connect()
            if self._signal is not None:
                raise Stopped
        return self._hubspot

    @property
    def campaigns_seen(self) -> Collection[tuple[Any, Any]]:
        """The ids and app ids of the campaigns that the events passed on so far are part of."""
        return () if self._run is None else self._run.campaigns_seen

    @property
    def run(self) -> Run:
        """The run of the event streams, which begins when the first events are wanted; raises RunEnded if it cannot."""
        if self._run is None:
            try:
                self._run = self._begin(self.hubspot)
                self._has_progress = True
            except HubSpotError as error:
                raise self._ended(error) from error
        return self._run

    def stop(self, number: int) -> None:
        """Start nothing else; the window being passed on is finished. For a signal handler."""
        self._signal = self._signal or number
        if self._run is not None:
            self._run.reads.is_stopped = True
        if self._hubspot is not None:
            self._hubspot.stop()

    def fail(self, stream: str, error: HubSpotError) -> None:
        """Go on without a stream that cannot be read to its end; raises RunEnded where that is true of all."""
        try:
            if self._run is not None and stream in self._run.outputs:
                self._run.fail(stream, error)
            elif isinstance(error, (*ENDS_THE_RUN, UnreadableState)):
                raise error
            else:
                self.add_problem(stream, str(error))
        except HubSpotError:
            raise self._ended(error) from error

    def note_progress(self) -> None:
        """Have the last STATE written: the state of a stream has changed."""
        self._has_progress = True

    def add_problem(self, stream: str, problem: str) -> None:
        """Let the run exit with 1 for what is wrong with a stream that was read to its end all the same."""
        self._problems.append(f"{stream}: {problem}")

    def end(self) -> None:
        """Write what is held back and the last STATE, and report; raises RunEnded if a stream has problems."""
        if self._is_ended:
            return
        problems = self._close()
        if problems:
            raise RunEnded(" ".join(problems))

    def _ended(self, error: HubSpotError) -> RunEnded:
        problems = self._close()
        if isinstance(error, Stopped) and self._signal is not None:
            name = signal.Signals(self._signal).name
            return RunEnded(
                f"Stopped by {name}. The next run goes on after the last finished window.",
                exit_code=SIGNALLED + self._signal,
            )
        return RunEnded(" ".join([str(error), *problems]))

    def _close(self) -> list[str]:
        self._is_ended = True
        self.messages.flush()
        problems = list(self._problems)
        if self._run is not None:
            self._run.end()
            problems = [*self._run.problems, *problems]
        if self._has_progress:
            self._write_state()
        if self._hubspot is not None:
            self._hubspot.stop()  # requests that were sent ahead and are retried are not needed any more
            self._hubspot.close()
        return problems
