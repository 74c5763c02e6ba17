"""Finds the list of each cohort, or makes it; a failed look-up is an error, never an absence."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from hubspot_http import Conflict, InvalidRequest, NotFound, Refused, TooLarge, concurrently, parsed, redact
from target_hubspot_lists.errors import ListError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from hubspot_http import HubSpotClient
    from target_hubspot_lists.memberships import Cohort
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)

CONTACTS = "0-1"  # object type id: https://developers.hubspot.com/docs/guides/api/crm/understanding-the-crm
WRITABLE = frozenset({"MANUAL", "SNAPSHOT"})  # processing types that take memberships from the API
DUPLICATE_NAME = "ILS.DUPLICATE_LIST_NAMES"  # seen in many connectors; HubSpot's pages do not name it

# A list made a moment ago by somebody else may be refused as a duplicate before it can be found.
WAITS_AFTER_DUPLICATE = (0.5, 1.0, 2.0, 4.0)  # seconds
# Most hits a page: https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
SEARCH_PAGE = 500
NAME_REFUSED = frozenset({400, 413, 414})  # something is wrong with the name; 414: it is too long for a path
NAMES_SHOWN = 3  # of many lists, in an error
NAME_CHARACTERS = 120  # of a list's name, in a log line
# In one call: "listIds=", at most 19 digits and "&" each, so that the path stays below 8 KB.
LISTS_PER_CALL = 250


class Route(NamedTuple):
    """Which list a cohort goes to: by id, or by name, in whatever case (HubSpot ignores it)."""

    list_id: str | None
    name: str

    @property
    def key(self) -> str:
        """Equal for routes that surely lead to one list."""
        # Not casefold: HubSpot may well tell "Straße" from "Strasse", and members must not be mixed up.
        return f"id {self.list_id}" if self.list_id else f"name {self.name.lower()}"


@dataclass(frozen=True)
class HubSpotList:
    """A list of contacts, as HubSpot has it."""

    list_id: str
    name: str
    processing_type: str
    object_type_id: str
    is_foreseen: bool = False  # it is to be made, or a dry run would have made it

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> HubSpotList:
        """Parse HubSpot's list object (PublicObjectList)."""
        return cls(
            list_id=str(int(body["listId"])),
            name=str(body.get("name") or ""),
            processing_type=str(body["processingType"]),
            object_type_id=str(body.get("objectTypeId") or ""),
        )

    @classmethod
    def from_answer(cls, body: Mapping[str, Any]) -> HubSpotList:
        """Parse an answer about one list."""
        return cls.from_body(body["list"])

    def __str__(self) -> str:
        text = f'List "{shown(self.name)}"'
        return text if self.is_foreseen else f"{text} ({self.list_id})"


class Routes:
    """Which list each cohort goes to, as the settings say."""

    def __init__(self, settings: Settings) -> None:
        self._prefix = settings.list_name_prefix
        self._entries = {
            entry.cohort: Route(entry.list_id, entry.list_name or "") for entry in settings.lists
        }
        self._known: dict[Cohort, Route] = {}
        self._first: dict[str, Cohort] = {}  # of those that lead to one list
        self._shared: set[str] = set()

    @property
    def configured(self) -> Iterable[str]:
        """The cohorts that `lists` names."""
        return self._entries.keys()

    def configured_for(self, hubspot_list: HubSpotList) -> Iterable[str]:
        """The cohorts that `lists` sends to this list, by its id or its name."""
        keys = {Route(hubspot_list.list_id, "").key, Route(None, hubspot_list.name).key}
        return [cohort for cohort, route in self._entries.items() if route.key in keys]

    def is_configured(self, cohort: Cohort) -> bool:
        """Whether `lists` names the cohort."""
        return (cohort.id or "") in self._entries or cohort.name in self._entries

    def of(self, cohort: Cohort) -> Route:
        """The route: an entry of `lists` for the cohort's id, then for its name, else the prefixed name."""
        route = self._known.get(cohort)
        if route is None:
            configured = self._entries.get(cohort.id or "") or self._entries.get(cohort.name)
            route = configured or Route(None, self._prefix + cohort.name)
            self._known[cohort] = route
            if configured is None:
                self._warn_if_shared(route, cohort)
        return route

    def _warn_if_shared(self, route: Route, cohort: Cohort) -> None:
        """Say once of a list that its cohorts are several, which their names may hide."""
        first = self._first.setdefault(route.key, cohort)
        if route.key in self._shared or not _differ(first, cohort):
            return
        self._shared.add(route.key)
        logger.warning(
            "The cohorts %s and %s lead to one list, since their names are the same to HubSpot: who leaves one of "
            "them leaves the list. If that is not meant, give one of them another list in lists[].",
            _described(first),
            _described(cohort),
        )


def _differ(one: Cohort, other: Cohort) -> bool:
    return one.name != other.name or (None not in {one.id, other.id} and one.id != other.id)


def _described(cohort: Cohort) -> str:
    return f'"{shown(cohort.name)}"' + (f" (id {shown(cohort.id)})" if cohort.id else "")


class Lists:
    """The portal's lists, looked up once a run and made where they are absent and wanted."""

    def __init__(self, client: HubSpotClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._base = client.base("crm/lists")
        self._found: dict[str, HubSpotList] = {}
        self.created: list[HubSpotList] = []

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
        _refuse_unwritable(hubspot_list)
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
        _refuse_unwritable(answer)

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
            _refuse_unwritable(found)
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
                raise _refused(route, refused) from refused
            return route.key, self._find_duplicate(route.name)
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
        _refuse_unwritable(found)
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


def foreseen(route: Route) -> HubSpotList:
    """A list that is to be made."""
    return HubSpotList(route.key, route.name, "MANUAL", CONTACTS, is_foreseen=True)


def shown(name: str) -> str:
    """A list's name as a log line may show it: on one line, and no person even where cohorts are named so."""
    text = redact("".join(each if each.isprintable() else " " for each in name))
    return text if len(text) <= NAME_CHARACTERS else f"{text[: NAME_CHARACTERS - 1]}…"


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
    reason = refused.call.shortened(refused.message or "no reason given")
    return f"{refused.status} {reason}"


def gone(hubspot_list: HubSpotList) -> ListError:
    """The error for a list that was there when the run began."""
    return ListError(
        f"{hubspot_list} was deleted in HubSpot during this run: restore it there, "
        "or run again with all members of its cohort to fill a new one."
    )


def _is_duplicate_name(refused: Refused) -> bool:
    return isinstance(refused, Conflict) or DUPLICATE_NAME in (refused.sub_category or "")


def _refuse_unwritable(hubspot_list: HubSpotList) -> None:
    if hubspot_list.object_type_id and hubspot_list.object_type_id != CONTACTS:
        raise ListError(
            f"{hubspot_list} is not a list of contacts: name a static list of contacts in lists[].list_id."
        )
    if hubspot_list.processing_type not in WRITABLE:
        raise ListError(
            f"{hubspot_list} is an active list: HubSpot fills it from filters. "
            "Name a static list in lists[].list_id."
        )
