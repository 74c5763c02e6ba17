"""Finds the list of each cohort, or makes it; a failed look-up is an error, never an absence."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hubspot_singer.http import Conflict, InvalidRequest, NotFound, Refused, TooLarge, concurrently, parsed
from target_hubspot_lists.errors import ListError
from target_hubspot_lists.hubspot.list_objects import (
    CONTACTS,
    HubSpotList,
    foreseen,
    gone,
    refuse_unwritable,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.list_objects import Route
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)

DUPLICATE_NAME = "ILS.DUPLICATE_LIST_NAMES"  # seen in many connectors; HubSpot's pages do not name it

# A list made a moment ago by somebody else may be refused as a duplicate before it can be found.
WAITS_AFTER_DUPLICATE = (0.5, 1.0, 2.0, 4.0)  # seconds
# Most hits a page: https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
SEARCH_PAGE = 500
NAME_REFUSED = frozenset({400, 413, 414})  # something is wrong with the name; 414: it is too long for a path
NAMES_SHOWN = 3  # of many lists, in an error
# In one call: "listIds=", at most 19 digits and "&" each, so that the path stays below 8 KB.
LISTS_PER_CALL = 250


class Lists:
    """The portal's lists, looked up once a run and made where they are absent and wanted."""

    def __init__(self, client: HubSpotClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._base = client.base("crm/lists")
        self._found: dict[str, HubSpotList] = {}
        self.created: list[HubSpotList] = []
        self.not_made: set[str] = set()  # names of which HubSpot said that it makes no list

    def resolve(
        self,
        routes: Collection[Route],
        wanted: Collection[str],
        *,
        check: Callable[[Iterable[HubSpotList]], None] | None = None,
    ) -> Mapping[str, HubSpotList]:
        """Return the lists by route key; make absent ones whose key is `wanted`, leave out the others.

        `check` is given all of them, those to be made as well, and may raise before anything is written.
        """
        unknown = [route for route in routes if route.key not in self._found]
        absent: list[Route] = []
        for route, found in self._concurrently(partial(self._look_up, route) for route in unknown):
            if found is not None:
                self._found[route.key] = found
            elif route.key in wanted:
                absent.append(route)
                # At once: a column that differs in every record must not cost a look-up for each.
                self._check_may_create(absent)
        if check is not None:
            there = [self._found[route.key] for route in routes if route.key in self._found]
            check([*there, *(foreseen(route) for route in absent)])
        self._found |= dict(self._concurrently(partial(self._create, route) for route in absent))
        return {route.key: self._found[route.key] for route in routes if route.key in self._found}

    def has(self, route: Route) -> bool:
        """Whether the list of a route was found or made in this run."""
        return route.key in self._found

    def adopt(self, route: Route, hubspot_list: HubSpotList) -> None:
        """Let a route lead to a list that HubSpot has, whatever its name; ListError if it takes no members."""
        refuse_unwritable(hubspot_list)
        self._found[route.key] = hubspot_list

    def is_new(self, hubspot_list: HubSpotList) -> bool:
        """Whether this run made the list."""
        return any(each.list_id == hubspot_list.list_id for each in self.created)

    def find_all(self, list_ids: Collection[str]) -> dict[str, HubSpotList]:
        """Return those of the lists that HubSpot has, by id."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#retrieve-multiple-lists
        ids, found = sorted(list_ids), {}
        for start in range(0, len(ids), LISTS_PER_CALL):
            some = ids[start : start + LISTS_PER_CALL]
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
            if _is_duplicate_name(refused):
                return f'another list is named "{shown(name)}"'
            return f'HubSpot does not take "{shown(name)}" as a name: {_why(refused)}'
        return None

    def check(self, hubspot_list: HubSpotList) -> None:
        """Raise ListError if the list is gone or no longer takes memberships."""
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

    def _concurrently(self, jobs: Iterable[Any]) -> Iterable[Any]:
        return concurrently(jobs, workers=self._settings.connection.max_concurrency)

    def _look_up(self, route: Route) -> tuple[Route, HubSpotList | None]:
        with _about(route):
            found = self.find_by_id(route.list_id) if route.list_id else self.find_by_name(route.name)
        if found is not None:
            refuse_unwritable(found)
        elif route.list_id:
            raise ListError(
                f"There is no list {route.list_id} in this portal: correct lists[].list_id, "
                "or name the list in lists[].list_name and it is made."
            )
        return route, found

    def _check_may_create(self, absent: Collection[Route]) -> None:
        names = ", ".join(f'"{shown(route.name)}"' for route in list(absent)[:NAMES_SHOWN])
        if len(absent) > NAMES_SHOWN:
            names += " …"
        if not self._settings.create_lists:
            raise ListError(
                f"HubSpot has no list {names}, and create_lists is false: make it in HubSpot, "
                "name an existing list in lists[].list_id, or set create_lists to true."
            )
        if (total := len(self.created) + len(absent)) > (limit := self._settings.max_new_lists):
            raise ListError(
                f"This run would make {total} new lists or more ({names}), max_new_lists allows {limit}: "
                "check that cohort_field names the cohort and not the person, or raise max_new_lists."
            )

    def _create(self, route: Route) -> tuple[str, HubSpotList]:
        if self._settings.dry_run:
            self.created.append(foreseen(route))
            return route.key, foreseen(route)
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#create-a-list
        body: dict[str, Any] = {"name": route.name, "objectTypeId": CONTACTS, "processingType": "MANUAL"}
        if self._settings.list_folder_id is not None:
            body["listFolderId"] = self._settings.list_folder_id
        try:
            made = parsed(self._client.post(self._base, body), HubSpotList.from_answer)
        except (InvalidRequest, Conflict) as refused:
            if not _is_duplicate_name(refused):
                self.not_made.add(route.name)
                raise _refused(route, refused) from refused
            made = self._find_duplicate(route.name)
            # Absent a moment ago and asked for more than once: an answer was lost, and it was ours that made it.
            if refused.tries == 1:
                self.not_made.add(route.name)
                return route.key, made
        self.created.append(made)
        logger.info("Made: %s.", made)
        return route.key, made

    def _find_duplicate(self, name: str) -> HubSpotList:
        """Find the list that HubSpot says has this name; it may take moments to show."""
        for seconds in WAITS_AFTER_DUPLICATE:
            self._client.wait(seconds)
            if found := self.find_by_name(name):
                break
        else:
            found = self._search(name)
        if found is None:
            raise ListError(
                f'HubSpot says the list name "{shown(name)}" is taken, but has no such list: '
                "a deleted list may hold the name. Restore it in HubSpot, or give this cohort another name "
                "in lists[].list_name."
            )
        refuse_unwritable(found)
        return found

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


@contextmanager
def _about(route: Route) -> Iterator[None]:
    """Name the list that HubSpot refuses to tell of, rather than a path."""
    try:
        yield
    except Refused as refused:
        if refused.status not in NAME_REFUSED:
            raise
        raise _refused(route, refused) from refused


def _refused(route: Route, refused: Refused) -> ListError:
    return ListError(
        f'HubSpot does not take "{shown(route.name or route.list_id or "")}" as a list: {_why(refused)}. '
        "Name another list for this cohort in lists[]."
    )


def _why(refused: Refused) -> str:
    reason = refused.call.safe_text(refused.message or "no reason given")
    return f"{refused.status} {reason}"


def _is_duplicate_name(refused: Refused) -> bool:
    return isinstance(refused, Conflict) or DUPLICATE_NAME in (refused.sub_category or "")
