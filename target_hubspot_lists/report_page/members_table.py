"""The members that need a look: as rows of the page, and as a CSV file beside it.

Addresses are masked unless the user wants to see them, so that the page can be passed on.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from hubspot_singer.http import redact
from target_hubspot_lists.report_page.wording import one_line
from target_hubspot_lists.reporting.explanations import (
    CREATED,
    MAILABILITY,
    OUTCOMES,
    PROPERTY_REASONS,
    REASONS,
    explained,
)
from target_hubspot_lists.reporting.text_tables import csv_heading, csv_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.report_page.lines import MemberLine, ReportedList
    from target_hubspot_lists.report_page.reading import NotableMember
    from target_hubspot_lists.reporting.explanations import Explanation

# What a browser sorts and filters without a pause, and a page of 5 MB has room for.
MOST_ROWS = 10_000
MOST_BYTES = 1_400_000
MESSAGE_CHARACTERS = 200  # of HubSpot's message
MEMBER_CHARACTERS = 254  # of an address: https://www.rfc-editor.org/errata/eid1690
LONGEST_LABEL = 8  # of a domain; a longer one may be the name of a company or a person
DOTS = "•••"

GROUPS = ("Not in place", "Cannot be mailed", "Properties not written", "Contact created")
CSV_COLUMNS = (
    "what",
    "list",
    "list_id",
    "list_url",
    "portal_id",
    "cohort",
    "member",
    "record_id",
    "operation",
    "outcome",
    "created",
    "reason",
    "meaning",
    "what_to_do",
    "message",
    "correlation_id",
    "property",
    "property_reason",
    "mailability",
    "identifier",
    "since",
    "run_id",
)


def group(line: MemberLine) -> int:
    """Return why a member needs a look, as an index of GROUPS."""
    if not line.is_applied:
        return 0
    if line.cannot_be_mailed:
        return 1
    return 2 if line.property_reason else 3


def explanation(line: MemberLine) -> Explanation:
    """Return the explanation of why a member needs a look."""
    match group(line):
        case 0:
            return explained(line.reason or line.outcome, REASONS, OUTCOMES)
        case 1:
            return explained(line.mailability or "", MAILABILITY)
        case 2:
            return explained(line.property_reason or "", PROPERTY_REASONS)
    return CREATED


class MemberRows:
    """The rows for the page's script, which refer to lists and reasons by their index, to save bytes."""

    def __init__(self, members: Sequence[NotableMember], *, show_members: bool) -> None:
        self._show_members = show_members
        self._lists: dict[ReportedList, int] = {}
        self._reasons: dict[Explanation, int] = {}
        self.rows: list[bytes] = []
        size = 0
        for member in members[:MOST_ROWS]:
            row = orjson.dumps(self._row(member))
            size += len(row)
            if size > MOST_BYTES:
                break
            self.rows.append(row)

    def as_json(self) -> str:
        """Return a JSON object that may stand within a script element."""
        head = orjson.dumps(
            {
                "groups": GROUPS,
                "lists": [self._list(of_list) for of_list in self._lists],
                "reasons": [[reason.title, reason.meaning, reason.what_to_do] for reason in self._reasons],
            }
        ).decode()
        rows = b",".join(self.rows).decode()
        text = f'{head[:-1]},"rows":[{rows}]}}'
        # https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

    def _row(self, member: NotableMember) -> list[object]:
        line, since = member
        message = one_line(shown_message(line, show_members=self._show_members), MESSAGE_CHARACTERS)
        return [
            group(line),
            self._lists.setdefault(line.of_list, len(self._lists)),
            one_line(shown_member(line, show_members=self._show_members), MEMBER_CHARACTERS),
            line.record_id,
            line.operation,
            self._reasons.setdefault(explanation(line), len(self._reasons)),
            line.property_name or "",
            message,
            int(since.timestamp()) if since else 0,
        ]

    def _list(self, of_list: ReportedList) -> list[str]:
        name = of_list.name or of_list.cohort or "No list"
        return [
            one_line(name if self._show_members else without_addresses(name)),
            contact_url(of_list) or "",
        ]


def contact_url(of_list: ReportedList) -> str | None:
    """Return a contact's address without its record id, on the host of the list's address; None without one."""
    host = urlsplit(of_list.url or "")
    if host.scheme != "https" or not host.netloc or of_list.portal_id is None:
        return None
    # https://knowledge.hubspot.com/records/work-with-records
    return f"https://{host.netloc}/contacts/{of_list.portal_id}/record/0-1/"


def shown_member(line: MemberLine, *, show_members: bool) -> str:
    """Return a member, masked unless the user wants to see it."""
    return line.member if show_members else masked(line)


def shown_message(line: MemberLine, *, show_members: bool) -> str:
    """Return HubSpot's message about a member, masked unless the user wants to see it."""
    return (line.message or "") if show_members else masked_message(line)


def masked(line: MemberLine) -> str:
    """Return a member as the page shows it: a record id as it is, anything else masked, since it may name a person."""
    member = line.member.strip()
    is_record_id = member.isdecimal() and (line.identifier == "contact_id" or member == line.record_id)
    return member if is_record_id else masked_text(member)


def masked_message(line: MemberLine) -> str:
    """Return HubSpot's message with addresses masked, and the member, which it may quote."""
    message, member = without_addresses(line.message or ""), line.member.strip()
    if not member or masked(line) == member:
        return message
    return re.sub(rf"(?<!\w){re.escape(member)}(?!\w)", masked(line), message)


def masked_text(text: str) -> str:
    """Return `a•••@e•••.com` for an address; for other text its first letter and the dots."""
    local, at, domain = text.rpartition("@")
    if not at:
        return f"{text[:1]}{DOTS}" if text else ""
    name, dot, label = domain.rpartition(".")
    end = f".{label}" if dot and len(label) <= LONGEST_LABEL else ""
    return f"{local[:1]}{DOTS}@{(name or domain)[:1]}{DOTS}{end}"


@lru_cache(maxsize=4_096)  # names and messages repeat
def without_addresses(text: str) -> str:
    """Return text from HubSpot, the source or the target with a placeholder for each address that it quotes."""
    return redact(text)


def members_csv(members: Iterable[NotableMember], *, show_members: bool) -> Iterator[bytes]:
    """Yield the lines of the CSV file, with a byte-order mark for spreadsheets."""
    yield csv_heading(CSV_COLUMNS)
    for member in members:
        values = _csv_values(member, show_members=show_members)
        yield csv_line(values[column] for column in CSV_COLUMNS).encode()


def _csv_values(member: NotableMember, *, show_members: bool) -> Mapping[str, Any]:
    line, since = member
    reason = explanation(line)

    def text(value: str | None) -> str | None:
        return value if show_members or value is None else without_addresses(value)

    return {
        "what": GROUPS[group(line)],
        "list": text(line.of_list.name),
        "list_id": line.of_list.list_id,
        "list_url": line.of_list.url,
        "portal_id": line.of_list.portal_id,
        "cohort": text(line.of_list.cohort),
        "member": shown_member(line, show_members=show_members),
        "record_id": line.record_id,
        "operation": line.operation,
        "outcome": line.outcome,
        "created": line.created,
        "reason": line.reason,
        "meaning": reason.meaning,
        "what_to_do": reason.what_to_do,
        "message": shown_message(line, show_members=show_members) or None,
        "correlation_id": line.correlation_id,
        "property": line.property_name,
        "property_reason": line.property_reason,
        "mailability": line.mailability,
        "identifier": line.identifier,
        "since": since.isoformat(timespec="seconds") if since else None,
        "run_id": line.run_id,
    }
