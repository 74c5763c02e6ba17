"""Tokens that expire and limits that are reached in the middle of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import by_email, email_schema, membership, schema_message, state_message
from tests.hubspot_emulator import HubSpotEmulator

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal


def oauth(hubspot: HubSpotEmulator) -> dict[str, Any]:
    return {
        "access_token": None,
        "client_id": hubspot.oauth.client_id,
        "client_secret": hubspot.oauth.client_secret,
        "refresh_token": hubspot.oauth.refresh_token,
    }


def test_an_oauth_app_whose_tokens_expire_and_rotate_brings_everybody_home(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    hubspot.oauth.rotates = True
    contacts = portal.add_contacts(6)
    for sent_before in (0, 2, 4):  # each of the three calls is answered 401 once
        hubspot.faults.call("PUT", "/memberships/", hubspot.oauth.expire_access_tokens, after=sent_before)

    run = run_target(
        schema_message(), *(membership("VIP", each) for each in contacts), batch_size_rows=2, **oauth(hubspot)
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts)
    assert hubspot.calls(status=401) == 3


def test_an_app_that_was_uninstalled_in_mid_run_ends_it_with_what_to_do(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(4)
    hubspot.faults.call("PUT", "/memberships/", hubspot.oauth.revoke, after=1)

    run = run_target(
        schema_message(),
        membership("VIP", contacts[0]),
        membership("VIP", contacts[1]),
        state_message({"n": 2}),
        membership("VIP", contacts[2]),
        membership("VIP", contacts[3]),
        state_message({"n": 4}),
        batch_size_rows=2,
        **oauth(hubspot),
    )

    assert run.exit_code == 1
    assert run.states == [{"n": 2}]
    assert "refresh_token" in run.error
    assert hubspot.oauth.client_secret not in run.log


@pytest.mark.parametrize("daily_limit", [3, 4, 5])
def test_the_daily_limit_ends_the_run_with_honest_state(
    portal: Portal, run_target: TargetRunner, daily_limit: int
) -> None:
    with HubSpotEmulator(portal, daily_limit=daily_limit) as hubspot:
        run_target.hubspot = hubspot
        run = run_target(
            email_schema(),
            state_message({"n": 0}),
            by_email("VIP", "ada@example.com"),
            state_message({"n": 1}),
            match_by="email",
        )

    assert run.exit_code == 1
    assert run.states == [{"n": 0}]
    assert "daily limit" in run.error


def test_a_burst_limit_slows_the_run_and_loses_nobody(portal: Portal, run_target: TargetRunner) -> None:
    contacts = portal.add_contacts(12)

    with HubSpotEmulator(portal, clock=run_target.clock.time, burst_limit=5) as hubspot:
        run_target.hubspot = hubspot
        run = run_target(
            schema_message(), *(membership(f"cohort {each}", each) for each in contacts), max_concurrency=2
        )

    assert run.exit_code == 0
    assert all(portal.members(f"cohort {each}") == {each} for each in contacts)
