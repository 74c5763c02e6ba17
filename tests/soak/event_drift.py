"""Email events that come, come late and change, and a warehouse that must have them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.tap_hubspot_email_events.catalogs import selecting

if TYPE_CHECKING:
    from random import Random

    from tests.hubspot_emulator import Portal
    from tests.tap_hubspot_email_events.tap_runs import Ended

LOOKBACK, SETTLE = 3_600, 300  # seconds; the tap's defaults
DATE_SECONDS = 1  # HubSpot tells its time, by which the tap goes, in whole seconds
EVENTS_PER_RUN = 24
CAMPAIGNS = 10
STREAMS = {"email_event_open": "OPEN", "email_event_bounce": "BOUNCE", "email_event_other": "REPLY"}
OF_CAMPAIGNS = "email_campaigns"
CATALOG = selecting(*STREAMS, OF_CAMPAIGNS)


@dataclass
class Wanted:
    """An event or a campaign as HubSpot has it now; times in epoch seconds."""

    value: str
    created: float
    visible_from: float


@dataclass
class EventDrift:
    """What happens to events and campaigns between two runs, and what the runs bring."""

    portal: Portal
    random: Random
    state: dict[str, Any] | None = None
    wanted: dict[tuple[str, object], Wanted] = field(default_factory=dict)
    late: int = 0  # events that turned up later than a run that read the time before them
    _rows: dict[tuple[str, object], object] = field(default_factory=dict)  # the warehouse
    _count: int = 0

    def config(self, url: str, token: str) -> dict[str, Any]:
        """The settings of the tap."""
        return {"api_url": url, "access_token": token, "start_date": "2026-03-20"}

    def pass_time(self, seconds: float) -> None:
        """Let events come that were created in these last seconds: some of them are to be seen only later."""
        now = self.portal.now()
        for _ in range(EVENTS_PER_RUN):
            created = now - self.random.random() * seconds
            is_late = self.random.random() < 0.3
            self._add(created, created + (self.random.random() * LOOKBACK if is_late else 0))
        self._change(now)
        self._touch_a_campaign(now)

    def _add(self, created: float, visible_from: float) -> None:
        self._count += 1
        stream, event_id = self.random.choice(list(STREAMS)), f"e{self._count:06}"
        created_ms = int(created * 1000)
        self.portal.add_event(
            STREAMS[stream], created_ms, visible_from=visible_from, id=event_id, smtpId="first"
        )
        self.wanted[stream, event_id] = Wanted("first", created_ms / 1000, visible_from)
        self.late += visible_from - created > SETTLE

    def _change(self, now: float) -> None:
        """Change an event that is in the lookback."""
        recent = [
            key for key, each in self.wanted.items() if key[0] in STREAMS and each.created >= now - LOOKBACK
        ]
        if recent:
            self._count += 1
            key = self.random.choice(recent)
            self.wanted[key].value = f"changed{self._count}"
            self.portal.update_event(str(key[1]), smtpId=self.wanted[key].value)

    def _touch_a_campaign(self, now: float) -> None:
        self._count += 1
        number, name = self.random.randrange(1, CAMPAIGNS + 1), f"name{self._count}"
        # No two updates within a millisecond: HubSpot tells them apart by their time alone.
        updated_ms = int(now * 1000) + self._count
        is_new = (OF_CAMPAIGNS, number) not in self.wanted
        change = self.portal.add_campaign if is_new else self.portal.update_campaign
        change(number, updated_ms=updated_ms, name=name)
        self.wanted[OF_CAMPAIGNS, number] = Wanted(name, now - SETTLE - DATE_SECONDS, now)

    def load(self, ended: Ended, *, began: float) -> list[str]:
        """Load what a run wrote; return what is missing though the run that began then exited 0."""
        for message in ended.messages:
            if message["type"] == "STATE":
                self.state = message["value"]
            elif message["type"] == "RECORD":
                stream, record = message["stream"], message["record"]
                self._rows[stream, record["id"]] = record["name" if stream == OF_CAMPAIGNS else "smtp_id"]
        if ended.exit_code:
            return []
        due = [
            (key, each.value)
            for key, each in self.wanted.items()
            if each.visible_from <= began and each.created <= began - SETTLE - DATE_SECONDS
        ]
        wrong = [(key, value) for key, value in due if self._rows.get(key) != value]
        self._leave_old_events(began)
        return [
            f"{key} is {self._rows.get(key)} in the warehouse, and {value} in HubSpot" for key, value in wrong
        ]

    def _leave_old_events(self, began: float) -> None:
        """Leave events that do not change any more, and that were held against the warehouse."""
        for key, each in list(self.wanted.items()):
            if key[0] in STREAMS and each.created < began - 3 * LOOKBACK:
                del self.wanted[key]
                self._rows.pop(key, None)

    @property
    def state_bytes(self) -> int:
        """The size of the last STATE."""
        return len(json.dumps(self.state))
