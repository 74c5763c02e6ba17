"""Email events out of HubSpot, and cohorts onto HubSpot lists: an Airflow DAG for each, so that each goes on alone."""
# Put it into the `dags` folder. The Meltano project is in /srv/my-project, or where the Airflow variable says:
#   airflow variables set meltano_project /srv/other-project

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = "{{ var.value.get('meltano_project', '/srv/my-project') }}"
# Meltano refuses a second run of a job for five minutes after the first was killed: the retries come later than that.
RETRIES = {"retries": 2, "retry_delay": timedelta(seconds=330)}
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def half_of_the_loop(name: str, cron: str, tasks: str) -> DAG:
    """Return a DAG that runs plugins of the Meltano project, and never beside a run of its own."""
    with DAG(
        name,
        schedule=cron,
        start_date=STARTED,
        catchup=False,
        max_active_runs=1,
        default_args=RETRIES,
        tags=["hubspot"],
    ) as dag:
        # `exec`: a task that is stopped sends its SIGTERM to Meltano itself, which hands it on to the plugins.
        BashOperator(
            task_id="meltano",
            bash_command=f"exec meltano --environment=prod run {tasks}",
            cwd=PROJECT,
            append_env=True,
            execution_timeout=timedelta(hours=3),
        )
    return dag


email_events = half_of_the_loop(
    "hubspot_email_events", "0 * * * *", "tap-hubspot-email-events target-postgres"
)
cohorts = half_of_the_loop("cohorts_to_hubspot", "30 * * * *", "tap-postgres target-hubspot-lists")
