"""Finds, makes and renames lists; a failed look-up is an error, never an absence."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hubspot_singer.http import Conflict, InvalidRequest, NotFound, TooLarge, parsed
from target_hubspot_lists.hubspot.batching import in_runs
from target_hubspot_lists.hubspot.list_objects import (
    CONTACTS,
    HubSpotList,
    gone,
    refuse_unwritable,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hubspot_singer.http import HubSpotClient, Refused

logger = logging.getLogger(__name__)

DUPLICATE_NAME = "ILS.DUPLICATE_LIST_NAMES"  # seen in many connectors; HubSpot's pages do not name it

# A list made a moment ago by somebody else may be refused as a duplicate before it can be found.
WAITS_AFTER_DUPLICATE = (0.5, 1.0, 2.0, 4.0)  # seconds
# Most hits a page: https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
SEARCH_PAGE = 500
# Names that would lead to another path, even percent-encoded: https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2.3
DOT_SEGMENTS = frozenset({".", ".."})
# In one call: "listIds=", at most 19 digits and "&" each, so that the path stays below 8 KB.
LISTS_PER_CALL = 250


class Lists:
    """The portal's lists: found, made and renamed. None means that HubSpot says that there is no such list."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client
        self._base = client.base("crm/lists")

    def find_all(self, list_ids: Collection[str]) -> dict[str, HubSpotList]:
        """Return those of the lists that HubSpot has, by id."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#retrieve-multiple-lists
        found: dict[str, HubSpotList] = {}
        for some in in_runs(sorted(list_ids), LISTS_PER_CALL):
            try:
                there = parsed(self._client.get(self._base, params={"listIds": some}), _lists_of)
            except NotFound:
                # Not documented: whether one list that is gone turns the whole answer into a 404.
                there = [each for each in map(self.find_by_id, some) if each is not None]
            found.update({each.list_id: each for each in there})
        return found

    def rename(self, hubspot_list: HubSpotList, name: str) -> str | None:
        """Give a list another name; where HubSpot does not take it, return why, in words for people."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#update-a-list-name
        path = f"{self._base}/{hubspot_list.list_id}/update-list-name"
        try:
            self._client.put(path, params={"listName": name})
        except NotFound as not_found:
            raise gone(hubspot_list) from not_found
        except (InvalidRequest, Conflict, TooLarge) as refused:
            if is_duplicate_name(refused):
                return f'another list is named "{shown(name)}"'
            return f'HubSpot does not take "{shown(name)}" as a name: {why(refused)}'
        return None

    def check(self, hubspot_list: HubSpotList) -> None:
        """Raise UnusableList if the list is gone or no longer takes memberships."""
        answer = self.find_by_id(hubspot_list.list_id)
        if answer is None:
            raise gone(hubspot_list)
        refuse_unwritable(answer)

    def find_by_id(self, list_id: str) -> HubSpotList | None:
        """Return the list, or None if HubSpot says there is none."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#retrieve-a-list-by-id
        try:
            return parsed(self._client.get(f"{self._base}/{list_id}"), HubSpotList.from_answer)
        except NotFound:
            return None

    def find_by_name(self, name: str) -> HubSpotList | None:
        """Return the list of that name, in whatever case, or None if HubSpot says there is none."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#retrieve-a-list-by-name
        if name in DOT_SEGMENTS:
            return self._search(name)
        path = f"{self._base}/object-type-id/{CONTACTS}/name/{quote(name, safe='')}"
        try:
            return parsed(self._client.get(path), HubSpotList.from_answer)
        except NotFound:
            return None
        except InvalidRequest as refused:
            # Portals have been seen to answer 400 "List does not exist with name …" instead of 404.
            if "does not exist" in (refused.message or "").lower():
                return None
            raise

    def make(self, name: str, folder_id: int | None) -> HubSpotList:
        """Make a list of contacts that takes members; Refused if HubSpot does not make it."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#create-a-list
        body: dict[str, Any] = {"name": name, "objectTypeId": CONTACTS, "processingType": "MANUAL"}
        if folder_id is not None:
            body["listFolderId"] = folder_id
        return parsed(self._client.post(self._base, body), HubSpotList.from_answer)

    def find_duplicate(self, name: str) -> HubSpotList | None:
        """Return the list that HubSpot says has this name already; it may take moments to show. None if none does."""
        for seconds in WAITS_AFTER_DUPLICATE:
            self._client.wait(seconds)
            if found := self.find_by_name(name):
                return found
        return self._search(name)

    def _search(self, name: str) -> HubSpotList | None:
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#search-for-a-list
        offset = 0
        while True:
            body = {
                "query": name,
                "objectTypeId": CONTACTS,
                "processingTypes": ["MANUAL", "SNAPSHOT", "DYNAMIC"],
                "listIds": [],
                "additionalProperties": [],
                "offset": offset,
                "count": SEARCH_PAGE,
            }
            hits, following = parsed(self._client.post(f"{self._base}/search", body), _search_page)
            for hit in hits:
                if hit.name.lower() == name.lower() and hit.object_type_id == CONTACTS:
                    return hit
            if following is None or following <= offset:
                return None
            offset = following


def _lists_of(body: Mapping[str, Any]) -> list[HubSpotList]:
    return [HubSpotList.from_body(each) for each in body["lists"]]


def _search_page(body: Mapping[str, Any]) -> tuple[list[HubSpotList], int | None]:
    hits = [HubSpotList.from_body(hit) for hit in body.get("lists") or ()]
    return hits, int(body["offset"]) if body.get("hasMore") else None


def why(refused: Refused) -> str:
    """Return HubSpot's status and words, without what could be a person's."""
    reason = refused.call.safe_text(refused.message or "no reason given")
    return f"{refused.status} {reason}"


def is_duplicate_name(refused: Refused) -> bool:
    """Whether HubSpot makes no list since another one has the name."""
    return isinstance(refused, Conflict) or DUPLICATE_NAME in (refused.sub_category or "")
