"""The members that somebody should look at: as rows of the page, and all of them as CSV beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from target_hubspot_lists.report_page.masking import masked, masked_words, without_addresses
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

    from target_hubspot_lists.report_page.lines import ListName, MemberLine
    from target_hubspot_lists.report_page.reading import Remark
    from target_hubspot_lists.reporting.explanations import Explanation

# What a browser sorts and filters without a pause, and a page of 5 MB has room for.
MOST_ROWS = 10_000
MOST_BYTES = 1_400_000
MOST_CHARACTERS = 200  # of HubSpot's words
LONGEST_MEMBER = 254  # of an address: https://www.rfc-editor.org/errata/eid1690

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
    """Why somebody should look at a member, as a place in GROUPS."""
    if not line.is_applied:
        return 0
    if line.cannot_be_mailed:
        return 1
    return 2 if line.property_reason else 3


def explanation(line: MemberLine) -> Explanation:
    """That in words."""
    match group(line):
        case 0:
            return explained(line.reason or line.outcome, REASONS, OUTCOMES)
        case 1:
            return explained(line.mailability or "", MAILABILITY)
        case 2:
            return explained(line.property_reason or "", PROPERTY_REASONS)
    return CREATED


class MemberRows:
    """The rows for the page's script: few bytes each, since what repeats is told once."""

    def __init__(self, remarks: Sequence[Remark], *, show_members: bool) -> None:
        self._show_members = show_members
        self._lists: dict[ListName, int] = {}
        self._reasons: dict[Explanation, int] = {}
        self.rows: list[bytes] = []
        size = 0
        for remark in remarks[:MOST_ROWS]:
            row = orjson.dumps(self._row(remark))
            size += len(row)
            if size > MOST_BYTES:
                break
            self.rows.append(row)

    def as_json(self) -> str:
        """A JSON object that may stand within a script element."""
        head = orjson.dumps(
            {
                "groups": GROUPS,
                "lists": [self._list(each) for each in self._lists],
                "reasons": [[each.title, each.meaning, each.what_to_do] for each in self._reasons],
            }
        ).decode()
        rows = b",".join(self.rows).decode()
        text = f'{head[:-1]},"rows":[{rows}]}}'
        # https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

    def _row(self, remark: Remark) -> list[object]:
        line, since = remark.line, remark.since
        message = one_line(shown_words(line, show_members=self._show_members), MOST_CHARACTERS)
        return [
            group(line),
            self._lists.setdefault(line.of_list, len(self._lists)),
            one_line(shown_member(line, show_members=self._show_members), LONGEST_MEMBER),
            line.record_id,
            line.operation,
            self._reasons.setdefault(explanation(line), len(self._reasons)),
            line.property_name or "",
            message,
            int(since.timestamp()) if since else 0,
        ]

    def _list(self, of_list: ListName) -> list[str]:
        name = of_list.name or of_list.cohort or "No list"
        return [
            one_line(name if self._show_members else without_addresses(name)),
            contact_url(of_list) or "",
        ]


def contact_url(of_list: ListName) -> str | None:
    """Where a person looks at a contact, but for its record id, on the host that the list's address names."""
    host = urlsplit(of_list.url or "")
    if host.scheme != "https" or not host.netloc or of_list.portal_id is None:
        return None
    # https://knowledge.hubspot.com/records/work-with-records
    return f"https://{host.netloc}/contacts/{of_list.portal_id}/record/0-1/"


def shown_member(line: MemberLine, *, show_members: bool) -> str:
    """A member, masked unless the user wants to see it."""
    return line.member if show_members else masked(line)


def shown_words(line: MemberLine, *, show_members: bool) -> str:
    """What HubSpot said of a member, in which nobody is named unless the user wants to see it."""
    return (line.message or "") if show_members else masked_words(line)


def members_csv(remarks: Iterable[Remark], *, show_members: bool) -> Iterator[bytes]:
    """Yield the lines of the CSV file, with a byte-order mark for spreadsheets."""
    yield csv_heading(CSV_COLUMNS)
    for remark in remarks:
        values = _csv_values(remark, show_members=show_members)
        yield csv_line(values[column] for column in CSV_COLUMNS).encode()


def _csv_values(remark: Remark, *, show_members: bool) -> Mapping[str, Any]:
    line, words = remark.line, explanation(remark.line)

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
        "meaning": words.meaning,
        "what_to_do": words.what_to_do,
        "message": shown_words(line, show_members=show_members) or None,
        "correlation_id": line.correlation_id,
        "property": line.property_name,
        "property_reason": line.property_reason,
        "mailability": line.mailability,
        "identifier": line.identifier,
        "since": remark.since.isoformat(timespec="seconds") if remark.since else None,
        "run_id": line.run_id,
    }
