"""A portal, the local HubSpot that serves it, and ways to run the plugins against it."""

from __future__ import annotations

import gc
import io
import json
import logging
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from hubspot_singer.http import HubSpotError
from target_hubspot_lists.target import TargetHubSpotLists
from tests.clocks import FakeClock
from tests.hubspot_emulator import HubSpotEmulator, Portal
from tests.preloaded import Preloaded
from tests.temporary import folder_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

# A busy machine is slow now and then: that is no failure of what is tested.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# The tests start hundreds of processes: where Python is told to keep no bytecode, each would compile every module.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# pytest keeps a quarter of a million objects for the tests that it has found: look for garbage less often.
gc.set_threshold(50_000, 20, 50)

# The root of every tmp_path, which pytest asks for when it needs the first; --basetemp goes before it.
if (in_memory := folder_in_memory()) is not None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(in_memory))


MELTANO = Path(__file__).parent.parent / ".venv" / "meltano" / "bin"  # where `make meltano` installs it

# Some of their tests take half a minute: begun last, one of them would run on alone.
LONGEST = {"test_documents", "test_meltano", "test_package", "test_schedulers", "test_soak"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the modules with the longest tests first, so that all cores are in use until the end."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


@dataclass(frozen=True)
class Run:
    """What a run of the target left behind: its exit code, the STATE it wrote, and its log."""

    exit_code: int
    states: list[Any]
    log: str

    @property
    def error(self) -> str:
        """The one line that says what went wrong."""
        (line,) = [line for line in self.log.splitlines() if line.startswith("ERROR ")]
        return line.removeprefix("ERROR ")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's own leaks into a test."""
    for name in list(os.environ):
        if name.startswith(("TARGET_", "TAP_", "MELTANO_", "SINGER_SDK_", "LOGLEVEL")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _signal_handlers() -> Iterator[None]:
    """A plugin installs signal handlers; the next test gets Python's own back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def portal() -> Portal:
    return Portal()


@pytest.fixture
def hubspot(portal: Portal) -> Iterator[HubSpotEmulator]:
    with HubSpotEmulator(portal) as emulator:
        yield emulator


@dataclass
class TargetRunner:
    """Runs the target in this process against a HubSpot; its waits cost no time."""

    hubspot: HubSpotEmulator
    capsys: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture
    clock: FakeClock
    target: TargetHubSpotLists | None = None  # of the run in hand, or of the last one

    def terminate(self) -> None:
        """Send this process a SIGTERM, as any thread may, and return once the target knows of it."""
        os.kill(os.getpid(), signal.SIGTERM)
        while self.target and not self.target.has_to_stop():
            time.sleep(0.001)

    def __call__(self, *messages: str, **config: Any) -> Run:
        """Run on these messages; by default members are record ids and list names have no prefix."""
        return self.on("".join(f"{message}\n" for message in messages).encode(), **config)

    def on(self, source: bytes | Any, **config: Any) -> Run:
        """Run on input as it comes over standard input, or on a file that is read as it comes."""
        settings = {
            "api_url": self.hubspot.url,
            "access_token": self.hubspot.token,
            "match_by": "contact_id",
            "list_name_prefix": "",
        }
        self.caplog.clear()
        self.capsys.readouterr()
        with self.caplog.at_level(logging.INFO):
            exit_code = self._run(settings | config, source)
        states = [json.loads(line) for line in self.capsys.readouterr().out.splitlines()]
        log = "\n".join(f"{record.levelname} {record.getMessage()}" for record in self.caplog.records)
        return Run(exit_code, states, log)

    def _run(self, config: dict[str, Any], source: bytes | Any) -> int:
        config = {name: value for name, value in config.items() if value is not None}
        try:
            self.target = target = TargetHubSpotLists(config=config, clock=self.clock)
        except HubSpotError as error:
            TargetHubSpotLists.report_error(error)
            return 1
        return target.run(io.BytesIO(source) if isinstance(source, bytes) else source)


@pytest.fixture
def run_target(
    hubspot: HubSpotEmulator, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> TargetRunner:
    return TargetRunner(hubspot, capsys, caplog, FakeClock())


@pytest.fixture(scope="session")
def meltano() -> Iterator[Path | None]:
    """The command of Meltano, without the second that it takes to start; None where it is not installed."""
    if not MELTANO.is_dir():
        yield None
        return
    with Preloaded(MELTANO / "python", "meltano.cli", "meltano") as preloaded:
        yield preloaded.command
