"""What reads still show of a value that was changed a moment ago: HubSpot's reads may lag behind its writes.

That they may is seen of searches (https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm);
of other reads it is not documented either way, and the more hostile guess is that they do.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

Key = TypeVar("Key", bound="Hashable")
Value = TypeVar("Value")


class Lag(Generic[Key, Value]):
    """The earlier values of keys, each for as long as reads still show it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._earlier: defaultdict[Key, list[tuple[float, Value]]] = defaultdict(list)  # until, value

    def keep(self, key: Key, value: Value, seconds: float) -> None:
        """Let reads show this value of a key, which is about to change, for so many seconds more."""
        if seconds > 0:
            self._earlier[key].append((self._now() + seconds, value))

    def shown(self, key: Key, current: Value) -> Value:
        """Return what a read shows now: the oldest of the values that are still shown, else the current one."""
        if not self._earlier:
            return current
        now = self._now()
        earlier = [(until, value) for until, value in self._earlier.pop(key, ()) if until > now]
        if not earlier:
            return current
        self._earlier[key] = earlier
        return earlier[0][1]

    def __iter__(self) -> Iterator[Key]:
        """Return the keys that may have an earlier value."""
        return iter(list(self._earlier))
