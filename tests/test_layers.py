"""Who may import whom: imports run one way, and Singer stays where Singer meets HubSpot."""

from __future__ import annotations

import ast
import importlib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests import pure_modules

ROOT = Path(__file__).parent.parent
PACKAGES = ("hubspot_singer", "target_hubspot_lists", "tap_hubspot_email_events")
PRESENT = [name for name in PACKAGES if (ROOT / name).is_dir()]
# Where Singer meets HubSpot; everything else can be read without knowing Singer.
MODULES_OF_SINGER = {
    "hubspot_singer": {"command.py", "configured.py", "plugins.py"},
    "target_hubspot_lists": {"target.py", "reader.py", "states.py", "streams.py"},
    "tap_hubspot_email_events": {
        "tap.py",
        "syncing.py",  # the SDK's stream
        "catalogs.py",  # the catalog that the user hands in
        "messages.py",  # the messages' way out
    },
}
# What reaches outside: network, files, processes, threads, time.
OUTSIDE = {
    "click",
    "concurrent",
    "io",
    "os",
    "requests",
    "shutil",
    "signal",
    "singer_sdk",
    "socket",
    "sqlalchemy",
    "sqlite3",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib3",
}
# What a package must not import.
FORBIDDEN = {
    "hubspot_singer": {
        "target_hubspot_lists",
        "tap_hubspot_email_events",
        "tests",
        "examples",
        "benchmarks",
    },
    "hubspot_singer/http": {"click", "singer_sdk"},
    "target_hubspot_lists": {"tap_hubspot_email_events", "tests", "examples", "benchmarks"},
    "tap_hubspot_email_events": {"target_hubspot_lists", "tests", "examples", "benchmarks"},
    "tests/hubspot_emulator": {*PACKAGES, "singer_sdk", "examples", "benchmarks"},
}


# The floors of the target, the lowest first: a module imports its own folder and those below it.
FLOORS = (
    ("errors", "identifiers", "outcomes", "settings", "settings_schema"),
    ("hubspot",),
    ("input",),
    ("reporting",),
    ("ledger",),
    ("journal",),
    ("sync",),
    ("mirror",),
    ("composition",),
    ("run",),
    ("property_listing",),
    ("target", "__main__"),
)
LAYERS = {name: floor for floor, names in enumerate(FLOORS) for name in names}
# What is still to be turned round: a module, and the one that it should not import.
AT_ODDS = {
    "tests.hubspot_emulator.server": "tests.hubspot_emulator.emulator",
}
# What the report page may know of the target: the words of reports, and the ledger's own overview.
KNOWN_TO_THE_PAGE = (
    "target_hubspot_lists.errors",
    "target_hubspot_lists.hubspot.list_objects",
    "target_hubspot_lists.ledger",
    "target_hubspot_lists.outcomes",
    "target_hubspot_lists.report_page",
    "target_hubspot_lists.reporting",
)
LARGEST_CLASS = 180  # lines
LONGEST_TARGET = 200  # lines of target.py: Singer messages in, STATE out, and nothing else

