"""Finds, creates and renames lists, also by ids of the retired lists API v1; a failed look-up never means "absent"."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hubspot_singer.http import (
    Conflict,
    InvalidCredentials,
    InvalidRequest,
    MissingScopes,
    NotFound,
    Refused,
    TooLarge,
    parsed,
    required_id,
)
from target_hubspot_lists.errors import ListError
from target_hubspot_lists.hubspot.batching import in_chunks
from target_hubspot_lists.hubspot.list_objects import (
    CONTACTS,
    HubSpotList,
    check_writable,
    deleted_in_run,
    readable,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from hubspot_singer.http import HubSpotClient

logger = logging.getLogger(__name__)

DUPLICATE_NAME = "ILS.DUPLICATE_LIST_NAMES"  # seen in many connectors; HubSpot's pages do not name it

# A list that another user created a moment ago may be refused as a duplicate before it can be found.
WAITS_AFTER_DUPLICATE = (0.5, 1.0, 2.0, 4.0)  # seconds
# Most hits a page: https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
SEARCH_PAGE = 500
# Names that would lead to another path, even percent-encoded: https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2.3
DOT_SEGMENTS = frozenset({".", ".."})
# In one call: "listIds=", at most 19 digits and "&" each, so that the path stays below 8 KB.
LISTS_PER_CALL = 250
LEGACY_IDS_PER_CALL = 10_000  # as the description of the API says


def read_list(client: HubSpotClient, hubspot_list: HubSpotList) -> HubSpotList:
    """Return a list as HubSpot has it now; UnusableList if it was deleted, or cannot be read."""
    with readable(hubspot_list):
        answer = client.get(f"{client.base('crm/lists')}/{hubspot_list.list_id}")
    return parsed(answer, HubSpotList.from_answer)


class Lists:
    """The portal's lists: found, created and renamed. None means that HubSpot says there is no such list."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client
        self._base = client.base("crm/lists")

    def find_all(self, list_ids: Collection[str]) -> dict[str, HubSpotList]:
        """Return the lists that HubSpot has of these ids, by id."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#retrieve-multiple-lists
        found: dict[str, HubSpotList] = {}
        for chunk in in_chunks(sorted(list_ids), LISTS_PER_CALL):
            try:
                existing = parsed(self._client.get(self._base, params={"listIds": chunk}), _lists_of)
            except NotFound:
                # Not documented: whether one deleted list makes the whole answer a 404.
                existing = [
                    found_list for found_list in map(self.find_by_id, chunk) if found_list is not None
                ]
            found.update({found_list.list_id: found_list for found_list in existing})
        return found

    def rename(self, hubspot_list: HubSpotList, name: str) -> str | None:
        """Rename a list; if HubSpot does not, return why, as a part of a sentence. UnusableList if it is deleted."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#update-a-list-name
        path = f"{self._base}/{hubspot_list.list_id}/update-list-name"
        try:
            self._client.put(path, params={"listName": name})
        except NotFound as not_found:
            raise deleted_in_run(hubspot_list) from not_found
        except (InvalidCredentials, MissingScopes):
            raise
        except Refused as refused:
            if is_duplicate_name(refused):
                return f'another list is named "{shown(name)}": rename one of them'
            if isinstance(refused, InvalidRequest | TooLarge):
                return f'HubSpot does not take "{shown(name)}" as a name ({reason_given(refused)}): rename the cohort'
            return f"HubSpot did not rename it ({reason_given(refused)}): the next run tries again"
        return None

    def check_takes_members(self, hubspot_list: HubSpotList) -> None:
        """Raise UnusableList if the list is deleted, cannot be read, or no longer takes members."""
        check_writable(read_list(self._client, hubspot_list))

    def find_by_id(self, list_id: str) -> HubSpotList | None:
        """Return the list, or None if HubSpot says there is none."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#retrieve-a-list-by-id
        try:
            return parsed(self._client.get(f"{self._base}/{list_id}"), HubSpotList.from_answer)
        except NotFound:
            return None

    def find_by_name(self, name: str) -> HubSpotList | None:
        """Return the list of that name, in any case, or None if HubSpot says there is none."""
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

    def create(self, name: str, folder_id: int | None) -> HubSpotList:
        """Create a list of contacts that takes members; Refused if HubSpot does not create it."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#create-a-list
        body: dict[str, Any] = {"name": name, "objectTypeId": CONTACTS, "processingType": "MANUAL"}
        if folder_id is not None:
            body["listFolderId"] = folder_id
        return parsed(self._client.post(self._base, body), HubSpotList.from_answer)

    def find_duplicate(self, name: str) -> HubSpotList | None:
        """Return the list with a name that HubSpot calls taken; it may show only after a while. None if it does not."""
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


def reason_given(refused: Refused) -> str:
    """Return HubSpot's status and message, without what could be personal data."""
    reason = refused.call.safe_text(refused.message or "no reason given")
    return f"{refused.status} {reason}"


def is_duplicate_name(refused: Refused) -> bool:
    """Return whether HubSpot created no list because another one has the name."""
    return isinstance(refused, Conflict) or DUPLICATE_NAME in (refused.sub_category or "")


# Ids of the retired lists API v1


def current_list_ids(client: HubSpotClient, legacy_ids: Iterable[str]) -> dict[str, str | None]:
    """Return the current id of each legacy id's list; None if HubSpot says that it knows no such list.

    ListError if HubSpot does not translate them: a failure never becomes "there is no such list".
    """
    wanted = sorted(set(legacy_ids))
    found: dict[str, str | None] = {}
    for chunk in in_chunks(wanted, LEGACY_IDS_PER_CALL):
        found.update(_translated(client, chunk))
    return found


def unknown_legacy_id(legacy_id: str) -> str:
    """Return the first sentence of the error for a legacy id that HubSpot does not know."""
    return (
        f"HubSpot knows no list that had the id {legacy_id} in the lists API v1: correct lists[].legacy_list_id, or "
        "name the list by today's id in lists[].list_id"
    )


def _translated(client: HubSpotClient, legacy_ids: Sequence[str]) -> dict[str, str | None]:
    # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide (ID mapping)
    try:
        answer = client.post(f"{client.base('crm/lists')}/idmapping", list(legacy_ids))
    except (InvalidCredentials, MissingScopes):
        raise
    except Refused as refused:
        raise ListError(
            f"HubSpot does not translate the ids in lists[].legacy_list_id. {refused} Or name these lists by today's "
            "ids in lists[].list_id: the address of a list in HubSpot ends with it."
        ) from refused
    found = parsed(answer, _mapping)
    if unsaid := [legacy_id for legacy_id in legacy_ids if legacy_id not in found]:
        raise ListError(
            f"HubSpot did not say which list has the legacy id {unsaid[0]} (lists[].legacy_list_id), nor that there is "
            "none: nothing is concluded from that, and the run ends. Run again later."
        )
    return found


def _mapping(body: Mapping[str, Any]) -> dict[str, str | None]:
    """Parse HubSpot's PublicBatchMigrationMapping."""
    missing: dict[str, str | None] = dict.fromkeys(
        str(required_id(each)) for each in body["missingLegacyListIds"]
    )
    pairs = body["legacyListIdsToIdsMapping"]
    return missing | {
        str(required_id(each["legacyListId"])): str(required_id(each["listId"])) for each in pairs
    }
