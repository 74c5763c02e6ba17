"""A preloaded command is the same as one that starts from nothing: arguments, folder, environment, streams, exit."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.preloaded import Preloaded
from tests.processes import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
MODULE = """
import json, os, sys, time

def main():
    if sys.argv[1] == "fail":
        sys.exit("no such thing")
    if sys.argv[1] == "crash":
        os.kill(os.getpid(), 9)
    if sys.argv[1] == "number":
        return 7
    print(json.dumps([sys.argv[1:], os.getcwd(), os.environ.get("GREETING"), sys.stdin.read()]))
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "told.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("GREETING", "of the server")
    with Preloaded(Path(sys.executable), "told", "tell") as preloaded:
        yield preloaded.command


def test_a_call_has_the_arguments_folder_environment_and_input_of_its_caller(
    command: Path, tmp_path: Path
) -> None:
    for greeting in ("hello", "hello again"):
        done = subprocess.run(
            [command, "a b", "ü"],
            capture_output=True,
            check=True,
            cwd=tmp_path,
            env={"GREETING": greeting},
            input="x" * 100_000,
            text=True,
        )
        assert done.stdout == f'[["a b", "\\u00fc"], "{tmp_path}", "{greeting}", "{"x" * 100_000}"]\n'


@pytest.mark.parametrize(("argument", "code"), [("fail", 1), ("number", 7), ("crash", 247)])
def test_a_call_ends_with_the_exit_code_of_the_command(command: Path, argument: str, code: int) -> None:
    done = subprocess.run([command, argument], capture_output=True, check=False, text=True)

    assert done.returncode == code
    assert done.stderr == ("no such thing\n" if argument == "fail" else "")


def test_a_module_that_cannot_be_imported_is_told() -> None:
    with (
        pytest.raises(RuntimeError, match="no_such_module cannot be imported"),
        Preloaded(Path(sys.executable), "no_such_module", "tell"),
    ):
        pass


def test_it_ends_with_the_process_that_started_it() -> None:
    script = "from tests.test_preloaded import start_and_die; start_and_die()"

    # Its standard output ends once nobody holds it open any more.
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, cwd=ROOT, text=True, timeout=TIMEOUT
    )

    assert done.stdout == "started\n"
    shutil.rmtree(done.stderr)


def start_and_die() -> None:
    preloaded = Preloaded(Path(sys.executable), "json.tool", "format").__enter__()
    sys.stderr.write(str(preloaded.folder))
    sys.stdout.write("started\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def test_nothing_is_left_of_it() -> None:
    with Preloaded(Path(sys.executable), "json.tool", "format") as preloaded:
        assert preloaded.command.is_file()

    assert not preloaded.folder.exists()
