"""Masks people's addresses, so that the page can be passed on: `a•••@e•••.com`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from hubspot_singer.http import redact

if TYPE_CHECKING:
    from target_hubspot_lists.report_page.lines import MemberLine

DOTS = "•••"


def masked(line: MemberLine) -> str:
    """What stands for a member: a record id as it is, anything else masked, since it may name a person."""
    member = line.member.strip()
    is_record_id = member.isdecimal() and (line.identifier == "contact_id" or member == line.record_id)
    return member if is_record_id else masked_text(member)


def masked_words(line: MemberLine) -> str:
    """HubSpot's words on a member, which may quote an address, or the value by which the member was asked for."""
    words, member = without_addresses(line.message or ""), line.member.strip()
    if not member or masked(line) == member:
        return words
    return re.sub(rf"(?<!\w){re.escape(member)}(?!\w)", masked(line), words)


def masked_text(text: str) -> str:
    """The first letter of each side of an address, and its last domain label; else the first letter."""
    local, at, domain = text.rpartition("@")
    if not at:
        return f"{text[:1]}{DOTS}" if text else ""
    name, dot, label = domain.rpartition(".")
    end = f".{label}" if dot and len(label) <= _LONGEST_LABEL else ""
    return f"{local[:1]}{DOTS}@{(name or domain)[:1]}{DOTS}{end}"


_LONGEST_LABEL = 8  # what is longer may be the name of a company, or of a person


@lru_cache(maxsize=4_096)  # names and HubSpot's words repeat
def without_addresses(text: str) -> str:
    """HubSpot's or the target's own words, which may quote an address."""
    return redact(text)
