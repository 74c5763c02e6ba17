"""Plays a budget against HubSpot's rolling window, event by event: minutes of requests in a blink."""

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from hubspot_singer.http.limits import RateLimit, RequestBudget

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubspot_singer.http.limits import SentRequest

INTERVAL = 10.0
WARM_UP = 20.0  # seconds that do not count for how busy the limit is kept


class RollingWindow:
    """HubSpot's side: counts what it received within the last interval, refuses what is too much."""

    def __init__(self, requests: int) -> None:
        self.requests = requests
        self._received: deque[float] = deque()

    def receive(self, now: float) -> int | None:
        """Return how many requests are left, or None for a 429."""
        while self._received and self._received[0] <= now - INTERVAL:
            self._received.popleft()
        if len(self._received) >= self.requests:
            return None
        self._received.append(now)
        return self.requests - len(self._received)


@dataclass
class Outcome:
    refused: int = 0
    others_refused: int = 0
    served: int = 0
    most_under_way: int = 0
    busy: float = 0.0


@dataclass
class Simulation:
    """Always has another request to send; `others` returns the seconds until somebody else sends one."""

    requests: int
    latency: float  # seconds, give or take half of it
    cap: int | None = None
    concurrency: int = 8
    seconds: float = 80.0
    seed: int = 0
    others: Callable[[random.Random], float] | None = None
    others_start: float = -WARM_UP
    headers_share: float = 1.0  # of the answers tell the limit
    straggler_share: float = 0.0  # of the requests take twenty times as long
    outcome: Outcome = field(default_factory=Outcome)

    def run(self) -> Outcome:
        self._random = random.Random(self.seed)
        self._server = RollingWindow(self.requests)
        self._budget = RequestBudget(cap=self.cap, concurrency=self.concurrency)
        self._under_way = 0
        self._order = count()
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._wakes_at = 0.0
        if self.others:
            self._at(self.others_start, self._other)
        self._at(0.0, self._send)
        while self._events[0][0] < self.seconds:
            now, _, event = heapq.heappop(self._events)
            event(now)
        self.outcome.busy = self.outcome.served / (self.requests * (self.seconds - WARM_UP) / INTERVAL)
        return self.outcome

    def _at(self, time: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (time, next(self._order), event))

    def _other(self, now: float) -> None:
        left = self._server.receive(now)
        self.outcome.others_refused += left is None
        self.outcome.served += left is not None and now >= WARM_UP
        assert self.others is not None
        self._at(now + self.others(self._random), self._other)

    def _send(self, now: float) -> None:
        while (wait := self._budget.seconds_to_wait(now)) == 0:
            self._start(self._budget.note_sent(now), now)
        if wait is None:
            return
        wakes_at = now + wait + 1e-9  # more than rounding may take off
        if not now < self._wakes_at <= wakes_at + 1e-9:
            self._wakes_at = wakes_at
            self._at(wakes_at, self._send)

    def _start(self, sent: SentRequest, now: float) -> None:
        self._under_way += 1
        self.outcome.most_under_way = max(self.outcome.most_under_way, self._under_way)
        latency = self.latency * self._random.uniform(0.5, 1.5)
        if self._random.random() < self.straggler_share:
            latency *= 20
        received = now + latency * self._random.random()
        self._at(received, lambda then: self._receive(sent, then, now + latency))

    def _receive(self, sent: SentRequest, now: float, answered: float) -> None:
        left = self._server.receive(now)
        self.outcome.refused += left is None
        self.outcome.served += left is not None and now >= WARM_UP
        self._at(answered, lambda then: self._answer(sent, then, left))

    def _answer(self, sent: SentRequest, now: float, left: int | None) -> None:
        self._under_way -= 1
        if left is None:
            self._budget.note_answer(sent, now, None)
            self._budget.pause(now + INTERVAL)
        else:
            is_told = self._random.random() < self.headers_share
            self._budget.note_answer(sent, now, RateLimit(self.requests, INTERVAL, left) if is_told else None)
        self._send(now)
