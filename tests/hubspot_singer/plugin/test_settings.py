from __future__ import annotations

import pytest

from hubspot_singer.plugin.settings import DeclaredSettings

LISTS = {
    "type": ["array", "null"],
    "items": {
        "type": "object",
        "properties": {
            "cohort": {"type": "string"},
            "list_id": {"type": ["string", "integer"]},
            "skip": {"type": "boolean"},
        },
    },
}
SETTINGS = DeclaredSettings(
    {
        "properties": {
            "size": {"type": ["integer", "null"], "minimum": 1},
            "dry": {"type": ["boolean", "null"]},
            "lists": LISTS,
            "maps": {"type": ["object", "null"]},
            "name": {"type": ["string", "null"]},
            "folder": {"type": ["integer", "string", "null"]},
            "mode": {"type": "string", "enum": ["one", "two"]},
            "token": {"type": "string", "secret": True},
            "prefix": {"type": ["string", "null"]},
        }
    },
    may_be_blank=frozenset({"prefix"}),
)


# Text, as `meltano config set` stores it for a setting that is not declared


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("size", "50", 50),
        ("size", " +7 ", 7),
        ("size", 50.0, 50),
        ("dry", "true", True),
        ("dry", "False", False),
        ("dry", "1", True),
        ("dry", "off", False),
        ("lists", "[]", []),
        ("lists", '[{"cohort": "VIP", "list_id": "42"}]', [{"cohort": "VIP", "list_id": "42"}]),
        ("lists", [{"cohort": "true", "skip": "true"}], [{"cohort": "true", "skip": True}]),
        ("maps", '{"a": {"b": "c"}}', {"a": {"b": "c"}}),
        ("name", "true", "true"),
        ("name", "[1]", "[1]"),
        ("folder", "50", "50"),
        ("mode", "one", "one"),
        ("unknown", "50", "50"),
    ],
)
def test_text_is_read_as_what_its_setting_takes(name: str, text: object, value: object) -> None:
    read = SETTINGS.read({name: text})

    assert read == {name: value}
    assert type(read[name]) is type(value)
    assert SETTINGS.problems(read) == []


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("size", "many", "size must be a whole number, not 'many'."),
        ("size", "8.5", "size must be a whole number, not '8.5'."),
        ("size", "1_000", "size must be a whole number, not '1_000'."),
        ("size", "9" * 5000, f"size must be a whole number, not '{'9' * 60}'."),
        ("size", "0", "size must be at least 1, not '0'."),
        ("dry", "maybe", "dry must be true or false, not 'maybe'."),
        ("lists", "VIP", "lists must be a JSON array, not 'VIP'."),
        ("lists", "true", "lists must be a JSON array, not 'true'."),
        ("lists", '{"a": 1}', "lists must be a JSON array, not '{\"a\": 1}'."),
        ("lists", [{"skip": "maybe"}], "lists[0].skip must be true or false, not 'maybe'."),
        ("maps", "[" * 100_000, f"maps must be a JSON object, not '{'[' * 60}'."),
        ("mode", "three", "mode must be one of one, two, not 'three'."),
        ("token", 12345, "token must be text."),
    ],
)
def test_text_that_a_setting_does_not_take_is_named(name: str, text: object, wanted: str) -> None:
    assert SETTINGS.problems(SETTINGS.read({name: text})) == [wanted]


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_null_and_blank_are_not_set_but_for_settings_to_which_blank_says_something(blank: str | None) -> None:
    config = dict.fromkeys(SETTINGS.declared, blank)

    assert SETTINGS.read(config) == ({} if blank is None else {"prefix": blank})
