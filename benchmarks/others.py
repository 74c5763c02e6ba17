"""The plugins beside what a user would pick instead, each in an environment of its own, on the same input.

They are told another address than HubSpot's by the few lines of LAUNCHERS, which change nothing else. What cannot be
installed, because there is no network for example, is left out with a note.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.email_events import DAY, served
from benchmarks.harness import measured, messages, plugin_command
from benchmarks.rows import CHECKOUT, Compared
from tests.hubspot_emulator import HubSpotEmulator, Portal
from tests.hubspot_emulator.emulator import DEFAULT_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.harness import Measured

ENVIRONMENTS = CHECKOUT / ".bench"
TAP_HUBSPOT, AIRBYTE, DRT = "tap-hubspot==4.5.0", "airbyte-source-hubspot==5.7.0", "drt-core==1.2.1"
EVENTS, CONTACTS, RECORDS = 30_000, 400, 100_000
DAYS = 30
SHARE_IN_BURSTS = 0.8
SETTLE_MS = 300_000
BURST_LIMIT = 190

# Each is given the emulator's address before the program's own arguments.
LAUNCHERS = {
    TAP_HUBSPOT: """
import sys, tap_hubspot
tap_hubspot.BASE_URL = sys.argv.pop(1)
tap_hubspot.main()
""",
    AIRBYTE: """
import sys
from requests.adapters import HTTPAdapter
send, address = HTTPAdapter.send, sys.argv.pop(1)
def send_here(self, request, **options):
    request.url = request.url.replace("https://api.hubapi.com", address)
    return send(self, request, **options)
HTTPAdapter.send = send_here
from source_hubspot.run import run
run()
""",
    # It adds a field to the body of a create that HubSpot's description of the interface does not have.
    DRT: """
import sys, httpx
import drt.destinations.hubspot as destination
address = sys.argv.pop(1)
destination._HUBSPOT_API = address + "/crm/v3/objects"
destination._HUBSPOT_PROPERTIES_API = address + "/crm/v3/properties"
post = httpx.Client.post
httpx.Client.post = lambda self, url, *, json, **options: post(
    self, url, json={"properties": json["properties"]}, **options
)
from drt.cli.main import app
app()
""",
}
SDK_TARGET = """
from singer_sdk import Target
from singer_sdk.sinks import BatchSink
class PlainSink(BatchSink):
    max_size = 10_000
    def process_batch(self, context): pass
class PlainTarget(Target):
    name = "target-plain"
    default_sink_class = PlainSink
    config_jsonschema = {"type": "object", "properties": {}}
PlainTarget.cli()
"""
SDK_TAP_CATALOG = """
import json
from singer import metadata
from tap_hubspot import load_schema
schema = load_schema("email_events")
entries = metadata.get_standard_metadata(schema, ["id"], valid_replication_keys=["startTimestamp"])
for entry in entries:
    entry["metadata"]["selected"] = True
