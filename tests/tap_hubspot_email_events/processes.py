"""Runs the tap as a process of its own, as a Singer runner does."""

from __future__ import annotations

import json
import subprocess
from typing import IO, TYPE_CHECKING, Any

from tests.processes import Plugin
from tests.tap_hubspot_email_events.singer import Output

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.hubspot_emulator import HubSpotEmulator


class TapProcess(Plugin):
    """A running tap."""

    def __init__(
        self,
        *arguments: str,
        stdout: IO[bytes] | int = subprocess.PIPE,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("tap_hubspot_email_events", *arguments, stdout=stdout, environment=environment)

    def output(self) -> Output:
        """Wait for the end, and take apart what was written."""
        exit_code = self.wait()
        return Output(self.lines, exit_code, log=self.log)


def arguments(folder: Path, hubspot: HubSpotEmulator | None = None, **files: Any) -> list[str]:
    """Write config, state and catalog into files and give the arguments that name them."""
    if hubspot is not None:
        connection = {"api_url": hubspot.url, "access_token": hubspot.token, "start_date": "2026-10-20"}
        files["config"] = connection | files.get("config", {})
    given: list[str] = []
    for name, content in files.items():
        path = folder / f"{name}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        given += [f"--{name}", str(path)]
    return given
