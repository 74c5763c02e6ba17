from __future__ import annotations

import pytest

from hubspot_singer.http import AccessToken, Connection, OAuthApp, SettingsError
from hubspot_singer.http.connection import CONNECTION_SETTINGS

OAUTH = {"client_id": "id", "client_secret": "sesame", "refresh_token": "refresh"}


def connection(**settings: object) -> Connection:
    return Connection.from_settings({"access_token": "token", **settings})


def test_a_token_is_all_that_must_be_set() -> None:
    assert Connection.from_settings({"access_token": "token"}) == Connection(
        credentials=AccessToken("token"),
        api_url="https://api.hubapi.com",
        api_version="2026-03",
        requests_per_10_seconds=None,
        max_concurrency=8,
    )


def test_the_declared_defaults_are_the_parsed_ones() -> None:
    defaults = {
        name: declared["default"] for name, declared in CONNECTION_SETTINGS.items() if "default" in declared
    }

    assert connection(**defaults) == connection()


def test_every_setting_is_declared_in_full() -> None:
    assert set(CONNECTION_SETTINGS) == {
        "access_token",
        "client_id",
        "client_secret",
        "refresh_token",
        "api_url",
        "api_version",
        "requests_per_10_seconds",
        "max_concurrency",
    }
    assert all({"type", "title", "description"} <= set(declared) for declared in CONNECTION_SETTINGS.values())
    secret = {name for name, declared in CONNECTION_SETTINGS.items() if declared.get("secret")}
    assert secret == {"access_token", "client_secret", "refresh_token"}


def test_an_oauth_app_is_read() -> None:
    parsed = Connection.from_settings({"access_token": " ", **OAUTH})

    assert parsed.credentials == OAuthApp("id", "sesame", "refresh")
    assert parsed.secrets == ("sesame", "refresh")


def test_blanks_around_a_token_are_not_part_of_it() -> None:
    assert connection(access_token=" token\n").secrets == ("token",)


@pytest.mark.parametrize("settings", [{"access_token": "sesame"}, OAUTH])
def test_a_repr_shows_no_secret(settings: dict[str, object]) -> None:
    shown = repr(Connection.from_settings(settings))

    assert "sesame" not in shown
    assert "'refresh'" not in shown


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://api.hubapi.com/", "https://api.hubapi.com"),
        ("https://api-eu1.hubapi.com", "https://api-eu1.hubapi.com"),
        ("HTTPS://API.HUBAPI.COM:443", "https://api.hubapi.com:443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.3.2.1", "http://127.3.2.1"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("", "https://api.hubapi.com"),
    ],
)
def test_the_address_is_normalised(given: str, normal: str) -> None:
    assert connection(api_url=given).api_url == normal


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"access_token": None}, "No credentials are set. Set access_token, or "),
        ({"client_id": "id"}, "Both access_token and client_id are set. Keep "),
        (
            {"access_token": "", "client_id": "x", "refresh_token": "y"},
            "OAuth needs client_secret beside client_id and",
        ),
        ({"access_token": "Bearer sesame"}, "access_token holds a blank, or a character that "),
        ({"access_token": "sésame"}, "access_token holds a blank, or a character that "),
        ({"access_token": 1}, "access_token is not text. Put it in quotes."),
        (
            {"api_url": "api.hubapi.com"},
            "api_url is not a web address. Write it like https://api.hubapi.com.",
        ),
        ({"api_url": "ftp://api.hubapi.com"}, "api_url is not a web address. "),
        ({"api_url": "https://"}, "api_url is not a web address. "),
        ({"api_url": "https://x:99999"}, "api_url cannot be read. "),
        ({"api_url": "https://[::1"}, "api_url cannot be read. "),
        ({"api_url": "https://x y"}, "api_url holds a character that a web address cannot have. "),
        ({"api_url": "https://me:sesame@x"}, "api_url holds a user name or password. "),
        ({"api_url": "https://api.hubapi.com/crm"}, "api_url has a path or a query after the host. "),
        ({"api_url": "https://api.hubapi.com?"}, "api_url has a path or a query after the host. "),
        ({"api_url": "https://api.hubapi.com#x"}, "api_url has a path or a query after the host. "),
        (
            {"api_url": "http://api.hubapi.com"},
            "api_url would send the token to api.hubapi.com unencrypted. Use ",
        ),
        (
            {"api_url": "http://localhost.example.com"},
            "api_url would send the token to localhost.example.com ",
        ),
        ({"api_version": "2026-04"}, "api_version '2026-04' is none of HubSpot's. Set 2026-03, "),
        ({"requests_per_10_seconds": 0}, "requests_per_10_seconds is not a whole number above zero. "),
        ({"requests_per_10_seconds": 1.5}, "requests_per_10_seconds is not a whole number above zero. "),
        ({"max_concurrency": True}, "max_concurrency is not a whole number above zero. "),
        ({"max_concurrency": "8"}, "max_concurrency is not a whole number above zero. "),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        connection(**settings)

    assert str(caught.value).startswith(complaint)
    assert "sesame" not in str(caught.value)


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
        ("oauth", "2026-09", "/oauth/2026-09"),
        ("oauth", "v3", "/oauth/v3"),
    ],
)
def test_each_area_has_its_path_in_each_version(area: str, version: str, path: str) -> None:
    assert connection(api_version=version).path(area) == path


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09", "2027-03", "2100-09"])
def test_a_version_that_hubspot_publishes_is_taken(version: str) -> None:
    assert connection(api_version=version).api_version == version


@pytest.mark.parametrize(
    "version", ["v1", "V3", "2025-09", "2026-04", "2026-9", "2026-03-beta", "٢٠٢٦-03", "2026-03\n9"]
)
def test_any_other_version_is_refused(version: str) -> None:
    with pytest.raises(SettingsError, match=r"api_version '.*' is none of HubSpot's"):
        connection(api_version=version)


@pytest.mark.parametrize(
    ("version", "untried"), [("v3", None), ("2026-03", None), ("2026-09", "2026-09"), ("2027-03", "2027-03")]
)
def test_a_version_later_than_this_codes_is_untried(version: str, untried: str | None) -> None:
    assert connection(api_version=version).untried_version == untried
