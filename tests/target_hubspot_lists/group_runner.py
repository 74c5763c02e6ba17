"""Runs a job of the example's meltano.yml as `meltano run` does, a tap into the target, and installs nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

PATIENCE = 240  # seconds for what takes a few, but on a machine that is busy


def main() -> int:
    """Run the job that the command line names; return the target's exit code."""
    project = yaml.safe_load(Path("meltano.yml").read_text("utf-8"))
    (job,) = sys.argv[1:]
    (task,) = next(each["tasks"] for each in project["jobs"] if each["name"] == job)
    extractor, loader = (config_of(project, name) for name in task.split())
    wait_for_the_others(job)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.json"
        config.write_text(json.dumps(loader), "utf-8")
        command = [sys.executable, "-m", "target_hubspot_lists", f"--config={config}", "--config=ENV"]
        return subprocess.run(command, check=False, input=singer(extractor), text=True).returncode


def config_of(project: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what a plugin is configured with: in its environment, over its own, over what it inherits."""
    (environment,) = project["environments"]
    included = [yaml.safe_load(each.read_text("utf-8")) for each in included_files(project)]
    config: dict[str, Any] = {}
    for part in (*included, project, environment["config"]):
        for plugin in (each for kind in part["plugins"].values() for each in kind if each["name"] == name):
            inherited = config_of(project, plugin["inherit_from"]) if "inherit_from" in plugin else {}
            config |= {**inherited, **plugin.get("config", {})}
    return config


def included_files(project: dict[str, Any]) -> list[Path]:
    """Return the files that the project includes."""
    return [each for pattern in project["include_paths"] for each in sorted(Path().glob(pattern))]


def singer(extractor: dict[str, Any]) -> str:
    """Return what the tap writes."""
    path = Path(extractor["path"].replace("$MELTANO_PROJECT_ROOT", str(Path.cwd())))
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    stream = {"stream": extractor["stream_name"]}
    schema = {"properties": {column: {"type": ["null", "string"]} for column in records[0]}}
    messages = [
        {"type": "SCHEMA", **stream, "schema": schema, "key_properties": []},
        *({"type": "RECORD", **stream, "record": record} for record in records),
        {"type": "STATE", "value": {"path": path.name}},
    ]
    return "".join(f"{json.dumps(message)}\n" for message in messages)


def wait_for_the_others(job: str) -> None:
    """Go on when all groups are running, so that they are seen to run side by side."""
    folder, groups = Path(os.environ["GROUPS_FOLDER"]), int(os.environ["GROUPS_AT_ONCE"])
    (folder / job).touch()
    until = time.monotonic() + PATIENCE
    while len(list(folder.iterdir())) < groups:
        if time.monotonic() > until:
            sys.exit(f"{job} runs alone.")
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
