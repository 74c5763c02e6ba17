"""Where email events are kept: one by one, or as a rule by which a million are made when they are read."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


class Position(NamedTuple):
    """Where an event stands in time; pages go down from the greatest."""

    created_ms: int
    source: int
    number: int  # of the event within its source


@dataclass(slots=True)
class Single:
    """One event of its own, perhaps not to be seen yet."""

    fields: dict[str, object]
    unseen_requests: int = 0  # requests for events that do not see it yet
    visible_from: float = 0.0  # epoch seconds
    _text: str | None = None

    def is_visible(self, now: float) -> bool:
        return self.unseen_requests <= 0 and self.visible_from <= now

    def change(self, fields: Mapping[str, object]) -> None:
        self.fields = {**self.fields, **fields}
        self._text = None

    def text(self) -> str:
        self._text = self._text or _json(self.fields)
        return self._text


@dataclass(eq=False, slots=True)
class Singles:
    """The events of one type that were added one by one."""

    number: int
    positions: list[Position] = field(default_factory=list)
    events: dict[int, Single] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.positions)

    def add(self, created_ms: int, index: int, single: Single) -> None:
        insort(self.positions, Position(created_ms, self.number, index))
        self.events[index] = single

    def descending(
        self, start_ms: int, end_ms: int, before: Position | None, now: float
    ) -> Iterator[Position]:
        end = bisect_left(self.positions, Position(end_ms + 1, 0, 0))
        if before is not None:
            end = min(end, bisect_left(self.positions, before))
        for at in range(end - 1, bisect_left(self.positions, Position(start_ms, 0, 0)) - 1, -1):
            position = self.positions[at]
            if self.events[position.number].is_visible(now):
                yield position

    def event(self, position: Position) -> Mapping[str, object]:
        return self.events[position.number].fields

    def text(self, position: Position) -> str:
        return self.events[position.number].text()


@dataclass(eq=False, slots=True)
class Series:
    """Events of one type at the times of a sorted sequence: a range takes no memory, an array little."""

    number: int
    base: Mapping[str, object]
    times: Sequence[int]
    fields: Callable[[int], Mapping[str, object]]
    _shared: dict[tuple[str, ...], str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.times)

    def descending(
        self, start_ms: int, end_ms: int, before: Position | None, now: float
    ) -> Iterator[Position]:
        del now  # they are never late
        end = bisect_right(self.times, end_ms)
        if before is not None:
            end = min(end, self._end_before(before))
        for index in range(end - 1, bisect_left(self.times, start_ms) - 1, -1):
            yield Position(self.times[index], self.number, index)

    def event(self, position: Position) -> Mapping[str, object]:
        identity = {"id": self._id(position), "created": position.created_ms}
        return {**self.base, **self.fields(position.number), **identity}

    def text(self, position: Position) -> str:
        """Write the event; what it shares with the others is written once for all of them."""
        own = self.fields(position.number)
        names = tuple(own)
        shared = self._shared.get(names)
        if shared is None:
            shared = _json({name: value for name, value in self.base.items() if name not in own})[:-1]
            self._shared[names] = shared
        special = "".join([f',"{name}":{_value(value)}' for name, value in own.items()])
        return f'{shared}{special},"id":"{self._id(position)}","created":{position.created_ms}}}'

    def _id(self, position: Position) -> str:
        return f"{self.number:08x}-0000-4000-8000-{position.number:012x}"

    def _end_before(self, before: Position) -> int:
        if self.number == before.source:
            return before.number
        if self.number < before.source:
            return bisect_right(self.times, before.created_ms)
        return bisect_left(self.times, before.created_ms)


def _value(value: object) -> str:
    """Write one value; strings, the most of them, by the shortest way."""
    return encode_basestring_ascii(value) if type(value) is str else _json(value)


_json = json.JSONEncoder(separators=(",", ":")).encode