stream = {"stream": "email_events", "tap_stream_id": "email_events", "schema": schema, "key_properties": ["id"]}
print(json.dumps({"streams": [{**stream, "metadata": entries}]}))
"""


def compared(events: int = EVENTS, contacts: int = CONTACTS, records: int = RECORDS) -> Iterator[Compared]:
    """Run each program on its input, one after another."""
    yield from _events(events)
    yield from _records(records)
    yield from _contacts(contacts)


# Email events


def _events(count: int) -> Iterator[Compared]:
    programs: tuple[tuple[str, Callable[[str, Path, str], Measured | str]], ...] = (
        ("tap-hubspot-email-events", _our_tap),
        (TAP_HUBSPOT, _tap_hubspot),
        (AIRBYTE, _airbyte),
    )
    for name, run in programs:
        now, fill = time.time(), partial(_in_bursts, count=count)
        with (
            served(fill, now=now, prepare=_without_objects, burst_limit=BURST_LIMIT) as server,
            tempfile.TemporaryDirectory() as folder,
        ):
            start_date = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(now - (DAYS + 1) * DAY / 1000))
            ran = run(server.url, Path(folder), start_date)
            what = f"{count:,} events of {DAYS} days, in bursts"
            if isinstance(ran, str):
                yield _absent(what, name, ran)
                continue
            ids = Counter(_ids(ran))
            lost, doubled = count - len(ids), ids.total() - len(ids)
            yield _cost(what, name, ran, len(server.times()), lost=lost, doubled=doubled)


def _our_tap(url: str, folder: Path, start_date: str) -> Measured:
    config = {"api_url": url, "access_token": DEFAULT_TOKEN, "start_date": start_date}
    return measured(plugin_command("tap_hubspot_email_events", config, folder), folder)


def _tap_hubspot(url: str, folder: Path, start_date: str) -> Measured | str:
    python = _python(TAP_HUBSPOT)
    if python is None:
        return "could not be installed"
    settings, catalog = folder / "config.json", folder / "catalog.json"
    settings.write_text(json.dumps({"api_key": DEFAULT_TOKEN, "start_date": start_date}))
    catalog.write_bytes(
        subprocess.run([python, "-c", SDK_TAP_CATALOG], capture_output=True, check=True).stdout
    )
    files = ("--config", str(settings), "--properties", str(catalog))
    return measured([python, "-c", LAUNCHERS[TAP_HUBSPOT], url, *files], folder)


def _airbyte(url: str, folder: Path, start_date: str) -> Measured | str:
    python = _python(AIRBYTE)
    if python is None:
        return "could not be installed"
    settings, catalog = folder / "config.json", folder / "catalog.json"
    credentials = {"credentials_title": "Private App Credentials", "access_token": DEFAULT_TOKEN}
    settings.write_text(json.dumps({"start_date": start_date, "credentials": credentials}))
    stream = {
        "stream": {
            "name": "email_events",
            "json_schema": {},
            "supported_sync_modes": ["full_refresh", "incremental"],
        },
        "sync_mode": "incremental",
        "destination_sync_mode": "append",
        "cursor_field": ["created"],
    }
    catalog.write_text(json.dumps({"streams": [stream]}))
    files = ("--config", str(settings), "--catalog", str(catalog))
    return measured([python, "-c", LAUNCHERS[AIRBYTE], url, "read", *files], folder)


def _ids(ran: Measured) -> Iterator[str]:
    """Yield the id of each event in the output, Singer's or Airbyte's."""
    with ran.output.open() as lines:
        for line in lines:
            if line.startswith("{") and '"RECORD"' in line:
                message = json.loads(line)
                record = message["record"]
                content = record["data"] if "data" in record and "stream" in record else record
                if "recipient" in content:
                    yield content["id"]


# Records through a target


def _records(count: int) -> Iterator[Compared]:
    what = f"{count:,} record ids through a target"
    with tempfile.TemporaryDirectory() as name:
        folder, portal = Path(name), Portal()
        ids = portal.add_contacts(count)
        source = folder / "input.singer"
        schema = {"contact_id": {"type": "string"}, "cohort_name": {"type": "string"}}
        records = ({"contact_id": each, "cohort_name": "VIP"} for each in ids)
        source.write_text("\n".join(messages(schema, records)))
        with HubSpotEmulator(portal, burst_limit=BURST_LIMIT) as hubspot:
            config = {"api_url": hubspot.url, "access_token": hubspot.token, "match_by": "contact_id"}
            with source.open("rb") as lines:
                ran = measured(plugin_command("target_hubspot_lists", config, folder), folder, lines)
            lost = count - len(portal.members("amplitude_VIP"))
            yield _cost(what, "target-hubspot-lists", ran, hubspot.calls(), lost=lost)
        with source.open("rb") as lines:
            plain = measured([sys.executable, "-c", SDK_TARGET], folder, lines)
        yield _cost(what, "a target of the SDK that drops each batch", plain, 0)


# Contacts


def _contacts(count: int) -> Iterator[Compared]:
    what = f"{count:,} contacts with a first name, half of them known"
    with (
        tempfile.TemporaryDirectory() as name,
        HubSpotEmulator(_half(count), burst_limit=BURST_LIMIT) as hubspot,
    ):
        folder = Path(name)
        source = folder / "input.singer"
        schema = {each: {"type": "string"} for each in ("email", "firstname", "cohort_name")}
        records = (
            {"cohort_name": "VIP", **dict(zip(("email", "firstname"), each, strict=True))}
            for each in _people(count)
        )
        source.write_text("\n".join(messages(schema, records)))
        mapping = [{"field": "firstname", "property": "firstname"}]
        config = {"api_url": hubspot.url, "access_token": hubspot.token, "property_mappings": mapping}
        with source.open("rb") as lines:
            ran = measured(plugin_command("target_hubspot_lists", config, folder), folder, lines)
        note = "they are on a list, too"
        yield _cost(
            what,
            "target-hubspot-lists",
            ran,
            calls=hubspot.calls(),
            lost=_nameless(hubspot.portal),
            note=note,
        )
    python = _python(DRT)
    if python is None:
        yield _absent(what, DRT, "could not be installed")
        return
    with (
        tempfile.TemporaryDirectory() as name,
        HubSpotEmulator(_half(count), burst_limit=BURST_LIMIT) as hubspot,
    ):
        folder = Path(name)
        _drt_project(folder, count)
        environment = {"HOME": str(folder), "HUBSPOT_TOKEN": hubspot.token, "DO_NOT_TRACK": "1"}
        command = ["env", "-C", str(folder), *(f"{key}={value}" for key, value in environment.items())]
        ran = measured([*command, python, "-c", LAUNCHERS[DRT], hubspot.url, "run"], folder)
        note = "it knows contacts and no lists"
        yield _cost(what, DRT, ran, hubspot.calls(), lost=_nameless(hubspot.portal), note=note)


def _people(count: int) -> Iterator[tuple[str, str]]:
    return ((f"contact{number}@example.com", f"Name {number}") for number in range(count))


def _half(count: int) -> Portal:
    portal = Portal()
    portal.add_contacts(count // 2)
    return portal


def _nameless(portal: Portal) -> int:
    return sum("firstname" not in each.properties for each in portal.contacts)


def _drt_project(folder: Path, count: int) -> None:
    with sqlite3.connect(folder / "source.sqlite") as source:
        source.execute("CREATE TABLE contacts (email TEXT, firstname TEXT)")
        source.executemany("INSERT INTO contacts VALUES (?, ?)", _people(count))
    (folder / ".drt").mkdir()
    profile = {"local": {"type": "sqlite", "database": str(folder / "source.sqlite")}}
    (folder / ".drt" / "profiles.yml").write_text(json.dumps(profile))  # JSON is YAML, too
    project = {"name": "bench", "version": "0.1", "profile": "local"}
    (folder / "drt_project.yml").write_text(json.dumps(project))
    destination = {
        "type": "hubspot",
        "object_type": "contacts",
        "id_property": "email",
        "properties_template": '{"email": "{{ row.email }}", "firstname": "{{ row.firstname }}"}',
        "auth": {"type": "bearer", "token_env": "HUBSPOT_TOKEN"},
    }
    sync = {
        "name": "contacts",
        "model": "SELECT * FROM contacts",
        "destination": destination,
        "sync": {"mode": "full"},
    }
    (folder / "syncs").mkdir()
    (folder / "syncs" / "contacts.yml").write_text(json.dumps(sync))


# What all of them need


def _cost(  # noqa: PLR0913 - what was measured of a program
    what: str,
    program: str,
    ran: Measured,
    calls: int,
    *,
    lost: int | None = None,
    doubled: int | None = None,
    note: str = "",
) -> Compared:
    note = note if ran.exit_code == 0 else f"exit code {ran.exit_code}"
    return Compared(what, program, calls, lost, doubled, ran.user_seconds, ran.seconds, ran.peak_mb, note)


def _absent(what: str, program: str, why: str) -> Compared:
    return Compared(what, program, None, None, None, 0, 0, 0, why)


def _python(package: str) -> str | None:
    """Install a package into an environment of its own, unless it is there; return its Python, or None."""
    folder = ENVIRONMENTS / package.replace("==", "-")
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
        if subprocess.run(install, check=False).returncode:
            return None
        ready.touch()
    return str(python)


def _in_bursts(portal: Portal, count: int) -> None:
    """Put events of the last thirty days, of ten types, into the portal, most of them after a few mailings."""
    moments, now = random.Random(30), int(time.time() * 1000)
    begins = [now - SETTLE_MS - moments.randrange(DAY, DAYS * DAY) for _ in range(6)]
    types = (
        "SENT",
        "PROCESSED",
        "DELIVERED",
        "OPEN",
        "CLICK",
        "DROPPED",
        "DEFERRED",
        "BOUNCE",
        "STATUSCHANGE",
        "SPAMREPORT",
    )
    for number, event_type in enumerate(types):
        share = count // len(types) + (number < count % len(types))
        times = (
            moments.choice(begins) + moments.randrange(DAY // 10)
            if moments.random() < SHARE_IN_BURSTS
            else now - SETTLE_MS - moments.randrange(DAY // 100, DAYS * DAY)
            for _ in range(share)
        )
        portal.add_events(event_type, sorted(times))


def _without_objects(hubspot: HubSpotEmulator) -> None:
    """Answer what the others ask for beside events: the portal has defined no objects of its own."""
    body: dict[str, Any] = {"results": []}
    hubspot.faults.next("GET", "/crm/v3/schemas", status=200, body=body, times=None)
