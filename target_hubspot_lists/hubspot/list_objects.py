"""A list of HubSpot, whether it takes members, and its name in messages. Pure."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import (
    InvalidCredentials,
    MissingScopes,
    NotFound,
    Refused,
    redact,
    required_id,
)
from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hubspot_singer.http import HubSpotError

CONTACTS = "0-1"  # object type id: https://developers.hubspot.com/docs/guides/api/crm/understanding-the-crm
WRITABLE = frozenset({"MANUAL", "SNAPSHOT"})  # processing types that take memberships from the API
NAME_CHARACTERS = 120  # of a list's name, in a log line


COMPLETE = "COMPLETE"  # the processingStatus of a list that HubSpot has filled


@dataclass(frozen=True)
class Route:
    """How a list is looked up: by its id, or by its name in any case (HubSpot ignores it).

    With a `legacy_id` of the lists API v1 there is a current id as well, unless HubSpot knows none.
    """

    list_id: str | None
    name: str
    is_skipped: bool = False  # nothing is looked up
    legacy_id: str | None = None
    known_list_id: str | None = None  # of earlier runs, where another cohort of this name has another list
    key: str = field(init=False)  # equal if two routes certainly lead to one list

    def __post_init__(self) -> None:
        # Not casefold: HubSpot may treat "Straße" and "Strasse" as two names, and members must not be mixed up.
        key = f"id {self.list_id}" if self.list_id else f"name {self.name.lower()}"
        if self.legacy_id and not self.list_id:
            key = f"legacy id {self.legacy_id}"
        if self.known_list_id:
            key += f" of list {self.known_list_id}"
        object.__setattr__(self, "key", f"skipped {self.name}" if self.is_skipped else key)


@dataclass(frozen=True)
class HubSpotList:
    """A list of contacts, as HubSpot has it."""

    list_id: str
    name: str
    processing_type: str
    object_type_id: str
    is_to_be_created: bool = False  # HubSpot does not have it yet; after a dry run neither
    size: int | None = None  # members when it was looked up; HubSpot counts with some delay
    is_processing: bool = False  # HubSpot was still filling it when it was looked up

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> HubSpotList:
        """Parse HubSpot's list object (PublicObjectList)."""
        return cls(
            list_id=str(required_id(body["listId"])),
            name=str(body.get("name") or ""),
            processing_type=str(body["processingType"]),
            object_type_id=str(body.get("objectTypeId") or ""),
            size=_size(body),
            # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
            is_processing=body.get("processingStatus") not in {None, COMPLETE},
        )

    @classmethod
    def from_answer(cls, body: Mapping[str, Any]) -> HubSpotList:
        """Parse an answer about one list."""
        return cls.from_body(body["list"])

    def __str__(self) -> str:
        text = f'List "{shown(self.name)}"'
        return text if self.is_to_be_created else f"{text} ({self.list_id})"


def route_keys(hubspot_list: HubSpotList) -> set[str]:
    """Return the keys of the routes that certainly lead to a list."""
    return {Route(hubspot_list.list_id, "").key, Route(None, hubspot_list.name).key}


def list_to_create(route: Route) -> HubSpotList:
    """Return a list that is about to be created, or that a dry run would create; its id is the key of its route."""
    return HubSpotList(route.key, route.name, "MANUAL", CONTACTS, is_to_be_created=True, size=0)


def _size(body: Mapping[str, Any]) -> int | None:
    """The list's size: a field of its own, or of the search's additional properties, as text."""
    size = body.get("size")
    if size is None:
        size = (body.get("additionalProperties") or {}).get("hs_list_size")
    return int(size) if isinstance(size, int) or (isinstance(size, str) and size.isdecimal()) else None


def shown(name: str) -> str:
    """Return a list's name for a log line: on one line, and redacted, since a cohort may have a person's name."""
    text = redact("".join(each if each.isprintable() else " " for each in name))
    return text if len(text) <= NAME_CHARACTERS else f"{text[: NAME_CHARACTERS - 1]}…"


def list_refused(hubspot_list: HubSpotList, problem: HubSpotError) -> UnusableList:
    """Return the error for a list whose changes HubSpot all refuses, though it knows the contacts."""
    return UnusableList(
        Reason.LIST_REFUSED,
        f"{hubspot_list}: HubSpot refuses every change of its members, not single contacts. {problem} Let the list "
        "take members in HubSpot, or name another one for this cohort in lists[].",
    )


def list_unreadable(label: str, problem: HubSpotError) -> UnusableList:
    """Return the error for a list that HubSpot does not let us read; it never counts as absent, or as empty."""
    return UnusableList(
        Reason.LIST_UNREADABLE,
        f"{label} cannot be read: {problem} Run again later; if it stays so, open the list in HubSpot.",
    )


@contextmanager
def readable(hubspot_list: HubSpotList) -> Iterator[None]:
    """Raise UnusableList in place of HubSpot's error about a call that reads this list: it is deleted, or unreadable.

    Errors that concern all lists, such as a missing scope, are raised as they are.
    """
    try:
        yield
    except NotFound as not_found:
        raise deleted_in_run(hubspot_list) from not_found
    except (InvalidCredentials, MissingScopes):
        raise
    except Refused as refused:
        raise list_unreadable(str(hubspot_list), refused) from refused


def deleted_in_run(hubspot_list: HubSpotList) -> UnusableList:
    """Return the error for a list that existed when the run began."""
    return UnusableList(
        Reason.LIST_GONE,
        f"{hubspot_list} was deleted in HubSpot during this run: restore it there, "
        "or run again with all members of its cohort to fill a new one.",
    )


def check_writable(hubspot_list: HubSpotList) -> None:
    """Raise UnusableList if the list takes no memberships of contacts from the API."""
    if hubspot_list.object_type_id and hubspot_list.object_type_id != CONTACTS:
        raise UnusableList(
            Reason.LIST_NOT_WRITABLE,
            f"{hubspot_list} is not a list of contacts: name a static list of contacts in lists[].list_id.",
        )
    if hubspot_list.processing_type not in WRITABLE:
        raise UnusableList(
            Reason.LIST_NOT_WRITABLE,
            f"{hubspot_list} is an active list: HubSpot fills it from filters. "
            "Name a static list in lists[].list_id.",
        )
