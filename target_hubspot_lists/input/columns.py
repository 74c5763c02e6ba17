"""Finds the columns of a stream that say who joins or leaves which cohort."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_hubspot_lists.settings import Settings

OPERATION = "operation"
DELETED_AT = "_sdc_deleted_at"  # https://sdk.meltano.com/en/latest/implementation/record_metadata.html

# U+FEFF, and its three bytes in UTF-8 read as Windows-1252: exports of spreadsheets have it before the first name.
BYTE_ORDER_MARKS = ("\ufeff", "ï»¿")


@dataclass(frozen=True)
class Columns:
    """The columns of a stream that are read; None if the stream has no such column."""

    members: tuple[str, ...]  # one for each identifier
    cohort: str | None
    cohort_id: str | None
    operation: str | None
    deleted_at: str
    cohort_size: str | None
    can_remove: bool

    @property
    def member(self) -> str:
        """The column of the identifier that is tried first."""
        return self.members[0]

    @classmethod
    def find(cls, stream: str, names: Sequence[str], settings: Settings) -> Columns:
        """Find the columns in a stream's schema; raise InputError if one that must be there is not."""

        def named(setting: str | None, setting_name: str, default: str) -> str | None:
            found = find_column(setting or default, names, stream)
            if setting and not found:
                raise absent_column(setting, names, stream, f"Name one of them in {setting_name}.")
            return found

        members: list[str] = []
        for position, identifier in enumerate(settings.identifiers):
            setting = "match_fallbacks[].match_field" if position else "match_field"
            member = named(identifier.field, setting, identifier.name)
            if member is None:
                advice = f"Name the column that holds the member in {setting}."
                raise absent_column(identifier.name, names, stream, advice)
            members.append(member)
        operation = named(settings.operation_field, "operation_field", OPERATION)
        deleted_at = find_column(DELETED_AT, names, stream)
        return cls(
            members=tuple(members),
            cohort=named(settings.cohort_field, "cohort_field", "cohort_name"),
            cohort_id=named(settings.cohort_id_field, "cohort_id_field", "cohort_id"),
            operation=operation,
            deleted_at=deleted_at or DELETED_AT,
            cohort_size=named(settings.cohort_size_field, "cohort_size_field", "cohort_size"),
            can_remove=bool(operation or deleted_at),
        )


def find_column(name: str, names: Sequence[str], stream: str) -> str | None:
    """Return the column of that name, as records spell it: exactly, else in any case, and without a byte-order mark.

    Snowflake writes names in upper case.
    """
    if name in names:
        return name
    alike = [candidate for candidate in names if _without_mark(candidate).lower() == name.lower()]
    if len(alike) > 1:
        raise InputError(
            f'Stream "{stream}" has no column "{name}" but {" and ".join(alike)}: '
            "write the one you mean in the setting as the stream spells it."
        )
    return alike[0] if alike else None


def absent_column(name: str, names: Sequence[str], stream: str, advice: str) -> InputError:
    """Return the error for a column that is missing; it names the stream's columns, and the nearest one."""
    near = difflib.get_close_matches(name.lower(), [column.lower() for column in names], n=1)
    nearest = next((column for column in names if near and column.lower() == near[0]), None)
    hint = f' The nearest is "{nearest}".' if nearest else ""
    return InputError(
        f'Stream "{stream}" has no column "{name}"; its columns are: {listed(names)}.{hint} {advice}'
    )


def listed(names: Sequence[str]) -> str:
    """Return column names as messages list them."""
    return ", ".join(sorted(names)) or "none"


def _without_mark(name: str) -> str:
    for mark in BYTE_ORDER_MARKS:
        name = name.removeprefix(mark)
    return name
