"""Cases: a variant, a call of its run, a fault, and whether the fault comes once or always."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.random_faults.kinds import Call
from tests.random_faults.variants import Variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from tests.hubspot_emulator import Request


@dataclass(frozen=True)
class Case:
    """One case; its text is all that is needed to repeat it."""

    variant: Variant
    call: Call
    kind: str
    always: bool

    def __str__(self) -> str:
        return f"{self.variant} | {self.call} | {self.kind} | {'always' if self.always else 'once'}"

    @classmethod
    def parse(cls, text: str) -> Case:
        variant, call, kind, often = (part.strip() for part in text.split("|"))
        method, path, number = call.split(" ")
        return cls(Variant.parse(variant), Call(method, path, int(number)), kind, often == "always")


def calls_of(requests: Iterable[Request]) -> list[Call]:
    """Return the calls of a run, sorted: calls side by side come in no certain order."""
    counted: defaultdict[tuple[str, str], int] = defaultdict(int)
    calls = []
    for request in requests:
        key = (request.method, request.path)
        calls.append(Call(*key, counted[key]))
        counted[key] += 1
    return sorted(calls, key=str)


def in_turn(cases: Iterable[Case], random: Random) -> Iterator[Case]:
    """Yield the cases in a random order, in which every fault comes once before any fault comes twice."""
    by_kind: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_kind[case.kind].append(case)
    for held in by_kind.values():
        random.shuffle(held)
    while by_kind:
        for kind in list(by_kind):
            yield by_kind[kind].pop()
            if not by_kind[kind]:
                del by_kind[kind]
