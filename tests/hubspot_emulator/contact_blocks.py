"""Contacts that were added together: a million of them take no memory until one is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

from tests.hubspot_emulator.contact import Contact


class RecordIds(Sequence[str]):
    """The ids of contacts that were added together, without a string for each of a million."""

    def __init__(self, numbers: range) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> RecordIds: ...
    def __getitem__(self, index: int | slice) -> str | RecordIds:
        return RecordIds(self.numbers[index]) if isinstance(index, slice) else str(self.numbers[index])


@dataclass(frozen=True, slots=True)
class Block:
    """Contacts that differ in a running number only: a million of them take no memory until touched."""

    numbers: range
    prefix: str
    suffix: str
    created_ms: int

    def email(self, number: int) -> str:
        return f"{self.prefix}{number - self.numbers.start}{self.suffix}"

    def number_of(self, email: str) -> int | None:
        if not (email.startswith(self.prefix) and email.endswith(self.suffix)):
            return None
        index = email[len(self.prefix) : len(email) - len(self.suffix)]
        if not (index.isascii() and index.isdigit() and (index == "0" or index[0] != "0")):
            return None
        number = self.numbers.start + int(index)
        return number if number in self.numbers else None

    def among(self, numbers: set[int]) -> set[int]:
        """Give those of these ids that the block holds; mostly it is all of them."""
        if numbers and min(numbers) in self.numbers and max(numbers) in self.numbers:
            return numbers
        return {number for number in numbers if number in self.numbers}

    def contact(self, number: int) -> Contact:
        return Contact(number, self.email(number), self.created_ms, self.created_ms)
