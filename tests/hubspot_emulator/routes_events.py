"""Email events, the one API of HubSpot's that has no dated version.

https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING
from zlib import crc32

from tests.hubspot_emulator.answers import Answer, HubSpotError, invalid, not_found
from tests.hubspot_emulator.bodies import is_digits
from tests.hubspot_emulator.event_fields import EVENT_TYPES
from tests.hubspot_emulator.event_sources import Position
from tests.hubspot_emulator.events import Wanted
from tests.hubspot_emulator.routing import Routes

if TYPE_CHECKING:
    from tests.hubspot_emulator.routing import Call

DOCS = "https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/events"
SCOPES = (("content",),)
LARGEST_PAGE = 1_000
# HubSpot answers 500 to times near the epoch: Estuary's connector starts one second after it.
EARLIEST_START_MS = 1_000
_LATEST_MS = 2**63 - 1
_FILTERS = (
    "startTimestamp",
    "endTimestamp",
    "eventType",
    "recipient",
    "appId",
    "campaignId",
    "excludeFilteredEvents",
)

routes = Routes()


@routes(
    "GET",
    "/email/public/v1/events",
    docs=f"{DOCS}/get-email-public-v1-events",
    scopes=SCOPES,
    query=(*_FILTERS, "limit", "offset"),
)
def get_page(call: Call) -> Answer:
    """Give a page, newest event first; both bounds are inclusive."""
    wanted = _wanted(call)
    limit = call.query.whole("limit", 10, lowest=1, highest=LARGEST_PAGE)
    with call.portal.lock:
        page, last = call.portal.events.page(wanted, _position(call), limit)
        # HubSpot tells an offset even when nothing follows.
        has_more = last is not None or call.portal.quirks.event_pages_never_end
        told = {"hasMore": has_more, "offset": _offset(call, last or Position(0, 0, 0))}
        if last is not None and call.portal.quirks.pages_without_offset > 0:
            call.portal.quirks.pages_without_offset -= 1
            del told["offset"]
    content = f'{json.dumps(told)[:-1]},"events":[{",".join(page)}]}}'
    return Answer(200, content=content.encode())


@routes(
    "GET",
    "/email/public/v1/events/{created}/{id}",
    docs=f"{DOCS}/get-email-public-v1-events-created-id",
    scopes=SCOPES,
)
def get(call: Call) -> Answer:
    created, event_id = call.parameters["created"], call.parameters["id"]
    if not is_digits(created):
        raise invalid(f"Invalid timestamp {created!r}")
    with call.portal.lock:
        event = call.portal.events.get(int(created), event_id)
    if event is None:
        raise not_found("No such event")
    return Answer(200, event)


def _wanted(call: Call) -> Wanted:
    start = call.query.whole("startTimestamp", EARLIEST_START_MS, lowest=0, highest=_LATEST_MS)
    end = call.query.whole("endTimestamp", _LATEST_MS, lowest=0, highest=_LATEST_MS)
    widest = call.portal.quirks.widest_event_window
    if start < EARLIEST_START_MS:
        raise HubSpotError(500, "INTERNAL_ERROR", "internal error")
    if widest is not None and end - start > widest:
        raise HubSpotError(call.portal.quirks.widest_event_window_status, "INTERNAL_ERROR", "internal error")
    event_type = call.query.text("eventType")
    if event_type is not None and event_type not in EVENT_TYPES:
        raise invalid(f"Invalid event type {event_type!r}: not one of [{', '.join(EVENT_TYPES)}]")
    return Wanted(
        start,
        end if call.portal.quirks.event_end_is_inclusive else end - 1,
        event_type,
        call.query.text("recipient"),
        _number(call, "campaignId"),
        _number(call, "appId"),
        call.query.flag("excludeFilteredEvents"),
    )


def _number(call: Call, name: str) -> int | None:
    return call.query.whole(name, 0, lowest=0, highest=_LATEST_MS) if name in call.query else None


def _offset(call: Call, last: Position) -> str:
    """Give an offset that only continues this query, and not for ever."""
    issued = call.portal.now_ms()
    parts = (_fingerprint(call), call.portal.offset_generation, issued, *last)
    return urlsafe_b64encode(".".join(map(str, parts)).encode()).decode()


def _position(call: Call) -> Position | None:
    text = call.query.text("offset")
    if text is None:
        return None
    fingerprint, generation, issued, *last = _parts(text)
    if fingerprint != _fingerprint(call):
        raise invalid("This offset belongs to another query.")
    age = call.portal.now_ms() - issued
    if generation != call.portal.offset_generation or age > call.portal.quirks.offset_life * 1000:
        raise invalid("This offset has expired.")
    return Position(*last)


def _parts(text: str) -> list[int]:
    try:
        parts = urlsafe_b64decode(text).decode().split(".")
    except ValueError as error:
        raise invalid("Invalid offset") from error
    if len(parts) != 6 or not all(map(is_digits, parts)):
        raise invalid("Invalid offset")
    return [int(part) for part in parts]


def _fingerprint(call: Call) -> int:
    """Tell this query from others; `limit` may change from page to page."""
    return crc32(repr([call.query.texts(name) for name in _FILTERS]).encode())
