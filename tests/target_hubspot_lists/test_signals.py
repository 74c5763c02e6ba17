"""A signal ends the run with what HubSpot confirmed, and never with more."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.target import TargetHubSpotLists
from tests.factories import membership, schema_message, state_message
from tests.processes import TIMEOUT, Plugin, config_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.hubspot_emulator import HubSpotEmulator, Portal


@pytest.fixture
def config(hubspot: HubSpotEmulator) -> dict[str, Any]:
    return {
        "api_url": hubspot.url,
        "access_token": hubspot.token,
        "match_by": "contact_id",
        "list_name_prefix": "",
        "batch_size_rows": 2,
    }


@pytest.fixture
def target(config: dict[str, Any], tmp_path: Path) -> Iterator[Plugin]:
    with Plugin("target_hubspot_lists", "--config", config_file(tmp_path, config)) as plugin:
        yield plugin


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_the_middle_of_a_call_lets_it_return_and_sends_nothing_else(
    hubspot: HubSpotEmulator, portal: Portal, target: Plugin, number: int, exit_code: int
) -> None:
    contacts = portal.add_contacts(6)
    called = threading.Event()
    hubspot.faults.call("PUT", "/memberships/", lambda: _signal(target, number, called))
    hubspot.faults.delay("PUT", "/memberships/", 0.3)

    target.write(
        schema_message(),
        state_message({"bookmark": 0}),
        membership("VIP", contacts[0]),
        membership("VIP", contacts[1]),
        state_message({"bookmark": 1}),
        membership("VIP", contacts[2]),
        membership("VIP", contacts[3]),
        state_message({"bookmark": 2}),
    )

    assert target.wait() == exit_code
    assert called.is_set()
    assert portal.members("VIP") == set(contacts[:2])
    assert hubspot.calls("PUT", "/memberships/") == 1
    # The call in hand was confirmed, so what it covers may be; nothing later is.
    assert target.lines in ([{"bookmark": 0}], [{"bookmark": 0}, {"bookmark": 1}])


def test_a_signal_while_the_tap_says_nothing_ends_the_run_without_sending_what_is_held(
    hubspot: HubSpotEmulator, portal: Portal, target: Plugin
) -> None:
    contacts = portal.add_contacts(3)
    applied = threading.Event()
    hubspot.faults.call("PUT", "/memberships/", applied.set)
    target.write(
        schema_message(),
        membership("VIP", contacts[0]),
        membership("VIP", contacts[1]),
        state_message({"bookmark": 1}),
        membership("VIP", contacts[2]),
        state_message({"bookmark": 2}),
    )
    assert applied.wait(TIMEOUT)

    target.signal(signal.SIGTERM)

    assert target.wait() == 143
    assert portal.members("VIP") == set(contacts[:2])
    assert {"bookmark": 2} not in target.lines
    assert "Stopped by SIGTERM" in target.log


def test_two_signals_are_one(hubspot: HubSpotEmulator, portal: Portal, target: Plugin) -> None:
    contacts = portal.add_contacts(2)
    called = threading.Event()

    def both() -> None:
        target.signal(signal.SIGINT)
        _signal(target, signal.SIGTERM, called)

    hubspot.faults.call("PUT", "/memberships/", both)
    hubspot.faults.delay("PUT", "/memberships/", 0.2)

    target.write(schema_message(), *(membership("VIP", contact) for contact in contacts))

    assert target.wait() in {130, 143}
    assert portal.members("VIP") == set(contacts)


def test_a_wait_for_a_retry_is_given_up_on_a_signal(
    hubspot: HubSpotEmulator, portal: Portal, target: Plugin
) -> None:
    contacts = portal.add_contacts(2)
    refused = threading.Event()
    hubspot.faults.call("PUT", "/memberships/", refused.set)
    hubspot.faults.next("PUT", "/memberships/", status=503, headers={"Retry-After": "300"})
    target.write(
        schema_message(), *(membership("VIP", contact) for contact in contacts), state_message({"n": 1})
    )
    assert refused.wait(TIMEOUT)

    target.signal(signal.SIGTERM)

    assert target.wait() == 143
    assert target.lines == []
    assert hubspot.calls("PUT", "/memberships/") == 1


def test_the_same_input_after_a_signal_completes_the_lists(
    hubspot: HubSpotEmulator, portal: Portal, config: dict[str, Any], tmp_path: Path
) -> None:
    contacts = portal.add_contacts(5)
    messages = [
        schema_message(),
        *(membership("VIP", contact) for contact in contacts),
        state_message({"n": 5}),
    ]
    with Plugin("target_hubspot_lists", "--config", config_file(tmp_path, config)) as interrupted:
        called = threading.Event()
        hubspot.faults.call("PUT", "/memberships/", lambda: _signal(interrupted, signal.SIGTERM, called))
        interrupted.write(*messages)
        assert interrupted.wait() == 143

    with Plugin("target_hubspot_lists", "--config", config_file(tmp_path, config)) as rerun:
        rerun.write(*messages)
        assert rerun.finish() == 0

    assert portal.members("VIP") == set(contacts)
    assert rerun.lines == [{"n": 5}]


def test_a_tap_that_dies_looks_like_the_end_and_what_it_said_is_applied(
    portal: Portal, target: Plugin
) -> None:
    (ada,) = portal.add_contacts(1)

    target.write(schema_message(), membership("VIP", ada), state_message({"n": 1}))

    assert target.finish() == 0
    assert portal.members("VIP") == {ada}
    assert target.lines == [{"n": 1}]


def _signal(plugin: Plugin, number: int, called: threading.Event) -> None:
    plugin.signal(number)
    called.set()


class EarlySignal(TargetHubSpotLists):
    """Gets a signal in the moment in which it begins to listen to signals."""

    def _setup_signal_handlers(self) -> None:
        super()._setup_signal_handlers()
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_before_there_is_anything_to_stop_ends_the_run_before_its_first_call(
    hubspot: HubSpotEmulator, config: dict[str, Any]
) -> None:
    target = EarlySignal(config=config)

    assert target.run(io.BytesIO()) == 143
    assert hubspot.calls() == 0


class WatchedTarget(TargetHubSpotLists):
    """Tells when it has taken a chunk and is about to wait for the next one."""

    has_attended = False
    is_waiting = False

    def attend(self) -> None:
        super().attend()
        self.has_attended = True

    def has_to_stop(self) -> bool:
        stops = super().has_to_stop()
        self.is_waiting = self.has_attended
        return stops


def test_what_arrives_together_with_a_signal_is_not_taken(portal: Portal, config: dict[str, Any]) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP")
    target = WatchedTarget(config=config | {"batch_size_rows": 1})
    chunks = [[schema_message(), membership("VIP", ada)], [membership("VIP", bob)]]

    def wait_for(condition: Callable[[], bool]) -> None:
        while not condition():
            time.sleep(0.001)

    class Source:
        """Sends a signal while its second chunk is on its way."""

        def read(self, size: int) -> bytes:
            del size
            if len(chunks) == 1:
                wait_for(lambda: portal.members("VIP") == {ada})
                target.has_attended = target.is_waiting = False
                wait_for(lambda: target.is_waiting)
                os.kill(os.getpid(), signal.SIGTERM)
                wait_for(target.has_to_stop)
            messages = chunks.pop(0) if chunks else []
            return "".join(f"{message}\n" for message in messages).encode()

    assert target.run(Source()) == 143  # type: ignore[arg-type]
    assert portal.members("VIP") == {ada}
