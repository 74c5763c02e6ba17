"""Which function answers which path, at which API versions and with which scopes."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.hubspot_emulator.answers import HubSpotError, not_found
from tests.hubspot_emulator.bodies import Body, parse_json
from tests.hubspot_emulator.traffic import count_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tests.hubspot_emulator.answers import Answer
    from tests.hubspot_emulator.bodies import Query
    from tests.hubspot_emulator.credentials import Grant, OAuthApp
    from tests.hubspot_emulator.limits import Limits
    from tests.hubspot_emulator.portal import Portal
    from tests.hubspot_emulator.traffic import Request

# A release each March and September: https://developers.hubspot.com/docs/developer-tooling/platform/versioning
FIRST_DATED_VERSION = "2026-03"
# An object type's name, its alias and its id: https://developers.hubspot.com/docs/guides/crm/understanding-the-crm
CONTACT_NAMES = frozenset({"contacts", "contact", "0-1"})
_DATED = re.compile(r"\d{4}-(03|09)")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, its route's parameters taken apart."""

    portal: Portal
    oauth: OAuthApp
    static_tokens: Mapping[str, Grant]
    limits: Limits
    grant: Grant | None  # of the token; None for a route that needs none
    version: str
    parameters: Mapping[str, str]
    query: Query
    content: bytes
    request: Request

    def json(self) -> object:
        """Read the body, and record how many inputs or record ids it holds."""
        parsed = parse_json(self.content)
        self.request.inputs = count_inputs(parsed)
        return parsed

    def body(self, *known: str) -> Body:
        return Body(self.json(), known)


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint of HubSpot's, with the page that documents it."""

    method: str
    segments: tuple[str, ...]
    function: Callable[[Call], Answer]
    docs: str
    scopes: tuple[tuple[str, ...], ...]  # alternatives: a token needs every scope of one of them
    query: tuple[str, ...]
    since: str
    versions: tuple[str, ...]
    needs_token: bool
    form: bool
    search: bool

    def parameters(self, segments: list[str]) -> dict[str, str] | None:
        """Take the path's parameters, or None where the path is another route's."""
        taken: dict[str, str] = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern == "{contacts}" and segment not in CONTACT_NAMES:
                return None
            if pattern.startswith("{"):
                taken[pattern[1:-1]] = unquote(segment)
            elif pattern != segment:
                return None
        return taken if self._serves(taken.get("version", "")) else None

    def _serves(self, version: str) -> bool:
        if "{version}" not in self.segments or version in self.versions:
            return True
        return _DATED.fullmatch(version) is not None and version >= max(self.since, FIRST_DATED_VERSION)


class Routes:
    """The endpoints of one API, collected by decorator so that each stands beside its link."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def __call__(
        self,
        method: str,
        path: str,
        *,
        docs: str,
        scopes: tuple[tuple[str, ...], ...] = (),
        query: tuple[str, ...] = (),
        since: str = FIRST_DATED_VERSION,
        versions: tuple[str, ...] = ("v3",),
        needs_token: bool = True,
        form: bool = False,
        search: bool = False,
    ) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
        def register(function: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
            segments = tuple(path.strip("/").split("/"))
            self.all.append(
                Route(
                    method,
                    segments,
                    function,
                    docs,
                    scopes,
                    query,
                    since,
                    versions,
                    needs_token,
                    form,
                    search,
                )
            )
            return function

        return register


class Table:
    """All routes; literal segments win over parameters."""

    def __init__(self, apis: Iterable[Routes]) -> None:
        self._by_length: defaultdict[int, list[Route]] = defaultdict(list)
        for route in (route for api in apis for route in api.all):
            self._by_length[len(route.segments)].append(route)
        for routes in self._by_length.values():
            routes.sort(key=lambda route: [segment.startswith("{") for segment in route.segments])

    def __iter__(self) -> Iterator[Route]:
        return iter([route for routes in self._by_length.values() for route in routes])

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        segments = _canonical(path.strip("/").split("/"))
        matches = [
            (route, parameters)
            for route in self._by_length.get(len(segments), ())
            if (parameters := route.parameters(segments)) is not None
        ]
        for route, parameters in matches:
            if route.method == method:
                return route, parameters
        if matches:
            raise HubSpotError(405, "METHOD_NOT_ALLOWED", "HTTP 405 Method Not Allowed")
        raise not_found("No route matches this path and API version")


def _canonical(segments: list[str]) -> list[str]:
    """Give `/crm/v3/lists` the shape of `/crm/lists/2026-03`: the version behind the API's name."""
    match segments:
        case ["crm", "v3", area, *rest]:
            return ["crm", area, "v3", *rest]
        case ["crm", _, "v3", *_]:
            return []  # HubSpot never documents v3 there
    return segments
