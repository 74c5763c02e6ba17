"""Writes the tables of the documents from what the code says.

A page says where a table stands, between `<!-- table: NAME -->` and `<!-- end of table -->`; TABLES says what is in it.
`make definitions` writes them; test_tables.py fails where a page says something else.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from benchmarks import pages
from hubspot_singer.http import retries
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from target_hubspot_lists.hubspot.scopes import needed_scopes
from target_hubspot_lists.input.property_values import WORDS
from target_hubspot_lists.input.records import ADD_WORDS, REMOVE_WORDS
from target_hubspot_lists.ledger.command import main as hubspot_lists_ledger
from target_hubspot_lists.outcomes import LIST_REASONS
from target_hubspot_lists.report_page.command import main as hubspot_lists_report
from target_hubspot_lists.reporting.explanations import (
    MAILABILITY,
    OUTCOMES,
    PROPERTY_REASONS,
    REASONS,
)
from target_hubspot_lists.settings import Settings
from tests import definitions
from tests.calls import COSTS, KNOWN, NEW
from tests.definitions import PLUGINS, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from target_hubspot_lists.reporting.explanations import Explanation
    from tests.definitions import Plugin

TARGET, TAP = PLUGINS
DOCUMENTS = ROOT / "docs"
PAGES = [*sorted(DOCUMENTS.rglob("*.md")), ROOT / "README.md"]
CHART = DOCUMENTS / "explanation" / "speed.svg"
MARKED = re.compile(r"(<!-- table: (?P<name>[^>]+) -->\n).*?(<!-- end of table -->\n)", re.DOTALL)


def files() -> Iterator[tuple[Path, str]]:
    """Yield each page that has tables, and the chart, with the text that it should have."""
    for page in PAGES:
        text = page.read_text("utf-8")
        if MARKED.search(text):
            yield page, MARKED.sub(lambda found: f"{found[1]}\n{TABLES[found['name']]()}\n{found[3]}", text)
    yield CHART, pages.drawing()


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [
        [" ".join(cell.replace("|", "\\|").split()) for cell in row]
        for row in (heading, ["---"] * len(heading), *rows)
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def code(*words: object) -> str:
    """Return words as code, with commas between them."""
    return ", ".join(f"`{word}`" for word in words)


# Settings


def settings(plugin: Plugin) -> str:
    """Every setting of a plugin but those of the SDK, which the page names in one sentence."""
    return definitions.table(plugin.settings)


# Streams


def streams() -> str:
    """The tap's streams, with their keys and columns; what all events have is told once."""
    tap = TapHubSpotEmailEvents(config={"access_token": "token", "start_date": "2026-01-01"})
    columns = {stream.name: list(stream.schema["properties"]) for stream in tap.streams.values()}
    events = [of_stream for name, of_stream in columns.items() if name.startswith("email_event_")]
    of_all = [column for column in events[0] if all(column in of_stream for of_stream in events)]
    rows = [("every `email_event_…`", code("id", "created"), code("created"), code(*of_all))]
    for name, stream in tap.streams.items():
        own = columns[name] if columns[name] not in events else [n for n in columns[name] if n not in of_all]
        rows.append(
            (code(name), code(*stream.primary_keys), code(stream.replication_key), code(*own) or "no others")
        )
    return table(["stream", "key", "replication key", "columns"], rows)


# Words of a record


def operations() -> str:
    """The words that add a member and those that remove one."""
    return table(["operation", "words"], [("add", code(*ADD_WORDS)), ("remove", code(*REMOVE_WORDS))])


def booleans() -> str:
    """The words that a boolean property takes."""
    rows = [
        (value, code(*(word for word, meant in WORDS.items() if meant is (value == "true"))))
        for value in ("true", "false")
    ]
    return table(["value", "words"], rows)


# Scopes

# What a scope is needed for: the settings that ask for it, beside the token. The first are the defaults.
FEATURES: Mapping[str, Mapping[str, Any]] = {
    "the defaults (`match_by: email`, `create_contacts: true`)": {},
    "`create_contacts: false`": {"create_contacts": False},
    "`match_by: contact_id`": {"match_by": "contact_id"},
    "`match_by: property`": {"match_by": "property", "match_property": "customer_id"},
    "`match_by: contact_id` and `property_mappings`": {
        "match_by": "contact_id",
        "property_mappings": [{"field": "plan", "property": "plan"}],
    },
    "`match_by: contact_id` and `check_mailability: true`": {
        "match_by": "contact_id",
        "check_mailability": True,
    },
    "`property_mappings`": {"property_mappings": [{"field": "plan", "property": "plan"}]},
    "`audience_status_property: true`": {"audience_status_property": True},
    "`dry_run: true`": {"dry_run": True},
}


def scopes() -> str:
    """Which scopes the token needs for which settings of the target."""
    defaults = {each["name"]: each["value"] for each in TARGET.settings if "value" in each}
    rows = [
        (feature, code(*needed_scopes(Settings.from_config({**defaults, "access_token": "token", **config}))))
        for feature, config in FEATURES.items()
    ]
    return table(["settings of target-hubspot-lists", "scopes"], rows)


