"""The package holds what it needs and no more, and works where its sources are away."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
from email import message_from_bytes
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from tests.factories import membership, schema_message
from tests.processes import TIMEOUT

if TYPE_CHECKING:
    from email.message import Message

    from tests.hubspot_emulator import HubSpotEmulator, Portal

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
ADDRESS = "https://example.com/owner/name"
NOT_PACKED = ignore_patterns(".*", "__pycache__", "dist")

pytestmark = [
    pytest.mark.sources,
    pytest.mark.skipif(not (ROOT / PACKAGES[0]).is_dir(), reason="the sources are away"),
]


def build(sources: Path, folder: Path, target: str) -> Path:
    """Build a wheel or an sdist, with the build backend that is installed."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=sources, timeout=TIMEOUT)
    (built,) = folder.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return built


def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as packed:
        (name,) = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(packed.read(name))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as an index has it: built from the sdist, not from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as packed:
        packed.extractall(folder, filter="data")
    (sources,) = folder.iterdir()
    return build(sources, folder, "wheel")


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment in which the wheel is installed, and none of its sources.

    Its dependencies are those of this environment, so that no index is asked.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip"]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], check=True)
    paths = {name: str(folder) for name in ("base", "platbase")}
    (Path(sysconfig.get_path("purelib", "venv", paths)) / "dependencies.pth").write_text(
        sysconfig.get_path("purelib")
    )
    return folder / "bin"


def test_the_wheel_has_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}

    assert names == {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {f"{package}/py.typed" for package in PACKAGES} < names


def test_the_sdist_has_what_its_tests_need_and_nothing_that_git_ignores(sdist: Path) -> None:
    with tarfile.open(sdist) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}

    assert {"tests/conftest.py", "Makefile", "meltano.yml", "README.md", "CHANGELOG.md", "LICENSE"} < names
    assert not [name for name in names if "__pycache__" in name or name.startswith((".venv", ".ci", "dist"))]


def test_without_an_address_the_package_names_no_host(wheel: Path) -> None:
    assert PROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]["repository"] or not metadata(
        wheel
    ).get_all("Project-URL")


def test_with_an_address_an_index_shows_links_and_a_readme_whose_links_lead_somewhere(tmp_path: Path) -> None:
    copy = copytree(ROOT, tmp_path / "copy", ignore=NOT_PACKED)
    settings = copy / "pyproject.toml"
    lines = [
        f'repository = "{ADDRESS}"' if line.startswith("repository = ") else line
        for line in settings.read_text("utf-8").splitlines()
    ]
    settings.write_text("\n".join(lines), "utf-8")
    (copy / "README.md").write_text(
        "[Guide](docs/index.md#run) [Below](#run) [Meltano](https://meltano.com)\n"
        '[![A drawing](docs/loop.svg)](docs/index.md) <img src="docs/page.png" alt="The page">',
        "utf-8",
    )

    said = metadata(build(copy, tmp_path, "wheel"))

    links = dict(entry.split(", ", 1) for entry in said.get_all("Project-URL", []))
    assert links["Source"] == ADDRESS
    assert {"Documentation", "Changelog", "Issues", "Security"} < set(links)
    assert all(link.startswith(ADDRESS) for link in links.values())
    blob, raw = (f"{ADDRESS}/{kind}/v{PROJECT['project']['version']}/docs" for kind in ("blob", "raw"))
    assert str(said.get_payload()) == (
        f"[Guide]({blob}/index.md#run) [Below](#run) [Meltano](https://meltano.com)\n"
        f'[![A drawing]({raw}/loop.svg)]({blob}/index.md) <img src="{raw}/page.png" alt="The page">'
    )


def missing_extra() -> set[str]:
    """The modules that an extra is for, where this environment has it not."""
    page = {f"target_hubspot_lists/report_page/{name}.py" for name in ("charts", "page")}
    return set() if find_spec("jinja2") else page


def test_every_module_of_the_wheel_can_be_imported_without_the_sources(
    commands: Path, wheel: Path, tmp_path: Path
) -> None:
    with ZipFile(wheel) as packed:
        modules = sorted(
            name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            for name in packed.namelist()
            if name.endswith(".py") and not name.endswith("__main__.py") and name not in missing_extra()
        )
    script = f"import importlib\nfor name in {modules}: print(importlib.import_module(name).__file__)"

    done = subprocess.run(
        [commands / "python", "-c", script], capture_output=True, check=True, cwd=tmp_path, text=True
    )

    places = done.stdout.splitlines()
    assert len(places) == len(modules)
    assert not [place for place in places if place.startswith(str(ROOT))]


@pytest.mark.parametrize("command", sorted(PROJECT["project"]["scripts"]))
def test_every_command_of_the_wheel_says_how_it_is_used(command: str, commands: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [commands / command, "--help"], capture_output=True, check=True, cwd=tmp_path, text=True
    )

    assert f"Usage: {command}" in done.stdout


def test_the_installed_target_fills_a_list(
    commands: Path, hubspot: HubSpotEmulator, portal: Portal, tmp_path: Path
) -> None:
    ada = portal.add_contact()
    settings = {"API_URL": hubspot.url, "ACCESS_TOKEN": hubspot.token, "MATCH_BY": "contact_id"}

    subprocess.run(
        [commands / "target-hubspot-lists", "--config=ENV"],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env=os.environ | {f"TARGET_HUBSPOT_LISTS_{name}": value for name, value in settings.items()},
        input=f"{schema_message()}\n{membership('VIP', ada)}\n",
        text=True,
        timeout=TIMEOUT,
    )

    assert portal.members("amplitude_VIP") == {ada}
