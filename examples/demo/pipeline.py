"""The project's own Meltano pipeline, with an installation and a state that are the demo's alone."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from examples.demo.commands import Commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "examples" / "requirements-meltano.txt"
TARGET = "target-hubspot-lists"


@dataclass(frozen=True)
class Pipeline:
    """Meltano in a folder, and what is passed to the plugins."""

    folder: Path
    url: str
    token: str

    @property
    def commands(self) -> Commands:
        """Return the commands, run in the project's folder."""
        return Commands(ROOT, self.folder / "logs")

    def install(self) -> None:
        """Install Meltano, unless it is there, and then the plugins that meltano.yml names."""
        venv = self.folder / "meltano"
        mark, wanted = venv / ".installed", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
        if not mark.is_file() or mark.read_text("utf-8") != wanted:
            python = str(venv / "bin" / "python")
            self.commands.run("Make room for Meltano", sys.executable, "-m", "venv", "--clear", str(venv))
            pip = (python, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes")
            self.commands.run("Install Meltano", *pip, "--requirement", str(REQUIREMENTS))
            mark.write_text(wanted, "utf-8")
        self.meltano("install")

    def forget(self) -> None:
        """Forget what earlier demos left in Meltano's database."""
        for file in self.folder.glob("meltano.db*"):
            file.unlink()

    def meltano(self, *arguments: str) -> Iterator[str]:
        """Run a Meltano command; return what the target said in it."""
        # An empty file of settings: those of the project's .env are for the real HubSpot.
        no_settings = self.folder / "no-settings.env"
        no_settings.write_text("", "utf-8")
        executable = str(self.folder / "meltano" / "bin" / "meltano")
        options = ("--log-format", "json", "--env-file", str(no_settings), "--environment", "local")
        log = self.commands.run(
            f"meltano {' '.join(arguments)}", executable, *options, *arguments, environment=self._environment
        )
        return said_by(TARGET, log)

    @property
    def _environment(self) -> Mapping[str, str]:
        return {
            "MELTANO_DATABASE_URI": f"sqlite:///{self.folder / 'meltano.db'}",
            "TARGET_HUBSPOT_LISTS_API_URL": self.url,
            "TARGET_HUBSPOT_LISTS_ACCESS_TOKEN": self.token,
        }


def said_by(plugin: str, log: Path) -> Iterator[str]:
    """Yield the lines that a plugin wrote, out of a log of Meltano's in JSON."""
    for line in log.read_text("utf-8").splitlines():
        entry = parsed(line)
        if entry.get("string_id") == plugin:
            yield str(entry.get("event", ""))


def parsed(line: str) -> Mapping[str, object]:
    """Return a line of a log as the object it is; an empty one for a line of anything else."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