# Errors and retries


CUT_SHORT = "a connection error, a time-out, a reset, a truncated body or one that is not JSON"
AGAIN = "The request is sent again"
FINAL = """
The run ends with method, path, status, category, HubSpot's message and the correlation id. A 400, 409 or 413 to a batch
first isolates the inputs at fault, and only those are rejected.
"""
DAILY = """
The run ends at once and names the time of the reset. What HubSpot confirmed stays confirmed, and STATE covers no more
than that.
"""


def statuses() -> str:
    """What happens next, by the status of HubSpot's answer."""
    longest, minutes = (
        f"{retries.LONGEST_WAIT_SECONDS:.0f} s",
        f"{retries.RETRY_FOR_SECONDS / 60:.0f} minutes",
    )
    growing = f"after `Retry-After`, else after a random wait that grows up to {longest}"
    rows = [
        ("2xx", "The change is applied. In a 207 each input has its own outcome."),
        (
            f"{', '.join(map(str, sorted(retries.RETRIED_STATUSES)))}; {CUT_SHORT}",
            f"{AGAIN} {growing}. The run ends {minutes} after the request was first sent.",
        ),
        (
            "no answer yet in this run, and the host of `api_url` is unknown or does not speak TLS",
            f"{AGAIN} {growing}. The run ends after {retries.RETRY_UNREACHABLE_FOR_SECONDS:.0f} s.",
        ),
        *(
            (limit_named(name), f"{AGAIN} after `Retry-After`, else after {seconds:.0f} s.")
            for name, seconds in retries.POLICY_SECONDS.items()
        ),
        (limit_named(retries.DAILY_POLICY), DAILY),
        *(
            (str(status), f"{AGAIN} up to {tries - 1} times, then the run ends.")
            for status, tries in retries.SERVER_ERROR_TRIES.items()
            if tries > 1
        ),
        ("400, 401, 403, 404, 409, 413, 414, 500 and any other", FINAL),
    ]
    return table(["answer", "what happens"], rows)


def limit_named(policy: str) -> str:
    """How the table names a 429."""
    return f"429 `{policy}`{' or no named policy' if policy == retries.DEFAULT_POLICY else ''}"


# Calls


def calls() -> str:
    """What a run costs in calls, as a formula and for the members that the test counts them for."""
    rows = [(cost.settings, cost.calls, str(cost.of(known=KNOWN, new=NEW))) for cost in COSTS]
    return table(["settings", "calls", f"for {KNOWN + NEW:,}"], rows)


# Commands


def commands() -> str:
    """Every option of the installed commands."""
    rows = [
        [f"`{name}`", code(option.opts[0]), " ".join((option.help or "").split())]
        for name, command in installed_commands()
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    return table(["command", "option", "what it does"], rows)


def installed_commands() -> Iterator[tuple[str, click.Command]]:
    """The commands, by the name that one calls them by; a command of several is each of them."""
    for plugin in PLUGINS:
        yield plugin.name, command_of(plugin)
    yield "hubspot-lists-report", hubspot_lists_report
    for name, command in hubspot_lists_ledger.commands.items():
        yield f"hubspot-lists-ledger {name}", command


def command_of(plugin: Plugin) -> click.Command:
    """The plugin's command line."""
    command: click.Command = plugin.of.cli
    return command


# Outcomes and reasons


def outcomes() -> str:
    """What can become of a membership."""
    rows = [(code(name), each.title, each.meaning, each.what_to_do) for name, each in OUTCOMES.items()]
    return table(["outcome", "in words", "what it means", "what to do"], rows)


def reasons(of: Mapping[str, Explanation]) -> str:
    """Why something did not apply, and what to do."""
    rows = [(code(name), each.meaning, each.what_to_do) for name, each in of.items()]
    return table(["reason", "what it means", "what to do"], rows)


TABLES: Mapping[str, Callable[[], str]] = {
    **{f"settings of {plugin.name}": partial(settings, plugin) for plugin in PLUGINS},
    "streams": streams,
    "operations": operations,
    "words of booleans": booleans,
    "scopes": scopes,
    "statuses": statuses,
    "calls": calls,
    "commands": commands,
    "outcomes": outcomes,
    "reasons of members": partial(reasons, {n: e for n, e in REASONS.items() if n not in LIST_REASONS}),
    "reasons of lists": partial(reasons, {n: e for n, e in REASONS.items() if n in LIST_REASONS}),
    "reasons of properties": partial(reasons, PROPERTY_REASONS),
    "mailability": partial(reasons, MAILABILITY),
    "figures beside their floors": lambda: table(*pages.rows()),
    "figures side by side": lambda: table(*pages.others()),
    "figures of growth": lambda: table(*pages.growth()),
    "where figures were taken": lambda: table(*pages.taken()),
}


def main() -> None:
    """Write the tables into the pages."""
    for page, text in files():
        page.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
