"""Airflow imports and runs the DAGs of examples/airflow; examples/kubernetes keeps the rules of Kubernetes and Docker.

`make schedulers` installs what tries them, into an environment of its own: Airflow's dependencies are pinned tightly.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes import TIMEOUT

ROOT = Path(__file__).parent.parent
INSTALLED = ROOT / ".venv" / "schedulers" / "bin"
DAGS = {
    "cohorts_to_hubspot": "meltano --environment=prod run tap-postgres target-hubspot-lists",
    "hubspot_email_events": "meltano --environment=prod run tap-hubspot-email-events target-postgres",
}

pytestmark = [
    pytest.mark.sources,
    pytest.mark.skipif(
        not (INSTALLED / "airflow").is_file(), reason="Airflow is not installed: make schedulers"
    ),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of Airflow with the example, its database, and a Meltano that says how it was called."""
    home = tmp_path_factory.mktemp("airflow")
    shutil.copytree(ROOT / "examples" / "airflow", home / "dags")
    (home / "project").mkdir()
    meltano = home / "meltano"
    meltano.write_text('#!/bin/sh\necho "meltano $*" > called\n')
    meltano.chmod(0o755)
    airflow(home, "db", "migrate")
    airflow(home, "variables", "set", "meltano_project", str(home / "project"))
    return home


def airflow(home: Path, *arguments: str) -> str:
    environment = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PATH": os.pathsep.join([str(home), str(INSTALLED), os.environ["PATH"]]),
    }
    return subprocess.run(
        [str(INSTALLED / "airflow"), *arguments],
        check=True,
        cwd=home,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT,
    ).stdout


def test_airflow_imports_the_dags(home: Path) -> None:
    assert airflow(home, "dags", "list-import-errors").splitlines()[-1] == "No data found"


@pytest.mark.parametrize(("dag", "command"), DAGS.items(), ids=str)
def test_airflow_renders_the_command_of_each_half_of_the_loop(home: Path, dag: str, command: str) -> None:
    assert f"exec {command}\n" in airflow(home, "tasks", "render", dag, "meltano", "2026-11-26")


def test_airflow_runs_a_dag_in_the_folder_of_the_project(home: Path) -> None:
    airflow(home, "dags", "test", "cohorts_to_hubspot", "2026-11-26")

    assert (home / "project" / "called").read_text() == f"{DAGS['cohorts_to_hubspot']}\n"


def test_kubernetes_takes_the_manifests() -> None:
    for manifest in (ROOT / "examples" / "kubernetes").glob("*.yaml"):
        subprocess.run([INSTALLED / "kubernetes-validate", "--strict", str(manifest)], check=True)


def test_the_dockerfile_keeps_the_rules_of_its_linter() -> None:
    subprocess.run([INSTALLED / "hadolint", ROOT / "examples" / "kubernetes" / "Dockerfile"], check=True)


def test_what_kubernetes_does_not_know_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "cronjob.yaml"
    manifest = (ROOT / "examples" / "kubernetes" / "cronjobs.yaml").read_text("utf-8")
    wrong.write_text(manifest.replace("concurrencyPolicy", "concurrency"), "utf-8")

    assert subprocess.run([INSTALLED / "kubernetes-validate", "--strict", str(wrong)], check=False).returncode
