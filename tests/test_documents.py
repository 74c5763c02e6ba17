"""The commands of the documents work as written."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import socket
import sys
import sysconfig
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from shutil import which
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests import documents
from tests.conftest import MELTANO
from tests.documents import PageFailed, blocks
from tests.hubspot_emulator.emulator import DEFAULT_TOKEN
from tests.postgres import NoServer, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hubspot_emulator import HubSpotEmulator

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITH_COMMANDS = [page for page in PAGES if any(block.is_run for block in blocks(page.read_text("utf-8")))]
PORT = "8765"  # which the documents name
# A reader waits so long for the local HubSpot; a test waits until it listens, and half a second in which it says so.
SLEEP = "sleep 3\n"
WAIT = (
    f"{{ for _ in {{1..3000}}; do : < /dev/tcp/127.0.0.1/{PORT} && break; sleep 0.02; done; }} 2> /dev/null\n"
    "sleep 0.5\n"
)
TOKEN = "pat-na1-…"  # as they write a token
PROGRAMS = ("curl", "jq", "meltano", "psql")  # which not every machine has
# Whose settings name the local HubSpot that the page starts; for the others the real HubSpot is the test's own.
WITH_A_HUBSPOT_OF_ITS_OWN = {"tutorial.md"}
# What a test must change: it reaches neither a package index nor Meltano's Hub.
PIP_INSTALL = "pip install --quiet ./"
SITE_PACKAGES = "$(python -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))')"
PIP_INSTALL_HERE = (
    f"echo {sysconfig.get_path('purelib')} > {SITE_PACKAGES}/here.pth\n"
    "pip install --quiet --no-index --no-deps --no-build-isolation ./"
)
ADD_FROM_HUB = "meltano add --plugin-type extractor tap-postgres"
ADD_FROM_FILE = f"{ADD_FROM_HUB} --from-ref {ROOT / 'tests' / 'plugins' / 'tap-postgres.yml'}"
POSTGRES = re.compile(r"postgresql://\w+:secret@localhost:5432/\w+")  # as the pages write the reader's own
PLUGINS = {
    "target-hubspot-lists": "target_hubspot_lists",
    "tap-hubspot-email-events": "tap_hubspot_email_events",
}
COMMANDS = PLUGINS | {
    "hubspot-lists-ledger": "target_hubspot_lists.ledger.command",
    "hubspot-lists-report": "target_hubspot_lists.report_page.command",
}


@pytest.fixture
def environment(tmp_path: Path, hubspot: HubSpotEmulator, meltano: Path | None) -> dict[str, str]:
    """The environment of a reader who has installed the package; the real HubSpot is the local one here."""
    installed = tmp_path / "installed"
    installed.mkdir()
    for name, module in COMMANDS.items():
        command = installed / name
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        command.chmod(0o755)
    if meltano:
        (installed / "meltano").symlink_to(meltano)
    path = os.pathsep.join(
        [str(installed), str(Path(sys.executable).parent), str(MELTANO), os.environ["PATH"]]
    )
    home = tmp_path / "home"
    home.mkdir()
    return {**os.environ, **api_urls(hubspot), "HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT)}


def api_urls(hubspot: HubSpotEmulator) -> dict[str, str]:
    return {f"{module.upper()}_API_URL": hubspot.url for module in PLUGINS.values()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The reader's own folder: empty but for a clone of this repository."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "target-hubspot-lists").symlink_to(ROOT)
    return folder


def free_port() -> str:
    """A port that nobody listens on, and that nobody is given who asks for any port, as other tests do meanwhile."""
    while True:
        # Systems give out ports from 32768 on, or from 49152 on.
        port = 20_000 + secrets.randbelow(12_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return str(port)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_the_commands_of_a_page_work(
    page: Path, folder: Path, environment: dict[str, str], hubspot: HubSpotEmulator
) -> None:
    text = page.read_text("utf-8")
    called = "\n".join(block.command for block in blocks(text))
    for program in PROGRAMS:
        if re.search(rf"^\s*{program} ", called, re.MULTILINE) and not which(
            program, path=environment["PATH"]
        ):
            pytest.skip(f"{program} is not installed{': make meltano' if program == 'meltano' else ''}")
    if page.name in WITH_A_HUBSPOT_OF_ITS_OWN:
        environment = {name: value for name, value in environment.items() if name not in api_urls(hubspot)}
    replaced = {
        SLEEP: WAIT,
        PORT: free_port(),
        TOKEN: DEFAULT_TOKEN,
        ADD_FROM_HUB: ADD_FROM_FILE,
        PIP_INSTALL: PIP_INSTALL_HERE,
    }

    with ExitStack() as services:
        if written := set(POSTGRES.findall(text)):
            url = services.enter_context(postgres()).tcp_url
            replaced |= dict.fromkeys(written, url)
        documents.run(page, folder, environment, replaced)


def postgres() -> PostgresServer:
    try:
        return PostgresServer(port=int(free_port()))
    except NoServer as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_mark_of_a_block_is_one_that_there_is(page: Path) -> None:
    marks = {block.mark for block in blocks(page.read_text("utf-8")) if block.mark}

    assert [
        mark for mark in marks if not re.fullmatch(r"output|(after|not run|file|added to): .+", mark)
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_reader_is_told_the_name_of_each_file_to_save(page: Path) -> None:
    text = page.read_text("utf-8")
    for block in blocks(text):
        kind, _, name = block.mark.partition(": ")
        if kind in {"file", "added to"}:
            before = "\n".join(text.splitlines()[: block.line - 1])
            # What a reader sees: neither comments nor what other files hold.
            seen = re.sub(r"<!--.*?-->|```.*?```", "", before, flags=re.DOTALL)
            assert f"`{name}`" in seen


# The runner itself


@pytest.fixture
def run_page(tmp_path: Path, folder: Path, environment: dict[str, str]) -> Callable[[str], None]:
    """Runs a text as a page."""

    def run(text: str) -> None:
        page = tmp_path / "page.md"
        page.write_text(dedent(text), "utf-8")
        documents.run(page, folder, environment)

    return run


def test_blocks_share_one_shell_and_one_folder(run_page: Callable[[str], None], folder: Path) -> None:
    run_page("""
        ```sh
        export NAME=Ada
        ```
        <!-- file: greeting -->
        ```text
        Hello $NAME
        ```
        ```sh
        echo $(cat greeting) $NAME > said
        ```
    """)

    assert (folder / "said").read_text() == "Hello $NAME Ada\n"


def test_text_is_added_to_a_file_also_within_a_list(run_page: Callable[[str], None], folder: Path) -> None:
    run_page("""
        <!-- file: it -->
        ```yaml
        a: 1
        ```
        1. Step

           <!-- added to: it -->
           ```yaml
           b:
             c: 2
           ```
    """)

    assert (folder / "it").read_text() == "a: 1\nb:\n  c: 2\n"


def test_a_command_that_fails_is_named_by_its_line(run_page: Callable[[str], None]) -> None:
    with pytest.raises(PageFailed, match=r"page\.md:6 ended with exit code 3:\nno such list"):
        run_page("""
            ```sh
            true
            ```

            ```sh
            echo no such list; exit 3
            ```
        """)


def test_other_output_than_the_page_shows_is_told(run_page: Callable[[str], None]) -> None:
    text = """
        ```sh
        echo a; echo b; echo '2026 | {}'
        ```
        <!-- output -->
        ```text
        a
        c
        ```
    """

    run_page(text.format("c"))
    with pytest.raises(PageFailed, match="not printed: 'c'"):
        run_page(text.format("d"))


def test_a_directive_is_no_block_of_commands(run_page: Callable[[str], None], folder: Path) -> None:
    run_page("""
        ```{toctree}
        :glob:
        ```

        ```sh
        touch ran
        ```
    """)

    assert (folder / "ran").is_file()


def test_what_a_reader_has_done_before_is_done(run_page: Callable[[str], None], folder: Path) -> None:
    run_page("""
        <!-- after: echo 1 > ledger -->
        ```sh
        cp ledger copy
        ```
    """)

    assert (folder / "copy").read_text() == "1\n"


def test_what_cannot_be_run_is_not_run(run_page: Callable[[str], None]) -> None:
    run_page("""
        <!-- not run: needs an account -->
        ```sh
        exit 1
        ```
        ```yaml
        not: a command
        ```
        ```sh
        true
        ```
    """)


def test_what_a_page_starts_in_the_background_ends_with_it(
    run_page: Callable[[str], None], folder: Path
) -> None:
    run_page("""
        ```sh
        sleep 60 &
        echo $! > pid
        ```
    """)

    assert ended(int((folder / "pid").read_text()))


def ended(pid: int) -> bool:
    """Whether a process ends within a few seconds; its parent may have to notice first."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False
