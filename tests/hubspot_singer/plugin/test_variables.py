from __future__ import annotations

from typing import Any

import pytest

from hubspot_singer.plugin.variables import Variables, meltano_prefixes
from tests.hubspot_singer.plugin.test_settings import SETTINGS


def variables(environ: dict[str, str], *other_prefixes: str) -> Variables:
    return Variables(environ, "TARGET_", SETTINGS, other_prefixes)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("SIZE", "many", "a whole number"),
        ("SIZE", "8.0", "a whole number"),
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
    (problem,) = variables({f"TARGET_{name}": text}).problems()

    assert problem.startswith(f"TARGET_{name} is not {wanted}: ")
    assert text not in problem


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SIZE", "8"),
        ("SIZE", ""),
        ("DRY", "True"),
        ("DRY", "off"),
        ("LISTS", "[]"),
        ("MAPS", "{}"),
        ("NAME", ""),
        ("MODE", "three"),  # the schema's to refuse
        ("OTHER", "x"),
    ],
)
def test_what_a_setting_takes_is_no_problem(name: str, text: str) -> None:
    assert variables({f"TARGET_{name}": text}).problems() == []


def test_variables_are_settings_where_they_say_something() -> None:
    environ = {
        "TARGET_SIZE": "8",
        "TARGET_NAME": " ",
        "TARGET_PREFIX": "",
        "TARGET_OTHER": "x",
        "OTHER_DRY": "true",
    }

    assert variables(environ, "OTHER_").config() == {"size": "8", "prefix": ""}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"s.a": "x", "s.b.c": 1, "t": null}', {"s": {"a": "x", "b": {"c": 1}}, "t": None}),
        (r'{"public\\.s.a": "x"}', {"public.s": {"a": "x"}}),
        ('{"s": {"a": "x"}}', {"s": {"a": "x"}}),
        ("[1]", "[1]"),
        ("{", "{"),
    ],
)
def test_objects_that_meltano_took_apart_are_put_together(text: str, value: object) -> None:
    environ = {"TARGET_MAPS": text}

    assert variables(environ | {"MELTANO_PROJECT_ROOT": "/p"}).config() == {"maps": value}
    assert variables(environ).config() == {"maps": text}


def test_a_variable_that_is_no_setting_is_named_with_the_nearest() -> None:
    environ = {
        "TARGET_SIZES": "8",
        "TARGET_SIZE": "8",
        "TARGET_LOGLEVEL": "INFO",
        "TARGET__DIALECT": "x",
        "TARGET_MAPS_MEMBERS_EMAIL": "x",
        "TARGET_EU_SIZE": "8",
        "TARGET_EU_MAPS_MEMBERS_EMAIL": "8",
        "TARGET_EU__DIALECT": "x",
        "TAP_SIZES": "8",
    }

    assert variables(environ, "TARGET_EU_").unknown() == [
        'The environment variable TARGET_SIZES is no setting; it is ignored. Did you mean "TARGET_SIZE"?'
    ]


@pytest.mark.parametrize(
    ("environ", "config", "lost"),
    [
        ({"TARGET_DRY": "true"}, {}, ["TARGET_DRY"]),
        ({"TARGET_DRY": "true"}, {"dry": None}, ["TARGET_DRY"]),
        ({"TARGET_DRY": "true"}, {"dry": False}, []),
        ({"TARGET_DRY": ""}, {}, []),
        ({"TARGET_PREFIX": ""}, {}, ["TARGET_PREFIX"]),
        ({"TARGET_MAPS_A_B": "x"}, {}, []),
        ({"TARGET_OTHER": "x"}, {}, []),
        ({"EU_LOADER_DRY": "true"}, {}, ["EU_LOADER_DRY"]),
        ({"TARGET_DRY": "true", "TARGET_SIZE": "5"}, {"name": "x"}, ["TARGET_DRY", "TARGET_SIZE"]),
    ],
)
def test_a_setting_that_the_config_lacks_is_named_by_its_variable(
    environ: dict[str, str], config: dict[str, Any], lost: list[str]
) -> None:
    problems = variables(environ, "EU_LOADER_").lost(config)

    assert len(problems) == bool(lost)
    assert all(name in problems[0] for name in lost)


@pytest.mark.parametrize(
    ("environ", "advice"),
    [
        ({}, "Add --config=ENV, or put dry into the configuration, or unset TARGET_DRY."),
        ({"MELTANO_PROJECT_ROOT": "/p"}, "Declare dry under the plugin's settings in meltano.yml"),
    ],
)
def test_what_to_do_about_a_lost_setting_depends_on_who_runs_the_plugin(
    environ: dict[str, str], advice: str
) -> None:
    (problem,) = variables(environ | {"TARGET_DRY": "true"}).lost({})

    assert advice in problem


def test_meltano_names_variables_by_the_plugin_that_it_runs() -> None:
    environ = {"MELTANO_LOADER_NAME": "target-x--eu", "MELTANO_LOADER_NAMESPACE": "target_x"}

    assert meltano_prefixes(environ, "LOADER") == ("TARGET_X__EU_", "TARGET_X_")
    assert meltano_prefixes(environ, "EXTRACTOR") == ()
