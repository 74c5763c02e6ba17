from __future__ import annotations

import pytest

from hubspot_singer.http import versioned
from hubspot_singer.http.versions import is_version


@pytest.mark.parametrize(
    ("area", "version", "path"),
    [
        ("crm/lists", "2026-03", "/crm/lists/2026-03"),
        ("crm/lists", "v3", "/crm/v3/lists"),
        ("crm/objects", "2026-09", "/crm/objects/2026-09"),
        ("crm/objects", "v3", "/crm/v3/objects"),
        ("crm/properties", "2026-03", "/crm/properties/2026-03"),
        ("account-info", "2026-03", "/account-info/2026-03"),
        ("account-info", "v3", "/account-info/v3"),
    ],
)
def test_each_area_has_its_path_in_each_version(area: str, version: str, path: str) -> None:
    assert versioned(area, version) == path


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09", "2027-03", "2100-09"])
def test_a_version_hubspot_publishes_is_one(version: str) -> None:
    assert is_version(version)


@pytest.mark.parametrize(
    "version", ["", "v1", "V3", "2025-09", "2026-04", "2026-9", "2026-03-beta", "٢٠٢٦-03", " v3"]
)
def test_anything_else_is_none(version: str) -> None:
    assert not is_version(version)
