"""Runs of the tap in this process that need no pytest, and the warehouse that their messages fill."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import HubSpotError
from hubspot_singer.plugin.errors import RunEnded
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from tests.in_process import described, listening

if TYPE_CHECKING:
    from hubspot_singer.http import Clock, Timeouts

Key = tuple[str, *tuple[object, ...]]  # the stream and the key of a record


@dataclass(frozen=True)
class Ended:
    """How a run ended, and its messages."""

    exit_code: int
    messages: list[dict[str, Any]]
    log: str
    errors: list[str]
    crash: str | None = None

    def cut(self, count: int) -> Ended:
        """Return what a reader has of a run that was killed after so many messages."""
        return Ended(137, self.messages[:count], self.log, [])


@dataclass
class Warehouse:
    """What a target makes of the messages: records by key, the last one of each, and the last STATE."""

    rows: dict[Key, dict[str, Any]] = field(default_factory=dict)
    state: dict[str, Any] | None = None

    def load(self, ended: Ended) -> None:
        """Take in the messages of a run."""
        keys: dict[str, list[str]] = {}
        for message in ended.messages:
            if message["type"] == "SCHEMA":
                keys[message["stream"]] = message["key_properties"]
            elif message["type"] == "STATE":
                self.state = message["value"]
            elif message["type"] == "RECORD":
                stream, record = message["stream"], message["record"]
                self.rows[stream, *(record[name] for name in keys[stream])] = record


def run_tap(
    config: dict[str, Any],
    clock: Clock,
    *,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    timeouts: Timeouts | None = None,
    level: int = logging.INFO,
) -> Ended:
    """Run the tap once."""
    written, crash, errors = io.BytesIO(), None, []
    with listening(level, written) as log:
        try:
            copy = json.loads(json.dumps(state))
            tap = TapHubSpotEmailEvents(
                config=config, state=copy, catalog=catalog, clock=clock, timeouts=timeouts
            )
            tap.sync_all()
            exit_code = 0
        except RunEnded as ended:
            exit_code, errors = int(ended.code or 0), [ended.last_words]
        except HubSpotError as error:
            exit_code, errors = 1, [str(error)]
        except Exception as error:  # noqa: BLE001 - the command logs it; here it is a fault that was found
            crash, exit_code = described(error), 1
    messages = [json.loads(line) for line in written.getvalue().splitlines()]
    return Ended(exit_code, messages, "\n".join([*log.lines, *errors]), errors, crash)
