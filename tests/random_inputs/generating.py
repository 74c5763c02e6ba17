"""Makes hostile inputs: odd values in every column, and odd messages between the records."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.factories import STREAM, record_message, state_message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

CONTROL = "Control"  # a cohort of plain records, which must not suffer
CONTROL_MEMBERS = 7
MARK = "qzx7"  # part of each member's address and number; no output may hold it

PIECES = (
    "\x00", "\x1b[31m", "\r\n", "\n", "\t", "\u2028", "\u202e", "\ufeff", "\u200b", "\ud800", "\U0001f600",
    "é", "İ", "ß",
    "<script>alert(1)</script>", "'; DROP TABLE lists;--", '=HYPERLINK("x")', "{{ 7*7 }}", "${HOME}", "%s %d %n",
    "../../etc/passwd", "?a=b&c#d", "%00%2F", "\\", '"', "'", "`", ",", ";", ":", "@", " ", ".", "..", "null", "NaN",
    "true", "0", "-1", "1e400", "9" * 30, "x" * 600, "name",
)  # fmt: skip
OPERATIONS = ("add", "remove", "ADD ", "Deleted", "", "upsert", "ad\u200bd", "x" * 500)
MESSAGES = (
    '{"type": "ACTIVATE_VERSION", "stream": "cohort_members", "version": "x"}',
    '{"type": "ACTIVATE_VERSION"}',
    '{"type": "UNKNOWN", "value": 1}',
    '{"type": "STATE", "value": null}',
    '{"type": "RECORD", "stream": "cohort_members"}',
    '{"type": "RECORD", "stream": "nobody", "record": {}}',
    '{"type": "RECORD", "stream": "cohort_members", "record": []}',
    '{"type": "SCHEMA", "stream": "cohort_members"}',
    '{"type": ["RECORD"]}',
    "[]",
    "null",
    "{",
    "",
)


@dataclass(frozen=True)
class Shape:
    """What an input is made of beside odd values."""

    columns: Sequence[str]  # which name a member
    has_cohort_ids: (
        bool  # ids that change with each record may make a list's cohort unclear, which ends a run
    )
    is_broken: bool  # whether odd messages are among the records, which end a run too


def hostile_lines(
    random: Random, shape: Shape, *, records: int, control: Sequence[Mapping[str, str | None]]
) -> Iterator[str]:
    """Yield an input of so many odd records, with those of the control cohort between them.

    `control` has what the columns hold for each member of that cohort.
    """
    yield _schema(random, shape)
    places = sorted(random.randrange(records) for _ in control)
    for number in range(records):
        while places and places[0] == number:
            yield _plain(control[-len(places)])
            places.pop(0)
        yield _odd_record(random, shape, number)
        if shape.is_broken and random.random() < 0.005:
            yield random.choice(MESSAGES)
        if random.random() < 0.02:
            yield state_message({"rows": number})
    yield state_message({"rows": records})


def _schema(random: Random, shape: Shape) -> str:
    columns = [*shape.columns, "cohort_name", "operation", "plan"]
    if shape.has_cohort_ids:
        columns.append("cohort_id")
    if random.random() < 0.3:
        columns.append(odd_text(random))
    properties = {column: {} if random.random() < 0.2 else {"type": ["null", "string"]} for column in columns}
    message = {"type": "SCHEMA", "stream": STREAM, "schema": {"properties": properties}, "key_properties": []}
    return json.dumps(message)


def _plain(member: Mapping[str, str | None]) -> str:
    return record_message(STREAM, **member, cohort_name=CONTROL, operation="add", plan="pro")


def _odd_record(random: Random, shape: Shape, number: int) -> str:
    record: dict[str, Any] = {column: _odd_member(random, number) for column in shape.columns}
    record |= {
        "cohort_name": random.choice(["A", "B", odd_value(random), odd_text(random)]),
        "operation": random.choice([*OPERATIONS, odd_value(random)]),
        "plan": odd_value(random),
    }
    if shape.has_cohort_ids and random.random() < 0.3:
        record["cohort_id"] = odd_value(random)
    if random.random() < 0.1:
        record["_sdc_deleted_at"] = odd_value(random)
    if random.random() < 0.05:
        record[odd_text(random)] = odd_value(random)
    if random.random() < 0.05:
        del record[random.choice(list(record))]
    message = json.dumps({"type": "RECORD", "stream": STREAM, "record": record}, ensure_ascii=False)
    # A lone surrogate cannot be written in UTF-8, but an escape can hold it.
    return message.encode("utf-8", "backslashreplace").decode("utf-8")


def _odd_member(random: Random, number: int) -> object:
    """Return an address or a number with the mark in it, well-formed or not, or something that is neither."""
    name = f"{MARK}{number}"
    return random.choice(
        [
            f"{name}@example.com",
            f" {name.upper()}@Example.COM ",
            f"{name}{odd_text(random)}@example.com",
            f"{name}@{odd_text(random)}",
            f"{name}\uff20example.com",
            f'"{name} x"@example.com',
            name,
            [f"{name}@example.com"],
            {"email": f"{name}@example.com"},
            odd_value(random),
            number,
            str(number),
            f"{number}.0",
        ]
    )


def odd_text(random: Random) -> str:
    """Return a text of up to four odd pieces; a lone surrogate is what a JSON escape can hold."""
    return "".join(random.choice(PIECES) for _ in range(random.randint(0, 4)))


def odd_value(random: Random) -> object:
    """Return a JSON value of any type."""
    return random.choice(
        [
            None, True, False, 0, -1, 1.5, 1e308, 2**63, 2**64, 10**40, "", " ", [], {}, [None], [[[[]]]],
            {"a": {"b": None}}, odd_text(random), odd_text(random), odd_text(random),
        ]
    )  # fmt: skip
