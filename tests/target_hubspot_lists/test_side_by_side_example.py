"""The example of groups side by side: its files agree, and Dagster runs it as they say."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from psycopg import sql

from target_hubspot_lists.target import TargetHubSpotLists
from tests.hubspot_emulator import HubSpotEmulator
from tests.test_demo import is_running, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from tests.hubspot_emulator import Portal
    from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "side_by_side"
RUNNER = Path(__file__).with_name("group_runner.py")
MELTANO: dict[str, Any] = yaml.safe_load((EXAMPLE / "meltano.yml").read_text("utf-8"))
INSTANCE: dict[str, Any] = yaml.safe_load((EXAMPLE / "dagster.yaml").read_text("utf-8"))
JOBS = [job["name"] for job in MELTANO["jobs"]]
PLUGINS: dict[str, Any] = yaml.safe_load(
    (EXAMPLE / "meltano" / "target-hubspot-lists.yml").read_text("utf-8")
)
(PRODUCTION,) = MELTANO["environments"]
(LOADER,) = PRODUCTION["config"]["plugins"]["loaders"]
(PLUGIN,) = PLUGINS["plugins"]["loaders"]
SHARE = LOADER["config"]["requests_per_10_seconds"]
# The limit is told with a shorter interval, so that the test need not take tens of seconds.
INTERVAL = 2.0  # seconds
PATIENCE = 300  # seconds for what takes ten, but on a machine that is busy


def rows_of(group: int) -> list[dict[str, str]]:
    lines = (EXAMPLE / "cohorts" / f"group-{group}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


GROUPS = {number: rows_of(number) for number in range(1, len(JOBS) + 1)}


@pytest.fixture(scope="module")
def dagster_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which Dagster keeps what it keeps, with the example's settings."""
    pytest.importorskip("dagster", reason="Dagster is not installed: make dagster")
    home = tmp_path_factory.mktemp("dagster")
    shutil.copy(EXAMPLE / "dagster.yaml", home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        yield home


@pytest.fixture(scope="module")
def example(dagster_home: Path) -> ModuleType:  # noqa: ARG001 - before Dagster is imported
    """The example's definitions, as Dagster loads them."""
    spec = importlib.util.spec_from_file_location("definitions", EXAMPLE / "definitions.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_target_takes_the_settings_of_the_loader() -> None:
    secrets = {"access_token": "of-the-environment", "ledger_url": "postgresql://of@the/environment"}
    assert TargetHubSpotLists(config=LOADER["config"] | secrets).config["requests_per_10_seconds"] == SHARE


def test_no_file_of_the_example_holds_a_secret() -> None:
    secret = {setting["name"] for setting in PLUGIN["settings"] if setting.get("sensitive")}

    assert secret >= {"access_token", "ledger_url"}
    assert not secret & LOADER["config"].keys()


def test_each_group_has_an_extractor_and_so_a_state_and_a_stream_name_of_its_own() -> None:
    extractors = {each["name"]: each for each in MELTANO["plugins"]["extractors"]}
    tasks = [task for job in MELTANO["jobs"] for task in job["tasks"]]
    taps = [task.removesuffix(f" {LOADER['name']}") for task in tasks]

    assert [extractors[tap]["config"]["path"].rpartition("/")[2] for tap in taps] == [
        f"group-{number}.jsonl" for number in GROUPS
    ]
    assert len(set(taps)) == len(JOBS)
    assert len({extractors[tap]["config"]["stream_name"] for tap in taps}) == len(JOBS)


def test_the_views_deal_each_cohort_to_the_group_whose_file_has_it(postgres: PostgresServer) -> None:
    columns = "email", "cohort_id", "cohort_name", "operation"
    rows = [tuple(row[column] for column in columns) for group in GROUPS.values() for row in group]
    with psycopg.connect(postgres.new_url()) as warehouse:
        warehouse.execute(
            "create table cohort_members (email text, cohort_id text, cohort_name text, operation text)"
        )
        warehouse.cursor().executemany("insert into cohort_members values (%s, %s, %s, %s)", rows)
        warehouse.execute((EXAMPLE / "cohort_groups.sql").read_bytes())
        for number, group in GROUPS.items():
            view = sql.Identifier(f"cohort_members_{number}")
            found = warehouse.execute(
                sql.SQL("select email, cohort_id, cohort_name, operation from {}").format(view)
            ).fetchall()

            assert sorted(found) == sorted(tuple(row[column] for column in columns) for row in group)


def test_the_groups_that_run_at_a_time_stay_within_the_limit(example: ModuleType) -> None:
    assert example.AT_ONCE * SHARE <= example.LIMIT < (example.AT_ONCE + 1) * SHARE
    assert INSTANCE["concurrency"]["pools"]["default_limit"] == example.AT_ONCE == len(JOBS)


def test_each_job_of_meltano_is_an_asset_in_the_pool_that_may_be_tried_again(example: ModuleType) -> None:
    job = example.defs.resolve_job_def("cohorts_to_hubspot")

    assert sorted(node.name for node in job.nodes) == sorted(JOBS)
    assert {node.definition.pool for node in job.nodes} == {"hubspot"}
    assert {node.definition.retry_policy for node in job.nodes} == {example.RETRIES}


def test_dagster_sends_no_telemetry() -> None:
    assert INSTANCE["telemetry"] == {"enabled": False}


def test_dagster_runs_all_groups_side_by_side_and_no_429_is_drawn(
    portal: Portal, postgres: PostgresServer, dagster_home: Path, example: ModuleType, tmp_path: Path
) -> None:
    burst = int(example.LIMIT * INTERVAL / 10)
    with HubSpotEmulator(portal, burst_limit=burst) as hubspot:
        hubspot.limits.interval = INTERVAL
        settings = {"api_url": hubspot.url, "access_token": hubspot.token, "ledger_url": postgres.new_url()}
        ended = execute_with_dagster(dagster_home, tmp_path, settings)

        assert ended.returncode == 0, ended.stderr
        assert hubspot.calls(status=429) == 0
        assert len(hubspot.requests) > burst
    assert {name: members(portal, name) for name in portal.list_names()} == expected()
    assert list((tmp_path / "home").iterdir()) == []


def execute_with_dagster(
    home: Path, folder: Path, settings: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the page's command, with a tap and a target in the place of Meltano."""
    config = {"resources": {"meltano": {"config": {"command": [sys.executable, str(RUNNER)]}}}}
    (folder / "run.yaml").write_text(yaml.safe_dump(config), "utf-8")
    for name in ("groups", "home"):
        (folder / name).mkdir()
    command = ["job", "execute", "-f", "definitions.py", "-j", "cohorts_to_hubspot"]
    return subprocess.run(
        [sys.executable, "-m", "dagster", *command, "-c", str(folder / "run.yaml")],
        capture_output=True,
        check=False,
        cwd=EXAMPLE,
        env=os.environ
        | {f"TARGET_HUBSPOT_LISTS_{name.upper()}": value for name, value in settings.items()}
        | {"DAGSTER_HOME": str(home), "HOME": str(folder / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
        | {"GROUPS_FOLDER": str(folder / "groups"), "GROUPS_AT_ONCE": str(len(JOBS))},
        text=True,
        timeout=PATIENCE,
    )


def members(portal: Portal, name: str) -> set[str | None]:
    return {portal.contact(record_id).email for record_id in portal.members(name)}


def expected() -> dict[str, set[str]]:
    """Who is on which list when all groups are done."""
    lists: dict[str, set[str]] = {}
    for row in (row for group in GROUPS.values() for row in group):
        of_list = lists.setdefault(f"amplitude_{row['cohort_name']}", set())
        if row["operation"] == "add":
            of_list.add(row["email"])
    return lists


def test_a_group_that_fails_does_not_stop_the_others(example: ModuleType) -> None:
    command = ["/bin/sh", "-c", f'test "$0" != {JOBS[1]} || exit 2']
    resources = {"meltano": {"config": {"command": command}}}

    ended = example.defs.resolve_job_def("cohorts_to_hubspot").execute_in_process(
        run_config={"resources": resources}, raise_on_error=False
    )

    failed = {event.step_key for event in ended.all_events if event.is_step_failure}
    succeeded = {event.step_key for event in ended.all_events if event.is_step_success}
    assert not ended.success
    assert failed == {JOBS[1]}
    assert succeeded == set(JOBS) - failed


@pytest.mark.parametrize(
    ("command", "is_tried_again"),
    [
        pytest.param(["/bin/sh", "-c", "exit 1"], True, id="what-the-target-calls-a-failure"),
        pytest.param(["/bin/sh", "-c", "exit 2"], False, id="a-command-line-that-makes-no-sense"),
        pytest.param(["/no/such/meltano"], False, id="no-meltano"),
    ],
)
def test_only_what_may_get_better_is_tried_again(
    example: ModuleType, command: list[str], *, is_tried_again: bool
) -> None:
    with pytest.raises(example.dg.Failure) as raised:
        example.Meltano(command=command).run("cohorts_1")

    assert raised.value.allow_retries is is_tried_again


def test_a_group_that_takes_too_long_is_asked_to_end_and_waited_for(
    example: ModuleType, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    script = f"trap 'sleep 0.1; echo written > {state}; exit 143' TERM; while :; do sleep 0.01; done"

    with pytest.raises(example.dg.Failure, match="cohorts_1 took longer than 1 s"):
        example.Meltano(command=["/bin/sh", "-c", script], seconds_at_most=1).run("cohorts_1")

    assert state.read_text() == "written\n"


def test_a_group_that_does_not_end_is_killed_with_all_that_it_started(
    example: ModuleType, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    script = f"trap '' TERM; sleep 600 & echo $! > {pid}; wait"
    meltano = example.Meltano(command=["/bin/sh", "-c", script], seconds_at_most=1, seconds_to_end=0.1)

    with pytest.raises(example.dg.Failure):
        meltano.run("cohorts_1")

    wait_for(lambda: not is_running(int(pid.read_text())))


def test_the_schedule_starts_no_run_beside_another(example: ModuleType, tmp_path: Path) -> None:
    dg = example.dg
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        context = dg.build_schedule_context(instance=instance)

        assert isinstance(example.hourly(context), dg.RunRequest)
        job = example.defs.resolve_job_def("cohorts_to_hubspot")
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        assert isinstance(example.hourly(context), dg.SkipReason)
