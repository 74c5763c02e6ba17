"""Turns a record's value into the text that HubSpot takes for a property of its type. Pure; never guesses."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from target_hubspot_lists.input.records import is_blank, iso_moment
from target_hubspot_lists.outcomes import PropertyReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.hubspot.properties import PropertyDefinition
    from target_hubspot_lists.settings import EpochUnit

# https://developers.hubspot.com/docs/api-reference/legacy/crm/properties/guide
LONGEST_TEXT = 65_536  # characters
SEPARATOR = ";"  # between the options of a multi-checkbox; one in front appends to what is there

WORDS: Mapping[str, bool] = dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True) | dict.fromkeys(
    ("false", "f", "no", "n", "off", "0"), False
)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
EPOCH_TEXT = re.compile(r"-?\d{9,15}", re.ASCII)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A number without a unit is read as seconds where they lead into these years, and as milliseconds elsewhere.
FIRST_YEAR, LAST_YEAR = 1900, 2100
FIRST_SECOND = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()
END_SECOND = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()


class DoesNotFit(ValueError):
    """A value that the property does not take; the text says why and never quotes the value."""

    def __init__(self, reason: PropertyReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def is_empty(value: object) -> bool:
    """Return whether a value is empty: null, blank text, or an array of these only."""
    return all(map(is_blank, value)) if isinstance(value, list) else is_blank(value)


def property_text(definition: PropertyDefinition, value: object, unit: EpochUnit | None = None) -> str:
    """Return HubSpot's text for a value that is not empty; DoesNotFit if the property does not take it.

    `unit` is the unit of numbers for dates and date-times, counted from 1970; None if the settings do not name it.
    """
    if definition.type in DATES:
        text = DATES[definition.type](_moment(value, unit))
    else:
        text = CONVERSIONS.get(definition.type, _any_text)(definition, value)
    if len(text) > LONGEST_TEXT:
        raise DoesNotFit(PropertyReason.TOO_LONG)
    return text


def _any_text(definition: PropertyDefinition, value: object) -> str:
    del definition
    if (text := _scalar_text(value)) is None:
        raise DoesNotFit(PropertyReason.NOT_TEXT)
    return text


def _number(definition: PropertyDefinition, value: object) -> str:
    del definition
    text = None if isinstance(value, bool) else _scalar_text(value)
    if text is None or NUMBER.fullmatch(text := text.strip()) is None or math.isinf(float(text)):
        raise DoesNotFit(PropertyReason.NOT_A_NUMBER)
    return format(Decimal(text), "f")


def _bool(definition: PropertyDefinition, value: object) -> str:
    del definition
    text = _scalar_text(value)
    word = WORDS.get(text.strip().lower()) if text is not None else None
    if word is None:
        raise DoesNotFit(PropertyReason.NOT_A_BOOL)
    return "true" if word else "false"


def _enumeration(definition: PropertyDefinition, value: object) -> str:
    if definition.field_type == "booleancheckbox":
        return _boolean_checkbox(definition, value)
    if not definition.options:
        return _any_text(
            definition, value
        )  # HubSpot keeps them elsewhere, as for owners, and checks the value itself
    if isinstance(value, list) and definition.takes_several:
        return _joined(_option(definition, each) for each in value if not is_blank(each))
    text = _scalar_text(value)
    if text is not None and definition.takes_several and SEPARATOR in text:
        return _several(definition, text)
    return _option(definition, value)


def _several(definition: PropertyDefinition, text: str) -> str:
    """Read options between separators; the label of an option may hold the separator, too."""
    if option := definition.option(text):
        return option
    appends = SEPARATOR if text.lstrip().startswith(SEPARATOR) else ""
    parts = [each for each in text.split(SEPARATOR) if each.strip()]
    if not parts:
        raise DoesNotFit(PropertyReason.NOT_AN_OPTION)
    return appends + _joined(_options_in(definition, parts))


def _options_in(definition: PropertyDefinition, parts: Sequence[str]) -> Iterator[str]:
    """Yield the options that the parts name; of several that begin at a part, the one with the longest label."""
    texts = (text for option in definition.options for text in (option.value, option.label))
    longest = 1 + max(text.count(SEPARATOR) for text in texts)
    start = 0
    while start < len(parts):
        for end in range(min(start + longest, len(parts)), start, -1):
            if option := definition.option(SEPARATOR.join(parts[start:end])):
                break
        else:
            raise DoesNotFit(PropertyReason.NOT_AN_OPTION)
        yield option
        start = end


def _joined(options: Iterable[str]) -> str:
    return SEPARATOR.join(dict.fromkeys(options))


def _option(definition: PropertyDefinition, value: object) -> str:
    text = _scalar_text(value)
    if text is None or (option := definition.option(text)) is None:
        raise DoesNotFit(PropertyReason.NOT_AN_OPTION)
    return option


def _boolean_checkbox(definition: PropertyDefinition, value: object) -> str:
    """Read an option, else a boolean; HubSpot declares such a property as either type."""
    text = _scalar_text(value)
    return (definition.option(text) if text is not None else None) or _bool(definition, value)


def _date(moment: datetime | None) -> str:
    """Return the day in UTC: HubSpot keeps a date as midnight in UTC."""
    if moment is None:
        raise DoesNotFit(PropertyReason.NOT_A_DATE)
    return moment.date().isoformat()


def _datetime(moment: datetime | None) -> str:
    if moment is None:
        raise DoesNotFit(PropertyReason.NOT_A_DATETIME)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


CONVERSIONS: Mapping[str, Callable[[PropertyDefinition, object], str]] = {
    "string": _any_text,
    "number": _number,
    "bool": _bool,
    "enumeration": _enumeration,
}
DATES: Mapping[str, Callable[[datetime | None], str]] = {"date": _date, "datetime": _datetime}


def _moment(value: object, unit: EpochUnit | None) -> datetime | None:
    """Return the moment that ISO text or an epoch names, in UTC if it names no zone."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if not isinstance(value, str):
        return _from_epoch(value, unit)
    text = value.strip()
    if EPOCH_TEXT.fullmatch(text) or (unit and NUMBER.fullmatch(text)):
        return _from_epoch(float(text), unit)
    return iso_moment(text)


def _from_epoch(number: float, unit: EpochUnit | None) -> datetime | None:
    """Return the moment so many seconds or milliseconds after 1970; None if no date can be so far away."""
    if unit is None and _is_calendar(number):
        return None
    is_seconds = unit == "s" or (unit is None and FIRST_SECOND <= number < END_SECOND)
    try:
        return EPOCH + (timedelta(seconds=number) if is_seconds else timedelta(milliseconds=number))
    except (ValueError, OverflowError):  # NaN, or beyond the years 1 to 9999
        return None


def _is_calendar(number: float) -> bool:
    """Return whether a number looks like a year or YYYYMMDD: as an epoch it would silently become a moment in 1970."""
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    is_day = FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12 and 1 <= day <= 31  # noqa: PLR2004 - months and days
    return is_day or FIRST_YEAR <= number <= LAST_YEAR


def _scalar_text(value: object) -> str | None:
    """Return the text of a scalar, a whole number without a fraction; None if it is nested or not finite."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, float) or not math.isfinite(value):
        return None
    return format(Decimal(repr(value)), "f").removesuffix(".0")
