"""The connection check: what is wrong is said before any data flows."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import make_url

from target_hubspot_lists.ledger import Ledger
from target_hubspot_lists.target import TargetHubSpotLists
from tests.factories import membership, schema_message, state_message
from tests.hubspot_emulator import HubSpotEmulator
from tests.hubspot_emulator.credentials import ALL_SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal
    from tests.postgres import PostgresServer

START = datetime(2026, 3, 20, tzinfo=UTC)

BY_ID = {"match_by": "contact_id"}
MAPPINGS = [{"field": "company", "property": "company"}]


def check(hubspot: HubSpotEmulator, caplog: pytest.LogCaptureFixture, **config: Any) -> tuple[int, str]:
    settings = {"api_url": hubspot.url, "access_token": hubspot.token} | config
    with caplog.at_level("INFO"):
        exit_code = TargetHubSpotLists(
            config={k: v for k, v in settings.items() if v is not None}
        ).run_check()
    return exit_code, caplog.text


@pytest.fixture
def limited(portal: Portal) -> Iterator[HubSpotEmulator]:
    with HubSpotEmulator(portal, burst_limit=100, daily_limit=250_000) as hubspot:
        yield hubspot


def test_the_check_tells_portal_scopes_and_what_is_left_today(
    limited: HubSpotEmulator, portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    exit_code, log = check(limited, caplog)

    assert exit_code == 0
    assert "The connection works." in log
    assert f"Portal: {portal.portal_id}." in log
    assert (
        "Scopes: crm.lists.read, crm.lists.write, crm.objects.contacts.read, crm.objects.contacts.write "
        "are all there." in log
    )
    assert "Requests left today: 249,9" in log
    assert limited.calls() <= 2


def test_what_hubspot_does_not_tell_is_not_known(
    hubspot: HubSpotEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    hubspot.tells_scopes = False

    exit_code, log = check(hubspot, caplog, match_by="contact_id")

    assert exit_code == 0
    assert "Scopes: not known" in log
    assert "needed are crm.lists.read, crm.lists.write." in log


@pytest.mark.parametrize(
    ("config", "lacking"),
    [
        ({}, "crm.lists.write, crm.objects.contacts.read, crm.objects.contacts.write"),
        ({"create_contacts": False}, "crm.lists.write, crm.objects.contacts.read"),
        ({"match_by": "contact_id"}, "crm.lists.write"),
        ({"match_by": "contact_id", "sync_mode": "mirror"}, "crm.lists.write, crm.objects.contacts.read"),
        ({"dry_run": True}, "crm.objects.contacts.read"),
        (
            BY_ID | {"property_mappings": MAPPINGS},
            "crm.lists.write, crm.objects.contacts.write, crm.schemas.contacts.read",
        ),
        (
            BY_ID | {"property_mappings": MAPPINGS, "property_policy": "fill_empty", "dry_run": True},
            "crm.objects.contacts.read, crm.schemas.contacts.read",
        ),
        (
            BY_ID | {"audience_status_property": True},
            "crm.lists.write, crm.objects.contacts.write, crm.schemas.contacts.read, crm.schemas.contacts.write",
        ),
    ],
)
def test_every_scope_that_a_configured_feature_needs_is_named(
    portal: Portal, caplog: pytest.LogCaptureFixture, config: dict[str, Any], lacking: str
) -> None:
    with HubSpotEmulator(portal, tokens={"pat-test": {"oauth", "crm.lists.read"}}) as hubspot:
        exit_code, log = check(hubspot, caplog, **config)

    assert exit_code == 1
    assert f"lacks {lacking}: grant" in log


@pytest.mark.parametrize("may_read", [True, False])
def test_a_scope_that_only_helps_is_announced_and_fails_nothing(
    portal: Portal, caplog: pytest.LogCaptureFixture, *, may_read: bool
) -> None:
    scopes = {"oauth", "crm.lists.read", "crm.lists.write"} | (
        {"crm.objects.contacts.read"} if may_read else set()
    )
    with HubSpotEmulator(portal, tokens={"pat-test": scopes}) as hubspot:
        exit_code, log = check(hubspot, caplog, **BY_ID)

    assert exit_code == 0
    assert ("does not follow contacts that were merged" in log) is not may_read


def test_scopes_in_hubspots_newer_words_do_as_well(portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
    scopes = {"oauth", "crm.segments.read", "crm.segments.write", "crm.objects.contacts.read"}
    with HubSpotEmulator(portal, tokens={"pat-test": scopes}) as hubspot:
        exit_code, log = check(hubspot, caplog, create_contacts=False)

    assert exit_code == 0
    assert "are all there" in log


def test_an_oauth_app_tells_its_scopes_with_the_token_and_has_no_daily_limit(
    hubspot: HubSpotEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    oauth = {
        "access_token": None,
        "client_id": hubspot.oauth.client_id,
        "client_secret": hubspot.oauth.client_secret,
        "refresh_token": hubspot.oauth.refresh_token,
    }

    exit_code, log = check(hubspot, caplog, **oauth)

    assert exit_code == 0
    assert "are all there." in log
    assert "Requests left today: not known." in log

    hubspot.oauth.scopes = ALL_SCOPES - {"crm.lists.write"}
    exit_code, log = check(hubspot, caplog, **oauth)

    assert exit_code == 1
    assert "lacks crm.lists.write: grant" in log


def oauth_settings(hubspot: HubSpotEmulator) -> dict[str, Any]:
    return {
        "access_token": None,
        "client_id": hubspot.oauth.client_id,
        "client_secret": hubspot.oauth.client_secret,
        "refresh_token": hubspot.oauth.refresh_token,
    }


@pytest.mark.parametrize("told", ["empty", "absent"])
def test_scopes_that_are_told_as_an_empty_list_or_not_at_all_are_not_known(
    portal: Portal, hubspot: HubSpotEmulator, run_target: TargetRunner, told: str
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.oauth.told_scopes = told

    run = run_target(schema_message(), membership("VIP", ada), **oauth_settings(hubspot))

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}


@pytest.mark.parametrize("kind", ["static", "oauth"])
@pytest.mark.parametrize("status", [403, 404, 500])
def test_the_token_says_which_portal_a_ledger_belongs_to_where_the_account_does_not(
    portal: Portal,
    hubspot: HubSpotEmulator,
    run_target: TargetRunner,
    sqlite_url: str,
    kind: str,
    status: int,
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.faults.next("GET", "/account-info", status=status, times=None)
    settings = oauth_settings(hubspot) if kind == "oauth" else {}

    run = run_target(
        schema_message(), membership("VIP", ada), state_message({"n": 1}), ledger_url=sqlite_url, **settings
    )

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    with Ledger.open(sqlite_url, portal.portal_id, run_id="later", now=lambda: START, create=False) as ledger:
        assert len(ledger.lists.all()) == 1


def test_a_ledger_needs_a_portal_and_says_so_where_nothing_names_one(
    portal: Portal, hubspot: HubSpotEmulator, run_target: TargetRunner, sqlite_url: str
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.tells_scopes = False
    hubspot.faults.next("GET", "/account-info", status=403, times=None)

    run = run_target(schema_message(), membership("VIP", ada), ledger_url=sqlite_url)

    assert run.exit_code == 1
    assert "a ledger is kept by portal" in run.error
    assert portal.list_names() == set()


def test_a_token_that_is_not_valid_is_said(
    hubspot: HubSpotEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    exit_code, log = check(hubspot, caplog, access_token="pat-not-this-one")

    assert exit_code == 1
    assert "401" in log
    assert "pat-not-this-one" not in log


# The ledger


def test_a_check_opens_the_ledger_and_leaves_it_as_it_is(
    hubspot: HubSpotEmulator, portal: Portal, caplog: pytest.LogCaptureFixture, ledger_url: str
) -> None:
    Ledger.open(ledger_url, portal.portal_id, run_id="earlier", now=lambda: START).close()

    exit_code, log = check(hubspot, caplog, ledger_url=ledger_url)

    assert exit_code == 0
    assert "The connection works." in log
    assert "Ledger: it can be used." in log


def test_a_check_makes_no_ledger(
    hubspot: HubSpotEmulator, portal: Portal, caplog: pytest.LogCaptureFixture, ledger_url: str
) -> None:
    exit_code, log = check(hubspot, caplog, ledger_url=ledger_url)

    assert exit_code == 0
    assert "Ledger: not there yet, the first run creates it." in log
    assert Ledger.open_to_read(ledger_url, portal.portal_id, run_id="later", now=lambda: START) is None


@pytest.mark.parametrize(
    ("ledger_url", "error"),
    [
        ("ledger.db", "ledger_url cannot be understood: give it as sqlite:///path/to/ledger.db"),
        ("mysql://user:hunter2@localhost/ledger", "ledger_url names neither SQLite nor Postgres"),
        ("sqlite:///{folder}/none/ledger.db", 'There is no folder "'),
        ("sqlite:///{folder}/text.db", "cannot be opened"),
        ("sqlite:///{folder}", "cannot be opened"),
        ("postgresql://user:hunter2@127.0.0.1:1/ledger", "cannot be opened"),
    ],
)
def test_a_check_fails_where_the_ledger_cannot_be_used(
    hubspot: HubSpotEmulator,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    ledger_url: str,
    error: str,
) -> None:
    (tmp_path / "text.db").write_text("no database, and longer than the hundred bytes of a header " * 3)

    exit_code, log = check(hubspot, caplog, ledger_url=ledger_url.format(folder=tmp_path))

    assert exit_code == 1
    assert error in log
    assert "Portal: " in log
    assert "The connection works." not in log
    assert "hunter2" not in log
    assert [each.name for each in tmp_path.iterdir()] == ["text.db"]


def test_a_check_names_a_wrong_password_of_the_ledger(
    hubspot: HubSpotEmulator, caplog: pytest.LogCaptureFixture, postgres: PostgresServer
) -> None:
    url = make_url(postgres.new_url()).set(password="hunter2", username="nobody")

    exit_code, log = check(hubspot, caplog, ledger_url=url.render_as_string(hide_password=False))

    assert exit_code == 1
    assert "The ledger cannot be opened" in log
    assert "hunter2" not in log


def test_a_check_leaves_nothing_behind(
    hubspot: HubSpotEmulator,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    exit_code, _ = check(hubspot, caplog, report_path=str(tmp_path / "report.jsonl"), sync_mode="mirror")

    assert exit_code == 0
    assert list(tmp_path.iterdir()) == []
