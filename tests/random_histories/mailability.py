"""Who of a history cannot be mailed, and what a run's report must say of it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.hubspot_emulator import Contact, Portal

# The properties of the first people, in turns, with what a report says of them.
OBSTACLES: Sequence[tuple[dict[str, str], str]] = (
    ({}, "mailable"),
    ({"hs_email_bad_address": "true"}, "bad_address"),
    ({"hs_marketable_status": "false"}, "not_marketing"),
)
OPTED_OUT = {"hs_email_optout": "true"}
ON_LIST = {"added", "already_member", "unconfirmed"}


def properties_of(number: int) -> dict[str, str]:
    """Return the properties of the person of a number."""
    return OBSTACLES[number % len(OBSTACLES)][0]


def problem_of_report(path: Path, portal: Portal) -> str | None:
    """Return what a report says wrong in the lines of its last run; None if all is right."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    last = [line for line in lines if line["run_id"] == lines[-1]["run_id"]]
    told = Counter[str]()
    for line in last:
        if line["kind"] != "member" or line["operation"] != "add" or line["outcome"] not in ON_LIST:
            continue
        # Of a contact that was deleted since, the ledger still says that it is a member.
        contact = portal.find_contact(line["record_id"])
        if contact is not None and line["mailability"] != _mailability(contact):
            return f"{line['record_id']} is told as {line['mailability']}, and is {_mailability(contact)}"
        if line["mailability"] is not None:
            told[line["mailability"]] += 1
    counted = _counted(last)
    return None if counted == told else f"the lists count {counted}, and the members are {told}"


def _counted(lines: Sequence[dict[str, Any]]) -> Counter[str]:
    counted = Counter[str]()
    for line in lines:
        if line["kind"] == "list":
            counted.update(line["mailability"])
    return counted


def _mailability(contact: Contact) -> str:
    """Return what holds of a contact: that it opted out comes first."""
    obstacles = ((OPTED_OUT, "opted_out"), *OBSTACLES[1:])
    return next(
        (told for wanted, told in obstacles if wanted.items() <= contact.properties.items()), "mailable"
    )