pytestmark = pytest.mark.sources


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(module: Path) -> set[str]:
    """The top-level packages that a module imports, also those that only type checking needs."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def dotted(module: Path) -> str:
    parts = module.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def named(module: Path) -> set[str]:
    """The modules of ours that a module imports, wherever in it, also those that only type checking needs."""
    pairs = {
        (node.module or "", alias.name)
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return {f"{package}.{name}" if is_module(package, name) else package for package, name in pairs}


def is_module(package: str, name: str) -> bool:
    path = ROOT / package.replace(".", "/") / name
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def layer(name: str) -> int | None:
    """The floor of a module of the target; None for one that is of no floor."""
    _, _, rest = name.partition(".")
    folder, _, module = rest.partition(".")
    return LAYERS.get(folder if module else rest)


@pytest.mark.parametrize("folder", [*PRESENT, "tests/hubspot_emulator"])
def test_imports_within_a_package_run_one_way(folder: str) -> None:
    imported = {dotted(each): named(each) for each in modules(folder)}
    for module, below in AT_ODDS.items():
        imported.get(module, set()).discard(below)

    order = list(TopologicalSorter(imported).static_order())

    assert len(order) > len(modules(folder))


def test_a_folder_of_the_target_imports_only_those_below_it() -> None:
    names = {dotted(module): named(module) for module in modules("target_hubspot_lists")}
    upwards = {
        f"{name} imports {each}"
        for name, imported in names.items()
        for each in imported
        if each in names
        and (own := layer(name)) is not None
        and (layer(each) or 0) > own
        and AT_ODDS.get(name) != each
    }

    assert not upwards


def test_the_report_page_knows_of_the_target_only_what_reports_say() -> None:
    for module in modules("target_hubspot_lists/report_page"):
        ours = {each for each in named(module) if each.startswith("target_hubspot_lists.")}

        assert all(each.startswith(KNOWN_TO_THE_PAGE) for each in ours), module


def test_no_class_of_the_target_is_large() -> None:
    large = {
        node.name
        for module in modules("target_hubspot_lists")
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and node.end_lineno is not None
        if node.end_lineno - node.lineno + 1 >= LARGEST_CLASS
    }

    assert not large


def test_the_target_only_hands_messages_on() -> None:
    target = ROOT / "target_hubspot_lists" / "target.py"

    assert len(target.read_text("utf-8").splitlines()) <= LONGEST_TARGET


@pytest.mark.parametrize("folder", ["hubspot_singer", "tap_hubspot_email_events"])
def test_a_class_is_shorter_than_180_lines(folder: str) -> None:
    lengths = {
        f"{dotted(module)}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for module in modules(folder)
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    }

    assert {name: length for name, length in lengths.items() if length >= 180} == {}


@pytest.mark.parametrize("folder", list(FORBIDDEN))
def test_a_package_imports_only_what_is_below_it(folder: str) -> None:
    assert modules(folder)
    for module in modules(folder):
        assert not imports(module) & FORBIDDEN[folder], module


def test_http_knows_nothing_of_commands() -> None:
    for module in modules("hubspot_singer/http"):
        assert not any(each.startswith("hubspot_singer.plugin") for each in named(module)), module


@pytest.mark.parametrize("folder", PRESENT)
def test_singer_appears_only_where_singer_meets_hubspot(folder: str) -> None:
    with_singer = {module.name for module in modules(folder) if "singer_sdk" in imports(module)}

    assert with_singer == MODULES_OF_SINGER[folder]


@pytest.mark.parametrize("path", pure_modules.PATHS)
def test_a_pure_module_reaches_nothing_outside(path: str) -> None:
    assert not imports(ROOT / path) & OUTSIDE


def test_what_is_known_of_events_asks_nobody() -> None:
    for name in pure_modules.PURE_MODULES["tap_hubspot_email_events"]:
        module = ROOT / "tap_hubspot_email_events" / f"{name}.py"

        assert "hubspot_singer" not in imports(module), module


@pytest.mark.parametrize("name", PRESENT)
def test_what_a_package_names_as_public_is_there(name: str) -> None:
    package = importlib.import_module(name)
    public = getattr(package, "__all__", [])

    assert public == sorted(set(public), key=lambda each: (not each.isupper(), each[:1].islower(), each))
    assert all(hasattr(package, each) for each in public)


def test_all_that_http_offers_is_named_as_public() -> None:
    package = ast.parse((ROOT / "hubspot_singer" / "http" / "__init__.py").read_text("utf-8"))
    imported = {
        alias.name
        for node in package.body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }

    assert imported == set(importlib.import_module("hubspot_singer.http").__all__)


def test_the_plugins_take_from_http_what_it_offers() -> None:
    public = set(importlib.import_module("hubspot_singer.http").__all__)
    for folder in PRESENT[1:]:
        for module in modules(folder):
            for node in ast.walk(ast.parse(module.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module == "hubspot_singer.http":
                    assert {alias.name for alias in node.names} <= public, module


@pytest.mark.parametrize("folder", PRESENT)
def test_the_database_appears_only_in_the_ledger(folder: str) -> None:
    drivers = {"sqlalchemy", "psycopg"}
    with_database = {module for module in modules(folder) if imports(module) & drivers}

    assert all(module.parent.name == "ledger" for module in with_database)
