"""Groups of cohorts to HubSpot side by side, by Dagster: each job of meltano.yml is an asset that Meltano makes."""
# In this folder, with DAGSTER_HOME=$PWD:
#   dagster job execute -f definitions.py -j cohorts_to_hubspot     once
#   dagster dev -f definitions.py     every hour, when the schedule is switched on (install dagster-webserver, too)

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import dagster as dg
import yaml

PROJECT = Path(__file__).parent
MELTANO = yaml.safe_load((PROJECT / "meltano.yml").read_text("utf-8"))
(PRODUCTION,) = MELTANO["environments"]
(LOADER,) = PRODUCTION["config"]["plugins"]["loaders"]

# Requests per 10 s that HubSpot grants this app:
# https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
LIMIT = 190
# Dividing here what meltano.yml gives to each keeps the two files from drifting apart.
AT_ONCE = LIMIT // LOADER["config"]["requests_per_10_seconds"]

SECONDS_AT_MOST = 3 * 3_600
# What is under way at HubSpot may take its two minutes, and STATE is written after that.
SECONDS_TO_END = 150
# Whatever was done stays done, so a group may run again; but wrong settings stay wrong, and a mirror whose guard held
# removals back waits for a person: twice is enough. Meltano takes a run that was killed for a living one for 5 minutes.
RETRIES = dg.RetryPolicy(max_retries=2, delay=330)
WRONG_CALL = 2  # exit code of a command line that makes no sense


class Meltano(dg.ConfigurableResource):
    """Runs jobs of the Meltano project in this folder; their logs become the step's."""

    command: list[str] = ["meltano", "run"]  # noqa: RUF012 - each resource gets a copy
    seconds_at_most: float = SECONDS_AT_MOST
    seconds_to_end: float = SECONDS_TO_END

    def run(self, job: str) -> None:
        """Run a job to its end; raise Failure unless it went well."""
        try:
            # In a session of its own: an interrupt reaches Dagster alone, which then has Meltano end.
            process = subprocess.Popen([*self.command, job], cwd=PROJECT, start_new_session=True)
        except OSError as error:
            raise dg.Failure(f"{self.command[0]} cannot be started: {error}", allow_retries=False) from error
        with process:
            try:
                exit_code = process.wait(self.seconds_at_most)
            except subprocess.TimeoutExpired:
                raise dg.Failure(
                    f"{job} took longer than {self.seconds_at_most:g} s, and was ended."
                ) from None
            finally:
                self._end(process)
        if exit_code:
            raise dg.Failure(
                f"{job} ended with exit code {exit_code}: the last line of its log says what to do.",
                allow_retries=exit_code != WRONG_CALL,
            )

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Have a job that still runs end as it should, with its STATE written; kill it if it does not."""
        if process.poll() is not None:
            return
        process.terminate()  # Meltano passes it on to tap and target, and waits for them
        try:
            process.wait(self.seconds_to_end)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def lists_of(job: str) -> dg.AssetsDefinition:
    """Return the lists of one group, as an asset."""

    # The pool counts over all runs and machines (dagster.yaml), the executor below within one run.
    @dg.asset(name=job, group_name="hubspot_lists", pool="hubspot", retry_policy=RETRIES)
    def lists(meltano: Meltano) -> None:
        meltano.run(job)

    return lists


groups = [lists_of(job["name"]) for job in MELTANO["jobs"]]
# Groups do not depend on each other: where one fails the others go on. On Kubernetes the executor is
# dagster-k8s's `k8s_job_executor`, which takes the same `max_concurrent` and gives each group a pod of its own.
cohorts_to_hubspot = dg.define_asset_job(
    "cohorts_to_hubspot",
    selection=groups,
    executor_def=dg.multiprocess_executor.configured(
        # A fork server imports Dagster once for all groups.
        {"max_concurrent": AT_ONCE, "start_method": {"forkserver": {}}}
    ),
)


@dg.schedule(job=cohorts_to_hubspot, cron_schedule="0 * * * *")
def hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Run every hour, but not beside a run that still goes on."""
    under_way = context.instance.get_runs_count(
        dg.RunsFilter(
            job_name=cohorts_to_hubspot.name,
            statuses=[
                dg.DagsterRunStatus.QUEUED,
                dg.DagsterRunStatus.NOT_STARTED,
                dg.DagsterRunStatus.STARTING,
                dg.DagsterRunStatus.STARTED,
                dg.DagsterRunStatus.CANCELING,
            ],
        )
    )
    return dg.SkipReason("The last run still goes on.") if under_way else dg.RunRequest()


defs = dg.Definitions(
    assets=groups, jobs=[cohorts_to_hubspot], schedules=[hourly], resources={"meltano": Meltano()}
)
