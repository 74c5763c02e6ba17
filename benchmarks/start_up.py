"""User CPU of the plugins' `--version` beside that of a plugin with nothing of its own, made with the same SDK.

What a command costs to start is paid by each run of a pipeline, each `--check` and each discovery. The runs are
interleaved, and medians are compared, so that what else the machine does makes little difference.
Run it with `python -m benchmarks.start_up`; a number as argument is how many runs each gets.
"""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

from benchmarks.harness import promise

RUNS = 9
MOST_SECONDS_MORE = 0.25

PLAIN = """
from singer_sdk import Sink, {kind}
class Plain({kind}):
    name = "plain"
    package_name = "singer-sdk"
    default_sink_class = Sink
    config_jsonschema = {{"type": "object", "properties": {{}}}}
    def discover_streams(self): return []
Plain.cli(["--version"])
"""
# Each command, and the plain one that it is compared with.
COMMANDS = {
    "plain target": ["-c", PLAIN.format(kind="Target")],
    "plain tap": ["-c", PLAIN.format(kind="Tap")],
    "target-hubspot-lists": ["-m", "target_hubspot_lists", "--version"],
    "tap-hubspot-email-events": ["-m", "tap_hubspot_email_events", "--version"],
}
PAIRS = {"target-hubspot-lists": "plain target", "tap-hubspot-email-events": "plain tap"}


def user_seconds(arguments: list[str]) -> float:
    """Run Python with these arguments to its end, and return its user CPU seconds."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed")
    return usage.ru_utime


def main() -> bool:
    """Measure the commands, print medians, differences and ratios; return whether the promises are kept."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs + 1):
        for name, arguments in COMMANDS.items():
            seconds[name].append(user_seconds(arguments))
    # The first round compiles modules and reads files from the disk.
    medians = {name: median(each[1:]) for name, each in seconds.items()}
    for name, each in medians.items():
        print(f"{name:26} {each:.2f} s of user CPU")
    kept = []
    for name, plain in PAIRS.items():
        more = medians[name] - medians[plain]
        print(
            f"{name}: {more:.2f} s more than the {plain}, {medians[name] / medians[plain]:.2f} times as much"
        )
        text = f"{name} starts with at most {MOST_SECONDS_MORE} s more"
        kept.append(promise(text, kept=more <= MOST_SECONDS_MORE))
    return all(kept)


if __name__ == "__main__":
    sys.exit(not main())
