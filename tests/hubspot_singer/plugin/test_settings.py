from __future__ import annotations

import pytest

from hubspot_singer.plugin.settings import environment_problems, unknown_variables

SCHEMA = {
    "properties": {
        "size": {"type": ["integer", "null"]},
        "dry": {"type": ["boolean", "null"]},
        "lists": {"type": ["array", "null"]},
        "maps": {"type": "object"},
        "name": {"type": ["string", "null"]},
    }
}


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("SIZE", "many", "a whole number"),
        ("SIZE", "8.0", "a whole number"),
        ("SIZE", "", "a whole number"),
        ("DRY", "maybe", "true or false"),
        ("DRY", "y", "true or false"),
        ("LISTS", '[{"cohort": "VIP"', "a JSON array"),
        ("LISTS", '{"cohort": "VIP"}', "a JSON array"),
        ("MAPS", "[]", "a JSON object"),
    ],
)
def test_a_variable_that_does_not_hold_what_its_setting_takes_is_named(
    name: str, text: str, wanted: str
) -> None:
    (problem,) = environment_problems({f"TARGET_{name}": text}, "TARGET_", SCHEMA)

    assert problem.startswith(f"TARGET_{name} is not {wanted}: ")
    assert not text or text not in problem


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SIZE", "8"),
        ("DRY", "True"),
        ("DRY", "off"),
        ("LISTS", "[]"),
        ("MAPS", "{}"),
        ("NAME", ""),
        ("OTHER", "x"),
    ],
)
def test_what_a_setting_takes_is_no_problem(name: str, text: str) -> None:
    assert environment_problems({f"TARGET_{name}": text}, "TARGET_", SCHEMA) == []


def test_a_variable_that_is_no_setting_is_named_with_the_nearest() -> None:
    environ = {
        "TARGET_SIZES": "8",
        "TARGET_SIZE": "8",
        "TARGET_LOGLEVEL": "INFO",
        "TARGET__ALIAS": "x",
        "TAP_SIZES": "8",
    }

    assert unknown_variables(environ, "TARGET_", SCHEMA) == [
        'The environment variable TARGET_SIZES is no setting; it is ignored. Did you mean "TARGET_SIZE"?'
    ]
